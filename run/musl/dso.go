package musl

import (
	"debug/elf"
	"strings"

	"elfwright/run/memory"
)

// dso fills in an object's struct dso (decode_dyn, kernel_mapped_dso, load_library).
func (s *State) dso(i int) {
	o, d := &s.Memory.Objects[i], s.dsos[i]
	s.word(d+dsoBase, o.Base)
	s.word(d+dsoName, s.Arena.Text(s.Paths[i]))
	s.word(d+dsoShortname, s.shortname(i))
	if i+1 < len(s.dsos) {
		s.word(d+dsoNext, s.dsos[i+1])
		s.word(d+dsoSymsNext, s.dsos[i+1])
	}
	if i > 0 {
		s.word(d+dsoPrev, s.dsos[i-1])
		s.word(d+dsoNeededBy, s.dsos[0])
	}
	s.word(d+dsoPhdr, s.Arena.Headers(o))
	s.put(d+dsoPhnum, uint64(len(o.Progs)), 4)
	s.word(d+dsoPhentsize, uint64(o.PhdrSize()))
	if o.Dynamic.Prog >= 0 {
		s.word(d+dsoDynv, o.At(o.Progs[o.Dynamic.Prog].Vaddr))
	}
	for _, t := range [...]struct {
		tag    elf.DynTag
		member uint64
	}{{elf.DT_SYMTAB, dsoSyms}, {elf.DT_STRTAB, dsoStrings}, {elf.DT_HASH, dsoHashtab}, {elf.DT_GNU_HASH, dsoGhashtab}, {elf.DT_VERSYM, dsoVersym}} {
		if v, ok := o.Dynamic.Value(t.tag); ok {
			s.word(d+t.member, o.At(v))
		}
	}
	s.word(d+dsoMap, uint64(o.Hull.Start))
	s.word(d+dsoMapLen, o.Hull.Size)
	s.word(d+dsoDev, o.ID.Dev)
	s.word(d+dsoIno, o.ID.Ino)
	s.put(d+dsoRelocated, 1, 1)
	s.put(d+dsoBfsBuilt, 1, 1)
	if i == 0 || i == s.Ld {
		s.put(d+dsoKernelMapped, 1, 1)
	}
	if r, ok := o.Relro(s.Memory.Layout.Page); ok {
		s.word(d+dsoRelro, uint64(r.Start)-o.Base)
		s.word(d+dsoRelro+8, uint64(r.End())-o.Base)
	}
	s.rpath(i)
	s.deps(i)
}

// rpath is where the object's needs are searched, with $ORIGIN already put in: musl
// would ask /proc/self/exe where the program is (fixup_rpath). DT_RUNPATH counts
// before DT_RPATH; a list with any other token is ignored.
func (s *State) rpath(i int) {
	o := &s.Memory.Objects[i]
	p := o.Rpath
	if o.Runpath.Set {
		p = o.Runpath
	}
	if !p.Set {
		return
	}
	text := strings.NewReplacer("${ORIGIN}", s.Origins[i], "$ORIGIN", s.Origins[i]).Replace(p.Text)
	if !strings.Contains(text, "$") {
		at := s.Arena.Text(text)
		s.word(s.dsos[i]+dsoRpathOrig, at)
		s.word(s.dsos[i]+dsoRpath, at)
	}
}

// shortname is the file name that the object is known by; a path has none.
func (s *State) shortname(i int) uint64 {
	name := s.Names[i]
	if i == s.Ld {
		name = "libc.so"
	}
	for x := range name {
		if name[x] == '/' {
			return 0
		}
	}
	return s.Arena.Text(name)
}

