package link

import (
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"strings"

	"elfwright/ldscript"
	"elfwright/link/aarch64"
	"elfwright/link/arm"
	"elfwright/link/input"
	"elfwright/link/layout"
	"elfwright/link/model"
	"elfwright/link/riscv"
	"elfwright/link/synth"
	"elfwright/link/write"
	"elfwright/link/x86"
	"elfwright/machine"
	"elfwright/machine/all"
)

// readInputs opens the files and settles the symbols. Texts among them are
// scripts, which join those of -T.
func (l *linkage) readInputs() error {
	cmds := l.script.Commands()
	l.files = input.Open(l.opt, input.Commands{Inputs: cmds.Inputs, Startup: cmds.Startup, SearchDirs: cmds.SearchDirs, Named: cmds.Files}, l.parse, l.env.Report)
	if l.env.Report.Failed() {
		return nil
	}
	l.opt.ForceGroup = l.opt.ForceGroup || cmds.ForceGroup
	l.opt.DefineCommon = l.opt.DefineCommon || cmds.ForceCommon
	l.opt.NoDefineCommon = l.opt.NoDefineCommon || cmds.InhibitCommon
	if len(l.files.Scripts) > 0 {
		l.augment(l.files.Scripts)
		if err := l.compile(); err != nil {
			return err
		}
	}
	cmds = l.script.Commands()
	l.entrySymbol = cmds.Entry
	if l.opt.Entry != "" {
		l.entrySymbol = l.opt.Entry
	}
	l.inputs = l.files.Load(input.Settings{
		Entry: cmds.Entry, Externs: cmds.Externs, Definitions: definitions(l.script),
		ForceCommon: cmds.ForceCommon, InhibitCommon: cmds.InhibitCommon,
	}, l.env.Table)
	l.env.Objects = l.inputs.Objects()
	l.env.Flags = l.inputs.Flags
	if len(l.env.Objects) == 0 && !l.env.Report.Failed() {
		return fmt.Errorf("no input files")
	}
	return nil
}

// augment adds what texts among the inputs say to the script, which they do not
// replace. What they name is open already.
func (l *linkage) augment(scripts []input.Text) {
	for _, t := range scripts {
		tree := *t.Tree
		tree.Body = slices.DeleteFunc(slices.Clone(tree.Body), func(n ldscript.Stmt) bool {
			switch n.(type) {
			case *ldscript.Input, *ldscript.SearchDir, *ldscript.OutputFormat:
				return true
			}
			return false
		})
		text := layout.Implicit{Tree: &tree, At: t.At}
		if text.Replaces() {
			l.env.Report.Warn(fmt.Errorf("%s: has output sections, which come behind all others; is there a -T missing?", tree.Source.Name))
		}
		l.implicit = append(l.implicit, text)
	}
}

// chooseTarget finds the machine that all objects are for, and reads what it
// takes to read of them.
func (l *linkage) chooseTarget() error {
	e := l.emul
	m := all.Lookup(e.Machine, e.Class)
	for _, o := range l.env.Objects {
		if o.Machine == elf.EM_NONE { // of --format binary
			o.Machine, o.Class, o.Order = e.Machine, e.Class, l.env.Order
		}
		if o.Machine != e.Machine || o.Class != e.Class || o.Order != l.env.Order {
			return fmt.Errorf("%s: is for another machine than %s, the format of the output; see -m", o.File, e.Name)
		}
	}
	l.env.Target = target(m)
	if l.opt.Relocatable {
		l.env.Target = write.Relocatable(m)
	}
	if l.env.Target == nil {
		return fmt.Errorf("%s: linking for %s is not supported", e.Name, m.Name)
	}
	l.env.Code = m.CodeOrder(l.env.Order)
	if l.opt.BE8 {
		l.env.Code = byteOrder(1)
	}
	if err := l.retain(); err != nil {
		return err
	}
	return l.versions()
}

