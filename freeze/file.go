package freeze

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/freeze/script"
	"elfwright/image"
)

// file lays out the frozen file: stub, memory, script, note, and a section header
// for each mapping, so that tools can look inside.
//
// Processes of a tree are in one file; c is the first.
func (c *compiler) file(processes []*compiler) (*elffile.Body, error) {
	text, err := c.Encode(uint64(c.stubAt.Start), uint64(c.stubAt.End()))
	if err != nil {
		return nil, err
	}
	code, err := script.Stub(c.arch.Machine, uint64(c.stubAt.Start)+page)
	if err != nil {
		return nil, err
	}
	var note []byte
	var sections []image.Section
	for _, p := range processes {
		slices.SortStableFunc(p.blobs, func(a, b blob) int { return cmp.Compare(a.from.Start, b.from.Start) })
		n, err := p.describe().Encode()
		if err != nil {
			return nil, err
		}
		note = append(note, n...)
		sections = append(sections, p.sections()...)
	}
	textOff := c.next
	noteOff := (textOff + int64(len(text)) + 7) &^ 7
	img := &image.Image{
		Name: "frozen process", Format: elffile.Format{Class: c.arch.Class, Data: c.arch.Orders[0]},
		Type: elf.ET_EXEC, Machine: c.arch.ELF, Entry: c.stubAt.Start,
		Segments: []image.Segment{
			segment(c.stubAt.Start, elf.PF_R|elf.PF_X, codeOff, code),
			segment(c.stubAt.Start+page, elf.PF_R|elf.PF_W, textOff, text),
		},
		Headers: []image.Header{
			{Type: elf.PT_NOTE, Flags: elf.PF_R, Filesz: uint64(len(note)), Align: 4, Segment: -1, Data: elffile.Buffer(note), Off: noteOff, Index: image.NoIndex},
			{Type: elf.PT_GNU_STACK, Flags: elf.PF_R | elf.PF_W, Align: 16, Segment: -1, Off: image.NoOffset, Index: image.NoIndex},
		},
		Sections: sections,
	}
	f, err := img.File()
	if err != nil {
		return nil, err
	}
	body := f.Encode()
	progress := c.progressOf(processes)
	for _, p := range processes {
		p.putMemory(body, progress())
	}
	for _, e := range c.bytes {
		body.Put(e.off, elffile.Buffer(e.data))
	}
	return body, nil
}

// putMemory puts the memory of a process into the file.
func (c *compiler) putMemory(body *elffile.Body, progress func(done, total uint64)) {
	from := &source{steady: c.steady(), progress: progress, stopped: c.opt.stopped}
	if c.t != nil && c.opt.Snapshot {
		from.fork = c.t.Fork
	}
	maps := c.s.Maps
	for _, b := range c.blobs {
		if b.again {
			continue
		}
		from.total += b.from.Size
		for !maps[0].Covers(b.from) {
			maps = maps[1:]
		}
		m := &memory{from, b.from}
		if c.opt.Snapshot && forks(&maps[0]) {
			body.Put(b.off, late{m})
		} else {
			body.Put(b.off, m)
		}
	}
}

// progressOf makes for each process what it is told how far it is: of several the
// user sees the sum.
func (c *compiler) progressOf(processes []*compiler) func() func(done, total uint64) {
	if c.opt.Progress == nil || len(processes) == 1 {
		return func() func(done, total uint64) { return c.opt.Progress }
	}
	var sum, total uint64
	for _, p := range processes {
		total += p.stored()
	}
	return func() func(done, total uint64) {
		last := uint64(0)
		return func(done, _ uint64) {
			sum, last = sum+done-last, done
			c.opt.Progress(sum, total)
		}
	}
}

// stored is how much of the memory is in the file, each piece counted once.
func (c *compiler) stored() (n uint64) {
	for _, b := range c.blobs {
		if !b.again {
			n += b.from.Size
		}
	}
	return n
}

func segment(at image.Addr, flags elf.ProgFlag, off int64, b []byte) image.Segment {
	n := uint64(len(b))
	return image.Segment{Vaddr: at, Paddr: at, Filesz: n, Memsz: n, Flags: flags, Align: page, Data: elffile.Buffer(b), Off: off, Index: image.NoIndex}
}

// sections are the mappings: those with contents where they are in the file, the
// others without.
func (c *compiler) sections() []image.Section {
	var out []image.Section
	blobs := c.blobs
	for i := range c.s.Maps {
		m := &c.s.Maps[i]
		if m.Kernel() {
			continue
		}
		s := image.Section{Type: elf.SHT_NOBITS, Flags: elf.SHF_ALLOC, Addr: m.Start, Size: m.Size, Align: page, Off: memoryOff, Name: sectionName(m.Name)}
		if c.tree != nil && c != c.tree.root.c {
			s.Name = fmt.Sprintf("%d:%s", c.s.PID, s.Name)
		}
		if m.Prot&elf.PF_W != 0 {
			s.Flags |= elf.SHF_WRITE
		}
		if m.Prot&elf.PF_X != 0 {
			s.Flags |= elf.SHF_EXECINSTR
		}
		n, at := 0, m.Start
		for ; n < len(blobs) && m.Covers(blobs[n].from); n++ {
			out = untouched(out, s, at, blobs[n].from.Start)
			part := s
			part.Type, part.Addr, part.Size, part.Off = elf.SHT_PROGBITS, blobs[n].from.Start, blobs[n].from.Size, blobs[n].off
			out, at = append(out, part), blobs[n].from.End()
		}
		blobs = blobs[n:]
		out = untouched(out, s, at, m.End())
	}
	return out
}

// untouched adds the part of a mapping's section that has no contents.
func untouched(out []image.Section, s image.Section, from, to image.Addr) []image.Section {
	if from < to {
		s.Addr, s.Size = from, uint64(to-from)
		out = append(out, s)
	}
	return out
}

// sectionName is short, and says what a mapping is of.
func sectionName(name string) string {
	if name == "" {
		return ".anon"
	}
	if name[0] == '[' {
		return "." + name[1:len(name)-1]
	}
	return name
}

// forks says whether a copy of the process has the same memory there, whatever the
// process goes on to do.
func forks(m *capture.Map) bool { return !m.Shared && !m.Has("dc") && !m.Has("wf") }
