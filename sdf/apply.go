package sdf

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/match"
	"elfwright/patch"
	"elfwright/phdr"
	"elfwright/reset"
	"elfwright/sdf/desc"
)

// Options say how to apply a description.
type Options struct {
	Search []string // directories of images and other files; the current one comes last

	// Images of Microkit's own, to be patched as well; "": they are left out. The
	// loader's page tables map the kernel, which is only read.
	Monitor, Loader, Kernel, InitialTask string

	// Entries are variables that get a child's entry point, in its parent: what
	// microkit_pd_restart wants and no setvar tells.
	Entries []Entry
	// Reset is the shape in which images are made resettable; "": they are not.
	Reset reset.Shape
	// Persistent is memory that a reset leaves alone, besides sections .persistent
	// and .persistent.*, in the words of reset.Options.
	Persistent []Persistent
}

// Persistent is memory of a protection domain.
type Persistent struct{ Domain, What string }

// Entry names a child, and a variable of its parent.
type Entry struct{ Child, Symbol string }

// Output is a file to be written.
type Output struct {
	Name string // without a directory
	Body *elffile.Body
	Mode os.FileMode
}

// Applied is a system whose images are made and not yet written.
type Applied struct {
	Plan     *Plan
	Outputs  []Output
	Warnings desc.Findings // of what Microkit's own tool will not read

	files []*elffile.File
}

// Close releases the images.
func (a *Applied) Close() {
	for _, f := range a.files {
		f.Close()
	}
}

// Guard runs do with faults of all mapped images as errors.
func (a *Applied) Guard(do func() error) error { return guard(a.files, do) }

func guard(files []*elffile.File, do func() error) error {
	if len(files) == 0 {
		return do()
	}
	return files[0].Guard(func() error { return guard(files[1:], do) })
}

type applier struct {
	sys   *desc.System
	opt   Options
	out   *Applied
	paddr map[*desc.Region]uint64
	made  [][]Output // of each protection domain
	found desc.Findings
}

// Apply makes the patched images of a system that was read without errors. What
// does not fit is a *desc.Refusal with all of it. Close the result.
func Apply(s *desc.System, opt Options) (*Applied, error) {
	a := &applier{sys: s, opt: opt, out: new(Applied)}
	a.choose()
	a.out.Plan = a.plan()
	a.made = make([][]Output, len(s.PDs))
	a.options()
	for _, p := range slices.Backward(s.PDs) { // a child before its parent, which may want its entry point
		a.domain(p)
	}
	a.out.Outputs = slices.Concat(a.made...)
	a.specials()
	a.rewrite()
	a.outputs()
	if len(a.found) > 0 {
		a.out.Close()
		slices.SortStableFunc(a.found, func(x, y desc.Finding) int { return cmp.Compare(x.Pos.Off, y.Pos.Off) })
		return nil, &desc.Refusal{Findings: a.found}
	}
	return a.out, nil
}

// outputs refuses two files of one name: a protection domain may be named like
// the symbols of another.
func (a *applier) outputs() {
	seen := map[string]bool{}
	for _, o := range a.out.Outputs {
		if seen[o.Name] {
			a.fault(a.sys.PDs[0].Pos(), "output", "two files would be named %s", o.Name)
		}
		seen[o.Name] = true
	}
}

// rewrite makes the description of the outputs: the paths are theirs, and an
// address that was chosen stays what an image has been told.
func (a *applier) rewrite() {
	c := desc.Changes{Images: map[*desc.PD]desc.Image{}, Paddr: map[*desc.Region]uint64{}}
	for _, p := range a.sys.PDs {
		d := &a.out.Plan.Domains[p.Index]
		c.Images[p] = desc.Image{Path: d.Output, SymbolsPath: d.SymbolsOutput}
	}
	for r, at := range a.paddr {
		if !r.Fixed {
			c.Paddr[r] = at
		}
	}
	a.out.Plan.Description = systemName(a.sys.Source.Name)
	text := elffile.NewBody(elffile.Buffer(a.sys.Rewrite(c)))
	a.out.Outputs = append(a.out.Outputs, Output{a.out.Plan.Description, text, 0o666})
}

// systemName is that of a description in the directory of the outputs.
func systemName(name string) string {
	name = filepath.Base(name)
	if !strings.HasSuffix(name, ".system") {
		return "applied.system"
	}
	return name
}

// pair is an image with the file that has its symbols, perhaps itself.
type pair struct{ img, syms *elffile.File }

func (a *applier) open(path, symbols string) (pair, error) {
	img, err := openImage(path, a.opt.Search, a.sys.Board.Arch)
	if err != nil {
		return pair{}, err
	}
	a.out.files = append(a.out.files, img)
	if symbols == "" {
		return pair{img, img}, nil
	}
	syms, err := openELF(symbols, a.opt.Search, a.sys.Board.Arch)
	if err != nil {
		return pair{}, err
	}
	a.out.files = append(a.out.files, syms)
	both := pair{img, syms}
	return both, both.guard(both.match)
}

// domain makes the image of a protection domain.
func (a *applier) domain(p *desc.PD) {
	plan := &a.out.Plan.Domains[p.Index]
	name, err := fileName(p.Name)
	if err != nil {
		a.fault(p.Pos(), "output", "%v", err)
		return
	}
	both, err := a.open(p.Path, p.SymbolsPath)
	if err != nil {
		a.fault(p.Pos(), "image", "protection_domain %s: %v", p.Name, err)
		return
	}
	plan.Output = name + ".elf"
	err = both.guard(func() error {
		body, vars, err := a.patch(both, a.variables(p))
		if err != nil {
			return err
		}
		f := both.img
		if body != nil {
			plan.Variables = vars
			if body, err = a.resettable(p, both, body); err != nil {
				return err
			}
			a.made[p.Index] = append(a.made[p.Index], Output{plan.Output, body, both.img.Mode()})
			if f, err = elffile.ParseBody(both.img.Name, body); err != nil {
				return err
			}
		}
		a.accept(p, f, both)
		return a.describe(p, f)
	})
	if err != nil {
		a.fault(p.Pos(), "image", "protection_domain %s: %v", p.Name, err)
		return
	}
	if both.syms != both.img {
		plan.SymbolsOutput = name + ".symbols.elf"
		a.made[p.Index] = append(a.made[p.Index], Output{plan.SymbolsOutput, both.syms.Body, both.syms.Mode() & 0o666})
	}
}

