package script

import "encoding/binary"

// A script is, at an address that is fixed when it is made and in the byte order
// of the machine:
//
//	offset  size
//	0       8     "EWTHAW1\0"
//	8       8     where the first segment of the frozen file starts
//	16      8     where the last one ends: these pages stay when the process runs
//	24      8     address of the first record
//	32      8     how many records there are
//	40      8     the stack pointer at the start, which the stub writes
//	48      8     the descriptor that errors are told to
//	56      8     address of the names of errors: their number n, then n offsets
//	64      4     offset of the text "\n"
//	68      4     e_machine
//	72      8     size of the script
//	80            data: texts, tables, frames; then the records
//
// Offsets count from the script's first byte and have 4 bytes. A text has its
// length before it, in 4 bytes. A record is:
//
//	offset  size
//	0       1     what to do, an [Op]
//	1       1     which operands are words in memory: bit i for operand i, which is
//	              then the word's address
//	2       1     1: a call has to return its third operand
//	3       1     0
//	4       4     number of the system call
//	8       4     where to jump, as an offset: if a call fails, if a comparison
//	              holds; 0: nowhere
//	12      4     what to say if it fails and does not jump, as an offset of a text;
//	              0: nothing, and go on
//	16      8     where the result goes, an address; 0: nowhere
//	24      6×8   operands
const (
	Magic      = "EWTHAW1\x00"
	HeadSize   = 80
	RecordSize = 72

	firstField   = 24
	errorsField  = 48
	namesField   = 56
	newlineField = 64
	machineField = 68
	sizeField    = 72
	operands     = 6
	wordSize     = 8
)

// Op is what a record does. a, b and c are its first operands.
type Op uint8

// The operations.
const (
	Exit     Op = iota // end with status a
	Call               // a system call; a result of -4095 … -1 is an error
	Fork               // a system call that returns twice; the child jumps
	Jump               // jump
	Equal              // jump if a == b
	Below              // jump if a < b, both without sign
	Equal4             // jump if the 4 bytes at a are b
	Bits4              // jump if the 4 bytes at a have all bits of b
	Same               // jump if c bytes at a and at b are the same
	Copy               // copy c bytes from b to a
	Store              // b becomes the word at a
	Store4             // b becomes the 4 bytes at a
	Load               // the word at a + b
	Load4              // the 4 bytes at a + b
	Add                // a + b
	Subtract           // a - b
	Count              // add 1 to the 4 bytes at a, in one piece
	TID                // the 4 bytes at a, if they are b, become c
	Aux                // the value of entry a of the auxiliary vector
	CPUID              // leaf a, b of CPUID to the four 4-byte words at c; on AArch64: IminLine and DminLine of CTR_EL0, all of it, DCZID_EL0
	XCR0               // what the kernel saves of extended state
	Fail               // tell the message and end
	Return             // rt_sigreturn with stack pointer a
	Status             // end as a child did whose wait status is a
	Swap               // b becomes the word at a, whose old value is the result
	Pointer            // a becomes the thread pointer, on AArch64, where no call sets it
	Sign               // a with a code that authenticates it for modifier b, on AArch64
	numOps
)

var ops = [numOps]struct {
	name string
	args int
}{
	{"exit", 1}, {"call", operands}, {"fork", operands}, {"jump", 0}, {"equal", 2}, {"below", 2}, {"equal4", 2}, {"bits4", 2}, {"same", 3},
	{"copy", 3}, {"store", 2}, {"store4", 2}, {"load", 2}, {"load4", 2}, {"add", 2}, {"subtract", 2}, {"count", 1}, {"tid", 3},
	{"aux", 1}, {"cpuid", 3}, {"xcr0", 0}, {"fail", 0}, {"return", 1}, {"status", 1}, {"swap", 2},
	{"pointer", 1}, {"sign", 2},
}

// String names the operation.
func (o Op) String() string { return ops[o].name }

// jumps says whether a record of the operation must have somewhere to jump to.
func (o Op) jumps() bool { return o >= Fork && o <= Same }

// Record is a step of a script.
type Record struct {
	Op    Op
	Words uint8 // bit i: operand i is the address of a word that has the value
	Exact bool  // the call has to return its third operand
	Call  uint32
	Jump  uint32 // offset of a record in the script; 0: none
	Msg   uint32 // offset of a text; 0: none
	To    uint64
	Args  [operands]uint64
}

func (r *Record) encode(b []byte) {
	o := binary.LittleEndian
	b[0], b[1], b[2], b[3] = byte(r.Op), r.Words, 0, 0
	if r.Exact {
		b[2] = 1
	}
	o.PutUint32(b[4:], r.Call)
	o.PutUint32(b[8:], r.Jump)
	o.PutUint32(b[12:], r.Msg)
	o.PutUint64(b[16:], r.To)
	for i, v := range r.Args {
		o.PutUint64(b[24+wordSize*i:], v)
	}
}

func decode(b []byte) Record {
	o := binary.LittleEndian
	r := Record{Op: Op(b[0]), Words: b[1], Exact: b[2] == 1, Call: o.Uint32(b[4:]), Jump: o.Uint32(b[8:]), Msg: o.Uint32(b[12:]), To: o.Uint64(b[16:])}
	for i := range r.Args {
		r.Args[i] = o.Uint64(b[24+wordSize*i:])
	}
	return r
}
