package phdr

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/plan"
)

// A rule is what a reader of program headers takes for granted. broken says how
// a file breaks it, or "".
type rule struct {
	code   string
	holds  string
	fatal  bool // else the file runs, and something else is lost
	broken func(f *elffile.File, p *plan.Plan) string
	about  elf.ProgType // a file without such a header has nothing to do with it; PT_NULL: any has
}

var rules = [...]rule{
	{"phdr-new-kernels", "Linux since 5.18 finds the table", true, newKernels, elf.PT_NULL},
	{"phdr-old-kernels", "so do older ones, gVisor and qemu-user", true, oldKernels, elf.PT_NULL},
	{"pt-phdr", "PT_PHDR describes it", true, ptPhdr, elf.PT_PHDR},
	{"interp", "PT_INTERP ends with a NUL and is loaded", true, interp, elf.PT_INTERP},
	{"property", "PT_GNU_PROPERTY and .note.gnu.property are the same bytes", true, property, elf.PT_GNU_PROPERTY},
	{"phdr-first-page", "the table is in the first page, where musl and core dumps need it", false, firstPage, elf.PT_NULL},
	{"build-id-first-page", "the build-id is in the part of the file that core dumps keep", false, buildIDFirst, elf.PT_NOTE},
}

// newKernels: AT_PHDR is the address of e_phoff in the PT_LOAD whose file range
// has it (create_elf_tables, since commit 0da1d5002745).
func newKernels(f *elffile.File, _ *plan.Plan) string {
	d := draft{File: f}
	if d.tableLoad() < 0 {
		return fmt.Sprintf("the table at 0x%x is within no PT_LOAD", f.Header.Phoff)
	}
	return ""
}

// oldKernels: AT_PHDR is e_phoff from where the first PT_LOAD has the start of
// the file (load_elf_binary, load_addr; gVisor, loadParsedELF).
func oldKernels(_ *elffile.File, p *plan.Plan) string {
	if p.Phdr != p.PhdrOld {
		return fmt.Sprintf("they would look for the table at %v, and it is at %v", p.PhdrOld, p.Phdr)
	}
	return ""
}

func ptPhdr(f *elffile.File, p *plan.Plan) string {
	i := progIndex(f.Progs, elf.PT_PHDR)
	if i < 0 {
		return ""
	}
	h := &f.Progs[i]
	size := uint64(len(f.Progs) * f.PhdrSize())
	if h.Off != f.Header.Phoff || h.Filesz != size || h.Memsz != size || image.Addr(h.Vaddr) != p.Phdr {
		return fmt.Sprintf("PT_PHDR says 0x%x bytes at 0x%x, address 0x%x; the table has 0x%x at 0x%x, %v", h.Filesz, h.Off, h.Vaddr, size, f.Header.Phoff, p.Phdr)
	}
	return ""
}

// interp: load_elf_binary wants 2 to 4096 bytes (PATH_MAX), the last one NUL;
// the dynamic linker of glibc reads them through the load bias.
func interp(f *elffile.File, p *plan.Plan) string {
	i := progIndex(f.Progs, elf.PT_INTERP)
	if i < 0 {
		return ""
	}
	h := &f.Progs[i]
	b, err := f.ProgData(i)
	if err != nil || len(b) < 2 || len(b) > 4096 || b[len(b)-1] != 0 {
		return fmt.Sprintf("PT_INTERP has 0x%x bytes, or no NUL at the end", h.Filesz)
	}
	if m := p.At(image.Addr(h.Vaddr)); m == nil {
		return fmt.Sprintf("PT_INTERP at 0x%x is not mapped", h.Vaddr)
	}
	return ""
}

// property: the kernel and the dynamic linker read PT_GNU_PROPERTY, a linker the
// section; what they say of IBT, SHSTK and BTI must agree.
func property(f *elffile.File, _ *plan.Plan) string {
	i, k := progIndex(f.Progs, elf.PT_GNU_PROPERTY), f.SectionByName(".note.gnu.property")
	if i < 0 || k < 0 {
		return ""
	}
	if s, h := &f.Sections()[k], &f.Progs[i]; s.Off != h.Off || s.Addr != h.Vaddr {
		return fmt.Sprintf("one is at 0x%x, address 0x%x, the other at 0x%x, 0x%x", h.Off, h.Vaddr, s.Off, s.Addr)
	}
	return ""
}

// firstPage: musl as a command takes AT_PHDR & -4096 for its base (dynlink.c,
// dls2); readers of core dumps have the first page of the file only.
func firstPage(f *elffile.File, _ *plan.Plan) string {
	if end := f.Header.Phoff + uint64(len(f.Progs)*f.PhdrSize()); end > corePage {
		return fmt.Sprintf("the table ends at 0x%x", end)
	}
	return ""
}

func buildIDFirst(f *elffile.File, _ *plan.Plan) string {
	for i := range f.Progs {
		if f.Progs[i].Type != elf.PT_NOTE {
			continue
		}
		notes, _ := f.ProgNotes(i)
		for _, n := range notes {
			if n.Name == "GNU" && n.Type == ntGNUBuildID && uint64(n.Off)+12+4+uint64(len(n.Desc)) > corePage {
				return fmt.Sprintf("it is at 0x%x", n.Off)
			}
		}
	}
	return ""
}

// proveRules checks what loaders and debuggers take for granted. A rule that the
// file broke before may stay broken.
func (d *draft) proveRules(now *elffile.File, proof *Proof) error {
	if d.bare != nil {
		return nil
	}
	was, err := plan.Map(image.FromFile(d.old), plan.Options{})
	if err != nil {
		return d.unproved(err)
	}
	is, err := plan.Map(image.FromFile(now), plan.Options{})
	if err != nil {
		return d.unproved(err)
	}
	for _, r := range rules {
		if r.about != elf.PT_NULL && progIndex(now.Progs, r.about) < 0 {
			continue
		}
		how := r.broken(now, is)
		switch {
		case how == "":
			proof.Checks = append(proof.Checks, r.holds)
		case r.broken(d.old, was) != "":
		case r.fatal:
			return d.breaks(image.Fault{Rule: r.code, Source: image.Linux, Index: -1, Msg: "not true any more: " + r.holds + ": " + how})
		default:
			d.warn(r.code, "not true any more: %s: %s", r.holds, how)
		}
	}
	return nil
}
