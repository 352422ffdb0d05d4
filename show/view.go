package show

// View is a set of views.
type View uint32

// The views, in the order in which they are printed.
const (
	Summary        View = 1 << iota // what the file is, in a few lines
	FileHeader                      // the ELF header
	SectionHeaders                  // the section headers
	SectionGroups                   // the section groups
	Segments                        // the program headers, and the sections in them
	Dynamic                         // the dynamic section
	Relocs                          // the relocations
	DynSyms                         // the dynamic symbols
	Symbols                         // all symbol tables
	NM                              // the symbols as nm prints them
	Versions                        // the symbol versions
	Histogram                       // the lengths of the chains of the hash tables
	Notes                           // the notes
	Arch                            // what is special to the machine
	Processes                       // the processes of a frozen file or a core
	Thaw                            // what a frozen file does before its process goes on
	Reset                           // what a reset restores

	// These follow from Options and are set by Print.
	hexDump
	stringDump
	disassembly
)

// All is every view of tables that needs no argument, without those that repeat
// others. Reset is one of them for programs that have its table.
const All = FileHeader | SectionHeaders | SectionGroups | Segments | Dynamic | Relocs | Symbols | Versions | Histogram | Notes | Arch

// A shape is what the JSON key of a view holds.
type shape uint8

const (
	shapeObject shape = iota // one object
	shapeRows                // an array of rows
	shapeTables              // an array of tables, their rows under "entries"
)

// A view prints one part of a file.
type view struct {
	when  View
	key   string // in JSON
	shape shape
	run   func(*printer)
}

// views returns all of them in the order in which they are printed: readelf's.
func views() []view {
	return []view{
		{Summary, "summary", shapeObject, showSummary},
		{FileHeader, "header", shapeObject, showHeader},
		{SectionHeaders, "sections", shapeRows, showSections},
		{SectionGroups, "groups", shapeRows, showGroups},
		{Segments, "segments", shapeRows, showSegments},
		{Dynamic, "dynamic", shapeTables, showDynamic},
		{Relocs, "relocations", shapeTables, showRelocs},
		{DynSyms, "dynamic_symbols", shapeTables, showDynSyms},
		{Symbols, "symbols", shapeTables, showSymbols},
		{NM, "nm", shapeRows, showNM},
		{Versions, "versions", shapeTables, showVersions},
		{Histogram, "histogram", shapeTables, showHistogram},
		{Notes, "notes", shapeTables, showNotes},
		{Arch, "arch", shapeTables, showArch},
		{Processes, "processes", shapeRows, showProcesses},
		{Thaw, "thaw", shapeTables, showThaw},
		{Reset, "reset", shapeTables, showReset},
		{hexDump, "hex_dumps", shapeTables, showHexDump},
		{stringDump, "string_dumps", shapeTables, showStringDump},
		{disassembly, "disassembly", shapeTables, showDisassembly},
	}
}
