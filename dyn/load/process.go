// Package load says which objects a dynamic linker would load for a program, from
// where, in which order, and why: the search rules of glibc and of musl carried
// out over a directory tree, without executing anything.
package load

import (
	"elfwright/dyn/object"
)

// Libc is whose dynamic linker is meant.
type Libc int

const (
	Glibc Libc = iota
	Musl
)

// Process is what is loaded when a program starts.
type Process struct {
	Libc    Libc
	Objects []*Object // in load order, which is breadth first; the program is the first
	Ld      *Object   // the dynamic linker; it is in Objects where something needs it, else only here; nil: none or missing

	Interp  Need       // the request of the program for its dynamic linker; zero where it asks for none
	Audits  []*Process // namespaces of auditing libraries, each with the library as its first object
	Version Version    // of the dynamic linker
	OldSort bool       // objects are sorted as before glibc 2.35, whatever the version
	CPU     CPU        // whose sub-directories are looked into
	Reads   []string   // files that say where to look, whether they are there or not: /etc/ld.so.cache
	Notes   []string   // what was taken for granted where it could not be found out

	program *Object
	loader  *Loader
	owns    bool // closing it closes the loader
}

// Object is a loaded object.
type Object struct {
	*object.Object
	Index  int     // in Process.Objects; -1 where it is only Process.Ld
	Path   string  // as it was opened, seen from the root: l_name
	ID     FileID  // what file it is
	Asked  string  // the name that it was first asked for by; of the program, as given
	Loader *Object // for which it was first loaded; nil for the program and preloaded ones
	Found  Try     // where, and by which rule
	Needs  []Need  // every request it makes, in the order of the dynamic section; those of the program begin with auditing and preloaded libraries
	Mapped int     // its place in the order in which files were mapped, which numbers TLS modules; the program is 0
	Damage error   // what of it can not be read, or nil

	rpath, runpath *dirList // nil: not yet taken apart
	origin         string
}

// FileID tells files apart, whatever path they are opened by.
type FileID struct{ Dev, Ino uint64 }

// NeedKind is why an object asks for another.
type NeedKind int

const (
	Needed      NeedKind = iota // DT_NEEDED
	Filter                      // DT_FILTER
	Auxiliary                   // DT_AUXILIARY: may be missing
	Preload                     // LD_PRELOAD or /etc/ld.so.preload
	Audit                       // DT_AUDIT, DT_DEPAUDIT or LD_AUDIT: into a namespace of its own, never in the scope
	Interpreter                 // PT_INTERP
)

// Need is a request for an object by a name.
type Need struct {
	Name  string
	Kind  NeedKind
	To    *Object // nil: missing, or refused
	Known bool    // it was there already, and the name or the file was enough to know it
	Found Try     // where and by which rule; zero where Known without a look at a file
	Tried []Try   // every place looked at in vain before, in order
	Err   error   // a candidate that ends the search in an error ("invalid ELF header"), or nil
}

// Rule is a step of the search.
type Rule int

const (
	RuleNone        Rule = iota
	RuleProgram          // the program itself
	RulePath             // the name has a slash
	RuleLoaded           // an object already loaded has that name or DT_SONAME
	RuleInterp           // it is the interpreter, which is there before anything is searched
	RuleRpath            // DT_RPATH of Try.Of
	RuleLibraryPath      // LD_LIBRARY_PATH
	RuleRunpath          // DT_RUNPATH of Try.Of
	RuleCache            // /etc/ld.so.cache
	RuleDefault          // a system directory
	RuleMuslPath         // /etc/ld-musl-ARCH.path, or the directories that stand for it
	RuleConf             // /etc/ld.so.conf, in a tree that has no ld.so.cache
)

var ruleNames = [...]string{
	RuleNone: "unknown rule", RuleProgram: "the program", RulePath: "a path", RuleLoaded: "already loaded", RuleInterp: "the interpreter",
	RuleRpath: "RPATH", RuleLibraryPath: "library path", RuleRunpath: "RUNPATH", RuleCache: "ld.so.cache",
	RuleDefault: "system directory", RuleMuslPath: "path of musl", RuleConf: "ld.so.conf",
}

// String names the rule in a few words.
func (r Rule) String() string { return ruleNames[r] }

// Try is a file that was looked for.
type Try struct {
	Path   string // the whole path, seen from the root
	Dir    string // the element of the list, as it is written there
	HWCaps string // the sub-directory of glibc-hwcaps, or the like, that is in Path; "" for none
	Rule   Rule
	Of     *Object // whose RPATH or RUNPATH
	Why    string  // why it is not taken: "no such file", "wrong class"; "" where it is
}
