package own

import (
	"cmp"
	"debug/elf"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/run/memory"
)

// maxSegments is how many segments of objects an image has at most: Linux before
// 6.17 takes a page of program headers (load_elf_phdrs), and a few are the image's.
const maxSegments = 4096/56 - 5

// headerPage is what an image has before stage 2.
const headerPage = 0x1000

// image puts together the executable: what is written of the objects, the process's
// own state, stage 2.
func (b *builder) image() *image.Image {
	o := &b.mem.Objects[0]
	img := &image.Image{
		Name: o.Name, Format: o.Format, Type: elf.ET_EXEC, Machine: o.Header.Machine,
		Flags: o.Header.Flags, Entry: image.Addr(b.plan.Entry()), Segments: b.segments,
	}
	add := func(at uint64, flags elf.ProgFlag, data []byte) {
		img.Segments = append(img.Segments, loadable(at, uint64(len(data)), flags, elffile.Buffer(data)))
	}
	if len(b.arena.Bytes) > 0 {
		add(b.arena.At, elf.PF_R|elf.PF_W, b.arena.Bytes)
	}
	// The ELF header and the program headers are in the page before stage 2, where a
	// debugger reads them: the auxiliary vector that the kernel keeps tells of them.
	code := append(make([]byte, headerPage), b.plan.Bytes()...)
	add(b.plan.Entry()-headerPage, elf.PF_R|elf.PF_X, code)
	img.Segments[len(img.Segments)-1].Off = 0
	none := image.Header{Segment: -1, Off: image.NoOffset, Index: image.NoIndex}
	stack := none
	stack.Type, stack.Flags, stack.Align = elf.PT_GNU_STACK, b.stackFlags(), 16
	img.Headers = append(img.Headers, stack)
	size := uint64(img.PhdrSize() * (len(img.Segments) + 3))
	table := none
	table.Type, table.Flags, table.Align, table.Filesz, table.Memsz = elf.PT_PHDR, elf.PF_R, 8, size, size
	table.Vaddr = image.Addr(b.plan.Entry() - headerPage + uint64(img.EhdrSize()))
	table.Paddr = table.Vaddr
	img.Headers = append(img.Headers, table)
	if o.Dynamic.Prog >= 0 {
		// A debugger finds the list of objects by the DT_DEBUG of its executable.
		p, d := o.Progs[o.Dynamic.Prog], none
		d.Type, d.Flags, d.Align, d.Filesz, d.Memsz = elf.PT_DYNAMIC, p.Flags, p.Align, p.Filesz, p.Memsz
		d.Vaddr = image.Addr(o.At(p.Vaddr))
		d.Paddr = d.Vaddr
		for i := range img.Segments {
			if img.Segments[i].FileRange().Covers(d.Range()) {
				d.Segment = i
				img.Headers = append(img.Headers, d)
				break
			}
		}
	}
	return img
}

// loadable is a PT_LOAD. It has a byte at least: Linux before 6.6 makes no mapping of
// one without file bytes that others follow.
func loadable(at, memsz uint64, flags elf.ProgFlag, data elffile.Data) image.Segment {
	if data.Size() == 0 {
		data = elffile.Zeros(1)
	}
	return image.Segment{
		Vaddr: image.Addr(at), Paddr: image.Addr(at), Filesz: uint64(data.Size()), Memsz: max(memsz, uint64(data.Size())), Flags: flags,
		Align: 0x1000, Data: data, Off: image.NoOffset, Index: image.NoIndex,
	}
}

// inImage are the segments of objects that the image has, by address. What is not
// writable, but written by relocations or resolvers, is writable until stage 2 has
// protected it.
func (b *builder) inImage() []image.Segment {
	var list []image.Segment
	for i := range b.mem.Objects {
		o := &b.mem.Objects[i]
		for x := range o.Segments {
			s := &o.Segments[x]
			if b.mapped(o, s) {
				continue
			}
			flags := s.Flags
			if s.Private && !s.Final {
				flags |= elf.PF_W
			}
			list = append(list, loadable(o.At(s.Start), s.End-s.Start, flags, elffile.Buffer(s.Bytes)))
		}
	}
	slices.SortStableFunc(list, func(x, y image.Segment) int { return cmp.Compare(x.Vaddr, y.Vaddr) })
	return list
}

// merge makes one of neighbours, those with the least between them first, until
// there are few enough. What lies between is zeros, over which stage 2 maps what
// belongs there.
func merge(list []image.Segment, limit int) []image.Segment {
	if len(list) <= limit {
		return list
	}
	gaps := make([]uint64, 0, len(list))
	for i := 1; i < len(list); i++ {
		gaps = append(gaps, uint64(list[i].Vaddr-list[i-1].Range().End()))
	}
	slices.Sort(gaps)
	widest := gaps[len(list)-limit-1]
	var out []image.Segment
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && uint64(list[j].Vaddr-list[j-1].Range().End()) <= widest {
			j++
		}
		out = append(out, together(list[i:j]))
		i = j
	}
	return out
}

// together is one segment instead of several.
func together(list []image.Segment) image.Segment {
	if len(list) == 1 {
		return list[0]
	}
	body, first, last := &elffile.Body{}, list[0], list[len(list)-1]
	for _, s := range list {
		body.Put(int64(s.Vaddr-first.Vaddr), s.Data)
		first.Flags |= s.Flags
	}
	return loadable(uint64(first.Vaddr), uint64(last.Range().End()-first.Vaddr), first.Flags, body)
}

// stackFlags are those of the program's stack: executable where an object asks for
// it, or says nothing (glibc, DEFAULT_STACK_PERMS of x86 and AArch64).
func (b *builder) stackFlags() elf.ProgFlag {
	flags := elf.PF_R | elf.PF_W
	for i := range b.mem.Objects {
		flags |= stackOf(&b.mem.Objects[i]) & elf.PF_X
	}
	return flags
}

func stackOf(o *memory.Object) elf.ProgFlag {
	for i := range o.Progs {
		if o.Progs[i].Type == elf.PT_GNU_STACK {
			return o.Progs[i].Flags
		}
	}
	return elf.PF_R | elf.PF_W | elf.PF_X
}
