package patch

import (
	"bytes"
	"debug/elf"

	"elfwright/elffile"
)

// match says whether a file's symbols are those of an image: same machine, same
// build-id where both have one, and every PT_LOAD of the symbol file is in the
// image. Nothing is compared that an edit of the image may have changed: offsets
// and file sizes.
func match(img, syms *elffile.File) error {
	if img.Class != syms.Class || img.Data != syms.Data || img.Header.Machine != syms.Header.Machine {
		return refusef(syms, "", "its symbols are not those of %s: it is for %s, %v, %v, and the image for %s, %v, %v", img.Name,
			elffile.MachineName(syms.Header.Machine), syms.Class, syms.Data, elffile.MachineName(img.Header.Machine), img.Class, img.Data)
	}
	switch syms.Header.Type {
	case elf.ET_REL, elf.ET_CORE:
		return refusef(syms, "", "its symbols are not those of %s: it is no linked program (e_type %d)", img.Name, syms.Header.Type)
	}
	if a, b := img.BuildID(), syms.BuildID(); len(a) > 0 && len(b) > 0 && !bytes.Equal(a, b) {
		return refusef(syms, "", "its symbols are not those of %s: the build-id is %x, and that of the image %x; --no-match goes on all the same", img.Name, b, a)
	}
	for i := range syms.Progs {
		p := &syms.Progs[i]
		if p.Type == elf.PT_LOAD && p.Memsz > 0 && !hasLoad(img, p) {
			return refusef(syms, "", "its symbols are not those of %s: program header %d, 0x%x bytes at 0x%x with flags %d, is not in the image; --no-match goes on all the same", img.Name, i, p.Memsz, p.Vaddr, p.Flags)
		}
	}
	return nil
}

func hasLoad(f *elffile.File, want *elffile.Prog) bool {
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type == elf.PT_LOAD && p.Vaddr == want.Vaddr && p.Memsz == want.Memsz && p.Flags == want.Flags {
			return true
		}
	}
	return false
}
