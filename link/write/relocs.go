package write

import (
	"debug/elf"
	"fmt"
	"sort"
	"strings"

	"elfwright/elffile"
	"elfwright/link/model"
)

// relocs is a relocation section of the output, which -r and --emit-relocs have
// for each section with relocations (gABI, "Relocation").
type relocs struct {
	elffile.Section
	out   *model.Output
	index int
	name  string
	parts []part
	rela  bool
}

// part is what one input section gives.
type part struct {
	sec      *model.Section
	first, n int
}

// emits says whether the output has relocation sections.
func (f *file) emits() bool { return f.env.Opt.Relocatable || f.env.Opt.EmitRelocs }

// planRelocs finds the sections that have relocations, counts what is left of
// them, and marks the symbols that they name.
func (f *file) planRelocs() {
	if !f.emits() {
		return
	}
	var all []*part
	for _, out := range f.env.Outputs {
		r := &relocs{out: out}
		for i := range out.Items {
			if s := out.Items[i].Section; s != nil && len(s.Relocs) != 0 && !s.Obj.Linker && hasBytes(out) {
				r.parts = append(r.parts, part{sec: s})
			}
		}
		if len(r.parts) != 0 {
			f.relocs = append(f.relocs, r)
		}
		for i := range r.parts {
			all = append(all, &r.parts[i])
		}
	}
	model.Each(f.workers, len(all), func(i int) {
		p := all[i]
		f.outgoing(p.sec, func(_ model.Reloc, sym *model.Symbol, _ *model.Output) {
			p.n++
			if sym != nil {
				sym.Want(model.NeedIndex)
			}
		})
	})
	f.relOf = map[*model.Output]*relocs{}
	kept := f.relocs[:0]
	for _, r := range f.relocs {
		if f.describe(r); r.Size != 0 {
			kept = append(kept, r)
			f.relOf[r.out] = r
		}
	}
	f.relocs = kept
}

// describe makes the section header, but for what is not known yet.
func (f *file) describe(r *relocs) {
	n := 0
	for i := range r.parts {
		r.parts[i].first = n
		n += r.parts[i].n
	}
	word := uint64(f.AddrSize())
	r.rela = !f.env.Target.Machine().REL
	r.name, r.Type, r.Entsize = ".rel"+r.out.Name, elf.SHT_REL, 2*word
	if r.rela {
		r.name, r.Type, r.Entsize = ".rela"+r.out.Name, elf.SHT_RELA, 3*word
	}
	r.Flags = uint64(elf.SHF_INFO_LINK)
	r.Size, r.Addralign = uint64(n)*r.Entsize, word
}

// outgoing calls yield with each relocation that the output has of a section. Its
// symbol is sym, or the section symbol of out, or none; Sym is not set. What is
// about a place that is not in the output is left out; what refers to something
// that is not, is as in GNU ld: not there for debuggers, and of type 0, which
// does nothing, elsewhere.
func (f *file) outgoing(s *model.Section, yield func(r model.Reloc, sym *model.Symbol, out *model.Output)) {
	emitter, _ := f.env.Target.(model.Emitter)
	for i := range s.Relocs {
		r := s.Relocs[i]
		if emitter != nil {
			var ok bool
			if r, ok = emitter.Emit(f.env, s, i); !ok {
				continue
			}
		}
		out, pos, ok := s.At(r.Off)
		if !ok {
			continue
		}
		r.Off = pos
		if !f.env.Opt.Relocatable {
			r.Off += out.Addr
		}
		sym := s.Symbol(&r)
		switch {
		case sym == nil:
			yield(r, nil, nil)
		case gone(sym):
			if s.Flags&elf.SHF_ALLOC == 0 && (f.env.Opt.Relocatable || s.Map != nil) {
				continue
			}
			r.Type, r.Addend = 0, 0
			yield(r, nil, nil)
		case isSection(sym):
			to, at := sectionPlace(sym, &r)
			if to == nil {
				r.Type = 0
			}
			r.Addend = at
			yield(r, nil, to)
		default:
			yield(r, sym, nil)
		}
	}
}

