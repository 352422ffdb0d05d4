package patch

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"

	"elfwright/elffile"
	"elfwright/phdr"
)

// write makes the new file: room first, then the bytes, then a look at what is
// there now.
func (a *applier) write() (*Result, error) {
	if a.opt.Strict && len(a.warnings) > 0 {
		return nil, a.strict()
	}
	now, grown, err := a.makeRoom()
	if err != nil {
		return nil, err
	}
	body := now.Body.Clone()
	for _, e := range a.mem.edits {
		if err := a.put(now, body, e); err != nil {
			return nil, err
		}
	}
	for _, e := range a.bare {
		if err := a.putBare(now, body, e); err != nil {
			return nil, err
		}
	}
	if err := a.prove(now, body); err != nil {
		return nil, err
	}
	return &Result{body, a.report(body, grown)}, nil
}

func (a *applier) strict() error {
	var all []error
	for _, w := range a.warnings {
		all = append(all, refusef(a.img, "", "%s (%s; a refusal because of --strict)", w.Text, w.Code))
	}
	return errors.Join(all...)
}

// makeRoom puts memory into the file that is to have bytes other than zeros, all
// of it in one step.
func (a *applier) makeRoom() (*elffile.File, *phdr.Report, error) {
	for _, e := range a.mem.edits {
		if err := a.need(e); err != nil {
			return nil, nil, err
		}
	}
	if len(a.growths) == 0 {
		return a.img, nil, nil
	}
	r, err := phdr.GrowAll(a.img, a.growths, phdr.Options{Overlay: a.opt.Overlay, PageSize: a.opt.PageSize, Force: a.opt.Force, Strict: false})
	if err != nil {
		return nil, nil, err
	}
	a.warnings = append(a.warnings, r.Report.Warnings...)
	if a.opt.Strict && len(a.warnings) > 0 {
		return nil, nil, a.strict()
	}
	now, err := elffile.ParseBody(a.img.Name, r.Body)
	return now, r.Report, err
}

// roundUp is how far beyond the last byte that is not zero the file part goes
// where the value or the symbol ends there: it is not cut in two for the sake of
// a few zeros.
const roundUp = 4096

// need notes how many bytes of a PT_LOAD an edit needs in the file.
func (a *applier) need(e *edit) error {
	used := usedUntil(e.data)
	if used == 0 {
		return nil
	}
	i, err := a.mem.load(e.addr, 1)
	if err != nil {
		return refusef(a.img, e.g.label, "%v", err)
	}
	p := &a.img.Progs[i]
	if size := uint64(e.data.Size()); size-used <= roundUp {
		used = size
	}
	want := e.addr - p.Vaddr + used
	if want <= max(p.Filesz, a.grownTo[i]) && !a.bareMemory(e.addr, used) {
		return nil
	}
	if s := e.g.sym; s != nil && !e.g.thread && e.addr >= s.value && e.via == "in place" {
		if end := s.value + s.size - p.Vaddr; end > want && end-want <= roundUp && end <= p.Memsz {
			want = end
		}
	}
	if want <= a.grownTo[i] {
		return nil
	}
	a.grow(i, want, 0)
	return nil
}

// grow asks for more bytes of a PT_LOAD in the file, and for more memory, if that
// is not 0.
func (a *applier) grow(i int, filesz, memsz uint64) {
	if filesz <= a.grownTo[i] {
		return
	}
	a.grownTo[i] = filesz
	for k := range a.growths {
		if g := &a.growths[k]; g.Index == i {
			g.Filesz, g.Memsz = filesz, max(g.Memsz, filesz)
			return
		}
	}
	a.growths = append(a.growths, phdr.Growth{Index: i, Filesz: filesz, Memsz: memsz})
}

// bareMemory says whether a section without bytes covers addresses that the file
// has bytes for.
func (a *applier) bareMemory(addr, n uint64) bool {
	secs := a.img.Sections()
	for i := range secs {
		s := &secs[i]
		if s.Type == elf.SHT_NOBITS && s.Has(elf.SHF_ALLOC) && !s.Has(elf.SHF_TLS) && addr < s.Addr+s.Size && s.Addr < addr+n {
			return true
		}
	}
	return false
}

