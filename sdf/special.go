package sdf

import (
	"debug/elf"
	"encoding/binary"
	"fmt"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/sdf/desc"
	"elfwright/sdf/paging"
)

// special makes an image that is no protection domain's: the monitor, the loader,
// the initial task.
func (a *applier) special(what, path, output string, to **Monitor, vars func(f *elffile.File) ([]variable, error)) {
	if path == "" {
		return
	}
	where := a.sys.PDs[0].Pos()
	both, err := a.open(path, "")
	if err == nil {
		err = both.guard(func() error {
			list, err := vars(both.img)
			if err != nil {
				return err
			}
			for i := range list {
				list[i].kind, list[i].pos = what, where
			}
			body, plan, err := a.patch(both, list)
			if body != nil {
				*to = &Monitor{Image: both.img.Name, Output: output, Variables: plan}
				a.out.Outputs = append(a.out.Outputs, Output{output, body, both.img.Mode()})
			}
			return err
		})
	}
	if err != nil {
		a.fault(where, "image", "%s: %v", what, err)
	}
}

// specials makes all of them that were asked for.
func (a *applier) specials() {
	p := a.out.Plan
	a.special("monitor", a.opt.Monitor, "monitor.elf", &p.Monitor, func(*elffile.File) ([]variable, error) { return monitorVars(a.sys), nil })
	a.special("loader", a.opt.Loader, "loader.elf", &p.Loader, a.loaderVars)
	a.special("initial task", a.opt.InitialTask, "initial_task.elf", &p.InitialTask, taskVars)
}

// names makes variables that are only looked up.
func names(list ...string) (vars []variable) {
	for _, n := range list {
		vars = append(vars, variable{symbol: n})
	}
	return vars
}

// loaderVars are the page tables that Microkit's loader starts the kernel with.
func (a *applier) loaderVars(f *elffile.File) ([]variable, error) {
	build, tables, bounds := paging.AArch64, paging.AArch64Names, []string{"_loader_start", "_loader_end"}
	switch a.sys.Board.Arch {
	case desc.AArch64:
	case desc.RISCV64:
		build, tables, bounds = paging.RISCV64, paging.RISCV64Names, []string{"_text"}
	default:
		return nil, fmt.Errorf("%s: on %s the kernel is started without Microkit's loader", f.Name, a.sys.Board.Arch)
	}
	kernel, err := a.kernel()
	if err != nil {
		return nil, err
	}
	got, nearest, err := lookUp(f, names(append(append([]string{"uart_addr", "cpus_release_addr"}, bounds...), tables...)...))
	if err != nil {
		return nil, err
	}
	l := paging.Loader{Tables: map[string]uint64{}}
	for _, n := range append(bounds, tables...) {
		if got[n].count != 1 {
			return nil, fmt.Errorf("%s has %d symbols %s, and Microkit's loader has one%s", f.Name, got[n].count, n, meant(nearest[n]))
		}
		l.Tables[n] = got[n].sym.Value
	}
	l.Start, l.End = l.Tables[bounds[0]], l.Tables[bounds[len(bounds)-1]]
	l.Low = got["cpus_release_addr"].count > 0
	if x := got["uart_addr"]; x.count == 1 {
		b, err := f.BytesAt(x.sym.Value, 8)
		if err != nil {
			return nil, fmt.Errorf("%s: uart_addr: %w", f.Name, err)
		}
		at := binary.LittleEndian.Uint64(b)
		l.UART = &at
	}
	list, err := build(l, kernel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	var vars []variable
	for _, t := range list {
		vars = append(vars, variable{symbol: t.Name, data: t.Bytes, exact: true})
	}
	return vars, nil
}

// kernel reads where the kernel starts, which Microkit's tool takes from its
// segments; their distance from where they are loaded must be one.
func (a *applier) kernel() (k paging.Kernel, err error) {
	if a.opt.Kernel == "" {
		return k, fmt.Errorf("the loader's page tables map the kernel, and no kernel was given")
	}
	f, err := openImage(a.opt.Kernel, a.opt.Search, a.sys.Board.Arch)
	if err != nil {
		return k, err
	}
	defer f.Close()
	err = f.Guard(func() error {
		k, err = kernelAt(f)
		return err
	})
	return k, err
}

func kernelAt(f *elffile.File) (k paging.Kernel, err error) {
	img := image.FromFile(f)
	for i := range img.Segments {
		s := &img.Segments[i]
		if i > 0 && s.Vaddr-s.Paddr != img.Segments[0].Vaddr-img.Segments[0].Paddr {
			return k, fmt.Errorf("%s: program header %d, p_paddr %v is not as far from p_vaddr %v as in the first segment", f.Name, s.Index, s.Paddr, s.Vaddr)
		}
		if i == 0 || uint64(s.Vaddr) < k.Virt {
			k = paging.Kernel{Virt: uint64(s.Vaddr), Phys: uint64(s.Paddr)}
		}
	}
	if len(img.Segments) == 0 {
		return k, fmt.Errorf("%s: it has no PT_LOAD, and is no kernel", f.Name)
	}
	return k, nil
}

// taskVars tell the initial task where its program headers are mapped, with which
// a Rust program finds what Microkit's tool added.
func taskVars(f *elffile.File) ([]variable, error) {
	h := &f.Header
	size := uint64(len(f.Progs)) * uint64(h.Phentsize)
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type == elf.PT_LOAD && h.Phoff >= p.Off && size <= p.Filesz && h.Phoff-p.Off <= p.Filesz-size {
			at := p.Vaddr + (h.Phoff - p.Off)
			return []variable{
				{symbol: "sel4_phdrs_patched__vaddr", data: word(at), exact: true},
				{symbol: "sel4_phdrs_patched__phnum", data: binary.LittleEndian.AppendUint16(nil, h.Phnum), exact: true},
			}, nil
		}
	}
	return nil, f.HeaderError("e_phoff", "the table at 0x%x is in no PT_LOAD, and the initial task cannot read it", h.Phoff)
}
