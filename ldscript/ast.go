// Package ldscript is the language of GNU ld's linker scripts: tokens, parser,
// syntax tree, printer, values. It knows no ELF: what a section or a symbol is
// it asks an Env.
//
// The tree keeps what was written: names with their quotes gone, numbers with
// their text, statements in their order, INCLUDE resolved in place. Every node
// has its position, so that whoever finds fault with it can point at it.
//
// Sources: the manual of GNU ld 2.40, chapter "Linker Scripts", and what ld
// 2.40 does where the manual is silent (docs/ldscript-support.md).
package ldscript

// Pos is a place in a script: the file as it was named, line and column from 1.
type Pos struct {
	File *Source
	Line int
	Col  int
}

// Source is the text of one script file, kept for messages that show the line.
type Source struct {
	Name string
	Text []byte

	lines []int // offsets at which lines begin; nil if no parser has read it
}

// Script is a parsed file, or the text of an option such as --defsym.
type Script struct {
	Source *Source
	Body   []Stmt

	layout *layout // comments and the like; nil for a tree that no parser made
}

// Stmt is a statement or command at any level: in a file, in SECTIONS, in an
// output section.
type Stmt interface{ At() Pos }

// At makes Pos the position of the node that embeds it.
func (p Pos) At() Pos { return p }

// ---- expressions

// Expr is an expression.
type Expr interface{ At() Pos }

// Number is a constant. Text is how it was written: as a fill its digits give
// the width.
type Number struct {
	Pos
	Value uint64
	Text  string
}

// Name is a symbol, or the location counter ".".
type Name struct {
	Pos
	Name string
}

// Unary is one of - + ! ~ before an operand.
type Unary struct {
	Pos
	Op Op
	X  Expr
}

// Binary is one of C's binary operators between operands. All compare and
// divide without sign... except as Op says.
type Binary struct {
	Pos
	Op   Op
	X, Y Expr
}

// Cond is C ? T : F.
type Cond struct {
	Pos
	C, T, F Expr
}

// Call is a builtin function with arguments that are expressions: ABSOLUTE,
// ALIGN (one or two), BLOCK, NEXT, MAX, MIN, LOG2CEIL, DATA_SEGMENT_ALIGN,
// DATA_SEGMENT_RELRO_END, DATA_SEGMENT_END, SIZEOF_HEADERS (none).
type Call struct {
	Pos
	Func string
	Args []Expr
}

// NameCall is a builtin function of a name: ADDR, LOADADDR, SIZEOF, ALIGNOF (an
// output section), DEFINED (a symbol), ORIGIN, LENGTH (a region), CONSTANT;
// SEGMENT_START has a default besides.
type NameCall struct {
	Pos
	Func    string
	Name    string
	Default Expr
}

// Assert is ASSERT(X, "message"): a statement, and an expression with X's value.
type Assert struct {
	Pos
	X       Expr
	Message string
}

// Op is an operator as it is written: "+", "<<", "&&", "!".
type Op string

// ---- assignments and commands that may stand anywhere

// Assign is NAME op= expression; NAME may be ".". Op is "=" or "+=" and so on,
// with X the right side as written. Provide and Hidden are set by PROVIDE,
// HIDDEN and PROVIDE_HIDDEN.
type Assign struct {
	Pos
	Name    string
	Op      Op
	X       Expr
	Provide bool
	Hidden  bool
}

// Include is INCLUDE FILE with what was in it.
type Include struct {
	Pos
	File string
	Body []Stmt
}

// ---- commands of a file

// Entry is ENTRY(symbol).
type Entry struct {
	Pos
	Symbol string
}

// Extern is EXTERN(symbols).
type Extern struct {
	Pos
	Symbols []string
}

// Output is OUTPUT(file).
type Output struct {
	Pos
	File string
}

// OutputFormat is OUTPUT_FORMAT(default[, big, little]).
type OutputFormat struct {
	Pos
	Default, Big, Little string
}

// OutputArch is OUTPUT_ARCH(name).
type OutputArch struct {
	Pos
	Arch string
}

// Target is TARGET(name): the format of the inputs that follow.
type Target struct {
	Pos
	Format string
}

// SearchDir is SEARCH_DIR(path).
type SearchDir struct {
	Pos
	Dir string
}

// Startup is STARTUP(file).
type Startup struct {
	Pos
	File string
}

// Input is INPUT(files) or, with Group, GROUP(files).
type Input struct {
	Pos
	Group bool
	Files []InputFile
}

// InputFile is a file of INPUT or GROUP; "-lNAME" is a library.
type InputFile struct {
	Pos
	Name     string
	AsNeeded bool
}

// Memory is MEMORY { regions }.
type Memory struct {
	Pos
	Regions  []*Region
	Includes []MemoryInclude
}

// MemoryInclude is INCLUDE FILE in MEMORY. What it brought are Count of the
// regions, from First on.
type MemoryInclude struct {
	Pos
	File         string
	First, Count int
}

// Region is NAME (attributes) : ORIGIN = e, LENGTH = e.
type Region struct {
	Pos
	Name           string
	Attrs          string // "rx!w"; "!" turns what follows, up to a space
	Origin, Length Expr
}

// RegionAlias is REGION_ALIAS(alias, region).
type RegionAlias struct {
	Pos
	Alias, Region string
}

// Phdrs is PHDRS { headers }. Default is elfwright's extension "PHDRS { DEFAULT;
// … }": the headers are added to those that the sections give by themselves.
type Phdrs struct {
	Pos
	Default bool
	Headers []*Phdr
}

