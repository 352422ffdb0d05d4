package glibc

import (
	"errors"
	"fmt"

	"elfwright/elffile"
	"elfwright/run/memory"
	"elfwright/run/stage"
)

// Entries of the auxiliary vector (<linux/auxvec.h>).
const (
	atClockTick, atSecure, atRandom, atHWCap2, atRseqSize, atMinSigStack = 17, 23, 25, 26, 27, 51
)

// Before fills in the state, and adds what stage 2 does before it calls resolvers.
func (s *State) Before() error {
	s.linkMaps()
	s.namespace()
	s.threadStorage()
	s.pointers()
	s.debug()
	s.fromStack()
	if err := s.vdso(); err != nil {
		return err
	}
	if f := s.at("__tunables_init"); f != 0 {
		s.Plan.Do(stage.CallOf, f, uint64(stage.Envp))
	}
	return errors.Join(append(s.errs, s.Arena.Err())...)
}

// Thread adds the setting of the thread pointer, and what follows from it.
func (s *State) Thread() {
	s.Plan.Do(stage.Thread, s.TP)
	if f := s.at("__tls_init_tp"); f != 0 {
		s.Plan.Do(stage.Call, f)
	}
}

// After adds what is done when all objects are relocated, resolvers included, until
// ld.so's data is made read-only.
func (s *State) After() error {
	lib := &s.Memory.Objects[s.Libc]
	if f := exported(lib, "__libc_early_init", "GLIBC_PRIVATE"); f != 0 {
		s.Plan.Do(stage.Call, f, 1)
	} else if s.Row.AtLeast(2, 32) {
		s.fail(&elffile.Error{File: lib.Name, Off: -1, Msg: "it does not define __libc_early_init, version GLIBC_PRIVATE"})
	}
	if f := s.at("__rtld_mutex_init"); f != 0 {
		s.Plan.Do(stage.Call, f)
	}
	if f := s.at("__rtld_malloc_init_real"); f != 0 {
		s.Plan.Do(stage.Call, f, s.maps[0])
	}
	if s.LibraryPath != "" {
		s.Plan.Do(stage.Call, s.at("_dl_init_paths"), s.Plan.Text(s.LibraryPath), s.Plan.Text("--library-path"), 0, 0)
	} else {
		s.Plan.Do(stage.Environ, s.at("_dl_init_paths"), s.Plan.Text("LD_LIBRARY_PATH="), s.Plan.Text("LD_LIBRARY_PATH"), 0, 0)
	}
	// By this word ld.so knows that it has started (rtld_active).
	if s.Row.has("rtld_global", "_dl_all_dirs") && s.Row.has("rtld_global_ro", "_dl_init_all_dirs") {
		s.Plan.Do(stage.Copy, s.at("_rtld_global_ro")+s.Row.offset("rtld_global_ro", "_dl_init_all_dirs"),
			s.at("_rtld_global")+s.Row.offset("rtld_global", "_dl_all_dirs"), 8)
	}
	if f := s.at("_dl_find_object_init"); f != 0 {
		s.Plan.Do(stage.Call, f)
	}
	return errors.Join(s.errs...)
}

// Start adds the constructors and the jump to the program.
func (s *State) Start() {
	s.Plan.Do(stage.InitOf, s.at("_dl_init"), s.maps[0])
	o := &s.Memory.Objects[0]
	s.Plan.Do(stage.End, o.At(o.Header.Entry), s.at("_dl_fini"))
}

// namespace is the one that the program and its libraries are in.
func (s *State) namespace() {
	ns := s.at("_rtld_global") + s.Row.offset("rtld_global", "_dl_ns")
	n := uint64(len(s.maps))
	search := s.maps[0] + s.Row.offset("link_map", "l_searchlist.r_list")
	s.set(ns, "link_namespaces", "_ns_loaded", s.maps[0])
	s.set(ns, "link_namespaces", "_ns_nloaded", n)
	s.set(ns, "link_namespaces", "_ns_main_searchlist", search)
	s.set(ns, "link_namespaces", "libc_map", s.maps[s.Libc])
	s.global("_dl_nns", 1)
	s.global("_dl_load_adds", n)
	s.global("_dl_stack_flags", s.Stack)
	for i := range s.Memory.Objects {
		if s.Memory.Objects[i].Flags1&0x20 != 0 { // DF_1_INITFIRST
			s.global("_dl_initfirst", s.maps[i])
		}
	}
	s.readOnly("_dl_initial_searchlist.r_list", s.list)
	s.readOnly("_dl_initial_searchlist.r_nlist", n)
	s.readOnly("_dl_pagesize", s.Memory.Layout.Page)
	// A list is empty when its head points to itself.
	for _, head := range []string{"_dl_stack_used", "_dl_stack_user", "_dl_stack_cache"} {
		if s.Row.has("rtld_global", head) {
			at := s.at("_rtld_global") + s.Row.offset("rtld_global", head)
			s.word(at, at)
			s.word(at+8, at)
		}
	}
}

// slotinfoSurplus and dtvSurplus are what ld.so takes more than there are modules
// (TLS_SLOTINFO_SURPLUS, DTV_SURPLUS).
const (
	slotinfoSurplus = 62
	dtvSurplus      = 14
)

