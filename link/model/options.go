package model

import "elfwright/ldscript"

// Options are what a command line of ld says, in the order of its manual's
// chapter. The zero value links a static executable by the default script.
type Options struct {
	Output        string // "a.out"
	Emulation     string // -m: "elf_x86_64"; empty: that of the first object
	Sysroot       string
	Inputs        []Input  // files, libraries and states, in order
	LibPaths      []string // -L, in order
	NoStdlib      bool     // SEARCH_DIR is not searched
	Scripts       []string // -T, in order
	DefaultScript string   // -dT
	Threads       int      // 0: as many as processors

	// Kind of output.
	Shared                     bool
	PIE                        bool
	Static                     bool
	Relocatable                bool   // -r
	EmitRelocs                 bool   // -q
	OFormat                    string // "" for ELF; binary, ihex, srec, or a bfd name of ELF
	DynamicLinker              string
	NoDynamicLinker            bool
	Soname                     string
	Init, Fini                 string // DT_INIT, DT_FINI; empty: _init, _fini
	Rpath                      []string
	OldDtags                   bool
	SpareTags                  *int // empty entries of .dynamic; nil: 5
	Auxiliary, Filter          []string
	ExportSymbols, ExportLists []string
	NoUndefinedVersion         bool
	ExportDynamic              bool
	Symbolic                   bool // -Bsymbolic
	SymbolicFunctions          bool
	Dialect                    string   // "gnu" or "lld"
	Flip                       []string // rules of dialects that are the other one's (layout.DialectRules)

	// Symbols.
	Entry            string
	Undefined        []string // -u
	RequireDefined   []string
	Defsyms          []Defsym
	Wrap             []string
	AllowMultiple    bool
	VersionScripts   []string
	DynamicLists     []string
	ExcludeLibs      []string
	Unresolved       string // ignore-all, report-all, ignore-in-object-files, ignore-in-shared-libs, or ""
	NoUndefined      bool   // -z defs
	WarnUnresolved   bool
	IgnoreUnresolved []string
	Demangle         *bool // names in messages as in the source
	WarnCommon       bool
	DefineCommon     bool // -d
	NoDefineCommon   bool
	SortCommon       string // ascending, descending

	// Sections.
	GC                                                        bool
	PrintGC                                                   bool
	KeepExported                                              bool
	Orphans                                                   string // place, warn, error, discard
	ForceGroup                                                bool   // groups are dissolved in the output of -r too
	Unique                                                    []string
	SectionStart                                              []SectionStart
	Text, Data, Bss, TextSegment, RodataSegment, LdataSegment *uint64
	SortSection                                               string // name, alignment
	Strip                                                     Strip
	RetainSymbols                                             string // --retain-symbols-file
	CompressDebug                                             string // none, zlib, zlib-gabi, zstd
	DiscardLocals                                             Discard
	BuildID                                                   string // none, sha1, md5, uuid, fast, tree, or 0x…
	EhFrameHdr                                                bool
	HashStyle                                                 string // sysv, gnu, both
	Optimize                                                  int    // -O
	Relax                                                     bool
	NoRelax                                                   bool
	NMagic, OMagic                                            bool
	FillGaps                                                  *uint64
	SpareProgramHeaders                                       int
	AddPhdrs                                                  []AddPhdr

	// -z.
	MaxPageSize, CommonPageSize                                                                     uint64 // 0: the machine's
	SeparateCode                                                                                    *bool
	Relro                                                                                           *bool
	Now                                                                                             bool
	ExecStack                                                                                       *bool
	StackSize                                                                                       *uint64
	NoText                                                                                          bool // -z notext
	Text_                                                                                           bool // -z text
	CombReloc                                                                                       *bool
	PackRelative                                                                                    bool // -z pack-relative-relocs
	StartStopGC                                                                                     bool
	StartStopVis                                                                                    string
	IBT, Shstk, IBTPLT                                                                              bool
	BTI, PAC                                                                                        string
	DeadReloc                                                                                       map[string]uint64
	NoDefaultLib, NoDelete, NoDlopen, InitFirst, Origin, Global, Interpose, Loadfltr, NoDump, Group bool
	Zs                                                                                              []string // all -z words, as given

	// Arm and AArch64.
	BE8                 bool
	FixV4BX             int // 0 no, 1 --fix-v4bx, 2 --fix-v4bx-interworking
	Target1Rel          bool
	Target2             string // rel, abs, got-rel
	FixCortexA53_843419 bool
	Fix843419           string // "", full, adr, adrp
	FixCortexA53_835769 bool
	FixCortexA8         *bool
	UseBLX              bool
	NoFixARM1176        bool
	NoMergeExidx        bool
	StubGroupSize       int64
	PicVeneer           bool
	LongPLT             bool
	ThumbEntry          bool
	NoApplyDynamic      bool

	// What it says.
	Map              string // -Map; "-" is standard output (-M)
	PrintMap         bool
	MapHTML          string
	Cref             bool
	Trace            int
	TraceSymbols     []string
	DependencyFile   string
	PrintMemory      bool
	FatalWarnings    bool
	NoWarnings       bool
	WarnRWX          *bool
	WarnExecStack    *bool
	NoGnuStack       bool
	WarnSectionAlign bool
	WarnTextrel      bool
	CheckSections    *bool
	NoInhibitExec    bool
	ErrorLimit       int
	NoErrorLimit     bool
	Big, Little      bool // -EB, -EL
}

// Input is a file of the command line with the state of the options before it.
type Input struct {
	Name                               string // of a file; for a library what follows -l
	Library                            bool
	Format                             string // --format: "" or binary, default
	JustSymbols                        bool
	WholeArchive, AsNeeded, StaticOnly bool
	StartLib                           bool             // between --start-lib and --end-lib: an archive of loose objects
	Group                              int              // number of the --start-group that it is in, from 1; 0: none
	Script                             *ldscript.Script // when it turned out to be a script
	Mark                               Mark             // not a file, but the place of another option
}

// Mark is an option whose place among the inputs counts: what a script defines
// before an archive is not taken from that.
type Mark uint8

// The marks. Without one, scripts and --defsym count as the first of all.
const (
	MarkNone   Mark = iota
	MarkScript      // -T, in the order of Options.Scripts
	MarkDefsym      // --defsym, in the order of Options.Defsyms
)

// Defsym is --defsym NAME=expression.
type Defsym struct{ Text string }

// SectionStart is --section-start NAME=ADDRESS.
type SectionStart struct {
	Name string
	Addr uint64
}

// AddPhdr is --add-phdr: one more program header.
type AddPhdr struct {
	Text string // as given
}

// Strip says what of the symbol table is left out.
type Strip uint8

// The kinds of stripping.
const (
	StripNone Strip = iota
	StripDebug
	StripAll
)

// Discard says which local symbols are left out.
type Discard uint8

// The kinds of discarding: by default those of merged sections (-X is ".L").
const (
	DiscardDefault Discard = iota
	DiscardNone
	DiscardTemporary
	DiscardAll
)
