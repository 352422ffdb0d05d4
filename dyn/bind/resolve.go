package bind

import (
	"encoding/binary"
	"fmt"

	"elfwright/elffile"
)

// pending marks a binding that needs the table of unique symbols and is therefore
// decided after all others, in relocation order. It is no Rule of a Result.
const pending Rule = 255

// resolver decides bindings. The decision is a function of the process alone, but
// for unique symbols, so resolvers can share the work.
type resolver struct {
	s       *scope
	uniques *uniques // nil: leave pending what needs it
	steps   int
	budget  int // bytes of names that may still be read
	faults  elffile.Faults
}

// longestName bounds symbol names; see maxString in package elffile.
const longestName = 128 << 10

// resolve fills in where a binding goes.
func (r *resolver) resolve(b *Binding) {
	t := r.s.tables[b.From]
	sym := t.sym(b.Symbol)
	if sym.bind() == bindLocal || !r.s.musl && (sym.vis() == visHidden || sym.vis() == visInternal) {
		b.To, b.Def, b.Rule = b.From, b.Symbol, Local
		return
	}
	ref := reference{class: b.Class}
	var ok bool
	if ref.name, ref.gnu, ok = t.nameAt(sym.name); !ok {
		r.budget -= min(longestName, max(len(t.strings)-int(sym.name), 0))
		r.badName(t, b, sym.name)
		r.settle(b, &sym, none, Undefined)
		return
	}
	r.budget -= len(ref.name)
	if r.s.musl {
		h, rule := r.s.search(&ref, &r.steps), Scope
		if h == none {
			h, rule = r.s.searchLFS64(&ref, &r.steps), LFS64
		}
		r.settle(b, &sym, h, rule)
		return
	}
	v := t.versionOf(b.Symbol)
	ref.version, ref.hidden = v.id, v.hidden
	h, rule, ok := r.glibc(t, b, &sym, &ref)
	if !ok {
		b.Rule = pending
		return
	}
	r.settle(b, &sym, h, rule)
}

// settle notes a hit, or that there is none.
func (r *resolver) settle(b *Binding, sym *symbol, h hit, rule Rule) {
	switch {
	case h != none:
		b.To, b.Def, b.Rule = h.object, h.symbol, rule
	case sym.bind() == bindWeak && (!r.s.musl || sym.shndx == shnUndef):
		b.To, b.Rule = -1, WeakZero
	default:
		b.To, b.Rule = -1, Undefined
	}
}

// glibc is _dl_lookup_symbol_x (elf/dl-lookup.c). ok is false where the answer
// depends on the table of unique symbols and there is none.
func (r *resolver) glibc(t *table, b *Binding, sym *symbol, ref *reference) (h hit, rule Rule, ok bool) {
	h, rule, ok = r.lookup(t, b, ref)
	if !ok || h == none || sym.vis() != visProtected {
		return h, rule, ok
	}
	own := hit{b.From, b.Symbol}
	if b.Class == PLT {
		if h.object != b.From {
			return own, Protected, true
		}
		return h, rule, true
	}
	// A protected symbol whose address is taken: only the canonical PLT entry of
	// the program, which is an undefined symbol, may stand in for it.
	again := *ref
	again.class = PLT
	other, _, ok := r.lookup(t, b, &again)
	if ok && other != none && other.object != b.From {
		return own, Protected, true
	}
	return h, rule, ok
}

// lookup searches the scope of an object: itself first if it is symbolic, then the
// process.
func (r *resolver) lookup(t *table, b *Binding, ref *reference) (h hit, rule Rule, ok bool) {
	h, rule = none, Scope
	if t.symbolic && t.hash != noHash && !(int(b.From) == r.s.program && ref.class == Copy) && (t.hash != gnuHash || t.mayHave(ref.gnu)) {
		if sym, ok := t.findGlibc(ref, &r.steps); ok {
			h, rule = hit{b.From, sym}, Symbolic
		}
	}
	from := 0
	if h == none {
		if h = r.s.search(ref, &r.steps); h == none {
			return none, Undefined, true
		}
		from = int(h.object) + 1
	}
	if r.s.weak {
		if other := r.s.strong(h, from, ref, &r.steps); other != h {
			h, rule = other, Scope
		}
	}
	s := r.s.tables[h.object].sym(h.symbol)
	if s.bind() != bindUnique {
		return h, rule, true
	}
	if r.uniques == nil {
		return none, pending, false
	}
	return r.uniques.enter(ref, h, hit{b.From, b.Symbol}), Unique, true
}

// nameAt returns the string at an offset and its hash for DT_GNU_HASH. It is false
// for one that does not end in the table, or is longer than any name.
func (t *table) nameAt(off uint32) (name []byte, hash uint32, ok bool) {
	if uint64(off) >= uint64(len(t.strings)) {
		return nil, 0, false
	}
	b := t.strings[off:]
	b = b[:min(len(b), longestName)]
	h := uint32(5381)
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		if (w-0x0101010101010101)&^w&0x8080808080808080 != 0 { // one of the bytes is 0
			break
		}
		h = hash8(h, w)
	}
	for ; i < len(b); i++ {
		if b[i] == 0 {
			return b[:i], h, true
		}
		h = h*33 + uint32(b[i])
	}
	return nil, 0, false
}

// hash8 is eight steps of h = h*33 + c, which need not wait for each other.
func hash8(h uint32, w uint64) uint32 {
	const (
		p2 = 33 * 33
		p4 = p2 * p2
	)
	lo := (uint32(w&0xff)*33+uint32(w>>8&0xff))*p2 + uint32(w>>16&0xff)*33 + uint32(w>>24&0xff)
	hi := (uint32(w>>32&0xff)*33+uint32(w>>40&0xff))*p2 + uint32(w>>48&0xff)*33 + uint32(w>>56)
	return h*(p4*p4&0xffffffff) + lo*p4 + hi
}

func (r *resolver) badName(t *table, b *Binding, off uint32) {
	if r.faults.Full() {
		return
	}
	msg := fmt.Sprintf("the string at 0x%x of the string table does not end in its 0x%x bytes", off, len(t.strings))
	switch {
	case uint64(off) >= uint64(len(t.strings)):
		msg = fmt.Sprintf("0x%x is beyond the string table of 0x%x bytes", off, len(t.strings))
	case len(t.strings)-int(off) > longestName:
		msg = fmt.Sprintf("the string at 0x%x of the string table is longer than 0x%x bytes", off, longestName)
	}
	r.faults.Add(&elffile.Error{File: t.obj.Name, Struct: fmt.Sprintf("symbol %d", b.Symbol), Field: "st_name", Off: t.symbolOffset(b.Symbol), Msg: msg})
}

// symbolOffset is where symbol i is in the file.
func (t *table) symbolOffset(i uint32) int64 {
	return t.obj.Symbols.Offset + int64(i)*int64(t.stride)
}
