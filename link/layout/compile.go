package layout

import (
	"slices"
	"strings"

	"elfwright/ldscript"
)

// compiler turns trees into statements.
type compiler struct {
	s      *Script
	file_  string     // the script that is being compiled
	source Definition // with the number of that script, or --defsym
	errs   []error
	mark   int        // where in the list its statements begin, or those behind its last INSERT
	over   []*section // of OVERWRITE_SECTIONS, in order
	starts []sectionStart
}

func (c *compiler) fail(pos ldscript.Pos, context, format string, args ...any) {
	c.errs = append(c.errs, fault(pos, context, format, args...))
}

func (c *compiler) file(t *ldscript.Script) {
	c.file_ = t.Source.Name
	c.mark = len(c.s.body)
	for _, n := range t.Body {
		c.command(n)
	}
}

// command compiles a statement at the level of a file.
func (c *compiler) command(n ldscript.Stmt) {
	cmds := &c.s.cmds
	switch n := n.(type) {
	case *ldscript.Include:
		for _, m := range n.Body {
			c.command(m)
		}
	case *ldscript.Sections:
		c.s.sections = c.s.sections || !n.Overwrite
		for _, m := range n.Body {
			c.inSections(m, n.Overwrite)
		}
	case *ldscript.Memory:
		c.memory(n)
	case *ldscript.RegionAlias:
		c.alias(n)
	case *ldscript.Phdrs:
		c.programHeaders(n)
	case *ldscript.Entry:
		cmds.Entry = n.Symbol
	case *ldscript.Extern:
		cmds.Externs = append(cmds.Externs, n.Symbols...)
	case *ldscript.Output:
		cmds.Output = n.File
	case *ldscript.OutputFormat:
		cmds.OutputFormat, cmds.FormatBig, cmds.FormatLittle = n.Default, n.Big, n.Little
	case *ldscript.OutputArch:
		cmds.Arch = n.Arch
	case *ldscript.Target:
		cmds.Target = n.Format
	case *ldscript.SearchDir:
		cmds.SearchDirs = append(cmds.SearchDirs, n.Dir)
	case *ldscript.Startup:
		if cmds.Startup != "" {
			c.fail(n.Pos, "STARTUP", "there is one already: %s", cmds.Startup)
		}
		cmds.Startup = n.File
	case *ldscript.Input:
		cmds.Inputs = append(cmds.Inputs, n)
	case *ldscript.VersionCmd:
		cmds.Versions = append(cmds.Versions, n.Version)
	case *ldscript.NoCrossRefs:
		cmds.NoCrossRefs = append(cmds.NoCrossRefs, NoCrossRefs{n.To, n.Sections, n.Pos})
	case *ldscript.Flag:
		c.flag(n)
	default:
		c.inSections(n, false)
	}
}

func (c *compiler) flag(n *ldscript.Flag) {
	cmds := &c.s.cmds
	switch n.Word {
	case "FORCE_COMMON_ALLOCATION":
		cmds.ForceCommon = true
	case "INHIBIT_COMMON_ALLOCATION":
		cmds.InhibitCommon = true
	case "FORCE_GROUP_ALLOCATION":
		cmds.ForceGroup = true
	case "LD_FEATURE":
		if n.Arg != "SANE_EXPR" {
			c.fail(n.Pos, "LD_FEATURE", "%q is not known; SANE_EXPR is", n.Arg)
		}
		cmds.Sane = true
		c.s.rules.NumbersOutside = true
	case "MAP":
		cmds.Map = n.Arg
	}
}

