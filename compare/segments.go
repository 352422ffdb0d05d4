package compare

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// flagLetters is p_flags without the blanks: "RE".
func flagLetters(f elf.ProgFlag) string {
	s := strings.ReplaceAll(elffile.ProgFlagLetters(f), " ", "")
	if s == "" {
		return "none"
	}
	return s
}

// matchProgs pairs the program headers. A PT_LOAD is never taken for another
// one of other protection and another address.
func (c *comparison) matchProgs() {
	x, y := c.a.f.Progs, c.b.f.Progs
	p := newPairing(len(x), len(y))
	c.progs = p
	type spot struct {
		typ   elf.ProgType
		flags elf.ProgFlag
		vaddr uint64
	}
	passOf(p, x, y, func(h *elffile.Prog) (elffile.Prog, bool) { return *h, true })
	passOf(p, x, y, func(h *elffile.Prog) (spot, bool) { return spot{h.Type, h.Flags, h.Vaddr}, true })
	passOf(p, x, y, func(h *elffile.Prog) (spot, bool) { return spot{h.Type, h.Flags, 0}, true })
	passOf(p, x, y, func(h *elffile.Prog) (spot, bool) { return spot{h.Type, 0, h.Vaddr}, true })
	passOf(p, x, y, func(h *elffile.Prog) (elf.ProgType, bool) { return h.Type, h.Type != elf.PT_LOAD })
}

func progFields(m elf.Machine, h *elffile.Prog) []Value {
	return []Value{word(elffile.ProgTypeName(m, h.Type)), hex(h.Off), hex(h.Vaddr), hex(h.Paddr), hex(h.Filesz), hex(h.Memsz), word(flagLetters(h.Flags) + oddFlags(h.Flags)), hex(h.Align)}
}

// oddFlags are the bits that have no letter.
func oddFlags(f elf.ProgFlag) string {
	if f &^= elf.PF_R | elf.PF_W | elf.PF_X; f != 0 {
		return "+" + hex(uint64(f)).String()
	}
	return ""
}

var progFieldNames = []string{"p_type", "p_offset", "p_vaddr", "p_paddr", "p_filesz", "p_memsz", "p_flags", "p_align"}

func (c *comparison) segments() {
	c.Segments = c.entries(c.progs, progFieldNames[1:],
		func(i int) (string, []Value) { return progEntry(c.a.f, i) },
		func(i int) (string, []Value) { return progEntry(c.b.f, i) }, true)
}

func progEntry(f *elffile.File, i int) (string, []Value) {
	v := progFields(f.Header.Machine, &f.Progs[i])
	return v[0].String(), v[1:]
}

// entries lists what a pairing says: changed and added entries in the new
// order, each removed one before the entry that came after it. Where order is
// asked for, entries that left it are there too.
func (c *comparison) entries(p *pairing, names []string, old, new func(i int) (string, []Value), order bool) []Entry {
	var list []Entry
	var moved []bool
	if order {
		moved = p.disordered()
	}
	next := 0
	removed := func(until int) {
		for ; next < until; next++ {
			if p.toNew[next] == none {
				name, v := old(next)
				list = append(list, Entry{Change: Removed, Name: name, Old: ptr(next), Fields: oneSided(names, v, true)})
			}
		}
	}
	for j, i := range p.toOld {
		if i == none {
			name, v := new(j)
			list = append(list, Entry{Change: Added, Name: name, New: ptr(j), Fields: oneSided(names, v, false)})
			continue
		}
		removed(int(i))
		e := Entry{Change: Changed, Old: ptr(int(i)), New: ptr(j)}
		oldName, v := old(int(i))
		name, w := new(j)
		e.Name = name
		var l fields
		l.differ("name", word(oldName), word(name))
		for k, n := range names {
			l.differ(n, v[k], w[k])
		}
		e.Fields = l
		switch {
		case len(l) > 0:
		case order && moved[j]:
			e.Change = Moved
		default:
			continue
		}
		list = append(list, e)
	}
	removed(len(p.toNew))
	return list
}

func ptr[T any](v T) *T { return &v }

// oneSided are the fields of something that only one file has, without those
// that say nothing.
func oneSided(names []string, v []Value, old bool) []Field {
	var l []Field
	for i, name := range names {
		switch {
		case v[i].kind == isWord && v[i].word == "", v[i].kind != isWord && v[i].n == 0:
		case old:
			l = append(l, Field{name, v[i].ptr(), nil})
		default:
			l = append(l, Field{name, nil, v[i].ptr()})
		}
	}
	return l
}
