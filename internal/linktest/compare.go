package linktest

import (
	"bytes"
	"debug/elf"
	"fmt"
	"slices"
	"strings"
	"testing"

	"elfwright/link/model"
)

// DynTypes are the numbers of a machine's dynamic relocation types.
type DynTypes struct{ Relative, GlobDat, Abs, TPOff, DTPMod, Desc uint32 }

// Scan lets the target look at all sections that are loaded, and gives symbols the
// GOT entries that GNU ld's output has for them.
func (l *Link) Scan(types DynTypes) {
	for _, o := range l.Env.Objects {
		for _, s := range o.Sections {
			if s != nil && s.Live && s.Flags&elf.SHF_ALLOC != 0 {
				l.Env.Target.Scan(l.Env, s)
			}
		}
	}
	n := 0
	seen := map[*model.Symbol]bool{}
	for _, o := range l.Env.Objects {
		for _, s := range o.Sections {
			if s != nil && s.DynRelocs > 0 {
				s.DynFirst = int32(n)
				n += int(s.DynRelocs)
			}
		}
		for _, sym := range o.Symbols {
			if sym != nil && !seen[sym] {
				seen[sym] = true
				l.give(sym, types)
			}
		}
	}
	l.Env.Dynamic = make([]model.DynReloc, n)
	if l.Env.NeedTLSLD.Get() {
		l.Env.TLSLDOff = l.find(func(at, word uint64, d dynRel) bool {
			return d.typ == types.DTPMod && d.sym == "" && l.wordAt(at+uint64(l.word)) == 0
		})
	}
}

// give finds the GOT entries of a symbol by what is in them.
func (l *Link) give(sym *model.Symbol, types DynTypes) {
	need := sym.Need.Load()
	if need == 0 {
		return
	}
	e := l.Env
	a := &model.Aux{GOT: -1, GOTTP: -1, TLSGD: -1, TLSDesc: -1, PLT: -1, GOTPLT: -1}
	sym.Aux = a
	S := l.reduce(sym.Addr())
	tp := l.reduce(uint64(e.TPOff(S)))
	named := func(d dynRel) bool { return d.sym != "" && d.sym == sym.Name }
	local := func(d dynRel, addend uint64) bool { return d.sym == "" && l.reduce(uint64(d.addend)) == addend }
	if need&model.NeedGOT != 0 {
		a.GOT = l.find(func(at, word uint64, d dynRel) bool {
			switch d.typ {
			case 0:
				if sym.IFunc() {
					return true // where its own is, GNU ld's output does not tell
				}
			case types.Relative:
				return !sym.Preempt && local(d, S)
			case types.GlobDat, types.Abs:
				return named(d)
			}
			return d.off == 0 && word == S && !sym.Preempt
		})
	}
	if need&model.NeedGOTTP != 0 {
		a.GOTTP = l.find(func(at, word uint64, d dynRel) bool {
			return d.typ == types.TPOff && (named(d) || local(d, S-e.TLSStart)) || d.off == 0 && word == tp && !sym.Preempt
		})
	}
	if need&model.NeedTLSGD != 0 {
		a.TLSGD = l.find(func(at, word uint64, d dynRel) bool {
			if named(d) {
				return d.typ == types.DTPMod
			}
			module := d.typ == types.DTPMod && d.sym == "" || d.off == 0 && word == 1
			return module && !sym.Preempt && l.wordAt(at+uint64(l.word)) == l.reduce(uint64(e.DTPOff(S)))
		})
	}
	if need&model.NeedTLSDesc != 0 {
		a.TLSDesc = l.find(func(at, word uint64, d dynRel) bool {
			return d.typ == types.Desc && (named(d) || local(d, S-e.TLSStart))
		})
	}
}

func (l *Link) reduce(x uint64) uint64 {
	if l.word == 4 {
		return uint64(uint32(x))
	}
	return x
}

func (l *Link) wordAt(at uint64) uint64 {
	b := l.bytesAt(at)
	if len(b) < l.word {
		return 0
	}
	return get(l.Env.Order, b, l.word)
}

// find looks through .got and .got.plt; the offset is from SecGOT, and -1 if there
// is no such entry.
func (l *Link) find(is func(at, word uint64, d dynRel) bool) int64 {
	for _, name := range []string{".got", ".got.plt"} {
		s := l.File.Section(name)
		if s == nil {
			continue
		}
		for at := s.Addr; at < s.Addr+s.Size; at += uint64(l.word) {
			if is(at, l.wordAt(at), l.sites[at]) {
				return int64(at - l.Env.SecGOT.Addr(0))
			}
		}
	}
	return -1
}

// Sums count what Compare saw.
type Sums struct {
	Sections, Relocs int
	Equal            int
	Apart            int // relocations whose value cannot be compared: merged data, PLT entries
}

