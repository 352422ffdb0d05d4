package sdf

import (
	"encoding/hex"
	"fmt"
	"io"
	"text/tabwriter"

	"elfwright/image"
	"elfwright/phdr"
	"elfwright/reset"
	"elfwright/sdf/desc"
)

// PlanVersion is the version of the plan's JSON form. Fields may be added to a
// version; none changes its meaning.
const PlanVersion = 1

// Plan is every address of a system.
type Plan struct {
	Version int        `json:"version"`
	File    string     `json:"file"`
	Board   desc.Board `json:"board"`
	Domains []Domain   `json:"protection_domains"`
	Monitor *Monitor   `json:"monitor,omitempty"`
	Loader  *Monitor   `json:"loader,omitempty"`
	// InitialTask is the program that makes the system when the kernel has started.
	InitialTask *Monitor `json:"initial_task,omitempty"`
	Description string   `json:"description"` // the file that names the outputs
	Regions     []Region `json:"memory_regions"`
}

// Space is the half-open range of addresses [Start, End).
type Space struct {
	Start phdr.Hex `json:"start"`
	End   phdr.Hex `json:"end"`
}

func (s Space) String() string { return fmt.Sprintf("[0x%x, 0x%x)", s.Start, s.End) }

func space(r image.Range) Space { return Space{phdr.Hex(r.Start), phdr.Hex(r.End())} }

// Domain is what a protection domain has.
type Domain struct {
	Name          string     `json:"name"`
	Parent        string     `json:"parent,omitempty"`
	Image         string     `json:"image"` // as the description names it
	Symbols       string     `json:"symbols,omitempty"`
	Output        string     `json:"output"`
	SymbolsOutput string     `json:"symbols_output,omitempty"`
	Entry         phdr.Hex   `json:"entry"`
	Stack         Space      `json:"stack"` // the stack pointer starts at its end
	Guard         Space      `json:"guard"`
	IPCBuffer     Space      `json:"ipc_buffer"`
	Segments      []Segment  `json:"segments"` // whole pages
	Maps          []Mapping  `json:"maps"`
	VM            *Machine   `json:"virtual_machine,omitempty"`
	Variables     []Variable `json:"variables"`

	Reset *reset.Report `json:"reset,omitempty"` // of an image that was made resettable
}

// Segment is pages of an image.
type Segment struct {
	Space
	Rights string `json:"rights"`
}

// Mapping is a region in an address space.
type Mapping struct {
	Space
	Region string `json:"region"`
	Rights string `json:"rights"`
	Cached bool   `json:"cached"`
}

// Machine is a virtual machine's address space.
type Machine struct {
	Name string    `json:"name"`
	Maps []Mapping `json:"maps"`
}

// Variable is a symbol that got a value.
type Variable struct {
	Symbol  string   `json:"symbol"`
	Kind    string   `json:"kind"`
	Address phdr.Hex `json:"address"`
	Size    int      `json:"size"`
	Bytes   string   `json:"bytes"` // hexadecimal, in the order of the memory
}

// Monitor is an image of Microkit's own: the monitor, the loader, the initial task.
type Monitor struct {
	Image     string     `json:"image"`
	Output    string     `json:"output"`
	Variables []Variable `json:"variables"`
}

// Region is memory.
type Region struct {
	Name     string    `json:"name"`
	Size     phdr.Hex  `json:"size"`
	PageSize phdr.Hex  `json:"page_size"`
	Physical *phdr.Hex `json:"physical,omitempty"` // absent: anywhere
	Chosen   bool      `json:"chosen"`             // Physical is not the description's
	Prefill  string    `json:"prefill,omitempty"`
	Filled   phdr.Hex  `json:"prefill_size,omitempty"`
	BootInfo string    `json:"prefill_bootinfo,omitempty"`
}

func (v *variable) plan(addr uint64) Variable {
	return Variable{v.symbol, v.kind, phdr.Hex(addr), len(v.data), hex.EncodeToString(v.data)}
}