// retain reads --retain-symbols-file: names with spaces between.
func (l *linkage) retain() error {
	name := l.opt.RetainSymbols
	if name == "" {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	l.env.Retain = map[string]bool{}
	for _, n := range strings.Fields(string(text)) {
		l.env.Retain[n] = true
	}
	return nil
}

// target is what linking knows of a machine.
func target(m *machine.Machine) model.Target {
	for _, make := range []func(*machine.Machine) model.Target{x86.New, aarch64.New, arm.New, riscv.New} {
		if t := make(m); t != nil {
			return t
		}
	}
	return nil
}

// versions reads version scripts and dynamic lists, and decides what is exported.
func (l *linkage) versions() error {
	open := opener(l.opt)
	nodes := append([]*ldscript.Version(nil), l.script.Commands().Versions...)
	for _, name := range l.opt.VersionScripts {
		path, text, err := open(name, nil)
		if err != nil {
			return err
		}
		v, err := ldscript.ParseVersion(path, text)
		if err != nil {
			return err
		}
		nodes = append(nodes, v)
	}
	var dynamic []ldscript.VersionPattern
	for _, name := range append(append([]string(nil), l.opt.DynamicLists...), l.opt.ExportLists...) {
		path, text, err := open(name, nil)
		if err != nil {
			return err
		}
		list, err := ldscript.ParseDynamicList(path, text)
		if err != nil {
			return err
		}
		dynamic = append(dynamic, list...)
	}
	for _, s := range l.opt.ExportSymbols {
		dynamic = append(dynamic, ldscript.VersionPattern{Lang: "C", Name: s, Exact: !ldscript.IsGlob(s)})
	}
	var set *ldscript.VersionSet
	if len(nodes) > 0 {
		var err error
		if set, err = ldscript.NewVersionSet(nodes, l.demangle); err != nil {
			return err
		}
		all := &ldscript.Version{}
		for _, n := range nodes {
			all.Nodes = append(all.Nodes, n.Nodes...)
		}
		l.env.Versions = all
	}
	l.inputs.Exports(l.opt, l.env.Table, set, l.env.Versions, input.ExportList{Patterns: dynamic, Demangle: l.demangle})
	return nil
}

// definitions are the script's symbols in the words of package input.
func definitions(s *layout.Script) []input.Definition {
	var list []input.Definition
	for _, d := range s.Defines() {
		list = append(list, input.Definition{
			Name: d.Name, Provide: d.Provide, Hidden: d.Hidden, Refers: d.Refers, Own: d.Own, Script: d.Script, Defsym: d.Defsym, Text: d.Text,
		})
	}
	return list
}

// makeOwn makes the linker's own sections and symbols.
func (l *linkage) makeOwn() error {
	l.own = synth.Create(l.env)
	l.env.Objects = append(l.env.Objects, l.own.Object)
	return nil
}

// collect marks what KEEP keeps, and leaves out what nothing needs.
func (l *linkage) collect() error {
	l.script.Keeps(l.env.Objects)
	if !l.opt.GC || l.opt.Relocatable && l.opt.Entry == "" && len(l.opt.Undefined) == 0 {
		return nil
	}
	roots := input.Roots{Names: l.named()}
	names := slices.Concat([]string{l.entrySymbol}, l.opt.Undefined, l.script.Commands().Externs)
	if l.opt.Dialect == "lld" { // for GNU ld an expression is no need
		names = append(names, l.script.Refers()...)
	}
	for _, n := range names {
		if s := l.env.Table.Get(n); s != nil {
			roots.Symbols = append(roots.Symbols, s)
		}
	}
	l.notes = append(l.notes, input.Collect(l.env, roots)...)
	return nil
}

// named are the symbols that the expressions of the script's symbols name.
func (l *linkage) named() map[*model.Symbol][]*model.Symbol {
	m := map[*model.Symbol][]*model.Symbol{}
	for _, d := range l.script.Defines() {
		sym := l.env.Table.Get(d.Name)
		if sym == nil || !sym.Script {
			continue
		}
		for _, n := range d.Refers {
			if x := l.env.Table.Get(n); x != nil {
				m[sym] = append(m[sym], x)
			}
		}
	}
	return m
}

func (l *linkage) match() error {
	outs, err := l.script.Match(l.env)
	l.env.Outputs = outs
	if s := l.env.SecBuildID; s != nil && s.Out == nil && err == nil {
		l.env.Report.Warn(fmt.Errorf("--build-id: the script discards %s; the file has no identifier", s.Name))
	}
	return err
}
