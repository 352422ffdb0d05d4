package glibc

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/run/memory"
)

// linkMaps makes the link_map of each object: the dynamic linker's account of it
// (include/link.h; filled in by _dl_new_object, _dl_map_object_from_fd and
// _dl_setup_hash).
func (s *State) linkMaps() {
	size := s.Row.Structs["link_map"].Size
	s.maps = make([]uint64, len(s.Memory.Objects))
	for i := range s.maps {
		if i == s.Ld { // it is part of ld.so's own data
			s.maps[i] = s.at("_dl_rtld_map")
			if f := s.Row.offset("rtld_global", "_dl_rtld_map"); s.Row.has("rtld_global", "_dl_rtld_map") {
				s.maps[i] = s.at("_rtld_global") + f
			}
			clear(s.bytes(s.maps[i], size))
			continue
		}
		s.maps[i] = s.Arena.Alloc(size, 16)
	}
	s.list = s.Arena.Alloc(8*uint64(len(s.maps)), 16)
	for i, m := range s.maps {
		s.word(s.list+8*uint64(i), m)
	}
	for i := range s.maps {
		s.linkMap(i)
	}
}

// Kinds of objects (include/link.h, l_type).
const (
	typeExecutable = 0
	typeLibrary    = 1
)

func (s *State) linkMap(i int) {
	o, m := &s.Memory.Objects[i], s.maps[i]
	set := func(member string, v uint64) { s.set(m, "link_map", member, v) }
	set("l_addr", o.Base)
	s.names(i)
	if i+1 < len(s.maps) {
		set("l_next", s.maps[i+1])
	}
	if i > 0 {
		set("l_prev", s.maps[i-1])
		set("l_loader", s.maps[0])
		set("l_type", typeLibrary)
	} else {
		set("l_type", typeExecutable)
		set("l_main_map", 1)
		set("l_direct_opencount", 1)
		set("l_searchlist.r_list", s.list)
		set("l_searchlist.r_nlist", uint64(len(s.maps)))
	}
	set("l_real", m)
	set("l_entry", o.At(o.Header.Entry))
	set("l_phnum", uint64(len(o.Progs)))
	set("l_phdr", s.Arena.Headers(o))
	for _, bit := range []string{"l_relocated", "l_global", "l_contiguous", "l_used"} {
		set(bit, 1)
	}
	set("l_map_start", uint64(o.Hull.Start))
	set("l_map_end", uint64(o.Hull.End()))
	set("l_text_end", s.textEnd(o))
	set("l_file_id.dev", s.Names[i].Dev)
	set("l_file_id.ino", s.Names[i].Ino)
	set("l_serial", uint64(i))
	if i > 0 {
		set("l_origin", s.Arena.Text(s.Names[i].Origin))
	} else if s.Names[i].Origin != "" {
		set("l_origin", s.Arena.Text(s.Names[i].Origin))
	}
	s.scope(i)
	s.dynamic(i)
	s.hash(o, m)
	s.versions(o, m)
	s.storage(o, m)
	for x := range o.Progs {
		if p := &o.Progs[x]; p.Type == elf.PT_GNU_RELRO {
			set("l_relro_addr", p.Vaddr)
			set("l_relro_size", p.Memsz)
		}
	}
	s.needs(i)
}

// names are the path of the object, and other names that it is known by: the one it
// was asked for by, and its DT_SONAME.
func (s *State) names(i int) {
	m, n, o := s.maps[i], s.Names[i], &s.Memory.Objects[i]
	path, asked := n.Path, n.Asked
	if i == 0 {
		path, asked = "", ""
	}
	size := s.Row.Structs["libname_list"].Size
	first := s.Arena.Alloc(size, 16)
	s.set(first, "libname_list", "name", s.Arena.Text(asked))
	s.set(first, "libname_list", "dont_free", 1)
	if o.Soname != "" && o.Soname != asked && i > 0 {
		second := s.Arena.Alloc(size, 16)
		s.set(second, "libname_list", "name", s.Arena.Text(o.Soname))
		s.set(second, "libname_list", "dont_free", 1)
		s.set(first, "libname_list", "next", second)
	}
	s.set(m, "link_map", "l_name", s.Arena.Text(path))
	s.set(m, "link_map", "l_libname", first)
}

// textEnd is behind the last byte of code.
func (s *State) textEnd(o *memory.Object) (end uint64) {
	for i := range o.Segments {
		if g := &o.Segments[i]; g.Flags&elf.PF_X != 0 {
			end = max(end, o.At(g.End))
		}
	}
	return end
}

// scope is where the object's references are looked up by dlsym and by what is bound
// late: the search list of the program, before that itself where DT_SYMBOLIC says so.
func (s *State) scope(i int) {
	m, o := s.maps[i], &s.Memory.Objects[i]
	at := func(member string) uint64 { return m + s.Row.offset("link_map", member) }
	mem := at("l_scope_mem")
	list := []uint64{s.maps[0] + s.Row.offset("link_map", "l_searchlist.r_list")}
	if o.Symbolic {
		one := s.Arena.Alloc(8, 8)
		s.word(one, m)
		s.set(m, "link_map", "l_symbolic_searchlist.r_list", one)
		s.word(at("l_symbolic_searchlist.r_list")+8, 1)
		list = append([]uint64{at("l_symbolic_searchlist.r_list")}, list...)
	}
	for x, e := range list {
		s.word(mem+8*uint64(x), e)
	}
	s.set(m, "link_map", "l_scope_max", s.Row.Structs["link_map"].Members["l_scope_mem"][2])
	s.set(m, "link_map", "l_scope", mem)
	s.word(at("l_local_scope"), at("l_searchlist.r_list"))
}