// plan tells all that the description and the board fix.
func (a *applier) plan() *Plan {
	s := a.sys
	p := &Plan{Version: PlanVersion, File: s.Source.Name, Board: s.Board, Regions: []Region{}}
	b := &s.Board
	for _, d := range s.PDs {
		x := Domain{Name: d.Name, Image: d.Path, Symbols: d.SymbolsPath, Segments: []Segment{}, Maps: mappings(d.Maps), Variables: []Variable{}}
		x.Stack = Space{phdr.Hex(b.StackBottom(d.StackSize)), phdr.Hex(b.StackTop())}
		x.Guard = Space{phdr.Hex(b.StackTop()), phdr.Hex(b.IPCBuffer())}
		x.IPCBuffer = Space{phdr.Hex(b.IPCBuffer()), phdr.Hex(b.IPCBuffer() + page)}
		if d.Parent != nil {
			x.Parent = d.Parent.Name
		}
		if d.VM != nil {
			x.VM = &Machine{d.VM.Name, mappings(d.VM.Maps)}
		}
		p.Domains = append(p.Domains, x)
	}
	for _, r := range s.Regions {
		x := Region{Name: r.Name, Size: phdr.Hex(r.Size), PageSize: phdr.Hex(r.PageSize), Prefill: r.Prefill, Filled: phdr.Hex(r.Filled), BootInfo: r.BootInfo}
		if at, ok := a.paddr[r]; ok {
			h := phdr.Hex(at)
			x.Physical, x.Chosen = &h, !r.Fixed
		}
		p.Regions = append(p.Regions, x)
	}
	return p
}

func mappings(list []*desc.Map) []Mapping {
	out := []Mapping{}
	for _, m := range list {
		out = append(out, Mapping{space(image.Range{Start: image.Addr(m.Addr), Size: m.Region.Size}), m.Name, m.Perms.String(), m.Cached})
	}
	return out
}

// WriteText prints the plan for people.
func (p *Plan) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for i := range p.Domains {
		p.Domains[i].text(t)
	}
	for _, x := range []struct {
		name string
		of   *Monitor
	}{{"monitor", p.Monitor}, {"loader", p.Loader}, {"initial task", p.InitialTask}} {
		if x.of != nil {
			fmt.Fprintf(t, "%s: %s -> %s\n", x.name, x.of.Image, x.of.Output)
			variables(t, x.of.Variables)
		}
	}
	for _, r := range p.Regions {
		at := "anywhere"
		if r.Physical != nil {
			at = fmt.Sprintf("at 0x%x", *r.Physical)
		}
		if r.Chosen {
			at += ", chosen"
		}
		fmt.Fprintf(t, "memory_region %s: 0x%x bytes in pages of 0x%x, %s\n", r.Name, r.Size, r.PageSize, at)
	}
	return t.Flush()
}

func (d *Domain) text(w io.Writer) {
	fmt.Fprintf(w, "protection_domain %s: %s -> %s, entry 0x%x\n", d.Name, d.Image, d.Output, d.Entry)
	for _, s := range d.Segments {
		fmt.Fprintf(w, "  segment\t%v\t%s\n", s.Space, s.Rights)
	}
	for _, m := range d.Maps {
		fmt.Fprintf(w, "  map\t%v\t%s\t%s\n", m.Space, m.Rights, m.Region)
	}
	fmt.Fprintf(w, "  stack\t%v\trw\n  guard\t%v\t\n  IPC buffer\t%v\trw\n", d.Stack, d.Guard, d.IPCBuffer)
	variables(w, d.Variables)
	d.reset(w)
}

// reset tells what a reset restores, and what it does not.
func (d *Domain) reset(w io.Writer) {
	r := d.Reset
	if r == nil {
		return
	}
	fmt.Fprintf(w, "  resettable, %s: 0x%x goes on at 0x%x, 0x%x bytes of memory more\n", r.Shape, r.Entry, r.Program, r.Memory)
	for _, k := range r.Kept {
		fmt.Fprintf(w, "  left as it is\t[0x%x, 0x%x)\t%s\n", k.Addr, uint64(k.Addr)+k.Size, k.Why)
	}
}

func variables(w io.Writer, list []Variable) {
	for _, v := range list {
		b := v.Bytes
		if len(b) > 32 {
			b = b[:32] + "…"
		}
		fmt.Fprintf(w, "  %s\t0x%x\t%s\t%s\n", v.Symbol, v.Address, v.Kind, b)
	}
}