// threadStorage is the account of thread-local storage, and the vector by which the
// first thread finds its blocks (elf/rtld.c, init_tls; elf/dl-tls.c).
func (s *State) threadStorage() {
	t := s.Memory.Layout.TLS
	below, _, align := s.Row.Area(t)
	modules := uint64(t.Modules)

	vector := s.Arena.Alloc(16*(modules+dtvSurplus+2), 16)
	s.word(vector, modules+dtvSurplus)
	s.word(vector+16, 1) // the generation
	size := s.Row.offset("dtv_slotinfo_list", "slotinfo")
	slots := modules + 1 + slotinfoSurplus
	info := s.Arena.Alloc(size+slots*s.Row.Structs["dtv_slotinfo"].Size, 16)
	s.set(info, "dtv_slotinfo_list", "len", slots)
	for i := range s.Memory.Objects {
		o := &s.Memory.Objects[i]
		if o.Module == 0 {
			continue
		}
		s.word(vector+16+16*uint64(o.Module), s.TP+uint64(o.Offset))
		s.set(info+size+uint64(o.Module)*s.Row.Structs["dtv_slotinfo"].Size, "dtv_slotinfo", "map", s.maps[i])
	}
	s.global("_dl_tls_max_dtv_idx", modules)
	s.global("_dl_tls_dtv_slotinfo_list", info)
	s.global("_dl_tls_static_nelem", modules)
	s.global("_dl_tls_static_used", s.Row.used(t))
	if used := s.Row.used(t); used != t.Size {
		s.word(s.at("__rseq_offset"), -used)
		s.bytes(s.at("__rseq_size"), 4)
		s.Plan.Do(stage.Poke32, s.at("__rseq_size"), uint64(stage.Auxiliary(atRseqSize)))
	}
	s.global("_dl_tls_static_optional", 512) // glibc.rtld.optional_static_tls
	s.global("_dl_initial_dtv", vector+16)
	s.global("_dl_tls_generation", 1)
	for _, set := range []func(string, uint64){s.global, s.readOnly} { // where they are is a matter of the version
		set("_dl_tls_static_size", below+s.Row.Structs["pthread"].Size)
		set("_dl_tls_static_align", align)
		set("_dl_tls_static_surplus", surplus)
	}
	s.word(s.TP, s.TP)
	s.word(s.TP+8, vector+16)
	s.word(s.TP+16, s.TP)
}

// pointers are functions that ld.so finds while it starts.
func (s *State) pointers() {
	s.readOnly("_dl_find_object", s.at("_dl_find_object"))
	for _, p := range [...]struct{ member, symbol string }{
		{"_dl_rtld_lock_recursive", "rtld_lock_default_lock_recursive"},
		{"_dl_rtld_unlock_recursive", "rtld_lock_default_unlock_recursive"},
		{"_dl_init_static_tls", "_dl_nothread_init_static_tls"},
		{"_dl_error_catch_tsd", "_dl_initial_error_catch_tsd"},
	} {
		if at := s.at(p.symbol); at != 0 {
			s.global(p.member, at)
		}
	}
}

// debug is what a debugger finds the objects by (<link.h>, struct r_debug).
func (s *State) debug() {
	at := s.at("_r_debug")
	s.set(at, "r_debug", "r_version", 1)
	s.set(at, "r_debug", "r_map", s.maps[0])
	s.set(at, "r_debug", "r_brk", s.at("_dl_debug_state"))
	s.set(at, "r_debug", "r_state", 0) // RT_CONSISTENT
	s.set(at, "r_debug", "r_ldbase", s.Memory.Objects[s.Ld].Base)
}

// fromStack adds the words that depend on the stack.
func (s *State) fromStack() {
	for _, p := range [...]struct {
		symbol string
		op     stage.Op
		value  stage.Value
	}{
		{"_dl_random", stage.Poke, stage.Auxiliary(atRandom)},
		{"__libc_stack_end", stage.Poke, stage.StackPointer},
		{"_dl_argv", stage.Poke, stage.Argv},
		{"_dl_argc", stage.Poke32, stage.Argc},
		{"__environ", stage.Poke, stage.Envp},
		{"__libc_enable_secure", stage.Poke32, stage.Auxiliary(atSecure)},
	} {
		if at := s.at(p.symbol); at != 0 {
			s.bytes(at, 8) // it is there
			s.Plan.Do(p.op, at, uint64(p.value))
		}
	}
	ro := s.at("_rtld_global_ro")
	s.poke(ro, "rtld_global_ro", "_dl_auxv", stage.AuxvStart)
	s.poke(ro, "rtld_global_ro", "_dl_minsigstacksize", stage.Auxiliary(atMinSigStack))
	s.poke(ro, "rtld_global_ro", "_dl_hwcap2", stage.Auxiliary(atHWCap2))
	s.poke(ro, "rtld_global_ro", "_dl_clktck", stage.Auxiliary(atClockTick))
	// The canary has a zero byte first, against strings that run over it
	// (sysdeps/generic/dl-osinfo.h).
	s.Plan.Do(stage.Random, s.TP+0x28, 0, ^uint64(0xff))
	s.Plan.Do(stage.Random, s.TP+0x30, 8, ^uint64(0))
	if at := s.at("__pointer_chk_guard_local"); at != 0 {
		s.Plan.Do(stage.Random, at, 8, ^uint64(0))
	}
}

// exported is the address of a symbol that an object defines with a version; 0: none.
func exported(o *memory.Object, name, version string) uint64 {
	t := o.Symbols
	if t == nil {
		return 0
	}
	for i := range t.Len() {
		s := t.At(i)
		if s.Shndx == 0 || string(t.Name(s)) != name {
			continue
		}
		if index, _ := o.Versions.Symbol(i); string(o.Versions.Name(index)) == version {
			return o.At(s.Value)
		}
	}
	return 0
}

// UnknownError tells that no row is for a build of glibc.
type UnknownError struct {
	File    string
	BuildID []byte
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("%s: where this build of glibc keeps its state is not known (build-id %x); a row is learnt from its debugging information", e.File, e.BuildID)
}
