package glibc

import (
	"debug/elf"
	"encoding/binary"

	"elfwright/dyn/load"
	"elfwright/dyn/object"
	"elfwright/elffile"
	"elfwright/image"
	"elfwright/run/memory"
	"elfwright/run/place"
	"elfwright/run/stage"
)

// vdsoBase stands for the address of the vDSO, which is known when the process
// exists. No address is like it.
const vdsoBase = 0x5a5a_0000_0000_0000

// functionsOfVDSO are those that glibc keeps, and the members that it keeps them in
// (sysdeps/unix/sysv/linux/dl-vdso-setup.h).
var functionsOfVDSO = [...]struct{ name, member string }{
	{"__vdso_clock_gettime", "_dl_vdso_clock_gettime64"},
	{"__vdso_gettimeofday", "_dl_vdso_gettimeofday"},
	{"__vdso_time", "_dl_vdso_time"},
	{"__vdso_getcpu", "_dl_vdso_getcpu"},
	{"__vdso_clock_getres", "_dl_vdso_clock_getres_time64"},
	{"__vdso_getrandom", "_dl_vdso_getrandom"},
}

// vdsoRows are what is written when the process's vDSO is the one that is known
// here: place, value, and a mask of its address, which is added.
type vdsoRows []uint64

func (r *vdsoRows) set(at, v uint64) { *r = append(*r, at, v, 0) }
func (r *vdsoRows) add(at, v uint64) { *r = append(*r, at, v, ^uint64(0)) }

// vdso makes the vDSO an object of the process, behind the program in the list, and
// notes its functions (setup_vdso, setup_vdso_pointers). Before 2.33 ld.so wants the
// dynamic section changed, which it copies; that is left out, and so is the vDSO.
func (s *State) vdso() error {
	if len(s.VDSO) == 0 || !s.Row.AtLeast(2, 33) || !s.Row.has("link_map", "l_ld_readonly") || !s.Row.has("rtld_global_ro", "_dl_sysinfo_map") {
		return nil
	}
	f, err := elffile.Parse("linux-vdso.so.1", s.VDSO)
	if err != nil {
		return err
	}
	o, err := object.Read(f)
	if err != nil {
		return err
	}
	if err := o.ReadSymbols(); err != nil {
		return err
	}
	if o.Symbols == nil || o.Header.Type != elf.ET_DYN || o.TLS != nil {
		return nil
	}
	var rows vdsoRows
	from := uint64(len(s.Arena.Bytes))
	m := s.vdsoMap(&load.Object{Object: o})
	for at := (from + 7) &^ 7; at+8 <= uint64(len(s.Arena.Bytes)); at += 8 {
		if v := binary.LittleEndian.Uint64(s.Arena.Bytes[at:]); v-vdsoBase < 1<<32 {
			s.Arena.Word(s.Arena.At+at, 0, 8)
			rows.add(s.Arena.At+at, v-vdsoBase)
		}
	}
	s.linkVDSO(&rows, m)
	ro := s.at("_rtld_global_ro")
	for _, fn := range functionsOfVDSO {
		if v := exportedBy(o, fn.name); v != 0 && s.Row.has("rtld_global_ro", fn.member) {
			rows.add(ro+s.Row.offset("rtld_global_ro", fn.member), v)
		}
	}
	table := s.Arena.Alloc(uint64(8*len(rows)), 16)
	for i, v := range rows {
		s.Arena.Word(table+uint64(8*i), v, 8)
	}
	s.Plan.Put(make([]byte, -s.Plan.Place()&7))
	copyAt := s.Plan.Place()
	s.Plan.Put(s.VDSO[:len(s.VDSO)&^7])
	s.Plan.Do(stage.VDSO, copyAt, uint64(len(s.VDSO)/8), table, uint64(len(rows)/3))
	return nil
}

// vdsoMap makes the link_map, with vdsoBase in place of the address.
func (s *State) vdsoMap(o *load.Object) uint64 {
	size := uint64(o.Body.Size())
	v := *s
	hull := image.Range{Start: vdsoBase, Size: s.pages(o.Object)}
	v.Memory = &memory.Process{Layout: s.Memory.Layout, Objects: []memory.Object{s.Memory.Objects[0], {
		Object:   &place.Object{Object: o, Base: vdsoBase, Hull: hull},
		Segments: []memory.Segment{{End: hull.Size, FileEnd: size, Flags: elf.PF_R | elf.PF_X, Bytes: s.VDSO}},
	}}}
	v.Names = []Name{{}, {}}
	m := s.Arena.Alloc(s.Row.Structs["link_map"].Size, 16)
	v.maps = []uint64{s.maps[0], m}
	v.linkMap(1)
	for _, member := range []string{"l_loader", "l_initfini", "l_origin", "l_global", "l_entry"} {
		s.set(m, "link_map", member, 0)
	}
	if o.Soname != "" { // it is known by that (setup_vdso), though no file has it
		s.set(m, "link_map", "l_name", s.Arena.Text(o.Soname))
	}
	s.set(m, "link_map", "l_serial", uint64(len(s.maps)))
	// It is looked up in itself alone.
	list := m + s.Row.offset("link_map", "l_searchlist.r_list")
	s.word(list, m+s.Row.offset("link_map", "l_real"))
	s.set(m, "link_map", "l_searchlist.r_nlist", 1)
	s.errs = append(s.errs, v.errs...)
	return m
}

// pages is what the vDSO takes in memory.
func (s *State) pages(o *object.Object) (end uint64) {
	page := s.Memory.Layout.Page
	for i := range o.Progs {
		if p := &o.Progs[i]; p.Type == elf.PT_LOAD {
			end = max(end, (p.Vaddr+p.Memsz+page-1)&^(page-1))
		}
	}
	return end
}

// linkVDSO puts it into the list of objects, behind the program.
func (s *State) linkVDSO(rows *vdsoRows, m uint64) {
	next, prev := s.Row.offset("link_map", "l_next"), s.Row.offset("link_map", "l_prev")
	rows.set(s.maps[0]+next, m)
	if len(s.maps) > 1 {
		s.word(m+next, s.maps[1])
		rows.set(s.maps[1]+prev, m)
	}
	n := uint64(len(s.maps)) + 1
	ns := s.at("_rtld_global") + s.Row.offset("rtld_global", "_dl_ns") + s.Row.offset("link_namespaces", "_ns_nloaded")
	if s.Row.Structs["link_namespaces"].Members["_ns_nloaded"][1] == 64 {
		rows.set(ns, n)
	} else { // the high half is another member, which is known here
		high := binary.LittleEndian.Uint32(s.bytes(ns+4, 4))
		rows.set(ns, n|uint64(high)<<32)
	}
	rows.set(s.at("_rtld_global")+s.Row.offset("rtld_global", "_dl_load_adds"), n)
	ro := s.at("_rtld_global_ro")
	rows.set(ro+s.Row.offset("rtld_global_ro", "_dl_sysinfo_map"), m)
	if s.Row.has("rtld_global_ro", "_dl_sysinfo_dso") {
		rows.add(ro+s.Row.offset("rtld_global_ro", "_dl_sysinfo_dso"), 0)
	}
}

// exportedBy is the value of a symbol that an object defines; 0: none.
func exportedBy(o *object.Object, name string) uint64 {
	for i := range o.Symbols.Len() {
		if s := o.Symbols.At(i); s.Shndx != 0 && string(o.Symbols.Name(s)) == name {
			return s.Value
		}
	}
	return 0
}