// deps are the objects that it needs: the direct ones first; of the program, whose
// list dlsym goes over, all.
func (s *State) deps(i int) {
	var list []uint64
	seen := make(map[uint64]bool)
	for _, n := range s.Memory.Objects[i].Needs {
		for x := range s.Memory.Objects {
			if s.Memory.Objects[x].Object.Object == n.To && !seen[s.dsos[x]] {
				seen[s.dsos[x]] = true
				list = append(list, s.dsos[x])
			}
		}
	}
	direct := len(list)
	if i == 0 {
		for x, d := range s.dsos {
			if x > 0 && !seen[d] {
				list = append(list, d)
			}
		}
	}
	at := s.Arena.Alloc(8*uint64(len(list)+1), 16)
	for x, d := range list {
		s.word(at+8*uint64(x), d)
	}
	s.word(s.dsos[i]+dsoDeps, at)
	s.word(s.dsos[i]+dsoDirect, uint64(direct))
}

// Size is how much memory the thread-local storage of a thread takes
// (update_tls_size), and how it is aligned.
func (r *Row) Size(m *memory.Process) (size, align uint64) {
	t := m.Layout.TLS
	align = max(t.Align, 8) // MIN_TLS_ALIGN
	size = (1+uint64(t.Modules))*8 + t.Size + r.Thread + 2*align
	return (size + align - 1) &^ (align - 1), align
}

// storage is the account of thread-local storage.
func (s *State) storage() {
	t := s.Memory.Layout.TLS
	size, align := s.Row.Size(s.Memory)
	var head, prev uint64
	for i := range s.Memory.Objects {
		o := &s.Memory.Objects[i]
		if o.Module == 0 {
			continue
		}
		g, at := o.Object.TLS, s.dsos[i]+dsoTLS
		off := o.Offset
		if t.Below {
			off = -off
		}
		s.word(at+tlsImage, o.At(g.Vaddr))
		s.word(at+tlsLen, g.Filesz)
		s.word(at+tlsSize, g.Memsz)
		s.word(at+tlsAlign, g.Align)
		s.word(at+tlsOffset, uint64(off))
		s.word(s.dsos[i]+dsoTLSID, uint64(o.Module))
		if prev != 0 {
			s.word(prev+tlsNext, at)
		} else {
			head = at
		}
		prev = at
	}
	libc := s.at(s.Row.Libc)
	s.word(libc+libcTLSHead, head)
	s.word(libc+libcTLSSize, size)
	s.word(libc+libcAlign, align)
	s.word(libc+libcCount, uint64(t.Modules))
	s.word(s.at(s.Row.TLSTail), prev)
	s.word(s.at(s.Row.TLSCount), uint64(t.Modules))
	s.word(s.at(s.Row.StaticCount), uint64(t.Modules))
	s.word(s.at(s.Row.TLSAlign), align)
	offset := t.Size
	if t.Modules == 0 {
		offset = 0
	}
	s.word(s.at(s.Row.TLSOffset), offset)
}

// replaced tells the library whether the program brings its own malloc.
func (s *State) replaced() {
	for _, f := range [...]struct {
		name string
		flag uint64
	}{{"malloc", s.Row.Malloc}, {"aligned_alloc", s.Row.AlignedAlloc}} {
		for i := range s.Memory.Objects {
			if exported(&s.Memory.Objects[i], f.name) != 0 {
				if i != s.Ld {
					s.put(s.at(f.flag), 1, 4)
				}
				break
			}
		}
	}
}

// debug is what a debugger finds the objects by; DT_DEBUG of the program leads to it.
func (s *State) debug() {
	at, ld := s.at(s.Row.Debug), &s.Memory.Objects[s.Ld]
	s.put(at, 1, 4)
	s.word(at+8, s.dsos[0])
	s.word(at+16, exported(ld, "_dl_debug_state"))
	s.put(at+24, 0, 4)
	s.word(at+32, ld.Base)
	o := &s.Memory.Objects[0]
	for i, e := range o.Dynamic.Entries {
		if e.Tag == elf.DT_DEBUG && o.Dynamic.Prog >= 0 && o.Progs[o.Dynamic.Prog].Flags&elf.PF_W != 0 {
			s.word(o.At(o.Progs[o.Dynamic.Prog].Vaddr)+uint64(i*o.DynSize())+8, at)
		}
	}
}
