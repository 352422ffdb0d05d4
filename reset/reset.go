package reset

import (
	"debug/elf"
	"errors"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/phdr"
	"elfwright/reset/table"
)

// Apply makes a program resettable. The file is not changed. The error is one with
// a method No where it is the file that does not allow it.
func Apply(f *elffile.File, opt Options) (*Result, error) {
	n, err := begin(f, opt)
	if err != nil {
		return nil, err
	}
	blob, err := n.build()
	if err != nil {
		return nil, err
	}
	if err := n.dropRelro(); err != nil {
		return nil, err
	}
	if err := n.add(blob); err != nil {
		return nil, err
	}
	if err := n.fill(); err != nil {
		return nil, err
	}
	if n.opt.Shape == Deflate {
		n.deflate()
	}
	n.addSymbols()
	return n.finish()
}

// begin checks the file and what was asked for.
func begin(f *elffile.File, opt Options) (*install, error) {
	switch opt.Shape {
	case "":
		opt.Shape = Keep
	case Keep, Deflate:
	default:
		return nil, fmt.Errorf("shape %q is not one of %s, %s", opt.Shape, Keep, Deflate)
	}
	if limit := table.MaxRows / 2; opt.Spare < 0 || opt.Spare > limit {
		return nil, fmt.Errorf("%d spare rows are not between 0 and %d", opt.Spare, limit)
	}
	m, code, err := refuse(f)
	if err != nil {
		return nil, err
	}
	if err := f.CheckProgs(); err != nil {
		return nil, err
	}
	kept, err := persistent(f, opt)
	if err != nil {
		return nil, err
	}
	mem, err := readMemory(f, kept)
	if err != nil {
		return nil, err
	}
	zero, err := zeroed(f, opt)
	if err != nil {
		return nil, err
	}
	n := &install{f: f, now: f, zero: zero, m: m, opt: opt, mem: mem, code: code, t: &table.Table{}, warnings: []phdr.Warning{}}
	if opt.Shape == Deflate {
		n.t.Flags |= table.Deflated
		if err := n.mayDeflate(); err != nil {
			return nil, err
		}
	}
	if mem.code {
		n.t.Flags |= table.Code
	}
	if n.os, n.osWhy, err = system(f, opt.OS); err != nil {
		return nil, err
	}
	if n.os == Linux {
		n.t.Flags |= table.Linux
		if opt.Shape == Keep && n.osWhy != byStack { // it starts no program elsewhere than at e_entry
			n.t.Flags |= table.Fresh
		}
	}
	if opt.HookEntry {
		if err := n.planHook(); err != nil {
			return nil, err
		}
	}
	return n, n.warn()
}

// dropRelro takes PT_GNU_RELRO away: the program would make memory read-only that
// is to be restored.
func (n *install) dropRelro() error {
	var at []int
	for i := range n.f.Progs {
		if n.f.Progs[i].Type == elf.PT_GNU_RELRO {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return nil
	}
	opt := n.opt.Phdr
	opt.Force = true // programs need it for nothing but protection
	r, err := phdr.Remove(n.f, at, opt)
	if err != nil {
		return err
	}
	n.warning("relro", "PT_GNU_RELRO is gone: what the program would protect after its relocation stays writable, or the next reset would fail")
	n.now, err = elffile.ParseBody(n.f.Name, r.Body)
	return err
}

func (n *install) warning(code, format string, args ...any) {
	n.warnings = append(n.warnings, phdr.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
}

// finish encodes the result and proves it.
func (n *install) finish() (*Result, error) {
	body := n.now.Encode()
	wrong := func(err error) error {
		return fmt.Errorf("%s: nothing is written, because the result would not be right: %w", n.f.Name, err)
	}
	now, err := elffile.ParseBody(n.f.Name, body)
	if err != nil {
		return nil, wrong(err)
	}
	saveHeaders(now, n.t)
	was := *n.added // what phdr.Add has changed in memory, it has proved
	was.Name, was.Header.Entry = n.f.Name, n.f.Header.Entry
	was.Progs = slices.DeleteFunc(slices.Clone(was.Progs), func(p elffile.Prog) bool { return p.Vaddr == n.t.Slot })
	check, err := Verify(now, &was)
	if err != nil {
		return nil, wrong(err)
	}
	if err := errors.Join(now.CheckProgs(), n.sameRest(now), n.sameBootHeader(now), outside(now, n.zero)); err != nil {
		return nil, wrong(err)
	}
	check.Against = n.f.Name
	r := n.describe(n.f.Body.Size(), body.Size())
	r.Check = check
	return &Result{body, r}, nil
}

// sameRest checks that the memory that programs do not write to is what phdr.Add,
// which proves its own work, has left; the headers of the file have changed.
func (n *install) sameRest(now *elffile.File) error {
	for i := range n.added.Progs {
		p := &n.added.Progs[i]
		if p.Type != elf.PT_LOAD || p.Memsz == 0 || n.deflated(p) || p.Vaddr == n.loadOf(n.t.Addr) {
			continue
		}
		r := image.Range{Start: image.Addr(p.Vaddr), Size: p.Memsz}
		k := loadWith(now, p.Vaddr)
		if k < 0 || now.Progs[k].Flags != p.Flags || now.Progs[k].Vaddr != p.Vaddr || now.Progs[k].Memsz != p.Memsz || now.Progs[k].Paddr != p.Paddr {
			return fmt.Errorf("%s: the memory of program header %d at 0x%x is not there", n.f.Name, i, p.Vaddr)
		}
		var changed error
		err := elffile.Diff(initial(n.added, r), initial(now, r), func(from, to int64) bool {
			if !n.mayChange(p, uint64(from)) || !n.mayChange(p, uint64(to)-1) {
				changed = fmt.Errorf("%s: memory at 0x%x has changed", n.f.Name, p.Vaddr+uint64(from))
			}
			return changed == nil
		})
		if err := errors.Join(err, changed); err != nil {
			return err
		}
	}
	return nil
}

// loadOf is the address of the PT_LOAD that has an address.
func (n *install) loadOf(addr uint64) uint64 { return n.added.Progs[loadWith(n.added, addr)].Vaddr }

// mayChange says whether a byte of a segment is the hook's, or in the ELF header or
// the program header table.
func (n *install) mayChange(p *elffile.Prog, at uint64) bool {
	if k := n.hook; k != nil && p.Vaddr+at >= k.at && p.Vaddr+at-k.at < k.size {
		return true
	}
	h, off := &n.added.Header, p.Off+at
	return off < uint64(n.f.EhdrSize()) || off >= h.Phoff && off < h.Phoff+uint64(len(n.added.Progs)*n.f.PhdrSize())
}
