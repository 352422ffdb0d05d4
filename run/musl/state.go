package musl

import (
	"debug/elf"
	"errors"

	"elfwright/run/memory"
	"elfwright/run/stage"
)

// State is what is filled in, and with what.
type State struct {
	Row    *Row
	Memory *memory.Process
	Ld     int   // index of the library among the objects
	Order  []int // of initialisation, the program last
	Arena  *memory.Arena
	Plan   *stage.Plan
	// LibraryPath is what is searched as LD_LIBRARY_PATH says, in its place; "": the
	// variable of the new process.
	LibraryPath string
	Paths       []string // by which each object was opened
	Names       []string // by which it was asked for
	Origins     []string // the directory that it is in

	dsos []uint64 // address of each object's struct dso
	errs []error
}

// Members of struct dso (ldso/dynlink.c, musl 1.2.0 to 1.2.5), 64-bit.
const (
	dsoBase, dsoName, dsoDynv, dsoNext, dsoPrev              = 0, 8, 16, 24, 32
	dsoPhdr, dsoPhnum, dsoPhentsize                          = 40, 48, 56
	dsoSyms, dsoHashtab, dsoGhashtab, dsoVersym, dsoStrings  = 64, 72, 80, 88, 96
	dsoSymsNext, dsoMap, dsoMapLen, dsoDev, dsoIno           = 104, 136, 144, 152, 160
	dsoRelocated, dsoKernelMapped, dsoBfsBuilt, dsoDeps      = 168, 170, 172, 176
	dsoNeededBy, dsoDirect, dsoTLS, dsoTLSID, dsoRelro       = 184, 192, 232, 280, 288
	dsoRpathOrig, dsoRpath                                   = 216, 224
	dsoShortname, dsoSize                                    = 336, 368
	tlsNext, tlsImage, tlsLen, tlsSize, tlsAlign, tlsOffset  = 0, 8, 16, 24, 32, 40
	libcAuxv, libcTLSHead, libcTLSSize, libcAlign, libcCount = 8, 16, 24, 32, 40
	libcPageSize                                             = 48
)

// Entries of the auxiliary vector.
const atPageSize, atHWCap = 6, 16

func (s *State) fail(err error) {
	if len(s.errs) < 10 {
		s.errs = append(s.errs, err)
	}
}

// bytes gives n bytes at an address of the process. After an error they are nowhere.
func (s *State) bytes(at, n uint64) []byte {
	b, err := s.Arena.Of(s.Memory, at, n)
	if err != nil {
		s.fail(err)
		return make([]byte, n)
	}
	return b
}

// put writes a number of n bytes.
func (s *State) put(at, v uint64, n int) {
	b := s.bytes(at, uint64(n))
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
}

func (s *State) word(at, v uint64) { s.put(at, v, 8) }

// at is the address of something of the library's.
func (s *State) at(vaddr uint64) uint64 { return s.Memory.Objects[s.Ld].At(vaddr) }

// Before fills in the state, and adds what is done before resolvers would be called.
func (s *State) Before() error {
	s.dsos = make([]uint64, len(s.Memory.Objects))
	for i := range s.dsos {
		if i == s.Ld {
			s.dsos[i] = s.at(s.Row.Ldso)
		} else {
			s.dsos[i] = s.Arena.Alloc(dsoSize, 16)
		}
	}
	for i := range s.dsos {
		s.dso(i)
	}
	last := s.dsos[len(s.dsos)-1]
	s.word(s.at(s.Row.Head), s.dsos[0])
	s.word(s.at(s.Row.Tail), last)
	s.word(s.at(s.Row.SymsTail), last)
	s.storage()
	s.replaced()
	s.debug()
	s.put(s.at(s.Row.Runtime), 1, 4)
	// The program's constructors are left to __libc_start_main.
	s.word(s.at(s.Row.BuiltinQueue), s.dsos[0])
	s.word(s.at(s.Row.BuiltinQueue)+8, 0)
	s.word(s.at(s.Row.Queue), s.at(s.Row.BuiltinQueue))
	s.bytes(s.at(s.Row.HWCap), 8)
	s.bytes(s.at(s.Row.EnvPath), 8)

	s.Plan.Do(stage.Poke, s.at(s.Row.Libc)+libcAuxv, uint64(stage.AuxvStart))
	s.Plan.Do(stage.Poke, s.at(s.Row.Libc)+libcPageSize, uint64(stage.Auxiliary(atPageSize)))
	s.Plan.Do(stage.Poke, s.at(s.Row.HWCap), uint64(stage.Auxiliary(atHWCap)))
	return errors.Join(append(s.errs, s.Arena.Err())...)
}

// After adds what is done when everything is relocated: thread-local storage, the
// library's start, constructors of the libraries.
func (s *State) After(memory uint64) error {
	s.Plan.Do(stage.Chain, s.at(s.Row.CopyTLS), memory, s.at(s.Row.InitTP))
	s.Plan.Do(stage.CallOf, s.at(s.Row.InitLibc), uint64(stage.Envp))
	if s.LibraryPath != "" {
		s.word(s.at(s.Row.EnvPath), s.Arena.Text(s.LibraryPath))
	} else if f := exported(&s.Memory.Objects[s.Ld], "getenv"); f != 0 {
		s.Plan.Do(stage.Store, f, s.Plan.Text("LD_LIBRARY_PATH"), s.at(s.Row.EnvPath))
	}
	return errors.Join(s.errs...)
}

// Start adds the constructors of the libraries, and the jump.
func (s *State) Start() {
	queue := s.queue()
	s.Plan.Do(stage.Call, s.at(s.Row.InitFini), queue)
	o := &s.Memory.Objects[0]
	s.Plan.Do(stage.End, o.At(o.Header.Entry), 0)
}

// queue is a list of the libraries, each behind those that it needs (queue_ctors).
func (s *State) queue() uint64 {
	at := s.Arena.Alloc(8*uint64(len(s.Order)+1), 16)
	for i, x := range s.Order {
		if x != 0 {
			s.word(at+8*uint64(i), s.dsos[x])
		}
	}
	return at
}

// exported is the address of a function or object that an object defines; 0: none.
func exported(o *memory.Object, name string) uint64 {
	if o.Symbols == nil {
		return 0
	}
	for i := range o.Symbols.Len() {
		if s := o.Symbols.At(i); s.Shndx != uint16(elf.SHN_UNDEF) && string(o.Symbols.Name(s)) == name {
			return o.At(s.Value)
		}
	}
	return 0
}