// inSections compiles a statement that may stand in SECTIONS.
func (c *compiler) inSections(n ldscript.Stmt, overwrite bool) {
	s := c.s
	switch n := n.(type) {
	case *ldscript.Include:
		for _, m := range n.Body {
			c.inSections(m, overwrite)
		}
	case *ldscript.OutSection:
		o := c.section(n)
		if overwrite {
			c.over = append(c.over, o)
			return
		}
		s.body = append(s.body, o)
		s.addSection(o)
	case *ldscript.Overlay:
		c.overlay(n)
	case *ldscript.Assign:
		s.body = append(s.body, c.assign(n, nil))
	case *ldscript.Assert:
		s.body = append(s.body, &assertion{Assert: n})
	case *ldscript.Insert:
		s.body = append(s.body, &insert{n, len(s.body) - c.mark})
		c.mark = len(s.body)
	case *ldscript.Entry:
		s.cmds.Entry = n.Symbol
	case *ldscript.Sections, *ldscript.Memory, *ldscript.Phdrs:
		c.command(n)
	case *ldscript.Flag, *ldscript.Extern, *ldscript.SearchDir, *ldscript.Input, *ldscript.NoCrossRefs, *ldscript.VersionCmd:
		c.command(n)
	case *ldscript.Constructors, *ldscript.LinkerVersion:
	default:
		c.fail(n.At(), "SECTIONS", "a statement of type %T cannot stand here", n)
	}
}

// addSection appends an output section statement to the list of them.
func (s *Script) addSection(o *section) {
	s.outs = append(s.outs, o)
	s.enter(o)
}

// enter gives an output section statement its number and finds it by name.
func (s *Script) enter(o *section) {
	o.id = ldscript.Section(len(s.byID))
	s.byID = append(s.byID, o)
	s.byName[o.name] = append(s.byName[o.name], o)
}

func (c *compiler) section(n *ldscript.OutSection) *section {
	o := &section{
		name: n.Name, stmt: n, script: c.file_,
		addr: n.Addr, at: n.AtAddr, align: n.Align, subalign: n.Subalign,
		alignInput: n.AlignInput, constraint: n.Constraint, phdrs: n.Phdrs,
		typeValue: n.TypeValue, dup: true,
	}
	switch n.Type {
	case "NOLOAD":
		o.kind = noLoad
	case "DSECT", "COPY", "INFO", "OVERLAY":
		o.kind = noAlloc
	case "READONLY":
		o.kind = readOnly
	}
	if o.alignInput && o.align != nil {
		c.fail(n.Pos, o.name, "ALIGN_WITH_INPUT and ALIGN exclude each other")
	}
	o.fill = c.fill(n.Fill)
	c.sectionRegions(o, n.Pos, n.Region, n.AtRegion)
	for _, m := range n.Body {
		c.inSection(o, m)
	}
	return o
}

// sectionRegions sets the regions of addresses and load addresses. Without a
// region of addresses and without an address, AT>region stands for both.
func (c *compiler) sectionRegions(o *section, pos ldscript.Pos, vma, lma string) {
	rs := &c.s.regions
	if o.at != nil && lma != "" {
		c.fail(pos, o.name, "both a load address, AT(…), and a load region, AT>%s", lma)
	}
	if lma != "" {
		o.lmaRegion = rs.get(lma, pos)
	}
	switch {
	case vma != "":
		o.region = rs.get(vma, pos)
	case lma != "" && o.addr == nil:
		o.region = o.lmaRegion
	default:
		o.region = rs.list[0]
	}
}

// inSection compiles a statement of an output section.
func (c *compiler) inSection(o *section, n ldscript.Stmt) {
	switch n := n.(type) {
	case *ldscript.Include:
		for _, m := range n.Body {
			c.inSection(o, m)
		}
	case *ldscript.InputSpec:
		sp := &spec{InputSpec: n, in: o, script: c.file_, hits: make([]int32, max(len(n.Patterns), 1))}
		o.body = append(o.body, sp)
		c.s.specs = append(c.s.specs, sp)
		c.fileNamed(&n.File)
	case *ldscript.Assign:
		if n.Name != "." {
			o.symbols = true
		}
		o.body = append(o.body, c.assign(n, o))
	case *ldscript.Assert:
		o.body = append(o.body, &assertion{Assert: n, in: o})
	case *ldscript.Data:
		d := &data{pos: n.Pos, kind: n.Kind, x: n.X, size: dataSize[n.Kind]}
		c.s.datas = append(c.s.datas, d)
		o.body = append(o.body, d)
	case *ldscript.Text:
		o.body = append(o.body, &data{pos: n.Pos, kind: "ASCIZ", text: n.Value, size: uint64(len(n.Value)) + 1})
	case *ldscript.FillStmt:
		c.fillFrom(o, n)
	case *ldscript.Constructors, *ldscript.LinkerVersion:
	case *ldscript.Flag:
		c.flag(n)
	default:
		c.fail(n.At(), o.name, "a statement of type %T cannot stand here", n)
	}
}

