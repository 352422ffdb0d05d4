// Package musl fills in the state of musl's dynamic linker, which is its C library
// as well, as its own start-up code would have (ldso/dynlink.c, __dls2b and __dls3).
//
// The state is static data without symbols. Where it lies is a [Row], found by the
// build-id of the library. Those of Debian were read from the code of exported
// functions: __dls2b, __dls3, __libc_start_main; [Learn] makes others from the
// library's symbol table and debugging information.
package musl

import (
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"elfwright/elffile"
)

// Row is where the private parts of a build of musl lie: addresses in its file.
type Row struct {
	BuildID string      `json:"build_id"`
	Version string      `json:"version"`
	Machine elf.Machine `json:"machine"`

	// Functions: __copy_tls and __init_tp as __dls2b calls them, one after the other;
	// __init_libc as __libc_start_main does; do_init_fini as __libc_start_init, which
	// is the first that the second half of __libc_start_main calls.
	CopyTLS  uint64 `json:"__copy_tls"`
	InitTP   uint64 `json:"__init_tp"`
	InitLibc uint64 `json:"__init_libc"`
	InitFini uint64 `json:"do_init_fini"`

	Libc         uint64 `json:"__libc"` // struct __libc (src/internal/libc.h)
	HWCap        uint64 `json:"__hwcap"`
	Ldso         uint64 `json:"ldso"` // the library's own struct dso
	Head         uint64 `json:"head"` // of the list of objects
	Tail         uint64 `json:"tail"`
	SymsTail     uint64 `json:"syms_tail"` // of the list of those that symbols are looked for in
	TLSTail      uint64 `json:"tls_tail"`
	TLSCount     uint64 `json:"tls_cnt"`
	TLSOffset    uint64 `json:"tls_offset"`
	TLSAlign     uint64 `json:"tls_align"`
	StaticCount  uint64 `json:"static_tls_cnt"`
	Queue        uint64 `json:"main_ctor_queue"`
	BuiltinQueue uint64 `json:"builtin_ctor_queue"` // of four
	EnvPath      uint64 `json:"env_path"`
	Runtime      uint64 `json:"runtime"`
	Debug        uint64 `json:"debug"` // what a debugger finds the objects by; _dl_debug_addr points to it
	Malloc       uint64 `json:"__malloc_replaced"`
	AlignedAlloc uint64 `json:"__aligned_alloc_replaced"`

	Thread uint64 `json:"sizeof_pthread"` // sizeof (struct pthread)
}

// rows are those that are known.
var rows = [...]Row{
	{ // Debian 12, musl 1.2.3-1, amd64
		BuildID: "54d00df44fce62f541ca62b56bdef5bf31ff077c", Version: "1.2.3", Machine: elf.EM_X86_64,
		CopyTLS: 0x1aa90, InitTP: 0x1aa20, InitLibc: 0x1ab30, InitFini: 0x72790,
		Libc: 0xac780, HWCap: 0xaec88, Ldso: 0xae800, Head: 0xaee50, Tail: 0xaee48, SymsTail: 0xaee38,
		TLSTail: 0xaee08, TLSCount: 0xaee00, TLSOffset: 0xaedf8, TLSAlign: 0xac3e0, StaticCount: 0xaedf0,
		Queue: 0xaede8, BuiltinQueue: 0xae6e0, EnvPath: 0xaee28, Runtime: 0xaef34, Debug: 0xae780,
		Malloc: 0xaeea4, AlignedAlloc: 0xaeea0, Thread: 200,
	},
	{ // Debian 12, musl 1.2.3-1, arm64
		BuildID: "44736b4af91f03f11921c05e26ade4982b45f8cb", Version: "1.2.3", Machine: elf.EM_AARCH64,
		CopyTLS: 0x19d30, InitTP: 0x19c90, InitLibc: 0x19df0, InitFini: 0x73cf0,
		Libc: 0xbd7a8, HWCap: 0xbd7a0, Ldso: 0xbf998, Head: 0xbf960, Tail: 0xbfb70, SymsTail: 0xbfb60,
		TLSTail: 0xbfb88, TLSCount: 0xbfb78, TLSOffset: 0xbfb80, TLSAlign: 0xbd3c8, StaticCount: 0xbfb58,
		Queue: 0xbfb40, BuiltinQueue: 0xbf770, EnvPath: 0xbf948, Runtime: 0xbfd90, Debug: 0xbf920,
		Malloc: 0xbfd1c, AlignedAlloc: 0xbfd18, Thread: 200,
	},
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
	for name, at := range r.symbols() {
		if *at == 0 {
			return fmt.Errorf("musl %s: symbol %s is not known", r.Version, name)
		}
	}
	if r.Thread == 0 {
		return fmt.Errorf("musl %s: the size of struct pthread is not known", r.Version)
	}
	return nil
}

// Find is the row for a build of musl, or nil.
func Find(ld *elffile.File) *Row {
	id := hex.EncodeToString(ld.BuildID())
	for i := range rows {
		if rows[i].BuildID == id {
			return &rows[i]
		}
	}
	return nil
}
