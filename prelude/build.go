package prelude

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"elfwright/machine"
)

// Builder makes a script. Its methods add a record each, in order; the first
// mistake is kept and told by [Builder.Script].
type Builder struct {
	m       *machine.Machine
	records []Record
	jumps   []Label // by record
	labels  []int   // the record that each label is at; -1: nowhere yet
	scratch int
	data    []byte
	texts   map[string]int // offsets in data
	fixes   []int          // offsets in data of words that are offsets in data
	words   []fix          // operands that are offsets in data
	err     error
}

// A fix is an operand that is an offset in data until the number of records is
// known.
type fix struct{ record, operand int }

// Label is a place in a script. The zero Label is no place: where a jump may be
// left out, it leaves it out.
type Label int

// Arg is an operand.
type Arg struct {
	kind   Kind
	value  int64
	inData bool // value is an offset in the data
}

// Int is an operand that is a number.
func Int(v int64) Arg { return Arg{kind: Number, value: v} }

// Base is an operand that is the address of the script's first byte.
func Base() Arg { return Arg{kind: Pointer} }

// Word is a word of scratch memory.
type Word struct{ off int }

// Get is the word's value as an operand.
func (w Word) Get() Arg { return Arg{kind: Value, value: int64(w.off)} }

// NewBuilder begins a script for a machine, which must have a prelude.
func NewBuilder(m *machine.Machine) *Builder {
	b := &Builder{m: m, labels: []int{-1}, texts: make(map[string]int)}
	b.Word() // results that nobody asks for go here
	if m.Prelude == nil || m.Linux == nil {
		b.fail("%s: no prelude yet", m.Name)
	}
	return b
}

// Machine is the machine that the script is for.
func (b *Builder) Machine() *machine.Machine { return b.m }

func (b *Builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf(format, args...)
	}
}

// Word makes room for a word in scratch memory.
func (b *Builder) Word() Word {
	w := Word{b.scratch}
	b.scratch += b.m.WordSize()
	return w
}

// Buffer makes room for n bytes in scratch memory and returns their address.
func (b *Builder) Buffer(n int) Arg {
	a := Arg{kind: Address, value: int64(b.scratch)}
	b.scratch += (n + scratchAlign - 1) &^ (scratchAlign - 1)
	return a
}

// Text puts a string into the script, once, and returns its address.
func (b *Builder) Text(s string) Arg {
	if strings.ContainsRune(s, 0) {
		b.fail("the string %q has a NUL", s)
	}
	return b.Bytes([]byte(s + "\x00"))
}

// Bytes puts bytes into the script, equal ones once, and returns their address.
func (b *Builder) Bytes(p []byte) Arg {
	at, ok := b.texts[string(p)]
	if !ok {
		at = b.append(p)
		b.texts[string(p)] = at
	}
	return Arg{kind: Pointer, value: int64(at), inData: true}
}

func (b *Builder) append(p []byte) int {
	at := len(b.data)
	if int64(at)+int64(len(p)) > maxScriptSize/2 {
		b.fail("0x%x bytes of data are too many for a script (0x%x)", int64(at)+int64(len(p)), maxScriptSize/2)
		return 0
	}
	b.data = append(b.data, p...)
	return at
}

// Table puts words into the script and returns their address. An operand that is
// an address in the script becomes its offset there, to be added to Base.
func (b *Builder) Table(cells ...Arg) Arg {
	word := b.m.WordSize()
	b.data = append(b.data, make([]byte, -len(b.data)&7)...)
	p := make([]byte, len(cells)*word)
	for i, c := range cells {
		switch {
		case c.kind == Pointer && c.inData:
			b.fixes = append(b.fixes, len(b.data)+i*word)
		case c.kind != Number:
			b.fail("a word of a table is a value that only the running program has")
		case word == 4 && (c.value < math.MinInt32 || c.value > math.MaxUint32):
			b.fail("0x%x does not fit a word of 4 bytes", c.value)
		}
		b.put(p[i*word:], uint64(c.value))
	}
	return Arg{kind: Pointer, value: int64(b.append(p)), inData: true}
}

func (b *Builder) put(p []byte, v uint64) {
	if b.m.WordSize() == 4 {
		binary.LittleEndian.PutUint32(p, uint32(v))
		return
	}
	binary.LittleEndian.PutUint64(p, v)
}

// Int64 is a number of 64 bits as words of a table: one, or two, the low one first.
func (b *Builder) Int64(v int64) []Arg {
	if b.m.WordSize() == 4 {
		return []Arg{Int(v & math.MaxUint32), Int(v >> 32 & math.MaxUint32)}
	}
	return []Arg{Int(v)}
}

// Label makes a label, which is nowhere yet.
func (b *Builder) Label() Label {
	b.labels = append(b.labels, -1)
	return Label(len(b.labels) - 1)
}

