package link

import (
	"fmt"
	"sort"

	"elfwright/link/layout"
	"elfwright/link/model"
)

// Explained is what a link decided about placing, and why. Nothing is written.
type Explained struct {
	Script   string // the first that counts
	Sections []layout.Explanation
	Outputs  []*model.Output
	Segments []*model.Segment
	Unused   []layout.PatternRef
	Rules    []RuleEffect
	// Problems are why it would not link, or not as wanted: overlaps, regions
	// that are full, assertions, undefined symbols.
	Problems, Warnings []error
}

// RuleEffect is a rule of dialects on which the result depends.
type RuleEffect struct {
	Rule    string
	Means   string   // what ld.lld does by it
	Changes []string // what would be different
}

// stopAfter is the last pass that placing needs.
const stopAfter = "lay out segments"

// Explain goes through a link as far as file offsets, and tells why everything is
// where it is. What would be wrong with the link is part of the answer; an error
// is what keeps addresses from being known.
func Explain(opt *model.Options, host Host) (*Explained, error) {
	l, err := planned(opt, nil, host)
	if err != nil {
		return nil, err
	}
	x := &Explained{
		Outputs: l.env.Outputs, Segments: l.segs, Unused: l.script.Unused(),
		Problems: l.explained(l.env.Report.Errors()), Warnings: l.env.Report.Warnings(),
	}
	for _, o := range l.env.Objects {
		for _, s := range o.Sections {
			if s != nil && (!o.Linker || s.Live && s.Out != nil) {
				x.Sections = append(x.Sections, l.script.Explain(s))
			}
		}
	}
	if len(l.trees) > 0 {
		x.Script = l.trees[0].Source.Name
	}
	done := host.phase("try dialects")
	defer done()
	facts := l.facts()
	for _, name := range layout.DialectRules() {
		other, err := planned(opt, []string{name}, Host{})
		effect := RuleEffect{Rule: name, Means: layout.RuleMeans(name)}
		if err != nil {
			effect.Changes = []string{"it would not link: " + err.Error()}
		} else {
			effect.Changes = facts.changes(other.facts())
		}
		if len(effect.Changes) > 0 {
			x.Rules = append(x.Rules, effect)
		}
	}
	return x, nil
}

// planned carries out the passes that place. Undefined symbols do not matter.
func planned(opt *model.Options, flip []string, host Host) (*linkage, error) {
	o := *opt
	o.Undefined = append([]string(nil), opt.Undefined...)
	o.Inputs = append([]model.Input(nil), opt.Inputs...)
	o.Flip = append(append([]string(nil), opt.Flip...), flip...)
	o.Unresolved = "ignore-all"
	l := newLinkage(&o, host)
	for _, pass := range passes {
		done := host.phase(pass.name)
		err := pass.run(l)
		done()
		if pass.name == stopAfter {
			return l, pointed(err)
		}
		if err == nil && len(l.env.Outputs) == 0 {
			err = l.faults()
		}
		if err != nil {
			return nil, pointed(err)
		}
	}
	return l, nil
}

// facts are what a result consists of, by what they are about.
type facts map[string]string

func (l *linkage) facts() facts {
	f := facts{}
	for _, o := range l.env.Outputs {
		f["section "+o.Name] = fmt.Sprintf("%#x, loaded at %#x, size %#x, %v, %v", o.Addr, o.LMA, o.Size, o.Type, o.Flags)
		if len(o.Fill) > 0 {
			f["fill of "+o.Name] = fmt.Sprintf("%x", o.Fill)
		}
	}
	for i, g := range l.segs {
		f[fmt.Sprintf("segment %d", i)] = fmt.Sprintf("%v %v at %#x, loaded at %#x, %#x bytes of the file, %#x of memory", g.Type, g.Flags, g.Vaddr, g.Paddr, g.Filesz, g.Memsz)
		for _, o := range g.Sections {
			f[fmt.Sprintf("file offset of %s", o.Name)] = fmt.Sprintf("%#x", o.FileOff)
		}
	}
	for _, s := range l.env.Table.Some(func(s *model.Symbol) bool { return s.Script && s.State == model.Defined }) {
		where := "absolute"
		if s.Out != nil {
			where = "in " + s.Out.Name
		}
		f["symbol "+s.Name] = fmt.Sprintf("%#x, %s", s.Addr(), where)
	}
	return f
}

// changes says what is different in another result.
func (f facts) changes(other facts) []string {
	var list []string
	for k, v := range f {
		if w, ok := other[k]; !ok {
			list = append(list, fmt.Sprintf("%s: %s; it would not be there", k, v))
		} else if v != w {
			list = append(list, fmt.Sprintf("%s: %s; it would be %s", k, v, w))
		}
	}
	for k, w := range other {
		if _, ok := f[k]; !ok {
			list = append(list, fmt.Sprintf("%s: not there; it would be %s", k, w))
		}
	}
	sort.Strings(list)
	return list
}
