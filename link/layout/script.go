package layout

import (
	"debug/elf"
	"errors"
	"fmt"
	"sync"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// Text is a script to read.
type Text struct {
	Name string
	Text []byte
	// Default marks the built-in script: with a script whose INSERT adds to it,
	// it stands behind that script.
	Default bool
}

// Open finds the file of an INCLUDE; see ldscript.Options.
type Open = func(name string, dirs []string) (path string, text []byte, err error)

// Script is all scripts and options of a link, compiled.
type Script struct {
	opt      *model.Options
	rep      *model.Report
	rules    ldscript.Rules
	lldRules dialect

	cmds     Commands
	body     []stmt
	outs     []*section // all output section statements, in their order
	stale    bool       // outs is not what body has
	order    []*section // those that exist, in the order of the section header table
	byName   map[string][]*section
	byID     []*section // by section.id; [0] is nil
	byOut    map[*model.Output]*section
	specs    []*spec
	regions  regions
	phdrs    []*ldscript.Phdr
	layered  bool // PHDRS { DEFAULT; … }
	defs     []Definition
	syms     map[string]*symbol
	byOption []*section // whose address an option sets: they are made first
	floating []*section // of OVERWRITE_SECTIONS, that no SECTIONS names

	starts     map[string]uint64 // SEGMENT_START by options
	usedStarts map[string]bool
	sections   bool                                  // there is a SECTIONS command
	stack      func() (said bool, exec elf.ProgFlag) // stackOf, asked once

	state // of the walk
}

// Commands are what scripts say besides SECTIONS, MEMORY and PHDRS.
type Commands struct {
	Entry                        string
	Externs                      []string
	Inputs                       []*ldscript.Input
	Startup                      string
	Files                        []string // that patterns name without a wildcard: GNU ld opens them as inputs
	SearchDirs                   []string
	Output                       string
	OutputFormat, FormatBig      string
	FormatLittle, Target         string
	Arch                         string
	Versions                     []*ldscript.Version
	NoCrossRefs                  []NoCrossRefs
	ForceCommon, InhibitCommon   bool
	ForceGroup, Sane             bool
	Map                          string
	UsesPhdrs, UsesSizeofHeaders bool
}

// NoCrossRefs forbids references between output sections: among all of them, or
// with To, to the first from the others.
type NoCrossRefs struct {
	To       bool
	Sections []string
	Pos      ldscript.Pos
}

// Definition is a symbol that a script, or --defsym, assigns.
type Definition struct {
	Name            string
	Provide, Hidden bool
	Pos             ldscript.Pos
	// Refers are the symbols that its expression names: if it is provided, they
	// are referenced too.
	Refers []string
	// What assigns it, by number from 1: a script of -T, a --defsym, a text among
	// the inputs. None of them is the default script, or a text behind it.
	Script, Defsym, Text int
	// Own: the expression names the symbol itself, so that an object's
	// definition of it is still needed.
	Own bool
}

// Read parses scripts and compiles them. The default script, if there is one
// among texts, is used when no other is given, or when those given only insert
// into it. open finds the files of INCLUDE.
func Read(opt *model.Options, texts []Text, open Open, rep *model.Report) (*Script, error) {
	var src Sources
	for _, t := range texts {
		tree, err := ldscript.Parse(t.Name, t.Text, ldscript.Options{Open: open, LLD: opt.Dialect == "lld"})
		if err != nil {
			return nil, err
		}
		if t.Default {
			src.Default = tree
			continue
		}
		src.Own = append(src.Own, tree)
	}
	return Compile(opt, src, rep)
}

// Compile is Read for trees.
func Compile(opt *model.Options, src Sources, rep *model.Report) (*Script, error) {
	s := &Script{
		opt:        opt,
		rep:        rep,
		rules:      ldscript.RulesOf(opt.Dialect),
		lldRules:   dialectOf(opt.Dialect),
		byName:     map[string][]*section{},
		byID:       make([]*section, 1),
		byOut:      map[*model.Output]*section{},
		syms:       map[string]*symbol{},
		starts:     map[string]uint64{},
		usedStarts: map[string]bool{},
	}
	s.stack = sync.OnceValues(s.stackOf)
	s.flip(opt.Flip)
	s.regions.init()
	c := compiler{s: s}
	c.options()
	c.extras()
	c.compile(src)
	c.addresses()
	c.divisions()
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// AddsToDefault says whether the default script is used: all others only insert
// into it. One that has nothing but, say, MEMORY replaces it too, as in GNU ld.
func AddsToDefault(trees []*ldscript.Script) bool {
	for _, t := range trees {
		if !has[*ldscript.Insert](t.Body) {
			return false
		}
	}
	return true
}

// has says whether there is a statement of a type at the level of a file.
func has[T ldscript.Stmt](body []ldscript.Stmt) bool {
	for _, n := range body {
		switch n := n.(type) {
		case T:
			return true
		case *ldscript.Include:
			if has[T](n.Body) {
				return true
			}
		}
	}
	return false
}

// Commands returns what the scripts say besides the layout.
func (s *Script) Commands() Commands { return s.cmds }

// Defines returns the symbols that are assigned anywhere, in order.
func (s *Script) Defines() []Definition { return s.defs }

// Refers returns the symbols that expressions name, each once, in order, but for
// those in PROVIDE: see Definition.
func (s *Script) Refers() []string {
	var names []string
	seen := map[string]bool{}
	for _, d := range s.defs {
		if d.Provide {
			continue
		}
		for _, n := range d.Refers {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	return names
}

func fault(pos ldscript.Pos, context, format string, args ...any) error {
	return &ldscript.Error{Pos: pos, Context: context, Msg: fmt.Sprintf(format, args...)}
}