// put writes the bytes of an edit that are in the file; what is beyond them is
// zero, and stays so.
func (a *applier) put(now *elffile.File, body *elffile.Body, e *edit) error {
	off, have, ok := now.OffsetOf(e.addr)
	n := min(uint64(e.data.Size()), have)
	if !ok {
		n = 0
	}
	if used := usedUntil(e.data); used > n {
		return fmt.Errorf("%s: %s: 0x%x bytes at 0x%x are not in the file", a.img.Name, e.g.name(), used, e.addr)
	}
	if n == 0 {
		return nil
	}
	if err := a.tables(now, off, n, e); err != nil {
		return err
	}
	return putBytes(body, e, off, int64(n))
}

// putBytes notes the old bytes and writes the new ones.
func putBytes(body *elffile.Body, e *edit, off uint64, n int64) error {
	e.off = off
	e.old = make([]byte, min(n, shownBytes))
	if got, err := body.ReadAt(e.old, int64(off)); got < len(e.old) {
		return err
	}
	body.Put(int64(off), elffile.Slice(e.data, 0, n))
	return nil
}

// tables refuses to write over the headers of the file: the result would be
// another program, or none.
func (a *applier) tables(now *elffile.File, off, n uint64, e *edit) error {
	label := "the image"
	if e.g != nil {
		label = e.g.label
	}
	over := func(from, size uint64, what string) error {
		if size > 0 && off < from+size && from < off+n {
			return refusef(a.img, label, "[0x%x, 0x%x) of the file is within the %s; phdr changes that", off, off+n, what)
		}
		return nil
	}
	return errors.Join(
		over(0, uint64(now.EhdrSize()), "ELF header"),
		over(now.Header.Phoff, uint64(len(now.Progs)*int(now.Header.Phentsize)), "program header table"),
		over(now.Header.Shoff, uint64(len(now.Sections())*int(now.Header.Shentsize)), "section header table"))
}

// putBare replaces a section that is not loaded.
func (a *applier) putBare(now *elffile.File, body *elffile.Body, e *edit) error {
	i := int(e.addr)
	if now != a.img {
		i = now.SectionByName(e.g.section)
	}
	secs := now.Sections()
	if i < 0 || i >= len(secs) || !secs[i].HasBytes() {
		return refusef(a.img, e.g.label, "the section has no bytes")
	}
	s := &secs[i]
	if size := uint64(body.Size()); s.Off > size || s.Size > size-s.Off {
		return now.SectionError(i, "sh_offset", "0x%x + sh_size 0x%x is past the end of the file (0x%x)", s.Off, s.Size, size)
	}
	n := min(uint64(e.data.Size()), s.Size)
	if n == 0 {
		return nil
	}
	if err := a.tables(now, s.Off, n, e); err != nil {
		return err
	}
	return putBytes(body, e, s.Off, int64(n))
}

// prove reads the result and looks at what is at each address.
func (a *applier) prove(was *elffile.File, body *elffile.Body) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%s: nothing is written, because the result would not be right: %s", a.img.Name, fmt.Sprintf(format, args...))
	}
	now, err := elffile.ParseBody(a.img.Name, body)
	if err != nil {
		return wrong("%v", err)
	}
	if len(now.Progs) != len(was.Progs) || len(now.Sections()) != len(was.Sections()) {
		return wrong("headers were lost")
	}
	for i := range now.Progs {
		if now.Progs[i] != was.Progs[i] {
			return wrong("program header %d has changed", i)
		}
	}
	want := &memory{f: now, edits: a.mem.edits}
	is := &memory{f: now}
	buf := make([]byte, pieces)
	for _, e := range a.mem.edits {
		for at := uint64(0); at < uint64(e.data.Size()); at += pieces {
			n := min(uint64(e.data.Size())-at, pieces)
			if e.g != nil && e.g.thread && e.via == "in place" {
				if _, have, ok := now.OffsetOf(e.addr + at); !ok || have < n {
					return wrong("0x%x is not in the file", e.addr)
				}
			}
			w, err := want.read(e.addr+at, n)
			if err == nil {
				err = is.readAt(buf[:n], e.addr+at)
			}
			if err != nil {
				return wrong("%v", err)
			}
			if !bytes.Equal(w, buf[:n]) {
				return wrong("other bytes at 0x%x", e.addr+at)
			}
		}
	}
	return nil
}
