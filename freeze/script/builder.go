package script

import (
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/sys/unix"

	"elfwright/machine"
)

// Arg is an operand: a number, or the word at an address.
type Arg struct {
	value uint64
	word  bool
}

// Int is a number, or an address.
func Int[T ~int | ~int64 | ~int32 | ~uint32 | ~uint64](v T) Arg { return Arg{value: uint64(v)} }

// Slot is a word in the script's data: where results go.
type Slot uint64

// Get is what the slot holds.
func (s Slot) Get() Arg { return Arg{uint64(s), true} }

// Addr is where the slot is.
func (s Slot) Addr() Arg { return Arg{value: uint64(s)} }

// Label is a place among the records.
type Label int

// Builder makes a script. What it is told wrongly is an error of Encode.
type Builder struct {
	m       *machine.Machine
	base    uint64
	data    []byte
	records []Record
	jumps   []Label // of each record; -1: none
	labels  []int   // the record that each label is before; -1: not placed
	texts   map[string]uint64
	err     error
}

// NewBuilder begins a script that will be at address base.
func NewBuilder(m *machine.Machine, base uint64) *Builder {
	b := &Builder{m: m, base: base, data: make([]byte, HeadSize), texts: make(map[string]uint64)}
	copy(b.data, Magic)
	o := binary.LittleEndian
	o.PutUint64(b.data[errorsField:], uint64(unix.Stderr))
	o.PutUint32(b.data[machineField:], uint32(m.ELF))
	newline := b.message("\n") // which moves the data
	o.PutUint32(b.data[newlineField:], newline)
	b.errorNames()
	return b
}

// errorNames writes the table by which the stub names what the kernel returns.
func (b *Builder) errorNames() {
	const most = 134 // EHWPOISON + 1, the last of <asm-generic/errno.h>
	table := make([]byte, 4, 4*most)
	binary.LittleEndian.PutUint32(table, most)
	for e := uint32(1); e < most; e++ {
		name := unix.ErrnoName(unix.Errno(e))
		if name == "" {
			name = fmt.Sprintf("errno %d", e)
		}
		table = binary.LittleEndian.AppendUint32(table, b.message(": "+name))
	}
	at := b.Data(table, 4)
	binary.LittleEndian.PutUint64(b.data[namesField:], at)
}

// ErrorsTo is the slot of the descriptor that errors are told to.
func (b *Builder) ErrorsTo() Slot { return Slot(b.base + errorsField) }

// StartSP is the slot of the stack pointer that the kernel started the file with.
func (b *Builder) StartSP() Slot { return Slot(b.base + 40) }

func (b *Builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("thaw script: "+format, args...)
	}
}

// Data puts bytes at a multiple of align, a power of two, and returns their
// address.
func (b *Builder) Data(p []byte, align uint64) uint64 {
	for (b.base+uint64(len(b.data)))&(align-1) != 0 {
		b.data = append(b.data, 0)
	}
	at := b.base + uint64(len(b.data))
	b.data = append(b.data, p...)
	return at
}

// Text puts a string with a NUL behind it, each once, and returns its address.
func (b *Builder) Text(s string) Arg {
	at, ok := b.texts[s]
	if !ok {
		at = b.Data(append([]byte(s), 0), 1)
		b.texts[s] = at
	}
	return Int(at)
}

// Words puts words and returns their address.
func (b *Builder) Words(words ...uint64) Arg {
	p := make([]byte, 0, wordSize*len(words))
	for _, w := range words {
		p = binary.LittleEndian.AppendUint64(p, w)
	}
	return Int(b.Data(p, wordSize))
}

// Slot makes a word that is zero at the start.
func (b *Builder) Slot() Slot { return Slot(b.Words(0).value) }

// message puts a text with its length before it and returns its offset.
func (b *Builder) message(s string) uint32 {
	p := binary.LittleEndian.AppendUint32(nil, uint32(len(s)))
	return uint32(b.Data(append(p, s...), 4) - b.base)
}

// Label makes a label, to be placed later.
func (b *Builder) Label() Label {
	b.labels = append(b.labels, -1)
	return Label(len(b.labels) - 1)
}

// Place puts the label before the next record.
func (b *Builder) Place(l Label) { b.labels[l] = len(b.records) }

// Here makes a label before the next record.
func (b *Builder) Here() Label {
	l := b.Label()
	b.Place(l)
	return l
}

