package sdf

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"elfwright/elffile"
	"elfwright/sdf/desc"
)

// Find returns where a file of the description is: in the first directory of the
// search path that has it, and last in the current one.
func Find(path string, search []string) (string, error) {
	if filepath.IsAbs(path) {
		_, err := os.Stat(path)
		return path, plainError(path, err)
	}
	var tried []string
	for _, dir := range append(search[:len(search):len(search)], ".") {
		name := filepath.Join(dir, path)
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
		tried = append(tried, name)
	}
	return "", fmt.Errorf("%s: not found; tried %s", path, strings.Join(tried, ", "))
}

func plainError(path string, err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return fmt.Errorf("%s: %w", path, p.Err)
	}
	return err
}

// Length returns a function for desc.Options: the length of a file that a region
// is filled with, found as images are.
func Length(search []string) func(path string) (int64, error) {
	return func(path string) (int64, error) {
		name, err := Find(path, search)
		if err != nil {
			return 0, err
		}
		st, err := os.Stat(name)
		switch {
		case err != nil:
			return 0, plainError(name, err)
		case !st.Mode().IsRegular():
			return 0, fmt.Errorf("%s: is no regular file", name)
		}
		return st.Size(), nil
	}
}

var machines = map[desc.Arch]elf.Machine{desc.AArch64: elf.EM_AARCH64, desc.RISCV64: elf.EM_RISCV, desc.X86_64: elf.EM_X86_64}

// ELFMachine is e_machine of a board's images.
func ELFMachine(a desc.Arch) elf.Machine { return machines[a] }

// openImage opens a program and refuses what Microkit cannot load: its images
// are 64-bit little-endian programs that lie where they were linked.
func openImage(path string, search []string, arch desc.Arch) (*elffile.File, error) {
	f, err := openELF(path, search, arch)
	if err != nil {
		return nil, err
	}
	fail := func(format string, args ...any) (*elffile.File, error) {
		f.Close()
		return nil, fmt.Errorf("%s: "+format, append([]any{f.Name}, args...)...)
	}
	switch {
	case f.Header.Type == elf.ET_DYN:
		return fail("a protection domain is not relocated, and this is position-independent; link it without -pie")
	case f.Header.Type != elf.ET_EXEC:
		return fail("e_type %s is no program", elffile.TypeName(f.Header.Type))
	case f.ProgErr != nil:
		defer f.Close()
		return nil, f.ProgErr
	}
	if err := f.CheckProgs(); err != nil { // of a file that was cut, what is missing would become zeros
		f.Close()
		return nil, err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fail("it wants a dynamic linker (PT_INTERP), and a protection domain has none")
		}
	}
	return f, nil
}

func openELF(path string, search []string, arch desc.Arch) (*elffile.File, error) {
	name, err := Find(path, search)
	if err != nil {
		return nil, err
	}
	f, err := elffile.Open(name)
	if err != nil {
		return nil, err
	}
	switch want := machines[arch]; {
	case f.Class != elf.ELFCLASS64 || f.Big():
		err = fmt.Errorf("%s: Microkit has 64-bit little-endian images only", name)
	case f.Header.Machine != want:
		err = fmt.Errorf("%s: e_machine is %s, and the board is %s", name, elffile.MachineName(f.Header.Machine), arch)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
