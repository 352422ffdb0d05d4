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
	"elfwright/machine"
	"elfwright/machine/all"
	"elfwright/plan"
)

// Traces are what can be told of a start.
var Traces = []string{"load", "map", "reloc", "bind", "init"}

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
		fmt.Fprintf(w, "engine own: %s was kept at an earlier start\n", r.Kept)
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
	if s == "map" {
		return r.traceMap(w)
	}
	if r.Body == nil && r.Kept == "" || r.Source.Path == "" {
		return nil
	}
	if err := r.process(); err != nil {
		return err
	}
	switch s {
	case "load":
		r.traceLoad(w)
	case "reloc":
		r.traceReloc(w)
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
		if r.proc, err = load.Load(r.Source.Path, r.loading); err != nil {
			return err
		}
	}
	if r.bound == nil {
		r.bound, err = bind.Bind(r.proc, bind.Options{})
	}
	return err
}

func (r *Prepared) traceMap(w io.Writer) error {
	switch {
	case r.Image != nil:
		for _, p := range r.Image.Parts {
			of := p.Of
			if of == "" {
				of = "of elfwright"
			}
			fmt.Fprintf(w, "map [0x%x, 0x%x) %s 0x%x %s\n", p.Prog.Vaddr, p.Prog.Vaddr+p.Prog.Memsz, plan.Prot(p.Prog.Flags), p.Prog.Off, of)
		}
		r.traceServed(w)
	case r.Linked != nil:
		for _, m := range r.Linked.Maps {
			fmt.Fprintf(w, "map %v %s 0x%x %s\n", m.Range, plan.Prot(m.Flags), m.FileOff, r.proc.Objects[m.Object].Path)
		}
	}
	return nil
}

// traceServed tells which system calls of the dynamic linker are answered here.
func (r *Prepared) traceServed(w io.Writer) {
	if r.Image.Served == nil {
		fmt.Fprintf(w, "serve nothing: %v\n", r.Image.Why)
		return
	}
	for _, s := range r.Image.Served.List {
		call := "that is known when it is made"
		if s.Number >= 0 {
			call = r.linux().CallName(uint32(s.Number))
		}
		fmt.Fprintf(w, "serve system call %s at 0x%x of %s\n", call, s.Next, r.Ld.Name)
	}
	if r.NoLinks != nil {
		fmt.Fprintf(w, "serve no links to the C library: %v\n", r.NoLinks)
	}
}

func (r *Prepared) linux() *machine.Linux {
	return all.Lookup(r.File.Header.Machine, r.File.Class).Linux
}

func (r *Prepared) traceLoad(w io.Writer) {
	for _, o := range r.proc.Objects {
		fmt.Fprintf(w, "load %s: %s", o.Path, rules[o.Found.Rule])
		if o.Found.Dir != "" {
			fmt.Fprintf(w, " %s", o.Found.Dir)
		}
		if o.Loader != nil {
			fmt.Fprintf(w, ", for %s", o.Loader.Path)
		}
		fmt.Fprintln(w)
	}
	for _, o := range r.proc.Objects {
		for _, n := range o.Needs {
			if n.To != nil {
				continue
			}
			fmt.Fprintf(w, "missing %s, for %s; tried", n.Name, o.Path)
			for _, t := range n.Tried {
				fmt.Fprintf(w, " %s", t.Path)
			}
			fmt.Fprintln(w)
		}
	}
}

var rules = map[load.Rule]string{
	load.RuleProgram: "the program", load.RulePath: "a path", load.RuleLoaded: "already loaded", load.RuleInterp: "the interpreter",
	load.RuleRpath: "RPATH", load.RuleLibraryPath: "library path", load.RuleRunpath: "RUNPATH", load.RuleCache: "ld.so.cache",
	load.RuleDefault: "system directory", load.RuleMuslPath: "path of musl", load.RuleConf: "ld.so.conf",
}

func (r *Prepared) traceReloc(w io.Writer) {
	for _, o := range r.proc.Objects {
		counts := make(map[uint32]int)
		for _, t := range o.Relocs {
			for rel := range t.All() {
				counts[rel.Type]++
			}
		}
		types := make([]uint32, 0, len(counts))
		for t := range counts {
			types = append(types, t)
		}
		slices.Sort(types)
		for _, t := range types {
			name := fmt.Sprint(t)
			if o.Machine != nil {
				name = o.Machine.Relocs.Name(t)
			}
			fmt.Fprintf(w, "reloc %s: %d %s\n", o.Path, counts[t], name)
		}
	}
}

var bindRules = map[bind.Rule]string{
	bind.Local: ", itself", bind.Symbolic: ", DT_SYMBOLIC", bind.Protected: ", protected", bind.Unique: ", unique",
	bind.WeakZero: "nothing: weak", bind.Undefined: "nothing",
}

func (r *Prepared) traceBind(w io.Writer) {
	for _, b := range r.bound.Bindings {
		from := r.proc.Objects[b.From]
		name := ""
		if t := from.Symbols; t != nil && int(b.Symbol) < t.Len() {
			name = string(t.Name(t.At(int(b.Symbol))))
		}
		to := ""
		if b.To >= 0 {
			to = r.proc.Objects[b.To].Path
		}
		lazy := ""
		if b.Lazy {
			lazy = ", at the first call"
		}
		fmt.Fprintf(w, "bind %s: %s to %s%s%s\n", from.Path, name, to, bindRules[b.Rule], lazy)
	}
}

func (r *Prepared) traceInit(w io.Writer) {
	for _, o := range r.proc.InitOrder() {
		fmt.Fprintf(w, "init %s\n", o.Path)
	}
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
