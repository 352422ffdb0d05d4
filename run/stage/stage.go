// Package stage is stage 2 of a start: the code that, in the new process, does what
// nobody could do for it beforehand, and the plan that it carries out.
//
// An image that another package made holds every object mapped and relocated. Left
// are the thread pointer, words that depend on the stack which the kernel made,
// resolvers of indirect functions, protections, constructors. A plan is a list of
// records, one for each such step. The code is the machine's .S file here; the
// bytes in Go are that file, assembled.
package stage

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// Op is what a record does.
type Op uint64

// The operands of each, in their order.
const (
	End     Op = iota // entry, function that the program is to call at its end
	Open              // path; what to say where it cannot be opened, and the length of that
	Close             // closes what was opened last
	Map               // address, length, protection, flags, offset: maps what was opened last
	Protect           // address, length, protection
	Thread            // thread pointer
	Poke              // place of 8 bytes, [Value]
	Poke32            // place of 4 bytes, [Value]
	Random            // place, offset in the 16 bytes of AT_RANDOM, mask
	Auxv              // type, value: of an entry that the kernel made
	Call              // function, up to four arguments
	Chain             // function, its argument, function of what it returns
	Resolve           // place, resolver, addend
	Copy              // destination, source, length
	Init              // function: called with argc, argv, envp
	InitOf            // function, argument: called with that, argc, argv, envp
	Environ           // function, "NAME=", up to three arguments: called with the variable's value first
	System            // number of a system call, up to four arguments
	CallOf            // function, [Value]: called with that, and 0
	Store             // function, its argument, place of what it returns
	Stop              // the process stops itself (SIGSTOP)
	VDSO              // copy of the vDSO, its words, rows of place, value and mask, and how many: if the process's is that, each place becomes value + (its address & mask)

	// Of an image that is kept; see Keep.
	Skip      // nothing, and how many records are left out where AT_EXECFN is the name that Keep was given
	OpenSame  // path, a Stat of the plan: opens the file if it is that one
	Same      // path, a Stat of the plan
	Absent    // path, at which nothing is to be
	Variables // beginning of strings of the environment, list of all that are to be there, in their order
	Kernel    // release and version as uname(2) gives them, 65 bytes each
	CPU       // leaf, sub-leaf, mask, value: of %ebx and, above it, %ecx as CPUID gives them; x86-64 alone
	ops
)

var opNames = [ops]string{"end", "open", "close", "map", "protect", "thread", "poke", "poke32", "random", "auxv",
	"call", "chain", "resolve", "copy", "init", "initof", "environ", "system", "callof", "store", "stop", "vdso",
	"skip", "opensame", "same", "absent", "variables", "kernel", "cpu"}

// String names the operation.
func (o Op) String() string {
	if o < ops {
		return opNames[o]
	}
	return fmt.Sprintf("op %d", uint64(o))
}

// Value is a word of the stack that the kernel makes, or its address.
type Value uint64

const (
	Argc Value = iota
	Argv
	Envp
	AuxvStart
	StackPointer
)

// Auxiliary is the value of an entry of the auxiliary vector, 0 where there is none.
func Auxiliary(typ uint64) Value { return Value(16 + typ) }

// Record is a step.
type Record struct {
	Op   Op
	Args [5]uint64
}

// recordSize is that of a record in memory: six words.
const recordSize = 48

// Code is stage 2 of a machine.
type Code struct {
	Bytes   []byte
	Fini    uint64 // offset of the function that calls the destructors of the plan
	Die     uint64 // offset of the code that says something and ends the process
	Stopper uint64 // offset of a function that stops the process
	TLSDesc uint64 // offset of the function of TLS descriptors
	TLSWeak uint64 // and of those of weak symbols that nothing defines
	TLSAddr uint64 // offset of __tls_get_addr for programs without libc

	// jump is the code that goes to Die with a message: filled in by jumpTo.
	jump func(at, die, msg uint64, n int) []byte
}

// CodeOf returns stage 2 of a machine, or nil.
func CodeOf(m elf.Machine, c elf.Class) *Code {
	switch {
	case m == elf.EM_X86_64 && c == elf.ELFCLASS64:
		return &amd64
	case m == elf.EM_AARCH64 && c == elf.ELFCLASS64:
		return &aarch64
	}
	return nil
}

// Plan is what stage 2 is to do.
type Plan struct {
	Records []Record
	Fini    []uint64 // destructors, in the order in which they are called
	code    *Code
	at      uint64 // where the code lies
	extra   []byte // strings and code of the plan, behind its header
	strings map[string]uint64
	name    uint64 // of Keep
	again   uint64
}

// headerSize is that of the plan's header behind the code: where the records are,
// where the destructors are, what to say of a mapping that cannot be made, and what
// Keep has.
const headerSize = 48

const cannotMap = "elfwright: a segment cannot be mapped\n"

