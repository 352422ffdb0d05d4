package run

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/run/own"
	"elfwright/run/reloc"
)

// Traces are what can be told of a start.
var Traces = []string{"load", "map", "reloc", "symbols", "bind", "init"}

// Trace writes what was decided of each of the subjects: all of Traces for "all".
// What the dynamic linker will do by itself is computed by its rules.
func (r *Prepared) Trace(w io.Writer, subjects []string) error {
	out := bufio.NewWriter(w)
	r.heading(out)
	for _, s := range Traces {
		if !slices.Contains(subjects, s) && !slices.Contains(subjects, "all") {
			continue
		}
		if err := r.subject(out, s); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (r *Prepared) heading(w io.Writer) {
	name := r.Source.Name
	if r.Source.Path != "" {
		name = r.Source.Path
	}
	fmt.Fprintf(w, "program %s: %s, %s\n", name, elffile.TypeName(r.File.Header.Type), elffile.MachineName(r.File.Header.Machine))
	switch {
	case r.Kept != "" && r.Body == nil:
		fmt.Fprintf(w, "engine own: %s was kept at an earlier start, and looks whether its files are the same\n", r.Kept)
	case r.Engine == None:
		fmt.Fprintf(w, "engine none: %s\n", r.Why)
	case r.Body == nil:
		fmt.Fprintf(w, "engine none: the program asks for no dynamic linker, and is executed as it is\n")
	case r.Why != "":
		fmt.Fprintf(w, "engine %s: %s\n", r.Engine, r.Why)
	default:
		fmt.Fprintf(w, "engine %s\n", r.Engine)
	}
	if r.NotKept != nil {
		fmt.Fprintf(w, "not kept: %v\n", r.NotKept)
	}
}

func (r *Prepared) subject(w io.Writer, s string) error {
	if r.Body == nil && r.Kept == "" && r.Engine != None { // a static program
		if s == "map" {
			r.traceFile(w, r.File, r.File.Name)
		}
		return nil
	}
	if err := r.process(); err != nil {
		return err
	}
	switch s {
	case "load":
		r.traceLoad(w)
	case "map":
		return r.traceMap(w)
	case "reloc":
		r.traceReloc(w)
	case "symbols":
		r.traceSymbols(w)
	case "bind":
		r.traceBind(w)
	case "init":
		r.traceInit(w)
	}
	return nil
}

// process loads and binds on paper, unless the engine has done so.
func (r *Prepared) process() (err error) {
	if r.proc == nil {
		path, err := r.path()
		if err != nil {
			return err
		}
		if r.proc, err = load.Load(path, r.loading); err != nil {
			return err
		}
	}
	if r.bound == nil {
		r.bound, err = bind.Bind(r.proc, bind.Options{})
	}
	return err
}

// survey is where everything would go, and what would be relocated, if engine own
// could start the program.
func (r *Prepared) survey() (*own.Result, error) {
	if r.Linked != nil {
		return r.Linked, nil
	}
	if r.surveyed == nil && r.unsurveyed == nil {
		r.surveyed, r.unsurveyed = own.Survey(r.proc, r.bound, own.Options{})
	}
	return r.surveyed, r.unsurveyed
}

// pathOf is how an object is called here.
func (r *Prepared) pathOf(o *load.Object) string {
	if o == r.proc.Program() && r.Source.Path == "" {
		return r.Source.Name
	}
	return o.Path
}

func (r *Prepared) traceLoad(w io.Writer) {
	for _, o := range r.proc.Objects {
		fmt.Fprintf(w, "load %s: %s", r.pathOf(o), o.Found.Rule)
		if o.Found.Dir != "" {
			fmt.Fprintf(w, " %s", o.Found.Dir)
		}
		if of := o.Found.Of; of != nil && of != o.Loader {
			fmt.Fprintf(w, " of %s", r.pathOf(of))
		}
		if o.Found.HWCaps != "" {
			fmt.Fprintf(w, ", sub-directory %s", o.Found.HWCaps)
		}
		if o.Loader != nil {
			fmt.Fprintf(w, ", for %s", r.pathOf(o.Loader))
		}
		fmt.Fprintln(w)
	}
	for _, o := range r.proc.Objects {
		for i := range o.Needs {
			r.traceNeed(w, o, &o.Needs[i])
		}
	}
	for _, n := range r.proc.Notes {
		fmt.Fprintf(w, "note %s\n", n)
	}
}

// traceNeed tells of places that were looked at in vain.
func (r *Prepared) traceNeed(w io.Writer, o *load.Object, n *load.Need) {
	if n.To == nil {
		fmt.Fprintf(w, "missing %s, for %s", n.Name, r.pathOf(o))
		if n.Err != nil {
			fmt.Fprintf(w, ": %v", n.Err)
		}
		fmt.Fprintln(w)
	}
	for _, t := range n.Tried {
		if n.To == nil || t.Why != "no such file" {
			fmt.Fprintf(w, "not %s, for %s: %s (%s)\n", t.Path, n.Name, t.Why, t.Rule)
		}
	}
}

func (r *Prepared) traceReloc(w io.Writer) {
	s, err := r.survey()
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			fmt.Fprintf(w, "reloc refused: %s\n", line)
		}
		return
	}
	counts := slices.Clone(s.Relocs.Counts)
	slices.SortStableFunc(counts, func(a, b reloc.Count) int { return a.Object - b.Object })
	for _, c := range counts {
		fmt.Fprintf(w, "reloc %s: %d %s\n", r.pathOf(r.proc.Objects[c.Object]), c.N, c.Name)
	}
	for _, c := range s.Relocs.Copies {
		o := r.proc.Objects[c.Object]
		fmt.Fprintf(w, "copy %d bytes of %s from %s to %s\n", c.Size, o.Symbols.Name(o.Symbols.At(int(c.Symbol))), r.pathOf(r.proc.Objects[c.From]), r.pathOf(o))
	}
	if n := len(s.Relocs.Resolve); n > 0 {
		fmt.Fprintf(w, "resolve %d words by functions, in the new process\n", n)
	}
}

// traceInit tells in which order constructors are called, and of what each object
// needs.
func (r *Prepared) traceInit(w io.Writer) {
	for _, o := range r.proc.InitOrder() {
		var after []string
		for _, n := range o.Needs {
			if n.To != nil && n.To != o && !slices.Contains(after, r.pathOf(n.To)) {
				after = append(after, r.pathOf(n.To))
			}
		}
		fmt.Fprintf(w, "init %s", r.pathOf(o))
		if len(after) > 0 {
			fmt.Fprintf(w, ", which needs %s", strings.Join(after, ", "))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "init %s, by its own code\n", r.pathOf(r.proc.Program()))
}

// CheckTrace refuses a subject that there is not.
func CheckTrace(subjects []string) error {
	for _, s := range subjects {
		if s != "all" && !slices.Contains(Traces, s) {
			return fmt.Errorf("%q: want %s or all", s, strings.Join(Traces, ", "))
		}
	}
	return nil
}