// Compare relocates every section and holds it against GNU ld's bytes. A
// difference at a relocation that excuse gives a reason for is let through.
func (l *Link) Compare(t testing.TB, excuse func(s *model.Section, r *model.Reloc, sym *model.Symbol) string) Sums {
	t.Helper()
	var n Sums
	said := 0
	for _, o := range l.Env.Objects {
		for _, s := range o.Sections {
			if s == nil || !s.Live || s.Data == nil || s.Name == ".eh_frame" || s.Flags&elf.SHF_MERGE != 0 {
				continue
			}
			d, err := l.File.Sections[s.Out.Index].Data()
			if err != nil {
				t.Fatal(err)
			}
			theirs := d[s.Off : s.Off+s.Size]
			ours := make([]byte, s.Size)
			if s.Moves == nil {
				copy(ours, s.Data)
			}
			if len(s.Relocs) != 0 || s.Moves != nil {
				l.Env.Target.Relocate(l.Env, s, ours)
			}
			n.Sections++
			n.Relocs += len(s.Relocs)
			l.diff(t, s, ours, theirs, &n, &said, excuse)
		}
	}
	for _, err := range l.Env.Report.Errors() {
		if said++; said < 20 {
			t.Error(err)
		}
	}
	return n
}

func (l *Link) diff(t testing.TB, s *model.Section, ours, theirs []byte, n *Sums, said *int, excuse func(*model.Section, *model.Reloc, *model.Symbol) string) {
	t.Helper()
	if bytes.Equal(ours, theirs) {
		n.Equal++
		return
	}
	for i := 0; i < len(ours); i++ {
		if ours[i] == theirs[i] {
			continue
		}
		r := near(s, uint64(i), l.width)
		if r == nil {
			if *said++; *said < 20 {
				t.Errorf("%s(%s+%#x): %x, GNU ld has %x, where no relocation is", s.Obj.File, s.Name, i, ours[i:min(i+8, len(ours))], theirs[i:min(i+8, len(ours))])
			}
			return
		}
		sym := s.Symbol(r)
		if merged(sym) || excuse != nil && excuse(s, r, sym) != "" {
			n.Apart++
		} else if *said++; *said < 20 {
			from, to := max(0, i-8), min(i+12, len(ours))
			t.Errorf("%s(%s+%#x): %s against %s%+d: at %#x % x, GNU ld has % x (from the bytes % x)", s.Obj.File, s.Name, r.Off,
				l.Env.Target.Machine().Relocs.Name(r.Type), sym.Label(), r.Addend, s.Addr(uint64(from)), ours[from:to], theirs[from:to], s.Data[from:min(to, len(s.Data))])
		}
		for i < len(ours) && near(s, uint64(i), l.width) == r {
			i++
		}
		i--
	}
}

// width is how many bytes of the place a relocation changes.
func (l *Link) width(r *model.Reloc) uint64 {
	if row := l.Env.Target.Machine().Relocs.Lookup(r.Type); row != nil {
		return uint64(max(row.Width(), 1))
	}
	return 4
}

func merged(sym *model.Symbol) bool {
	return sym != nil && sym.Sec != nil && sym.Sec.Flags&elf.SHF_MERGE != 0
}

// near is the relocation whose place an output offset is in, or the last one at
// or before it, or one right behind it, whose instruction it is in.
func near(s *model.Section, off uint64, width func(*model.Reloc) uint64) *model.Reloc {
	var before, behind *model.Reloc
	for i := range s.Relocs {
		r := &s.Relocs[i]
		at := s.Moved(r.Off)
		switch {
		case at <= off && off < at+8 && (before == nil || r.Off >= before.Off):
			before = r
		case at > off && at <= off+4 && (behind == nil || r.Off < behind.Off):
			behind = r
		}
	}
	if before != nil && (behind == nil || off < s.Moved(before.Off)+width(before)) {
		return before
	}
	return behind
}

// CompareDynamic holds the dynamic relocations of sections of files against those
// of GNU ld's output; those in the GOT and PLT are not this test's subject.
func (l *Link) CompareDynamic(t testing.TB, types DynTypes) {
	t.Helper()
	line := func(off uint64, typ uint32, sym string, addend int64) string {
		return fmt.Sprintf("%#x %s %s%+d", off, l.Env.Target.Machine().Relocs.Name(typ), sym, int64(l.reduce(uint64(addend))))
	}
	var ours, theirs []string
	for i := range l.Env.Dynamic {
		d := &l.Env.Dynamic[i]
		name := ""
		if d.Sym != nil {
			name = d.Sym.Name
		}
		if d.Type != 0 {
			ours = append(ours, line(d.Off, d.Type, name, d.Addend))
		}
	}
	for _, d := range l.dynRel {
		if d.typ != 0 && !l.inGOT(d.off) {
			theirs = append(theirs, line(d.off, d.typ, d.sym, d.addend))
		}
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		t.Errorf("dynamic relocations:\n%s\nGNU ld has\n%s", strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
	}
}

func (l *Link) inGOT(at uint64) bool {
	for _, name := range []string{".got", ".got.plt"} {
		if s := l.File.Section(name); s != nil && at >= s.Addr && at < s.Addr+s.Size {
			return true
		}
	}
	return false
}
