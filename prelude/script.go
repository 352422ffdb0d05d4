package prelude

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"elfwright/elffile"
	"elfwright/machine"
)

// A prelude in a file is a PT_LOAD, readable and executable:
//
//	offset  size
//	0       8     "EWPRELUD"
//	8       4     version of this layout: 1
//	12      4     size of the code, a multiple of 8
//	16            the code; e_entry is its first byte
//	              the script, which follows the code directly
//
// A script is, in the byte order of the file:
//
//	offset  size
//	0       4     "EWS1"
//	4       4     bytes of scratch memory, a multiple of 16
//	8       4     bytes of records, a multiple of 40
//	12      2     e_machine
//	14      1     EI_CLASS
//	15      1     0
//	16      8     old entry, as a distance from the script's first byte
//	24      8     where in the file the script is
//	32      8     checksum of the script: the first bytes of the SHA-256 of all of it,
//	              with these three fields zero
//	40            records, then data: strings and tables that records point to
//
// By the last two a script can tell whether the file that it has open is the one
// that it is from, as it was laid out.
//
// Scratch memory is on the stack and zero at the start. The first record is
// carried out first, each is followed by the next unless it jumps, and an end
// record goes to the old entry. A record is:
//
//	offset  size
//	0       1     what to do, an [Op]
//	1       2     what the operands are, a [Kind] of two bits each, the first lowest
//	3       1     0
//	4       4     number of the system call
//	8       4     where the result goes: a place in scratch memory
//	12      4     where to jump: the offset of a record in the script; 0: nowhere
//	16      6×4   operands, signed
//
// A word is as wide as an address. Arithmetic is modulo that width.
const (
	Magic   = "EWPRELUD"
	Version = 1

	headSize      = 16 // of what precedes the code
	scriptMagic   = "EWS1"
	scriptHead    = 40
	entryField    = 16 // these two and the checksum are filled in by Enter
	offsetField   = 24
	sumField      = 32
	recordSize    = 40
	maxScratch    = 64 << 10 // a new process has a stack of 128 KiB at least (setup_arg_pages)
	scratchAlign  = 16
	maxScriptSize = math.MaxInt32
	operands      = 6
)

// Op is what a record does. a and b are its first two operands.
type Op uint8

// The operations. All but the first and the jumps store a result.
const (
	End     Op = iota // go to the old entry
	Call              // a system call; a result of -4095 … -1 jumps
	Equal             // jump if a == b
	Below             // jump if a < b, both without sign
	Add               // a + b
	Sub               // a - b
	Load              // the word at a + b
	Store             // b becomes the word at a, and is the result
	Decimal           // write b in decimal digits and a NUL to a; the result is the NUL's address
	Copy              // copy the string at b to a, with its NUL, whose address is the result
	Find              // the address at which the string at a has the string at b; 0: nowhere
	numOps
)

var opNames = [numOps]string{"end", "call", "equal", "below", "add", "sub", "load", "store", "decimal", "copy", "find"}

// args is how many operands an operation looks at.
func (o Op) args() int {
	switch o {
	case End:
		return 0
	case Call:
		return operands
	}
	return 2
}

// Kind says what an operand is.
type Kind uint8

// The kinds of operands.
const (
	Number  Kind = iota // the number itself
	Pointer             // an address in the script, as an offset
	Address             // an address in scratch memory, as an offset
	Value               // the word at an address in scratch memory
)

// Record is a step of a script.
type Record struct {
	Op    Op
	Kinds [operands]Kind
	Call  uint32 // number of the system call
	To    uint32 // offset of the result in scratch memory
	Jump  uint32 // offset of a record in the script; 0: none
	Args  [operands]int32
}

// Script is a script, taken apart.
type Script struct {
	Machine *machine.Machine
	Scratch uint32 // bytes
	Entry   int64  // the old entry, from the script's first byte
	Offset  uint64 // of the script in the file
	Sum     uint64 // checksum
	Records []Record
	Data    []byte
}

// dataStart is the offset of the data in the script.
func (s *Script) dataStart() int { return scriptHead + len(s.Records)*recordSize }

// Encode writes the script.
func (s *Script) Encode() []byte {
	o := binary.LittleEndian
	b := make([]byte, s.dataStart(), s.dataStart()+len(s.Data))
	copy(b, scriptMagic)
	o.PutUint32(b[4:], s.Scratch)
	o.PutUint32(b[8:], uint32(len(s.Records)*recordSize))
	o.PutUint16(b[12:], uint16(s.Machine.ELF))
	b[14] = byte(s.Machine.Class)
	o.PutUint64(b[entryField:], uint64(s.Entry))
	o.PutUint64(b[offsetField:], s.Offset)
	o.PutUint64(b[sumField:], s.Sum)
	for i := range s.Records {
		s.Records[i].encode(b[scriptHead+i*recordSize:])
	}
	return append(b, s.Data...)
}

func (r *Record) encode(b []byte) {
	o := binary.LittleEndian
	kinds := uint32(0)
	for i, k := range r.Kinds {
		kinds |= uint32(k) << (2 * i)
	}
	o.PutUint32(b, uint32(r.Op)|kinds<<8)
	o.PutUint32(b[4:], r.Call)
	o.PutUint32(b[8:], r.To)
	o.PutUint32(b[12:], r.Jump)
	for i, v := range r.Args {
		o.PutUint32(b[16+4*i:], uint32(v))
	}
}