// accept warns of what Microkit's tool will not read of an output.
func (a *applier) accept(p *desc.PD, f *elffile.File, both pair) {
	list := acceptsImage(f)
	if both.syms == both.img {
		list = append(list, acceptsSymbols(f)...)
	} else {
		list = append(list, acceptsSymbols(both.syms)...)
	}
	for _, err := range list {
		a.out.Warnings = append(a.out.Warnings, desc.Finding{Pos: p.Pos(), Level: desc.Warning, Rule: "microkit",
			Msg: fmt.Sprintf("protection_domain %s: Microkit's tool cannot read the image: %v", p.Name, err)})
	}
}

// describe puts what an image is into the plan.
func (a *applier) describe(p *desc.PD, f *elffile.File) error {
	plan := &a.out.Plan.Domains[p.Index]
	img := image.FromFile(f)
	for _, s := range a.segments(p, img) {
		plan.Segments = append(plan.Segments, Segment{space(s.Range), s.flags})
	}
	if img.SegmentAt(img.Entry) == nil {
		return fmt.Errorf("%s: e_entry %v is in no segment", f.Name, img.Entry)
	}
	plan.Entry = phdr.Hex(img.Entry)
	return nil
}

// variables are all that a protection domain's image gets.
func (a *applier) variables(p *desc.PD) []variable {
	list := append(builtins(a.sys, p), setvars(p, a.paddr)...)
	for _, e := range a.opt.Entries {
		if k := a.sys.PD(e.Child); k != nil && k.Parent == p {
			list = append(list, variable{symbol: e.Symbol, kind: "entry", data: word(uint64(a.out.Plan.Domains[k.Index].Entry)), exact: true, pos: k.Pos()})
		}
	}
	return list
}

// options refuses names of protection domains that are none.
func (a *applier) options() {
	for _, p := range a.opt.Persistent {
		if a.sys.PD(p.Domain) == nil {
			a.fault(a.sys.PDs[0].Pos(), "reset", "there is no protection_domain %q whose %s could be persistent", p.Domain, p.What)
		}
	}
	for _, e := range a.opt.Entries {
		switch k := a.sys.PD(e.Child); {
		case k == nil:
			a.fault(a.sys.PDs[0].Pos(), "entry", "there is no protection_domain %q whose entry point %s could get", e.Child, e.Symbol)
		case k.Parent == nil:
			a.fault(k.Pos(), "entry", "protection_domain %s has no parent, whose %s could get its entry point", e.Child, e.Symbol)
		}
	}
}

// match says why the symbols are not the image's. The entry point and the
// debuglink do not count: an image that can be reset starts elsewhere.
func (p pair) match() error {
	r := match.Files(p.img, p.syms)
	r.Checks = slices.DeleteFunc(r.Checks, func(c match.Check) bool { return c.Name == "entry" || c.Name == "debuglink" })
	return r.Err()
}

func (p pair) guard(do func() error) error { return guard([]*elffile.File{p.img, p.syms}, do) }

// patch looks the variables up and writes them. Faults of single variables are
// found, and then there is no body; the error is any other.
func (a *applier) patch(both pair, vars []variable) (*elffile.Body, []Variable, error) {
	got, nearest, err := lookUp(both.syms, vars)
	if err != nil {
		return nil, nil, err
	}
	before := len(a.found)
	var list []Variable
	var sets []patch.Set
	for i := range vars {
		v := &vars[i]
		x := got[v.symbol]
		if j := slices.IndexFunc(vars[:i], func(o variable) bool { return o.symbol == v.symbol }); j >= 0 {
			a.fault(v.pos, "symbol", "%s of %s is set %s", v.symbol, both.img.Name, setBy(vars[j].kind))
			continue
		}
		if rule, reason := x.fits(v, both.syms, nearest[v.symbol]); rule != "" {
			a.fault(v.pos, rule, "%s", reason)
			continue
		}
		v.data = v.bytes(x.sym.Size)
		list = append(list, v.plan(x.sym.Value))
		sets = append(sets, patch.Set{Place: "{" + v.symbol + "}", Type: "bytes",
			Value: patch.Value{Kind: patch.Bytes, Data: elffile.Buffer(v.data)}})
	}
	if len(a.found) > before {
		return nil, nil, nil
	}
	opt := patch.Options{NoMatch: true} // that was checked when they were opened
	if both.syms != both.img {
		opt.Symbols = []*elffile.File{both.syms}
	}
	r, err := patch.Apply(both.img, sets, opt)
	if err != nil {
		return nil, nil, err
	}
	return r.Body, list, nil
}

// setBy says who else sets a variable.
func setBy(kind string) string {
	switch kind {
	case "builtin", "monitor", "loader", "initial task":
		return "by Microkit itself"
	}
	return "already, to a value of kind " + kind
}

// fileName is a protection domain's name as that of a file.
func fileName(name string) (string, error) {
	if strings.ContainsAny(name, "/\x00") || strings.HasPrefix(name, ".") {
		return "", fmt.Errorf("protection_domain %q: its image is written under this name, which is none for a file", name)
	}
	return name, nil
}
