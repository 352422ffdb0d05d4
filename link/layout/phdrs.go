package layout

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/ldscript"
)

// segment is a program header while it is being decided what is in it.
type segment struct {
	name           string
	typ            elf.ProgType
	flags          elf.ProgFlag
	flagsSet       bool // flags are not reckoned from the sections
	filehdr, phdrs bool
	sections       []*section
	named          []*section // those of sections that count for flags; nil: all
	paddr          *uint64
	align          uint64 // 0: reckoned
	memsz          uint64 // of PT_GNU_STACK, and of arenas
	vaddr          *uint64
	extra          *extra
	why            string
}

// Types and flags that debug/elf has no name for.
const (
	ptGNUProperty   = elf.ProgType(0x6474e553)
	ptARMExidx      = elf.ProgType(0x70000001)
	ptRISCVAttrs    = elf.ProgType(0x70000003)
	shtARMExidx     = elf.SectionType(0x70000001)
	stackAlign      = 16
	gnuPropertyName = ".note.gnu.property"
)

// mapSegments decides which program headers there are: the script's, or those
// that the sections give by themselves; then those that are asked for besides.
func (s *Script) mapSegments() ([]*segment, error) {
	if s.opt.Relocatable {
		return nil, nil
	}
	var segs []*segment
	err := s.phdrsWithout()
	if err != nil {
		return nil, err
	}
	switch {
	case len(s.phdrs) > 0 && !s.layered:
		segs, err = s.scriptSegments()
	case s.lldRules.byFlags:
		segs = s.lldSegments()
	default:
		segs = s.defaultSegments()
	}
	if err != nil {
		return nil, err
	}
	segs = s.machineSegments(segs)
	if s.layered {
		if segs, err = s.addLayered(segs); err != nil {
			return nil, err
		}
	}
	segs, err = s.addExtras(segs)
	for range s.opt.SpareProgramHeaders {
		segs = append(segs, &segment{typ: elf.PT_NULL, flagsSet: true, why: "--spare-program-headers"})
	}
	return segs, err
}

// phdrsWithout finds sections that name a program header where there is no PHDRS.
func (s *Script) phdrsWithout() error {
	if len(s.phdrs) > 0 {
		return nil
	}
	for _, o := range s.outs {
		for _, name := range o.phdrs {
			if !o.off && o.out != nil && name != "NONE" {
				return fault(o.pos(), o.name, "program header %q is not declared: there is no PHDRS", name)
			}
		}
	}
	return nil
}

// estimateHeaders is how many program headers there will probably be, before any
// address is known: as GNU ld guesses, so that scripts with more than one
// solution get the same.
func (s *Script) estimateHeaders() int {
	if s.opt.Relocatable {
		return 0
	}
	more := s.opt.SpareProgramHeaders + len(s.opt.AddPhdrs)
	if len(s.phdrs) > 0 && !s.layered {
		return len(s.phdrs) + more + len(s.machineSegments(nil))
	}
	n := 2 + more
	if s.layered {
		n += len(s.phdrs)
	}
	if s.interp() != nil {
		n += 2
	}
	if s.kept(".dynamic") != nil {
		n++
	}
	if s.seg.relro {
		n++
	}
	if s.ehFrameHdr() != nil {
		n++
	}
	if s.stackFlags() != 0 {
		n++
	}
	if o := s.kept(gnuPropertyName); o != nil && o.out.Size != 0 {
		n++
	}
	var list []*section
	for _, o := range s.order {
		if !o.removed {
			list = append(list, o)
		}
	}
	n += len(s.noteRuns(list, func(a, b *section) bool { return true }))
	for _, o := range list {
		if o.traits&tls != 0 {
			n++
			break
		}
	}
	return n + len(s.machineSegments(nil))
}

// kept is the output section of a name, if it is in the output.
func (s *Script) kept(name string) *section {
	for _, o := range s.order {
		if o.name == name && !o.removed {
			return o
		}
	}
	return nil
}

func (s *Script) interp() *section {
	if o := s.kept(".interp"); o != nil && o.traits&load != 0 && o.out.Size != 0 {
		return o
	}
	return nil
}

// ehFrameHdr is the output section with the linker's own .eh_frame_hdr.
func (s *Script) ehFrameHdr() *section {
	for _, o := range s.env.Objects {
		if !o.Linker {
			continue
		}
		for _, sec := range o.Sections {
			if sec != nil && sec.Name == ".eh_frame_hdr" && sec.Live && sec.Size != 0 && sec.Out != nil {
				if out := s.byOut[sec.Out]; !out.removed && out.traits&load != 0 {
					return out
				}
			}
		}
	}
	return nil
}

// machineSegments adds what a psABI wants: PT_ARM_EXIDX comes first of all,
// PT_RISCV_ATTRIBUTES behind PT_PHDR and PT_INTERP.
func (s *Script) machineSegments(segs []*segment) []*segment {
	has := func(t elf.ProgType) bool {
		for _, g := range segs {
			if g.typ == t {
				return true
			}
		}
		return false
	}
	switch s.machine.machine {
	case elf.EM_ARM:
		if o := s.kept(".ARM.exidx"); o != nil && s.lldRules.byFlags {
			return append(segs, &segment{typ: ptARMExidx, sections: []*section{o}})
		}
		if o := s.kept(".ARM.exidx"); o != nil && o.traits&load != 0 && !has(ptARMExidx) {
			segs = append([]*segment{{typ: ptARMExidx, sections: []*section{o}}}, segs...)
		}
	case elf.EM_RISCV:
		if o := s.kept(".riscv.attributes"); o != nil && !s.lldRules.byFlags && !has(ptRISCVAttrs) {
			i := 0
			for i < len(segs) && (segs[i].typ == elf.PT_PHDR || segs[i].typ == elf.PT_INTERP) {
				i++
			}
			segs = append(segs[:i:i], append([]*segment{{typ: ptRISCVAttrs, sections: []*section{o}}}, segs[i:]...)...)
		}
	}
	return segs
}

