package layout

import (
	"debug/elf"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// stmt is a statement of the compiled list: *section, *assign, *assertion,
// *insert at the top; *spec, *data, *fill, *assign, *assertion in a section.
type stmt interface{}

// section is an output section statement: of a script, of an orphan, or made by
// --section-start and the like. There may be several of one name.
type section struct {
	name   string
	stmt   *ldscript.OutSection // nil for one that no script has
	script string               // the name of its file
	id     ldscript.Section

	addr, at, align, subalign ldscript.Expr
	alignInput                bool
	kind                      sectionKind
	typeValue                 ldscript.Expr
	constraint                string
	dup                       bool // never joined with another of the same name
	body                      []stmt
	region, lmaRegion         *region
	phdrs                     []string
	fill                      []byte
	overlay                   *overlay
	option                    string // the option that set its address

	// Set by Match.
	out      *model.Output // nil until something is put into it, or asked of it
	off      bool          // its constraint does not hold
	traits   traits
	baseAl   uint64 // alignment without what the walk adds
	hasInput bool
	hasFile  bool   // from a file, not the linker's own
	keep     bool   // not dropped when empty
	guess    traits // of a section that nothing is in, by its name
	told     bool   // of a change of its type
	// firstType and firstFlags are those of its first input section, the flags
	// as far as only the first counts.
	firstType  elf.SectionType
	firstFlags elf.SectionFlag
	linkOrder  *model.Section // that its first input section is ordered by
	symbols    bool           // assigns symbols
	orphan     bool
	byOption   bool

	baseTraits traits // as Match left them

	// Set by the walk.
	knowVMA, knowLMA bool
	placedIn         *region // the region of its address
	inherited        string  // the section whose AT> it has
	filled           uint64  // its size so far
	walkAl           uint64  // the alignment of what is in it
	after            *assign // the last assignment to the location counter before it
	removed          bool    // from the output
	filed            bool    // its place in the file is known
	ignored          bool    // does not move the location counter
	afterEnd         bool    // an assignment to _end, or the like, came before
}

// sectionKind is what the parentheses behind an output section's name say.
type sectionKind uint8

const (
	normal sectionKind = iota
	noAlloc
	noLoad
	readOnly
	inOverlay
	firstInOverlay
)

// overlay joins the sections of an OVERLAY.
type overlay struct {
	sections []*section
}

// assign is an assignment, from a script or from --defsym.
type assign struct {
	*ldscript.Assign
	x        ldscript.Expr // the right side, with the operator of += worked in
	sym      *symbol       // nil for "."
	in       *section      // that it stands in, or nil
	provided bool          // PROVIDE has taken effect
	own      bool          // the right side names the symbol itself
	off      uint64        // where it stands in its section

	// What it gave in the last round, to see whether anything still moves.
	last, before ldscript.Value
	ok, hadValue bool
}

func (a *assign) dot() bool { return a.Name == "." }

type assertion struct {
	*ldscript.Assert
	in  *section
	off uint64
}

// insert moves the n statements before it. GNU ld moves all from the start of the
// list; those of another script, which another -T gave, stay where they are.
type insert struct {
	*ldscript.Insert
	n int
}

// spec is an input section description with the sections that it took.
type spec struct {
	*ldscript.InputSpec
	in       *section
	script   string
	sections []*model.Section
	hits     []int32 // by pattern: how many sections it took
}

// data is BYTE … SQUAD, or ASCIZ.
type data struct {
	pos   ldscript.Pos
	kind  string
	x     ldscript.Expr
	text  string
	size  uint64
	value uint64
	// before is its value in the last round.
	before uint64
	off    uint64
	item   int // its index in Output.Items
}

// fillStmt is FILL.
type fillStmt struct{ fill []byte }

// placed are sections put into an output section by no statement of a script:
// orphans.
type placed struct {
	sections []*model.Section
}
