package plan

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/image"
)

// Options are what a plan depends on besides the image.
type Options struct {
	// PageSize is the size of a page; 0: 4096.
	PageSize uint64
	// Base is where the first PT_LOAD of an ET_DYN image lands, rounded down to a
	// page; 0 leaves every address as it is in the file. ET_EXEC ignores it.
	Base image.Addr
}

// Plan is what a loader would make of an image.
type Plan struct {
	Space             // the mappings: later headers have replaced earlier ones
	Bias   image.Addr // added to every address of the file (modulo 2^64)
	Brk    image.Addr // where the heap would start, before randomisation
	Entry  image.Addr
	Interp string // path of the interpreter, or ""

	// Phdr is AT_PHDR as kernels since 5.18 compute it: the address of e_phoff in
	// the PT_LOAD whose file bytes have it, or the bias if none has. PhdrOld is
	// what kernels before that, gVisor and qemu-user compute: e_phoff from the
	// start of the first PT_LOAD's file.
	Phdr, PhdrOld image.Addr

	file elffile.Data
}

// maxTable is the size of the largest program header table (load_elf_phdrs,
// since 6.17; a page before).
const maxTable = 65536

// Error is a reason for which Linux would not start the image: execve fails, or
// the process is killed after the point of no return.
type Error struct {
	Index int // of the program header, or -1
	Errno string
	Msg   string
}

// Error prints "program header 2: EINVAL: …".
func (e *Error) Error() string {
	if e.Index < 0 {
		return e.Errno + ": " + e.Msg
	}
	return fmt.Sprintf("program header %d: %s: %s", e.Index, e.Errno, e.Msg)
}

// Map computes the mappings that Linux would make of an image. The error is an
// [*Error]; the plan up to the refused header is returned with it.
func Map(img *image.Image, opt Options) (*Plan, error) {
	if opt.PageSize == 0 {
		opt.PageSize = 4096
	}
	if opt.PageSize&(opt.PageSize-1) != 0 {
		return nil, fmt.Errorf("plan: page size 0x%x is not a power of two", opt.PageSize)
	}
	if n := len(img.Segments) + len(img.Headers); n*img.PhdrSize() > maxTable {
		return nil, &Error{-1, "ENOEXEC", fmt.Sprintf("%d program headers of %d bytes are more than 0x%x bytes", n, img.PhdrSize(), maxTable)}
	}
	p := &Plan{file: img.Body}
	if img.Type == elf.ET_DYN && opt.Base != 0 && len(img.Segments) > 0 {
		// The first PT_LOAD in the table lands at the base, whatever its p_vaddr.
		p.Bias = opt.Base.Down(opt.PageSize) - img.Segments[0].Vaddr.Down(opt.PageSize)
	}
	if h := img.Header(elf.PT_INTERP); h != nil {
		path, err := elffile.Bytes(h.Data)
		if err != nil {
			return p, &Error{h.Index, "EIO", err.Error()}
		}
		s, _ := elffile.CString(path, 0)
		p.Interp = string(s)
	}
	for i := range img.Segments {
		if err := p.load(&img.Segments[i], opt.PageSize, img.MaxAddr()); err != nil {
			return p, err
		}
	}
	p.Entry = img.Entry + p.Bias
	p.placeTable(img)
	p.brk(img, opt.PageSize)
	return p, nil
}

// load maps one PT_LOAD (elf_load).
func (p *Plan) load(s *image.Segment, page, maxAddr uint64) error {
	vaddr := s.Vaddr + p.Bias
	if err := checkLoad(s, vaddr, page, maxAddr); err != nil {
		return err
	}
	fileEnd := vaddr + image.Addr(s.Filesz)
	zeroFrom := vaddr.Down(page)
	if s.Filesz > 0 {
		pages, _ := image.MakeRange(vaddr, fileEnd).Pages(page)
		m := Mapping{
			Range: pages, Prot: s.Flags & 7, Index: s.Index,
			Off:  s.Off - int64(vaddr-pages.Start),
			Rule: ruleFile,
		}
		zeroFrom = pages.End()
		// A tail that cannot be cleared because the segment is read-only is left
		// as it is (elf_load ignores padzero's error there).
		if s.Memsz > s.Filesz && s.Flags&elf.PF_W != 0 && fileEnd != zeroFrom {
			m.Zeroed = image.MakeRange(fileEnd, zeroFrom)
		}
		p.place(m)
	}
	if s.Memsz <= s.Filesz {
		return nil
	}
	pages, _ := image.MakeRange(vaddr, vaddr+image.Addr(s.Memsz)).Pages(page)
	if pages.End() > zeroFrom {
		// Writable whatever p_flags says, executable if PF_X.
		p.place(Mapping{
			Range: image.MakeRange(zeroFrom, pages.End()), Off: Anonymous, Index: s.Index,
			Prot: elf.PF_R | elf.PF_W | s.Flags&elf.PF_X,
			Rule: ruleZero,
		})
	}
	return nil
}

// checkLoad is what elf_load and its caller refuse.
func checkLoad(s *image.Segment, vaddr image.Addr, page, maxAddr uint64) error {
	end := uint64(vaddr) + s.Memsz
	switch {
	case s.Filesz > s.Memsz:
		return &Error{s.Index, "EINVAL", fmt.Sprintf("p_filesz 0x%x is more than p_memsz 0x%x", s.Filesz, s.Memsz)}
	case end < uint64(vaddr) || end > maxAddr:
		return &Error{s.Index, "EINVAL", fmt.Sprintf("p_vaddr %v + p_memsz 0x%x is beyond the address space", s.Vaddr, s.Memsz)}
	case s.Filesz > 0 && s.Off < 0:
		return &Error{s.Index, "EINVAL", fmt.Sprintf("p_offset 0x%x is beyond what a file can have", uint64(s.Off))}
	case s.Filesz > 0 && (uint64(s.Vaddr)-uint64(s.Off))%page != 0:
		return &Error{s.Index, "EINVAL", fmt.Sprintf("p_vaddr %v and p_offset 0x%x differ modulo the page size 0x%x", s.Vaddr, s.Off, page)}
	}
	return nil
}

// placeTable computes AT_PHDR, the new way and the old way.
func (p *Plan) placeTable(img *image.Image) {
	p.Phdr = p.Bias
	for i := range img.Segments {
		s := &img.Segments[i]
		if s.Off >= 0 && img.Table >= uint64(s.Off) && img.Table-uint64(s.Off) < s.Filesz {
			p.Phdr = p.Bias + s.Vaddr + image.Addr(img.Table-uint64(s.Off))
			break
		}
	}
	if len(img.Segments) > 0 {
		s := &img.Segments[0]
		p.PhdrOld = p.Bias + s.Vaddr - image.Addr(s.Off) + image.Addr(img.Table)
	}
}

// brk computes where the heap starts: after the highest PT_LOAD.
func (p *Plan) brk(img *image.Image, page uint64) {
	var end image.Addr
	for i := range img.Segments {
		s := &img.Segments[i]
		end = max(end, p.Bias+s.Vaddr+image.Addr(s.Memsz))
	}
	if up, ok := end.Up(page); ok {
		p.Brk = up
	}
}