// scriptSegments carries out PHDRS: a section without :NAME is in all segments of
// the section before; the first ones in those of the first that has any.
func (s *Script) scriptSegments() ([]*segment, error) {
	segs := make([]*segment, len(s.phdrs))
	byName := map[string]bool{}
	var errs []error
	for i, h := range s.phdrs {
		g, err := s.scriptSegment(h)
		if err != nil {
			errs = append(errs, err)
		}
		if g.typ == elf.PT_LOAD && (g.filehdr || g.phdrs) {
			for _, before := range segs[:i] {
				if before.typ == elf.PT_LOAD && !before.filehdr && !before.phdrs {
					errs = append(errs, fault(h.Pos, "PHDRS", "%q cannot have FILEHDR or PHDRS: PT_LOAD %q before it has neither", h.Name, before.name))
					break
				}
			}
		}
		segs[i] = g
		byName[h.Name] = true
	}
	if len(errs) > 0 {
		return nil, joined(errs)
	}
	err := s.fillSegments(segs, byName)
	if s.lldRules.fileByAddress {
		s.spans(segs)
	}
	if s.lldRules.dropEmptyLoad {
		segs = slices.DeleteFunc(segs, func(g *segment) bool {
			return g.typ == elf.PT_LOAD && len(g.sections) == 0 && !g.filehdr && !g.phdrs
		})
	}
	return segs, err
}

// fillSegments goes over the sections once for each header, as GNU ld does: the
// list that is inherited is kept from one header to the next, so that sections
// before the first :NAME are in the segments of the first list only for the
// first header, and for the others in those of the last.
func (s *Script) fillSegments(segs []*segment, byName map[string]bool) error {
	var errs []error
	var last []string
	for _, g := range segs {
		if s.lldRules.firstLoad {
			last = firstLoad(segs)
		}
		for i, o := range s.outs {
			if o.off {
				continue
			}
			list := o.phdrs
			if list != nil {
				last = list
			} else {
				if o.kind == noLoad || o.out == nil || o.traits&alloc == 0 || g.typ == elf.PT_INTERP {
					continue
				}
				if last == nil {
					last = s.firstPhdrs(i)
				}
				if last == nil {
					return fmt.Errorf("PHDRS: no section is assigned to any program header")
				}
				list = last
			}
			s.fillSegment(g, o, list)
		}
	}
	for _, o := range s.outs {
		for _, name := range o.phdrs {
			if !o.off && o.out != nil && !byName[name] && name != "NONE" {
				errs = append(errs, fault(o.pos(), "PHDRS", "%q is not declared", name))
			}
		}
	}
	return joined(errs)
}

// firstLoad is the list of the first PT_LOAD alone, as lld has it for sections
// before the first :NAME.
func firstLoad(segs []*segment) []string {
	for _, g := range segs {
		if g.typ == elf.PT_LOAD {
			return []string{g.name}
		}
	}
	return []string{"NONE"}
}

// fillSegment puts a section into a segment, once for each time it is named.
func (s *Script) fillSegment(g *segment, o *section, list []string) {
	if o.out == nil || o.removed || g.typ == elf.PT_LOAD && o.traits&alloc == 0 {
		return
	}
	for _, name := range list {
		if name == g.name {
			g.sections = append(g.sections, o)
		}
	}
}

func (o *section) pos() ldscript.Pos {
	if o.stmt != nil {
		return o.stmt.Pos
	}
	return ldscript.Pos{}
}

// firstPhdrs are those of the first section from i on that has any.
func (s *Script) firstPhdrs(i int) []string {
	for _, o := range s.outs[i:] {
		if o.phdrs != nil && !o.off {
			return o.phdrs
		}
	}
	return nil
}

func (s *Script) scriptSegment(h *ldscript.Phdr) (*segment, error) {
	g := &segment{name: h.Name, filehdr: h.Filehdr, phdrs: h.Phdrs}
	typ, err := s.phdrType(h.Type)
	if err != nil {
		return g, err
	}
	g.typ = typ
	if h.Flags != nil {
		g.flags, g.flagsSet = elf.ProgFlag(s.number(h.Flags)), true
	}
	if h.AtAddr != nil {
		at := s.number(h.AtAddr)
		g.paddr = &at
	}
	return g, nil
}

// progTypes are the words for types.
var progTypes = map[string]elf.ProgType{
	"PT_NULL": elf.PT_NULL, "PT_LOAD": elf.PT_LOAD, "PT_DYNAMIC": elf.PT_DYNAMIC,
	"PT_INTERP": elf.PT_INTERP, "PT_NOTE": elf.PT_NOTE, "PT_SHLIB": elf.PT_SHLIB,
	"PT_PHDR": elf.PT_PHDR, "PT_TLS": elf.PT_TLS, "PT_GNU_EH_FRAME": elf.PT_GNU_EH_FRAME,
	"PT_GNU_STACK": elf.PT_GNU_STACK, "PT_GNU_RELRO": elf.PT_GNU_RELRO, "PT_GNU_PROPERTY": ptGNUProperty,
}

func (s *Script) phdrType(x ldscript.Expr) (elf.ProgType, error) {
	if n, ok := x.(*ldscript.Name); ok {
		t, ok := progTypes[n.Name]
		if !ok {
			return 0, fault(n.Pos, "PHDRS", "%s is not the type of a program header that is known", n.Name)
		}
		return t, nil
	}
	e := ldscript.Eval{Env: asker{s}, Rules: s.rules}
	n, err := e.Address(x)
	return elf.ProgType(n), err
}
