package freeze

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/freeze/script"
	"elfwright/image"
)

// file lays out the frozen file: stub, memory, script, note, and a section header
// for each mapping, so that tools can look inside.
func (c *compiler) file() (*elffile.Body, error) {
	text, err := c.Encode(uint64(c.stubAt.Start), uint64(c.stubAt.End()))
	if err != nil {
		return nil, err
	}
	code, err := script.Stub(c.arch.Machine, uint64(c.stubAt.Start)+page)
	if err != nil {
		return nil, err
	}
	note, err := c.describe().Encode()
	if err != nil {
		return nil, err
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
		Sections: c.sections(),
	}
	f, err := img.File()
	if err != nil {
		return nil, err
	}
	body, from := f.Encode(), &source{steady: c.steady(), progress: c.opt.Progress}
	if c.t != nil && c.opt.Snapshot {
		from.fork = c.t.Fork
	}
	maps := c.s.Maps
	for _, b := range c.blobs {
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
	for _, e := range c.bytes {
		body.Put(e.off, elffile.Buffer(e.data))
	}
	return body, nil
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
