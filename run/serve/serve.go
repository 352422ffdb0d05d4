// Package serve finds in a dynamic linker the system calls that take the path of
// a file, and replaces them by jumps to code that answers them: so it reads other
// files than the kernel would give it, and knows nothing of that.
package serve

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/run/launch"
)

// Sites are the system calls of a dynamic linker that are replaced.
type Sites struct {
	List   []Site
	NoMaps error // why the calls that map files are not among them; nil: they are

	m arch
}

// Site is a system call in a dynamic linker.
type Site struct {
	Vaddr  uint64 // of the first byte that is replaced
	Next   uint64 // where the code goes on
	Number int64  // of the system call; -1: not known before it is made
	Moved  []byte // instructions that give way, and are executed elsewhere
}

// Edit are bytes to be put at an address.
type Edit struct {
	Vaddr uint64
	Bytes []byte
}

// arch is what differs between machines.
type arch interface {
	calls(code []byte, numbers []uint32) bool // whether there could be one of these system calls; nil: any
	far(at uint64, code []byte, to *marks)
	find(ld *elffile.File, fn function, w *wanted) ([]Site, error)

	last() uint64 // the size of the instruction that makes a system call

	size(s *Site) uint64
	way(s *Site, at, back, gate uint64) ([]byte, error)
	jump(s *Site, at, way uint64) ([]byte, error)
}

// archOf finds the machine of a dynamic linker.
func archOf(ld *elffile.File) arch {
	if ld.Format != (elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}) {
		return nil
	}
	switch ld.Header.Machine {
	case elf.EM_X86_64:
		return amd64{}
	case elf.EM_AARCH64:
		return aarch64{}
	}
	return nil
}

// wanted says which system calls are looked for.
type wanted struct {
	calls   []launch.Call
	all     bool  // all that could be one of them
	maps    error // why those that map are not replaced, or nil
	scratch []instr
	targets marks // where jumps go
}

func (w *wanted) wants(number int64) bool {
	if number < 0 {
		return w.all
	}
	return slices.ContainsFunc(w.calls, func(c launch.Call) bool { return int64(c.Number) == number })
}

// numbers are those of the calls, or nil for all.
func (w *wanted) numbers() []uint32 {
	if w.all {
		return nil
	}
	var out []uint32
	for _, c := range w.calls {
		out = append(out, uint32(c.Number))
	}
	return out
}

// refuse is what becomes of a call that cannot be replaced: those that map are not
// needed.
func (w *wanted) refuse(number int64, err error) error {
	for _, c := range w.calls {
		if int64(c.Number) == number && c.Does == launch.Map {
			w.maps = err
			return nil
		}
	}
	return err
}

// Find finds the sites of a dynamic linker that does nothing else, as that of
// glibc. It is all of them or an error: a file that is looked for in two ways would
// be worse than none.
func Find(ld *elffile.File) (*Sites, error) {
	s, err := find(ld, func(launch.Call) bool { return true }, true)
	if err == nil && !slices.ContainsFunc(s.List, func(s Site) bool { return s.Number == opens(ld) }) {
		return nil, fmt.Errorf("%s: none of its system calls is an openat: it cannot be given other files", ld.Name)
	}
	return s, err
}

// FindLinks finds where a dynamic linker, or a C library, reads links.
func FindLinks(lib *elffile.File) (*Sites, error) {
	return find(lib, func(c launch.Call) bool { return c.Does == launch.Readlink }, false)
}

// FindExe finds the sites of a dynamic linker that is given no other files, but a path
// for /proc/self/exe: where it reads links, and where it maps a C library, which is to
// read it as well.
func FindExe(ld *elffile.File) (*Sites, error) {
	return find(ld, func(c launch.Call) bool { return c.Does == launch.Readlink || c.Does == launch.Map }, false)
}

func opens(ld *elffile.File) int64 {
	if ld.Header.Machine == elf.EM_X86_64 {
		return 257
	}
	return 56 // the numbers that all newer machines share
}

func find(ld *elffile.File, which func(launch.Call) bool, all bool) (*Sites, error) {
	m, code := archOf(ld), launch.Lookup(ld.Header.Machine, ld.Class, ld.Data)
	if m == nil || code == nil {
		return nil, ld.HeaderError("e_machine", "%s, %v, %v: the system calls of a dynamic linker of this machine are not known",
			elffile.MachineName(ld.Header.Machine), ld.Class, ld.Data)
	}
	w := &wanted{all: all}
	for _, c := range code.Calls() {
		if which(c) {
			w.calls = append(w.calls, c)
		}
	}
	fns, err := functions(ld)
	if err != nil {
		return nil, err
	}
	numbers := w.numbers()
	fns = slices.DeleteFunc(fns, func(fn function) bool { return !m.calls(fn.code, numbers) })
	longest := 0
	for _, fn := range fns {
		longest = max(longest, len(fn.code))
	}
	w.scratch = make([]instr, 0, longest/4) // about as many instructions as it has
	w.targets = newMarks(fns)
	for i := range ld.Progs {
		if p := &ld.Progs[i]; p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 {
			data, err := ld.ProgData(i)
			if err != nil {
				return nil, err
			}
			m.far(p.Vaddr, data, &w.targets)
		}
	}
	s := &Sites{m: m}
	for _, fn := range fns {
		found, err := m.find(ld, fn, w)
		if err != nil {
			return nil, err
		}
		s.List = append(s.List, found...)
	}
	s.NoMaps = w.maps
	return s, s.moved(ld)
}

// Size is how much room the ways to the gate take.
func (s *Sites) Size() uint64 {
	if s == nil {
		return 0
	}
	var n uint64
	for i := range s.List {
		n += s.m.size(&s.List[i])
	}
	return n
}

// Redirect makes the ways from each site to the gate and back: code to be put at
// the address ways, and what is to change in the dynamic linker, which is loaded
// at a bias.
func (s *Sites) Redirect(bias, ways, gate uint64) (code []byte, edits []Edit, err error) {
	for i := range s.List {
		site := &s.List[i]
		at := ways + uint64(len(code))
		way, err := s.m.way(site, at, bias+site.Next, gate)
		if err != nil {
			return nil, nil, err
		}
		jump, err := s.m.jump(site, bias+site.Vaddr, at)
		if err != nil {
			return nil, nil, err
		}
		code = append(code, way...)
		edits = append(edits, Edit{site.Vaddr, jump})
	}
	return code, edits, nil
}
