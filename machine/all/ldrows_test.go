package all_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/machine"
)

// targets are values at and around a row's limits, and some within.
func targets(r *machine.Reloc, bits uint8) []int64 {
	min, max := r.Check.Range()
	xs := []int64{0, 4, 0x40, -0x40}
	if r.Check.Rule == machine.Any || r.Check.Bits >= bits {
		return append(xs, 0x12345678, -0x12345678, 0x7ffff800, 0x7fedcba987654321&^0xf, 0x800, 0x7fc)
	}
	return append(xs, min, max, min-1, max+1, min-16, max+17, min+16, max-15, min/2&^15, max/3&^15, 2*max+2)
}

// aim makes the places whose value is each target, for a row whose formula is
// linear in S; places whose value comes out otherwise are left out.
func (b *bench) aim(places []*place, r *machine.Reloc, how implied) []*place {
	bits := uint8(8 * b.m.WordSize())
	seen := map[uint64]bool{}
	for _, x := range targets(r, bits) {
		if b.long[r.Name] {
			x &^= 3
		}
		pc := b.base + uint64(len(places)*step)
		v := &machine.Values{P: pc, A: how.add}
		zero := r.Formula.Eval(v, 0)
		v.S = uint64(x) - zero
		v.L = v.S
		if b.m.WordSize() == 4 {
			if b.nowrap && v.S>>32 != 0 && r.Field != machine.Word32 {
				continue
			}
			v.S = uint64(uint32(v.S))
		}
		if b.long[r.Name] && r.Check.Rule == machine.SignedN {
			if min, max := r.Check.Range(); x < min || x > max {
				continue
			}
		}
		if seen[v.S] {
			continue
		}
		seen[v.S] = true
		places = append(places, &place{row: r, sym: fmt.Sprintf("s%d", len(places)), def: v.S, abs: true, add: how.add, insn: how.insn})
	}
	return places
}

// Groups of rows, by how a file must be linked that has them.
type group int

const (
	plain     group = iota // static, absolute symbols
	withGOT                // static, symbols in .data
	tlsExec                // static, thread-local
	tlsShared              // -shared, so that ld keeps the TLS model
	loader                 // only loaders see it
)

func groupOf(r *machine.Reloc) group {
	f := r.Formula
	switch {
	case r.Kind == machine.Pair, f.Uses('M'), f.Uses('u'), f.Uses('n'), f.Uses('h'),
		r.Dynamic && f.UsesTLS(), r.Dynamic && (f == "S" || f.Uses('B') || f.Uses('D') || f.Uses('b') || f.Uses('C')),
		strings.Contains(r.Name, "GLOB_DAT"), strings.Contains(r.Name, "JUMP_SLOT"):
		return loader
	case f.Uses('X'), f.Uses('x'), f.Uses('r'), f.Uses('W'):
		return tlsExec
	case strings.Contains(r.Name, "TLS"), strings.Contains(r.Name, "DTP"), strings.Contains(r.Name, "TPOFF"):
		return tlsShared
	case f.UsesGOT(), f.Uses('O'), f.Uses('o'), f.Uses('Z'):
		return withGOT
	}
	return plain
}

// rows tries every static row of the machine, each at its limits where they can
// be reached by moving a symbol. skip gives the reason for each that is not
// tried.
func (b *bench) rows(t *testing.T, skip map[string]string) {
	samples.Need(t, b.prefix+"as")
	samples.Need(t, b.prefix+"ld")
	var in [tlsShared + 1][]*place
	for r := range b.m.Relocs.All() {
		if !r.Static() {
			continue
		}
		g, letter := groupOf(r), 't'
		if b.shared[r.Name] {
			g, letter = tlsShared, 'd'
		}
		if skip[r.Name] != "" || g == loader {
			continue
		}
		for _, v := range b.variants(r) {
			n := len(in[g])
			switch {
			case v.add != 0 && b.noAdd[r.Name] != "":
			case g == plain:
				in[g] = b.aim(in[g], r, v)
			case v.add != 0 && !r.Formula.Uses('A'), v.add < 0 && !b.m.REL:
				// An entry of the GOT is for S; linkers differ in whether S + A
				// gets one of its own.
			case g == withGOT:
				in[g] = append(in[g], &place{row: r, sym: fmt.Sprintf("d%d", n), add: v.add, insn: v.insn})
			default:
				for k := range 2 {
					in[g] = append(in[g], &place{row: r, sym: fmt.Sprintf("%c%d", letter, n+k), add: v.add, insn: v.insn})
				}
			}
		}
	}
	t.Run("plain", func(t *testing.T) { b.compare(t, in[plain]) })
	t.Run("GOT", func(t *testing.T) { b.compare(t, in[withGOT]) })
	t.Run("TLS in executables", func(t *testing.T) { b.compare(t, in[tlsExec]) })
	t.Run("TLS in shared objects", func(t *testing.T) { b.compare(t, in[tlsShared], "-shared", "-z", "notext") })
	tried := map[string]bool{}
	for _, g := range in {
		for _, p := range g {
			tried[p.row.Name] = true
		}
	}
	for r := range b.m.Relocs.All() {
		if r.Static() && groupOf(r) != loader && skip[r.Name] == "" && !tried[r.Name] {
			t.Errorf("%s is not tried", r.Name)
		}
	}
	for n := range skip {
		if tried[n] || b.m.Relocs.ByName(n) == nil {
			t.Errorf("%s is to be skipped: it is tried, or there is none", n)
		}
	}
	t.Logf("%d of %d types against ld", len(tried), b.m.Relocs.Len())
}

// variants are what to relocate, and with which addend.
func (b *bench) variants(r *machine.Reloc) []implied {
	if !b.m.REL {
		insn := b.insn[r.Field.Name]
		if insn == "" {
			insn = ".byte 0,0,0,0,0,0,0,0"
		}
		return []implied{{insn, 0}, {insn, 4}, {insn, -4}}
	}
	if v := b.rel[r.Field.Name]; v != nil {
		return v
	}
	var vs []implied
	for _, fill := range []byte{0, 0x04, 0xf8} {
		place := bytes.Repeat([]byte{fill}, 8)
		x := int64(int8(fill))
		for i := 1; i < r.Width(); i++ {
			x = x<<8 | int64(fill)
		}
		if r.Field.ZeroAddend {
			x = 0
		}
		if strings.Contains(r.Field.Name, "30:0") {
			x = machine.SignExtend(uint64(x), 31)
		}
		vs = append(vs, implied{".byte " + strings.ReplaceAll(strings.Trim(fmt.Sprint(place), "[]"), " ", ","), x})
	}
	return vs
}
