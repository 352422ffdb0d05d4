package layout

import (
	"elfwright/ldscript"
	"elfwright/link/model"
)

// Sources are the scripts of a link, parsed.
type Sources struct {
	Own     []*ldscript.Script // of -T, in order
	Default *ldscript.Script   // used without Own, and where all of them only insert; or nil
	Texts   []Implicit         // among the inputs, in order
}

// Implicit is a script that was given among the inputs (ld manual, "Implicit
// Linker Scripts"). It replaces no other.
type Implicit struct {
	Tree *ldscript.Script
	At   int // index of the input among Options.Inputs that it is, or that names it
}

// compile goes over all that has statements, in their order: options and texts as
// on the command line, the default script, and texts with output sections. What
// has no place among the inputs comes first.
func (c *compiler) compile(src Sources) {
	def := src.Default
	if !AddsToDefault(src.Own) {
		def = nil
	}
	marks := map[model.Mark]int{}
	for _, in := range c.s.opt.Inputs {
		marks[in.Mark]++
	}
	defsyms, scripts := len(c.s.opt.Defsyms)-marks[model.MarkDefsym], len(src.Own)-marks[model.MarkScript]
	for i := range max(defsyms, 0) {
		c.defsym(i)
	}
	for i := range max(scripts, 0) {
		c.own(src.Own[i], i)
	}
	c.texts(src.Texts, -1)
	for i, in := range c.s.opt.Inputs {
		switch in.Mark {
		case model.MarkDefsym:
			c.defsym(defsyms)
			defsyms++
		case model.MarkScript:
			c.own(src.Own[scripts], scripts)
			scripts++
		}
		c.texts(src.Texts, i)
	}
	if def != nil {
		c.file(def)
	}
	for _, t := range src.Texts {
		if t.Replaces() {
			c.file(t.Tree)
		}
	}
}

func (c *compiler) own(t *ldscript.Script, i int) {
	c.source = Definition{Script: i + 1}
	c.file(t)
	c.source = Definition{}
}

func (c *compiler) defsym(i int) {
	a, err := ldscript.ParseDefsym(c.s.opt.Defsyms[i].Text)
	if err != nil {
		c.errs = append(c.errs, err)
		return
	}
	c.file_, c.source = "--defsym", Definition{Defsym: i + 1}
	c.s.body = append(c.s.body, c.assign(a, nil))
	c.source = Definition{}
}

// texts are those that stand at an input.
func (c *compiler) texts(list []Implicit, at int) {
	for i, t := range list {
		if t.At == at && !t.Replaces() {
			c.source = Definition{Text: i + 1}
			c.file(t.Tree)
			c.source = Definition{}
		}
	}
}

// Replaces says whether a text has output sections that no INSERT places: they
// come behind all others, for GNU ld takes it that -T was forgotten.
func (t Implicit) Replaces() bool {
	return hasOutputs(t.Tree.Body) && !has[*ldscript.Insert](t.Tree.Body)
}

// hasOutputs says whether there is an output section among the statements.
func hasOutputs(body []ldscript.Stmt) bool {
	for _, n := range body {
		found := false
		switch n := n.(type) {
		case *ldscript.OutSection, *ldscript.Overlay:
			return true
		case *ldscript.Sections:
			found = hasOutputs(n.Body)
		case *ldscript.Include:
			found = hasOutputs(n.Body)
		}
		if found {
			return true
		}
	}
	return false
}