// sectionPlace is where in an output section a relocation with a section symbol
// points: what was an offset in an input section is one there.
func sectionPlace(sym *model.Symbol, r *model.Reloc) (*model.Output, int64) {
	t := sym.Sec
	if t.Map == nil && t.Moves == nil {
		return t.Out, int64(t.Off+sym.Value) + r.Addend
	}
	out, pos, ok := t.At(sym.Value + uint64(r.Addend))
	if !ok {
		return nil, 0
	}
	return out, int64(pos)
}

// gone says whether a symbol is defined in a section that is not in the output, or
// is a local one of none at all.
func gone(s *model.Symbol) bool {
	if s.State != model.Defined {
		return s.Local
	}
	return s.Sec != nil && (!s.Sec.Live || s.Sec.Out == nil && s.Sec.Map == nil)
}

// writeRelocs fills the relocation sections.
func (f *file) writeRelocs() {
	type job struct {
		r *relocs
		p *part
	}
	var jobs []job
	for _, r := range f.relocs {
		for i := range r.parts {
			jobs = append(jobs, job{r, &r.parts[i]})
		}
	}
	model.Each(f.workers, len(jobs), func(i int) {
		r, p := jobs[i].r, jobs[i].p
		b := f.b[r.Off:][uint64(p.first)*r.Entsize:]
		f.outgoing(p.sec, func(rel model.Reloc, sym *model.Symbol, out *model.Output) {
			switch {
			case out != nil:
				rel.Sym = uint32(f.sectionSymbol(out))
			case sym != nil:
				rel.Sym = uint32(sym.Index)
				if rel.Sym == 0 {
					f.env.Report.ErrorAt(p.sec, rel.Off, fmt.Errorf("%s is not in the symbol table, and a relocation needs it", f.env.Report.Label(sym)))
				}
			default:
				rel.Sym = 0
			}
			f.putReloc(b, &rel, r.rela)
			b = b[r.Entsize:]
		})
	})
	for _, r := range f.relocs {
		f.sortRelocs(r)
	}
}

// putReloc writes an entry: r_offset, r_info, and with rela r_addend.
func (f *file) putReloc(b []byte, r *model.Reloc, rela bool) {
	if f.Is64() {
		f.PutU64(b, r.Off)
		f.PutU64(b[8:], uint64(r.Sym)<<32|uint64(r.Type))
		if rela {
			f.PutU64(b[16:], uint64(r.Addend))
		}
		return
	}
	f.PutU32(b, uint32(r.Off))
	f.PutU32(b[4:], r.Sym<<8|r.Type&0xff)
	if rela {
		f.PutU32(b[8:], uint32(r.Addend))
	}
}

// sortRelocs orders a section by r_offset, if it is not: what follows from the
// order of relocations of one place stays.
func (f *file) sortRelocs(r *relocs) {
	b, n := f.b[r.Off:][:r.Size], int(r.Entsize)
	off := func(b []byte, i int) uint64 {
		if f.Is64() {
			return f.U64(b[i*n:])
		}
		return uint64(f.U32(b[i*n:]))
	}
	count, sorted := len(b)/n, true
	for i := 1; i < count && sorted; i++ {
		sorted = off(b, i-1) <= off(b, i)
	}
	if sorted {
		return
	}
	order := make([]int, count)
	for i := range order {
		order[i] = i
	}
	old := append([]byte(nil), b...)
	sort.SliceStable(order, func(i, j int) bool { return off(old, order[i]) < off(old, order[j]) })
	for i, k := range order {
		copy(b[i*n:], old[k*n:(k+1)*n])
	}
}

// sectionSymbol is the index of a section symbol. They come first in the table.
func (f *file) sectionSymbol(out *model.Output) int { return f.sectionSyms[out] }

// isTemporary says whether a name is one that an assembler makes.
func isTemporary(name string) bool { return strings.HasPrefix(name, ".L") }
