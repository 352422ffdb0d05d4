// Package glibc fills in the state of glibc's dynamic linker as its own start-up
// code would have, so that the library takes over in a process whose objects
// somebody else has mapped and relocated: dlopen, dl_iterate_phdr, threads, locales
// and name services work as if ld.so had done it.
//
// The state is private to a build of glibc. Where its parts lie is a [Row], found by
// the build-id of ld.so; [Learn] makes one from the debugging information that
// distributions keep beside it. There is no guessing: a build that no row is for is
// not started this way.
package glibc

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"elfwright/elffile"
)

// Row is where the private parts of a build of glibc lie.
type Row struct {
	BuildID string            `json:"build_id"` // of ld.so, in hexadecimal digits
	Version string            `json:"version"`  // of glibc: "2.36"
	Machine string            `json:"machine"`  // e_machine
	Structs map[string]Struct `json:"structs"`
	Symbols map[string]uint64 `json:"symbols"` // of ld.so, also hidden ones: addresses in the file
}

// Struct is a type of glibc.
type Struct struct {
	Size    uint64           `json:"size"`
	Members map[string]Field `json:"members"` // members of members are joined by dots
}

// Field is where a member is: offset and width, in bits; of an array also how many
// elements it has.
type Field [3]uint64

// MarshalText writes "512+64", and "512+5120*80" of an array.
func (f Field) MarshalText() ([]byte, error) {
	b := fmt.Appendf(nil, "%d+%d", f[0], f[1])
	if f[2] != 0 {
		b = fmt.Appendf(b, "*%d", f[2])
	}
	return b, nil
}

// UnmarshalText reads what MarshalText writes.
func (f *Field) UnmarshalText(b []byte) error {
	n := strings.FieldsFunc(string(b), func(r rune) bool { return r == '+' || r == '*' })
	if len(n) < 2 || len(n) > 3 {
		return fmt.Errorf("%q is no place of a member", b)
	}
	for i := range n {
		v, err := strconv.ParseUint(n[i], 10, 32)
		if err != nil {
			return fmt.Errorf("%q is no place of a member: %w", b, err)
		}
		f[i] = v
	}
	return nil
}

//go:embed rows
var rows embed.FS

// Rows are those that are built in, by their names in order.
func Rows() ([]*Row, error) {
	names, err := fs.Glob(rows, "rows/*.json")
	if err != nil {
		return nil, err
	}
	var list []*Row
	for _, name := range names {
		b, err := rows.ReadFile(name)
		if err != nil {
			return nil, err
		}
		r, err := Decode(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, r)
	}
	return list, nil
}

// Find is the built-in row for an ld.so, or nil.
func Find(ld *elffile.File) (*Row, error) {
	id := hex.EncodeToString(ld.BuildID())
	b, err := rows.ReadFile("rows/" + id + ".json")
	if id == "" || err != nil {
		return nil, nil
	}
	return Decode(b)
}

// Decode reads a row as [Row.Encode] writes it, and checks that nothing is missing.
func Decode(b []byte) (*Row, error) {
	r := &Row{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, err
	}
	return r, r.check()
}

// Encode is the row as JSON, the same bytes for the same row.
func (r *Row) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "\t")
	return append(b, '\n'), err
}

// check asks for what cannot be done without.
func (r *Row) check() error {
	for _, w := range wanted {
		s, ok := r.Structs[w.name]
		if !ok || s.Size == 0 {
			return fmt.Errorf("glibc %s: struct %s is not known", r.Version, w.name)
		}
		for _, m := range w.members {
			f, ok := s.Members[m]
			if !ok {
				return fmt.Errorf("glibc %s: struct %s has no member %s", r.Version, w.name, m)
			}
			if f[0]+f[1] > 8*s.Size {
				return fmt.Errorf("glibc %s: struct %s, member %s: %d bits at %d are beyond its %d bytes", r.Version, w.name, m, f[1], f[0], s.Size)
			}
		}
	}
	for _, s := range neededSymbols {
		if r.Symbols[s] == 0 {
			return fmt.Errorf("glibc %s: symbol %s is not known", r.Version, s)
		}
	}
	return nil
}

// want is what is asked of a struct.
type want struct {
	name     string
	members  []string
	optional []string // that not every version has
}