// A Step is a record that was just added; its methods say more about it. They
// must be called before the next one is added.
type Step struct {
	b *Builder
	i int
}

// To says where the result goes.
func (s Step) To(slot Slot) Step {
	s.b.records[s.i].To = uint64(slot)
	return s
}

// Or says where to go on if the record fails, or holds.
func (s Step) Or(l Label) Step {
	s.b.jumps[s.i] = l
	return s
}

// Exact says that the call has to return its third operand.
func (s Step) Exact() Step {
	s.b.records[s.i].Exact = true
	return s
}

// Says gives the record its message: what is told if it fails.
func (s Step) Says(format string, args ...any) Step {
	s.b.records[s.i].Msg = s.b.message("thaw: " + fmt.Sprintf(format, args...))
	return s
}

// Do adds a record.
func (b *Builder) Do(op Op, args ...Arg) Step {
	r := Record{Op: op}
	for i, a := range args {
		r.Args[i] = a.value
		if a.word {
			r.Words |= 1 << i
		}
	}
	b.records = append(b.records, r)
	b.jumps = append(b.jumps, -1)
	return Step{b, len(b.records) - 1}
}

// Call adds a system call. If it fails and nothing else is said, the script goes
// on.
func (b *Builder) Call(name string, args ...Arg) Step { return b.call(Call, name, args) }

// Fork adds a system call that returns twice: the child goes on at a label.
func (b *Builder) Fork(child Label, name string, args ...Arg) Step {
	return b.call(Fork, name, args).Or(child)
}

func (b *Builder) call(op Op, name string, args []Arg) Step {
	nr, ok := b.m.Linux.Lookup(name)
	if !ok {
		name, args = newer(name, args)
		nr, ok = b.m.Linux.Lookup(name)
	}
	if !ok {
		b.fail("%s has no system call %s", b.m.Name, name)
	}
	s := b.Do(op, args...)
	b.records[s.i].Call = nr
	return s
}

// newer says a call that machines of later years do not have by one that all have.
func newer(name string, args []Arg) (string, []Arg) {
	at := append([]Arg{Int(unix.AT_FDCWD)}, args...)
	switch name {
	case "open", "readlink", "mkdir":
		return name + "at", at
	case "access":
		return "faccessat", at
	case "chmod":
		return "fchmodat", at
	case "unlink":
		return "unlinkat", append(at, Int(0))
	case "stat":
		return "newfstatat", append(at, Int(0))
	case "lstat":
		return "newfstatat", append(at, Int(unix.AT_SYMLINK_NOFOLLOW))
	case "pause":
		return "ppoll", []Arg{Int(0), Int(0), Int(0), Int(0), Int(0)}
	case "fork":
		return "clone", []Arg{Int(int(unix.SIGCHLD))}
	}
	return name, args
}

// Jump goes on at a label.
func (b *Builder) Jump(l Label) { b.Do(Jump).Or(l) }

// Encode finishes the script. start and end are those of the frozen file's
// segments in memory.
func (b *Builder) Encode(start, end uint64) ([]byte, error) {
	first := b.Data(nil, wordSize)
	size := uint64(len(b.data)) + uint64(len(b.records))*RecordSize
	if size > math.MaxUint32 {
		b.fail("0x%x bytes are more than 0x%x", size, uint32(math.MaxUint32))
	}
	if b.base+size > end {
		b.fail("0x%x bytes from 0x%x on do not fit before 0x%x", size, b.base, end)
	}
	if b.err != nil {
		return nil, b.err
	}
	out := append(b.data, make([]byte, len(b.records)*RecordSize)...)
	o := binary.LittleEndian
	for i, v := range []uint64{start, end, first, uint64(len(b.records))} {
		o.PutUint64(out[8+8*i:], v)
	}
	o.PutUint64(out[sizeField:], size)
	for i := range b.records {
		if l := b.jumps[i]; l >= 0 {
			to := b.labels[l]
			if to < 0 || to >= len(b.records) {
				return nil, fmt.Errorf("thaw script: record %d jumps nowhere", i)
			}
			b.records[i].Jump = uint32(len(b.data) + to*RecordSize)
		}
		b.records[i].encode(out[len(b.data)+i*RecordSize:])
	}
	return out, nil
}

// Size is how large the script would be if it ended here.
func (b *Builder) Size() uint64 {
	return uint64(len(b.data)+len(b.records)*RecordSize) + wordSize
}