// New begins a plan whose code will lie at an address, a multiple of 16.
func New(code *Code, at uint64) *Plan {
	p := &Plan{code: code, at: at, strings: make(map[string]uint64)}
	p.Text(cannotMap)
	return p
}

// FiniAddr is the address of the function that calls the plan's destructors.
func (p *Plan) FiniAddr() uint64 { return p.at + p.code.Fini }

// TLSDesc, TLSWeak and TLSAddr are addresses of functions of stage 2.
func (p *Plan) TLSDesc() uint64 { return p.at + p.code.TLSDesc }
func (p *Plan) TLSWeak() uint64 { return p.at + p.code.TLSWeak }
func (p *Plan) TLSAddr() uint64 { return p.at + p.code.TLSAddr }

// Stopper is the address of a function that stops the process, and returns.
func (p *Plan) Stopper() uint64 { return p.at + p.code.Stopper }

// Entry is where the image is to be entered.
func (p *Plan) Entry() uint64 { return p.at }

// Do adds a step.
func (p *Plan) Do(op Op, args ...uint64) {
	r := Record{Op: op}
	copy(r.Args[:], args)
	p.Records = append(p.Records, r)
}

// Text puts a string into the plan, ended by NUL, and returns its address. The
// same string is there once.
func (p *Plan) Text(s string) uint64 {
	if a, ok := p.strings[s]; ok {
		return a
	}
	a := p.end()
	p.extra = append(append(p.extra, s...), 0)
	p.strings[s] = a
	return a
}

func (p *Plan) end() uint64 {
	return p.at + uint64(len(p.code.Bytes)) + headerSize + uint64(len(p.extra))
}

// OpenFile adds the opening of a file.
func (p *Plan) OpenFile(path string) {
	msg := "elfwright: " + path + ": cannot be opened\n"
	p.Do(Open, p.Text(path), p.Text(msg), uint64(len(msg)))
}

// Undefined adds code that says something and ends the process with status 127,
// and returns its address. It is for slots of functions that nothing defines.
func (p *Plan) Undefined(msg string) uint64 {
	if len(msg) > maxMessage {
		msg = msg[:maxMessage-1] + "\n"
	}
	text := p.Text(msg)
	for len(p.extra)%16 != 0 {
		p.extra = append(p.extra, 0)
	}
	a := p.end()
	p.extra = append(p.extra, p.code.jump(a, p.at+p.code.Die, text, len(msg))...)
	return a
}

// maxMessage bounds a message, so that its length fits an instruction.
const maxMessage = 1 << 12

// Place is where what is put next will lie, a multiple of 16.
func (p *Plan) Place() uint64 {
	for p.end()%16 != 0 {
		p.extra = append(p.extra, 0)
	}
	return p.end()
}

// Put adds bytes, to be executed or read, at that place.
func (p *Plan) Put(b []byte) { p.extra = append(p.extra, b...) }

// Bytes are code, header, strings, records and destructors, to lie at the plan's
// address, readable and executable.
func (p *Plan) Bytes() []byte {
	for len(p.extra)%16 != 0 {
		p.extra = append(p.extra, 0)
	}
	records := p.end()
	fini := records + recordSize*uint64(len(p.Records))
	le := binary.LittleEndian
	b := append([]byte(nil), p.code.Bytes...)
	b = le.AppendUint64(b, records)
	b = le.AppendUint64(b, fini)
	b = le.AppendUint64(b, p.strings[cannotMap])
	b = le.AppendUint64(b, uint64(len(cannotMap)))
	b = le.AppendUint64(b, p.name)
	b = le.AppendUint64(b, p.again)
	b = append(b, p.extra...)
	for _, r := range p.Records {
		b = le.AppendUint64(b, uint64(r.Op))
		for _, a := range r.Args {
			b = le.AppendUint64(b, a)
		}
	}
	for _, f := range p.Fini {
		b = le.AppendUint64(b, f)
	}
	return le.AppendUint64(b, 0)
}

// jumpAMD64 is: lea msg(%rip),%rsi; mov $n,%edx; jmp die.
func jumpAMD64(at, die, msg uint64, n int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte{0x48, 0x8d, 0x35}, uint32(msg-(at+7)))
	b = le.AppendUint32(append(b, 0xba), uint32(n))
	return le.AppendUint32(append(b, 0xe9), uint32(die-(at+17)))
}

// jumpAArch64 is: ldr x1, msg; mov x2, #n; ldr x3, die; br x3; msg: .quad; die: .quad.
func jumpAArch64(at, die, msg uint64, n int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0x58000081) // ldr x1, .+16
	b = le.AppendUint32(b, 0xd2800002|uint32(n)<<5)
	b = le.AppendUint32(b, 0x58000083) // ldr x3, .+16
	b = le.AppendUint32(b, 0xd61f0060) // br x3
	return le.AppendUint64(le.AppendUint64(b, msg), die)
}
