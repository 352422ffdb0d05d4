package glibc

import (
	"fmt"

	"elfwright/run/memory"
	"elfwright/run/place"
	"elfwright/run/stage"
)

// State is what is filled in, and with what.
type State struct {
	Row    *Row
	Memory *memory.Process
	Ld     int    // index of ld.so among the objects
	Libc   int    // and of libc.so.6
	Order  []int  // of initialisation, the program last
	TP     uint64 // the thread pointer
	Arena  *memory.Arena
	Plan   *stage.Plan
	// LibraryPath is what is searched as LD_LIBRARY_PATH says, in its place; "": the
	// variable of the new process.
	LibraryPath string
	// Names are by what the objects are known: for each the path that it was opened
	// by, and the name that it was asked for by.
	Names []Name
	Stack uint64 // p_flags of the stack
	// VDSO is that of the kernel that will start the process; nil: none is used.
	VDSO []byte

	maps []uint64 // address of each object's link_map
	list uint64   // the search list
	errs []error
}

// Name is how an object is known.
type Name struct {
	Path, Asked, Origin string
	Dev, Ino            uint64
}

// surplus is what glibc keeps for the static thread-local storage of libraries that
// dlopen brings, with its tunables as they are (csu/libc-tls.c, TLS_STATIC_SURPLUS;
// elf/dl-tls.c, tls_static_surplus_init): 1664 bytes since 2.32.
const surplus = 1664

// rseqArea is what the kernel and the first thread share for restartable sequences,
// in versions that have it below the blocks instead of in the thread's descriptor
// (2.41, _dl_determine_tlsoffset): 32 bytes, or as many as the kernel has features.
const rseqArea = 128

// used is the static thread-local storage of a process: its blocks, and what this
// version puts below them.
func (r *Row) used(t place.TLS) uint64 {
	if r.Symbols["__rseq_offset"] == 0 || r.has("pthread", "rseq_area") {
		return t.Size
	}
	return (t.Size + rseqArea + 63) &^ 63
}

// Area is how much memory a process needs at its thread pointer: the descriptor of
// its first thread above, the blocks and the surplus below.
func (r *Row) Area(t place.TLS) (below, above, align uint64) {
	align = max(t.Align, 64) // TCB_ALIGNMENT
	return (r.used(t) + surplus + align - 1) &^ (align - 1), (r.Structs["pthread"].Size + 63) &^ 63, align
}

// has says that this version has a member.
func (r *Row) has(typ, member string) bool {
	_, ok := r.Structs[typ].Members[member]
	return ok
}

// offset is that of a member in bytes.
func (r *Row) offset(typ, member string) uint64 { return r.Structs[typ].Members[member][0] / 8 }

// bytes gives n bytes at an address of the process. After an error they are nowhere.
func (s *State) bytes(at, n uint64) []byte {
	b, err := s.Arena.Of(s.Memory, at, n)
	if err != nil {
		s.fail(err)
		return make([]byte, n)
	}
	return b
}

func (s *State) fail(err error) {
	if len(s.errs) < 10 {
		s.errs = append(s.errs, err)
	}
}

// set writes a member of a struct at an address. Members that this version does not
// have are not written.
func (s *State) set(at uint64, typ, member string, v uint64) {
	f, ok := s.Row.Structs[typ].Members[member]
	if !ok {
		return
	}
	first, last := f[0]/8, (f[0]+f[1]+7)/8
	if last-first > 8 {
		s.fail(fmt.Errorf("struct %s, member %s: %d bits are no number", typ, member, f[1]))
		return
	}
	b := s.bytes(at+first, last-first)
	shift := f[0] % 8
	mask := ^uint64(0)
	if f[1] < 64 {
		mask = 1<<f[1] - 1
	}
	var old uint64
	for i := range b {
		old |= uint64(b[i]) << (8 * i)
	}
	old = old&^(mask<<shift) | v&mask<<shift
	for i := range b {
		b[i] = byte(old >> (8 * i))
	}
}

// word writes 8 bytes.
func (s *State) word(at, v uint64) {
	b := s.bytes(at, 8)
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
}

// at is the address of a symbol of ld.so, 0 where this version has none.
func (s *State) at(symbol string) uint64 {
	if v := s.Row.Symbols[symbol]; v != 0 {
		return s.Memory.Objects[s.Ld].At(v)
	}
	return 0
}

// global and readOnly write members of ld.so's two large structs.
func (s *State) global(member string, v uint64) {
	s.set(s.at("_rtld_global"), "rtld_global", member, v)
}
func (s *State) readOnly(member string, v uint64) {
	s.set(s.at("_rtld_global_ro"), "rtld_global_ro", member, v)
}

// poke has a member written by stage 2, from the stack that the kernel makes.
func (s *State) poke(base uint64, typ, member string, v stage.Value) {
	f, ok := s.Row.Structs[typ].Members[member]
	switch {
	case !ok:
	case f[1] == 32:
		s.Plan.Do(stage.Poke32, base+f[0]/8, uint64(v))
	default:
		s.Plan.Do(stage.Poke, base+f[0]/8, uint64(v))
	}
}