var wanted = []want{
	{"link_map", []string{
		"l_addr", "l_name", "l_ld", "l_next", "l_prev", "l_real", "l_ns", "l_libname", "l_info", "l_phdr", "l_entry", "l_phnum", "l_ldnum",
		"l_searchlist.r_list", "l_searchlist.r_nlist", "l_symbolic_searchlist.r_list", "l_loader", "l_versions", "l_nversions", "l_nbuckets",
		"l_gnu_bitmask_idxbits", "l_gnu_shift", "l_gnu_bitmask", "l_gnu_buckets", "l_gnu_chain_zero", "l_buckets", "l_chain",
		"l_direct_opencount", "l_type", "l_relocated", "l_init_called", "l_global", "l_contiguous", "l_rpath_dirs.dirs", "l_runpath_dirs.dirs",
		"l_versyms", "l_origin", "l_map_start", "l_map_end", "l_scope_mem", "l_scope_max", "l_scope", "l_local_scope", "l_initfini", "l_flags_1", "l_flags",
		"l_tls_initimage", "l_tls_initimage_size", "l_tls_blocksize", "l_tls_align", "l_tls_firstbyte_offset", "l_tls_offset", "l_tls_modid",
		"l_relro_addr", "l_relro_size", "l_serial", "l_file_id.dev", "l_file_id.ino", "l_used",
	}, []string{"l_text_end", "l_main_map", "l_ld_readonly", "l_phdr_allocated", "l_init_called_next", "l_nodelete_active", "l_cet", "l_x86_feature_1_and",
		"l_dt_relr_ref", "l_idx", "l_need_tls_init", "l_symbolic_in_local_scope", "l_free_initfini", "l_find_object_processed", "l_visited", "l_faked", "l_dev", "l_ino"}},
	{"rtld_global", []string{"_dl_ns", "_dl_nns", "_dl_load_adds", "_dl_stack_flags", "_dl_tls_max_dtv_idx", "_dl_tls_dtv_slotinfo_list",
		"_dl_tls_static_nelem", "_dl_initial_dtv", "_dl_tls_generation"},
		[]string{"_dl_rtld_map", "_dl_tls_static_used", "_dl_tls_static_optional", "_dl_tls_static_size", "_dl_tls_static_align", "_dl_tls_static_surplus",
			"_dl_stack_used", "_dl_stack_user", "_dl_stack_cache", "_dl_initfirst", "_dl_error_catch_tsd", "_dl_rtld_lock_recursive", "_dl_rtld_unlock_recursive",
			"_dl_init_static_tls", "_dl_wait_lookup_done", "_dl_make_stack_executable_hook", "_dl_all_dirs"}},
	{"rtld_global_ro", []string{"_dl_pagesize", "_dl_auxv", "_dl_initial_searchlist.r_list", "_dl_initial_searchlist.r_nlist", "_dl_clktck", "_dl_hwcap"},
		[]string{"_dl_tls_static_size", "_dl_tls_static_align", "_dl_tls_static_surplus", "_dl_find_object", "_dl_minsigstacksize", "_dl_hwcap2", "_dl_hwcap3", "_dl_hwcap4", "_dl_platform",
			"_dl_platformlen", "_dl_phdr", "_dl_phnum", "_dl_lazy", "_dl_origin_path", "_dl_readonly_area", "_dl_dso_sort_algo", "_dl_fpu_control", "_dl_inhibit_cache", "_dl_init_all_dirs",
			"_dl_sysinfo_dso", "_dl_verbose", "_dl_debug_fd", "_dl_bind_not", "_dl_dynamic_weak", "_dl_use_load_bias", "_dl_sysinfo_map",
			"_dl_vdso_clock_gettime64", "_dl_vdso_gettimeofday", "_dl_vdso_time", "_dl_vdso_getcpu", "_dl_vdso_clock_getres_time64", "_dl_vdso_getrandom"}},
	{"link_namespaces", []string{"_ns_loaded", "_ns_nloaded", "_ns_main_searchlist"}, []string{"libc_map", "_ns_global_scope_alloc"}},
	{"libname_list", []string{"name", "next", "dont_free"}, nil},
	{"r_scope_elem", []string{"r_list", "r_nlist"}, nil},
	{"r_found_version", []string{"name", "hash", "filename"}, []string{"hidden"}},
	{"dtv_slotinfo", []string{"gen", "map"}, nil},
	{"dtv_slotinfo_list", []string{"len", "next", "slotinfo"}, nil},
	{"r_debug", []string{"r_version", "r_map", "r_brk", "r_state", "r_ldbase"}, nil},
	{"pthread", nil, []string{"tid", "stackblock", "stackblock_size", "user_stack", "list", "rseq_area"}},
}

// neededSymbols are those of every version.
var neededSymbols = []string{
	"_rtld_global", "_rtld_global_ro", "_dl_random", "__libc_stack_end", "_dl_argv", "_dl_argc", "__environ",
	"_dl_init_paths", "_dl_init", "_dl_fini", "_r_debug", "_dl_debug_state",
}

// moreSymbols are those of some versions.
var moreSymbols = []string{
	"__tls_init_tp", "__rtld_malloc", "__rtld_calloc", "__rtld_free", "__rtld_realloc", "___rtld_mutex_lock", "___rtld_mutex_unlock",
	"__rtld_mutex_init", "__rtld_malloc_init_real", "_dl_find_object", "_dl_find_object_init", "_dl_rtld_map", "_dl_stack_used", "_dl_tlsdesc_return", "__libc_enable_secure",
	"_r_debug_extended", "_dl_main_map", "__rtld_static_init", "_dl_init_called_list", "__libc_initial", "_dl_x86_init_cpu_features", "__rtld_libc_freeres",
	"_dl_important_hwcaps", "_dl_sort_maps_init", "_dl_phdr", "_dl_early_allocate", "__libc_early_init", "_dl_rtld_auditstate", "init_tls", "_dl_skip_args",
	"_dl_x86_cpu_features", "__x86_cpu_features", "__rseq_flags", "_rseq_offset", "__rseq_offset", "__rseq_size", "_rseq_size",
	"__tunables_init", "__pointer_chk_guard_local", "rtld_lock_default_lock_recursive", "rtld_lock_default_unlock_recursive",
	"_dl_nothread_init_static_tls", "_dl_initial_error_catch_tsd",
}
