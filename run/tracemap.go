package run

import (
	"debug/elf"
	"fmt"
	"io"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/machine"
	"elfwright/machine/all"
	"elfwright/plan"
)

// traceMap tells what will be where.
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
		r.traceRest(w)
		r.traceServed(w)
		return nil
	case r.Kept != "" && r.Linked == nil:
		f, err := elffile.Open(r.Kept)
		if err != nil {
			return err
		}
		defer f.Close()
		r.traceFile(w, f, r.Kept)
		return nil
	}
	s, err := r.survey()
	if err != nil {
		return nil // reloc says why
	}
	for _, m := range s.Maps {
		from := r.pathOf(r.proc.Objects[m.Object])
		if m.Image && r.Linked != nil {
			from += ", in the image"
		}
		fmt.Fprintf(w, "map %v %s 0x%x %s\n", m.Range, plan.Prot(m.Flags), m.FileOff, from)
	}
	if r.NoLinks != nil && r.Linked != nil {
		fmt.Fprintf(w, "serve no links to the C library: %v\n", r.NoLinks)
	}
	return nil
}

// traceFile tells of the segments that the kernel maps of an executable.
func (r *Prepared) traceFile(w io.Writer, f *elffile.File, name string) {
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD {
			fmt.Fprintf(w, "map [0x%x, 0x%x) %s 0x%x %s\n", p.Vaddr, p.Vaddr+p.Memsz, plan.Prot(p.Flags), p.Off, name)
		}
	}
}

// traceRest tells of the libraries that the dynamic linker will map, where the
// kernel likes it.
func (r *Prepared) traceRest(w io.Writer) {
	for _, o := range r.proc.Objects {
		if o == r.proc.Program() || o == r.proc.Ld {
			continue
		}
		for i := range o.Progs {
			if p := &o.Progs[i]; p.Type == elf.PT_LOAD {
				fmt.Fprintf(w, "map anywhere + [0x%x, 0x%x) %s 0x%x %s\n", p.Vaddr, p.Vaddr+p.Memsz, plan.Prot(p.Flags), p.Off, r.pathOf(o))
			}
		}
	}
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

// look loads the program on paper where no engine starts it, and says why none does.
func (r *Prepared) look(why error) error {
	path, err := r.path()
	if err != nil {
		return err
	}
	proc, err := load.Load(path, r.loading)
	if err != nil {
		return err
	}
	if r.proc != nil {
		r.proc.Close()
	}
	r.proc, r.bound = proc, nil
	r.Engine, r.Why = None, why.Error()
	return nil
}