// fileNamed notes a file that a pattern names: it is an input.
func (c *compiler) fileNamed(p *ldscript.FilePattern) {
	files := &c.s.cmds.Files
	if anyFile(p) || p.Colon || p.Archive != "" || ldscript.IsGlob(p.Member) || slices.Contains(*files, p.Member) {
		return
	}
	*files = append(*files, p.Member)
}

var dataSize = map[string]uint64{"BYTE": 1, "SHORT": 2, "LONG": 4, "QUAD": 8, "SQUAD": 8}

// assign compiles an assignment and notes that the symbol is defined.
func (c *compiler) assign(n *ldscript.Assign, in *section) *assign {
	a := &assign{Assign: n, x: n.X, in: in}
	if n.Name != "." {
		c.s.assigns = append(c.s.assigns, a)
	}
	if n.Op != "=" {
		op := ldscript.Op(strings.TrimSuffix(string(n.Op), "="))
		a.x = &ldscript.Binary{Pos: n.Pos, Op: op, X: &ldscript.Name{Pos: n.Pos, Name: n.Name}, Y: n.X}
	}
	if a.dot() {
		if n.Provide || n.Hidden {
			c.fail(n.Pos, "PROVIDE", "the location counter cannot be provided")
		}
		return a
	}
	refers := names(a.x)
	for _, name := range refers {
		a.own = a.own || name == n.Name
	}
	a.sym = c.s.symbol(n.Name)
	c.s.defs = append(c.s.defs, Definition{
		Name: n.Name, Provide: n.Provide, Hidden: n.Hidden, Pos: n.Pos, Refers: refers, Own: a.own,
		Script: c.source.Script, Defsym: c.source.Defsym, Text: c.source.Text,
	})
	return a
}

// divisions finds divisions of constants by zero, even where they would not be
// evaluated, as GNU ld does when it reads them.
func (c *compiler) divisions() {
	c.s.eachExpr(func(x ldscript.Expr) {
		b, ok := x.(*ldscript.Binary)
		if !ok || b.Op != "/" && b.Op != "%" {
			return
		}
		_, constant := b.X.(*ldscript.Number)
		if constant && isNumber(b.Y, 0) {
			c.fail(b.Pos, "", "%s by zero", b.Op)
		}
	})
}

// names collects the symbols that an expression names, each once.
func names(x ldscript.Expr) []string {
	var list []string
	seen := map[string]bool{}
	walkExpr(x, func(x ldscript.Expr) {
		if n, ok := x.(*ldscript.Name); ok && n.Name != "." && !seen[n.Name] {
			seen[n.Name] = true
			list = append(list, n.Name)
		}
	})
	return list
}

// walkExpr calls f with an expression and all below it.
func walkExpr(x ldscript.Expr, f func(ldscript.Expr)) {
	if x == nil {
		return
	}
	f(x)
	switch x := x.(type) {
	case *ldscript.Unary:
		walkExpr(x.X, f)
	case *ldscript.Binary:
		walkExpr(x.X, f)
		walkExpr(x.Y, f)
	case *ldscript.Cond:
		walkExpr(x.C, f)
		walkExpr(x.T, f)
		walkExpr(x.F, f)
	case *ldscript.Call:
		for _, a := range x.Args {
			walkExpr(a, f)
		}
	case *ldscript.NameCall:
		walkExpr(x.Default, f)
	case *ldscript.Assert:
		walkExpr(x.X, f)
	}
}

func (c *compiler) programHeaders(n *ldscript.Phdrs) {
	c.s.layered = c.s.layered || n.Default
	c.s.phdrs = append(c.s.phdrs, n.Headers...)
}