// Phdr is NAME type [FILEHDR] [PHDRS] [AT(e)] [FLAGS(e)]. Type is a Name for a
// PT_ keyword, else an expression.
type Phdr struct {
	Pos
	Name           string
	Type           Expr
	Filehdr, Phdrs bool
	AtAddr, Flags  Expr
}

// VersionCmd is VERSION { script }.
type VersionCmd struct {
	Pos
	Version *Version
}

// NoCrossRefs is NOCROSSREFS(sections), or NOCROSSREFS_TO with To set: no
// reference to the first of the sections from the others.
type NoCrossRefs struct {
	Pos
	To       bool
	Sections []string
}

// Flag is a command of one word, or of one word with an argument:
// FORCE_COMMON_ALLOCATION, INHIBIT_COMMON_ALLOCATION, FORCE_GROUP_ALLOCATION,
// LD_FEATURE("SANE_EXPR"), MAP(file), HLL, SYSLIB, FLOAT, NOFLOAT.
type Flag struct {
	Pos
	Word string
	Arg  string
}

// Insert is INSERT AFTER|BEFORE section.
type Insert struct {
	Pos
	Before bool
	Anchor string
}

// Sections is SECTIONS { … }, or OVERWRITE_SECTIONS with Overwrite set.
type Sections struct {
	Pos
	Overwrite bool
	Body      []Stmt
}

// ---- statements of SECTIONS

// OutSection is an output section description.
type OutSection struct {
	Pos
	Name       string
	Addr       Expr   // or nil
	Type       string // NOLOAD, DSECT, COPY, INFO, OVERLAY, READONLY, TYPE, or empty
	TypeValue  Expr   // of TYPE=…
	AtAddr     Expr   // AT(lma)
	Align      Expr   // ALIGN(a)
	AlignInput bool   // ALIGN_WITH_INPUT
	Subalign   Expr
	Constraint string // ONLY_IF_RO, ONLY_IF_RW, SPECIAL, or empty
	Body       []Stmt
	Region     string   // >region
	AtRegion   string   // AT>region
	Phdrs      []string // :phdr …; "NONE" as written
	Fill       *Fill    // =fill
	End        Pos      // of the closing brace
}

// Overlay is OVERLAY [start] : [NOCROSSREFS] [AT(lma)] { sections } and what may
// follow an output section.
type Overlay struct {
	Pos
	Addr        Expr
	AtAddr      Expr
	Subalign    Expr
	NoCrossRefs bool
	Sections    []*OutSection
	Region      string
	AtRegion    string
	Phdrs       []string
	Fill        *Fill
}

// ---- statements of an output section

// InputSpec is an input section description: FILE(patterns), possibly in KEEP.
// A file name alone stands for all its sections: Patterns is empty.
type InputSpec struct {
	Pos
	Keep         bool
	Flags        []SectionFlag // INPUT_SECTION_FLAGS
	File         FilePattern
	ExcludeFiles []FilePattern // EXCLUDE_FILE before the file's name: for all patterns
	Patterns     []SectionPattern
}

// FilePattern is the file part. Archive is set for "archive:file" and
// "archive:" (then Member is empty); ":file" is a file that is in no archive:
// Colon is set, and Archive is empty.
type FilePattern struct {
	Pos
	Sort    Sort   // SORT(file), SORT_BY_NAME(file): by the file's name
	Reverse bool   // REVERSE
	Archive string // glob
	Member  string // glob: the file, or the member
	Colon   bool
}

// SectionPattern is one pattern in the list. Sorts are from the outside in.
type SectionPattern struct {
	Pos
	Name    string // glob; "COMMON" is for common symbols
	Sorts   []Sort
	Reverse bool
	Exclude []FilePattern
}

// Sort is how what matches is ordered.
type Sort uint8

// The orders; SortNone is written SORT_NONE, and keeps --sort-section away.
const (
	Unsorted Sort = iota
	SortByName
	SortByAlignment
	SortByInitPriority
	SortNone
)

// SectionFlag is a term of INPUT_SECTION_FLAGS: "SHF_ALLOC", or a number.
type SectionFlag struct {
	Pos
	Name string
	Not  bool
}

// Data is BYTE, SHORT, LONG, QUAD, SQUAD of an expression.
type Data struct {
	Pos
	Kind string
	X    Expr
}

// Text is ASCIZ "text".
type Text struct {
	Pos
	Value string
}

// FillStmt is FILL(e): the fill from here to the section's end.
type FillStmt struct {
	Pos
	Fill Fill
}

// Fill is a fill pattern. A Number gives as many bytes as its digits say,
// leading zeros counted (in hexadecimal without K or M); any other expression
// gives four bytes, the most significant first.
type Fill struct {
	Pos
	X Expr
}

// Constructors is CONSTRUCTORS, possibly SORT(CONSTRUCTORS). ELF has none.
type Constructors struct {
	Pos
	Sorted bool
}

// LinkerVersion is LINKER_VERSION.
type LinkerVersion struct{ Pos }

// ---- version scripts

// Version is a version script: nodes in order; one without a name is alone.
type Version struct {
	Nodes []*VersionNode
}

// VersionNode is NAME { global: …; local: …; } dependencies;
type VersionNode struct {
	Pos
	Name          string
	Global, Local []VersionPattern
	Deps          []string
}

// VersionPattern is a symbol's name or a glob, for the names of a language.
type VersionPattern struct {
	Pos
	Lang  string // "C", "C++", "Java"
	Name  string
	Exact bool // no glob in it, or quoted
}