// needs is l_initfini: of the program all objects, the last to be initialised first;
// of others themselves and what they need.
func (s *State) needs(i int) {
	var list []uint64
	if i == 0 {
		for x := len(s.Order) - 1; x >= 0; x-- {
			list = append(list, s.maps[s.Order[x]])
		}
	} else {
		list = append(list, s.maps[i])
		for _, n := range s.Memory.Objects[i].Needs {
			for x := range s.Memory.Objects {
				if n.To != nil && s.Memory.Objects[x].Object.Object == n.To {
					list = append(list, s.maps[x])
					break
				}
			}
		}
	}
	at := s.Arena.Alloc(8*uint64(len(list)+1), 16)
	for x, v := range list {
		s.word(at+8*uint64(x), v)
	}
	s.set(s.maps[i], "link_map", "l_initfini", at)
}

// storage is the object's thread-local storage.
func (s *State) storage(o *memory.Object, m uint64) {
	if o.Module == 0 {
		return
	}
	g := o.Object.TLS
	set := func(member string, v uint64) { s.set(m, "link_map", member, v) }
	align := max(g.Align, 1)
	set("l_tls_initimage", o.At(g.Vaddr))
	set("l_tls_initimage_size", g.Filesz)
	set("l_tls_blocksize", g.Memsz)
	set("l_tls_align", g.Align)
	set("l_tls_firstbyte_offset", g.Vaddr&(align-1))
	off := o.Offset
	if s.Memory.Layout.TLS.Below {
		off = -off
	}
	set("l_tls_offset", uint64(off))
	set("l_tls_modid", uint64(o.Module))
}

// hash is what look-ups need (elf/dl-setup_hash.c).
func (s *State) hash(o *memory.Object, m uint64) {
	set := func(member string, v uint64) { s.set(m, "link_map", member, v) }
	if at, ok := o.Dynamic.Value(elf.DT_GNU_HASH); ok {
		h := o.Read(at, 16)
		if h == nil {
			return
		}
		buckets, first, words, shift := o.U32(h), o.U32(h[4:]), o.U32(h[8:]), o.U32(h[12:])
		bitmask := o.At(at) + 16
		set("l_nbuckets", uint64(buckets))
		set("l_gnu_bitmask_idxbits", uint64(words-1))
		set("l_gnu_shift", uint64(shift))
		set("l_gnu_bitmask", bitmask)
		set("l_gnu_buckets", bitmask+8*uint64(words))
		set("l_gnu_chain_zero", bitmask+8*uint64(words)+4*uint64(buckets)-4*uint64(first))
		return
	}
	if at, ok := o.Dynamic.Value(elf.DT_HASH); ok {
		if h := o.Read(at, 8); h != nil {
			n := o.U32(h)
			set("l_nbuckets", uint64(n))
			set("l_buckets", o.At(at)+8)
			set("l_chain", o.At(at)+8+4*uint64(n))
		}
	}
}

// versions is the table of versions by index (elf/dl-version.c).
func (s *State) versions(o *memory.Object, m uint64) {
	if at, ok := o.Dynamic.Value(elf.DT_VERSYM); ok {
		s.set(m, "link_map", "l_versyms", o.At(at))
	}
	last := uint16(0)
	for _, d := range o.Versions.Defs {
		last = max(last, d.Index&^elffile.VerHidden)
	}
	for _, n := range o.Versions.Needs {
		for _, a := range n.Aux {
			last = max(last, a.Index&^elffile.VerHidden)
		}
	}
	if last == 0 {
		return
	}
	size := s.Row.Structs["r_found_version"].Size
	table := s.Arena.Alloc(size*(uint64(last)+1), 16)
	entry := func(index uint16, hash uint32, name, file []byte, hidden bool) {
		at := table + size*uint64(index&^elffile.VerHidden)
		s.set(at, "r_found_version", "name", s.Arena.Text(string(name)))
		s.set(at, "r_found_version", "hash", uint64(hash))
		if file != nil {
			s.set(at, "r_found_version", "filename", s.Arena.Text(string(file)))
		}
		if hidden {
			s.set(at, "r_found_version", "hidden", 1)
		}
	}
	for _, n := range o.Versions.Needs {
		for _, a := range n.Aux {
			entry(a.Index, a.Hash, a.Name, n.File, a.Index&elffile.VerHidden != 0)
		}
	}
	for i := range o.Versions.Defs {
		d := &o.Versions.Defs[i]
		if d.Flags&elffile.VerFlagBase == 0 {
			entry(d.Index, d.Hash, d.Name(), nil, false)
		}
	}
	s.set(m, "link_map", "l_versions", table)
	s.set(m, "link_map", "l_nversions", uint64(last)+1)
}
