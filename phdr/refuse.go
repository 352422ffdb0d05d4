package phdr

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// maxHeaders is how many program headers every Linux takes: a page of 4096 bytes
// before 6.17 (load_elf_phdrs).
func maxHeaders(f *elffile.File) int { return 4096 / f.PhdrSize() }

// refuse says no to files that must not be edited, or that cannot be without
// guessing.
func refuse(f *elffile.File, opt Options) error {
	switch f.Header.Type {
	case elf.ET_REL:
		return refusef(f, "a relocatable object has no program headers; link it first")
	case elf.ET_CORE:
		return refusef(f, "a core dump's program headers are the record of a process")
	case elf.ET_EXEC, elf.ET_DYN:
	default:
		return refusef(f, "e_type 0x%x is neither an executable nor a shared object", uint16(f.Header.Type))
	}
	if f.Header.Phnum == elffile.PnXnum {
		return refusef(f, "e_phnum is PN_XNUM: a file with so many program headers is not executable, and its count is in section header 0")
	}
	if f.ProgErr != nil {
		return f.ProgErr
	}
	if len(f.Progs) == 0 {
		return refusef(f, "there is no program header table to edit")
	}
	if int(f.Header.Phentsize) != f.PhdrSize() || f.Header.Phoff < uint64(f.EhdrSize()) {
		return refusef(f, "e_phentsize %d or e_phoff 0x%x: Linux would not start this file", f.Header.Phentsize, f.Header.Phoff)
	}
	if err := f.CheckProgs(); err != nil {
		return err
	}
	if err := refuseLoads(f); err != nil {
		return err
	}
	if DebugFile(f) {
		return refusef(f, "a separate debug file: its program headers describe the program that it was split from")
	}
	if why := interpreter(f); why != "" && !opt.Force {
		return refusef(f, "this is a dynamic linker (%s): kernels before 6.6 map the zero bytes of its last PT_LOAD only, and musl's finds itself by its header; --force edits it all the same", why)
	}
	return nil
}

// refuseLoads refuses PT_LOADs that no loader can load.
func refuseLoads(f *elffile.File) error {
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Filesz > p.Memsz {
			return refusef(f, "program header %d: p_filesz 0x%x is more than p_memsz 0x%x", i, p.Filesz, p.Memsz)
		}
		if limit := min(f.MaxAddr(), 1<<62); p.Memsz > limit || p.Vaddr > f.MaxAddr()-p.Memsz {
			return refusef(f, "program header %d: 0x%x bytes at 0x%x are beyond the address space", i, p.Memsz, p.Vaddr)
		}
	}
	return nil
}

// DebugFile says whether code has been taken out of a file (eu-strip -f, objcopy
// --only-keep-debug).
func DebugFile(f *elffile.File) bool {
	for i := range f.Sections() {
		if s := &f.Sections()[i]; s.Type == elf.SHT_NOBITS && s.Has(elf.SHF_EXECINSTR) && s.Size > 0 {
			return true
		}
	}
	return false
}

// interpreter says by what a file looks like a dynamic linker, or "".
func interpreter(f *elffile.File) string {
	if f.Header.Type != elf.ET_DYN || f.Header.Entry == 0 || progIndex(f.Progs, elf.PT_INTERP) >= 0 {
		return ""
	}
	dyn, err := f.Dynamic()
	if err != nil {
		return ""
	}
	if _, needs := dyn.Value(elf.DT_NEEDED); needs {
		return ""
	}
	if so, ok := dyn.Value(elf.DT_SONAME); ok {
		if name := string(dyn.String(so)); strings.HasPrefix(name, "ld-") || strings.HasPrefix(name, "ld.") || strings.HasPrefix(name, "ld64.") {
			return "its name is " + name
		}
	}
	defines := exports(f, "_rtld_global", "__libc_start_main", "dlopen")
	switch {
	case defines["_rtld_global"]:
		return "it defines _rtld_global, as glibc's does"
	case defines["__libc_start_main"] && defines["dlopen"]:
		return "it defines __libc_start_main and dlopen and needs no library, as musl's does"
	}
	return ""
}

// exports says which names the dynamic symbol table defines.
func exports(f *elffile.File, names ...string) map[string]bool {
	found := make(map[string]bool)
	t, err := f.DynamicSymbolTable()
	if err != nil {
		return found
	}
	for i := range t.Len() {
		s := t.At(i)
		if s.Shndx == 0 {
			continue
		}
		n := string(t.Name(s))
		for _, want := range names {
			if n == want {
				found[n] = true
			}
		}
	}
	return found
}

// findOverlay notes where bytes begin that no header names, at the end of the
// file, and refuses them unless it was said what to do.
func (d *draft) findOverlay() error {
	end := d.end()
	if n := d.shdrTableSize(); n > 0 {
		end = max(end, d.Header.Shoff+n)
	}
	if int(d.names) < len(d.secs) {
		if s := &d.secs[d.names]; s.HasBytes() {
			end = max(end, s.Off+s.Size)
		}
	}
	size := uint64(d.Body.Size())
	if end >= size || d.zero(end, size) {
		return nil
	}
	d.overlay, d.overlayWas = int64(end), int64(end)
	switch d.opt.Overlay {
	case OverlayStay:
		d.warn("overlay", "0x%x bytes at 0x%x that no header names stay there; they no longer end the file, and section headers do not precede them", size-end, end)
	case OverlayMove:
		d.warn("overlay", "0x%x bytes at 0x%x that no header names move; they still end the file", size-end, end)
	case OverlayRefuse:
		what := "an appended archive?"
		if d.broken != nil {
			what = "the section headers are broken: " + d.broken.Error()
		}
		return refusef(d.old, "0x%x bytes at the end, from 0x%x on, are named by no header (%s), and might be looked for where they are: say --overlay=stay to leave them there and put new bytes behind, or --overlay=move to keep them last", size-end, end, what)
	default:
		return refusef(d.old, "overlay %q is not one of stay and move", d.opt.Overlay)
	}
	return nil
}