func decodeRecord(b []byte) Record {
	o := binary.LittleEndian
	r := Record{Op: Op(b[0]), Call: o.Uint32(b[4:]), To: o.Uint32(b[8:]), Jump: o.Uint32(b[12:])}
	kinds := o.Uint32(b) >> 8
	for i := range r.Args {
		r.Kinds[i] = Kind(kinds >> (2 * i) & 3)
		r.Args[i] = int32(o.Uint32(b[16+4*i:]))
	}
	return r
}

// checksum is the script's, whatever its fields for Enter hold.
func checksum(script []byte) uint64 {
	h := sha256.New()
	h.Write(script[:entryField])
	h.Write(make([]byte, scriptHead-entryField))
	h.Write(script[scriptHead:])
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// fault makes an error about a script.
func fault(field string, off int, format string, args ...any) error {
	return &elffile.Error{Struct: "prelude script", Field: field, Off: int64(off), Msg: fmt.Sprintf(format, args...)}
}

// Parse reads a script for a machine and checks that every record stays within
// the script and its scratch memory. Offsets in errors count from the script's
// first byte.
func Parse(m *machine.Machine, b []byte) (*Script, error) {
	o := binary.LittleEndian
	if len(b) < scriptHead {
		return nil, fault("", 0, "0x%x bytes are fewer than its head has (0x%x)", len(b), scriptHead)
	}
	if string(b[:4]) != scriptMagic {
		return nil, fault("magic", 0, "%q is not %q", b[:4], scriptMagic)
	}
	if n, c := o.Uint16(b[12:]), b[14]; n != uint16(m.ELF) || c != byte(m.Class) {
		return nil, fault("machine", 12, "e_machine %d, class %d is not %s (%d, %d)", n, c, m.Name, m.ELF, m.Class)
	}
	s := &Script{Machine: m, Scratch: o.Uint32(b[4:]), Entry: int64(o.Uint64(b[entryField:])), Offset: o.Uint64(b[offsetField:]), Sum: o.Uint64(b[sumField:])}
	if s.Scratch == 0 || s.Scratch > maxScratch || s.Scratch%scratchAlign != 0 {
		return nil, fault("scratch", 4, "0x%x is not a multiple of %d from %d to 0x%x", s.Scratch, scratchAlign, scratchAlign, maxScratch)
	}
	n := o.Uint32(b[8:])
	if n == 0 || n%recordSize != 0 || uint64(n) > uint64(len(b)-scriptHead) {
		return nil, fault("records", 8, "0x%x is not a number of records (0x%x bytes each) in 0x%x bytes", n, recordSize, len(b)-scriptHead)
	}
	if b[15] != 0 {
		return nil, fault("machine", 15, "%d where 0 should be", b[15])
	}
	s.Records = make([]Record, n/recordSize)
	for i := range s.Records {
		at := scriptHead + i*recordSize
		s.Records[i] = decodeRecord(b[at:])
		if err := s.check(i, b[at:], len(b)); err != nil {
			return nil, err
		}
	}
	if s.Records[len(s.Records)-1].Op != End {
		return nil, fault("records", scriptHead+int(n)-recordSize, "the last one is %s and not an end", opNames[s.Records[len(s.Records)-1].Op])
	}
	s.Data = b[scriptHead+int(n):]
	return s, nil
}

// check checks record i, whose bytes b begins with, of a script of size bytes.
func (s *Script) check(i int, b []byte, size int) error {
	r, at, word := &s.Records[i], scriptHead+i*recordSize, uint32(s.Machine.WordSize())
	name := fmt.Sprintf("record %d", i)
	if r.Op >= numOps {
		return fault(name, at, "operation %d is unknown", r.Op)
	}
	if b[3] != 0 || b[2]>>4 != 0 {
		return fault(name, at+2, "bits that have no meaning are set: 0x%02x%02x", b[3], b[2])
	}
	if r.To%word != 0 || r.To > s.Scratch-word {
		return fault(name, at+8, "the result's place 0x%x is no word in 0x%x bytes of scratch memory", r.To, s.Scratch)
	}
	first, end := uint32(scriptHead), uint32(scriptHead+len(s.Records)*recordSize)
	if r.Jump != 0 && (r.Jump < first || r.Jump >= end || (r.Jump-first)%recordSize != 0) {
		return fault(name, at+12, "the jump to 0x%x leads to no record in [0x%x, 0x%x)", r.Jump, first, end)
	}
	if r.Jump == 0 && (r.Op == Equal || r.Op == Below) {
		return fault(name, at+12, "%s has nowhere to jump to", opNames[r.Op])
	}
	for j, v := range r.Args {
		limit := int64(size)
		switch r.Kinds[j] {
		case Number:
			continue
		case Address:
			limit = int64(s.Scratch)
		case Value:
			limit = int64(s.Scratch - word)
		}
		if int64(v) < 0 || int64(v) > limit {
			return fault(name, at+16+4*j, "operand %d, 0x%x, is beyond 0x%x", j, v, limit)
		}
	}
	return nil
}