// Place puts a label before the next record.
func (b *Builder) Place(l Label) {
	if b.labels[l] >= 0 || l == 0 {
		b.fail("label %d is placed twice", l)
	}
	b.labels[l] = len(b.records)
}

// Here makes a label before the next record.
func (b *Builder) Here() Label {
	l := b.Label()
	b.Place(l)
	return l
}

func (b *Builder) add(op Op, to Word, jump Label, args ...Arg) {
	r := Record{Op: op, To: uint32(to.off)}
	if len(args) > operands {
		b.fail("%s with %d operands, at most %d are possible", opNames[op], len(args), operands)
		args = args[:operands]
	}
	for i, a := range args {
		if a.value < math.MinInt32 || a.value > math.MaxInt32 {
			b.fail("operand 0x%x of %s does not fit 32 signed bits", a.value, opNames[op])
		}
		r.Kinds[i], r.Args[i] = a.kind, int32(a.value)
		if a.inData {
			b.words = append(b.words, fix{len(b.records), i})
		}
	}
	b.records = append(b.records, r)
	b.jumps = append(b.jumps, jump)
}

// Call makes a system call, by its name in <asm/unistd.h>; if it fails, the script
// goes on at the label.
func (b *Builder) Call(name string, to Word, failed Label, args ...Arg) {
	n := uint32(0)
	if b.m.Linux != nil {
		var ok bool
		if n, ok = b.m.Linux.Lookup(name); !ok {
			b.fail("%s: the number of the system call %s is not known", b.m.Name, name)
		}
	}
	b.add(Call, to, failed, args...)
	b.records[len(b.records)-1].Call = n
}

// Equal jumps if x == y, Below if x < y, both without sign, and Jump always.
func (b *Builder) Equal(x, y Arg, l Label) { b.add(Equal, Word{}, l, x, y) }

// Below jumps if x < y, both without sign.
func (b *Builder) Below(x, y Arg, l Label) { b.add(Below, Word{}, l, x, y) }

// Jump goes on at a label.
func (b *Builder) Jump(l Label) { b.add(Equal, Word{}, l) }

// Set stores a value.
func (b *Builder) Set(to Word, x Arg) { b.add(Add, to, 0, x, Int(0)) }

// Add stores x + y.
func (b *Builder) Add(to Word, x, y Arg) { b.add(Add, to, 0, x, y) }

// Sub stores x - y.
func (b *Builder) Sub(to Word, x, y Arg) { b.add(Sub, to, 0, x, y) }

// Load stores the word at x + y.
func (b *Builder) Load(to Word, x, y Arg) { b.add(Load, to, 0, x, y) }

// Store stores x in the word at an address.
func (b *Builder) Store(at, x Arg) { b.add(Store, Word{}, 0, at, x) }

// Copy copies the string at from to an address, and stores where its NUL is.
func (b *Builder) Copy(to Word, at, from Arg) { b.add(Copy, to, 0, at, from) }

// Decimal writes a number to an address, and stores where its NUL is.
func (b *Builder) Decimal(to Word, at, number Arg) { b.add(Decimal, to, 0, at, number) }

// Find stores where the string at text has the string at part, or 0.
func (b *Builder) Find(to Word, text, part Arg) { b.add(Find, to, 0, text, part) }

// End goes to the program's old entry.
func (b *Builder) End() { b.add(End, Word{}, 0) }

// Script resolves the labels and returns the script's bytes.
func (b *Builder) Script() ([]byte, error) {
	s := &Script{Machine: b.m, Records: b.records, Data: b.data}
	s.Scratch = uint32(b.scratch+scratchAlign-1) &^ (scratchAlign - 1)
	if b.scratch > maxScratch {
		b.fail("0x%x bytes of scratch memory are more than 0x%x", b.scratch, maxScratch)
	}
	start := s.dataStart()
	if int64(start)+int64(len(s.Data)) > maxScriptSize {
		b.fail("0x%x bytes are too many for a script (0x%x)", int64(start)+int64(len(s.Data)), maxScriptSize)
	}
	if b.err != nil {
		return nil, b.err
	}
	for i, l := range b.jumps {
		if l == 0 {
			continue
		}
		at := b.labels[l]
		if at < 0 || at == len(b.records) {
			return nil, fmt.Errorf("record %d jumps to label %d, which is before no record", i, l)
		}
		s.Records[i].Jump = uint32(scriptHead + at*recordSize)
	}
	for _, w := range b.words {
		s.Records[w.record].Args[w.operand] += int32(start)
	}
	out := s.Encode()
	word := uint64(0)
	for _, at := range b.fixes {
		p := out[start+at:]
		if b.m.WordSize() == 4 {
			word = uint64(binary.LittleEndian.Uint32(p))
		} else {
			word = binary.LittleEndian.Uint64(p)
		}
		b.put(p, word+uint64(start))
	}
	_, err := Parse(b.m, out)
	return out, err
}
