package boot

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/phdr"
	"elfwright/sdf"
	"elfwright/sdf/desc"
	"elfwright/sdf/loader"
)

// Options say how to make a file that boots.
type Options struct {
	Search  []string // directories of files that regions are filled with
	Lenient bool     // what the runtime does not have is left out, with a warning
}

// Report tells what memory everything gets.
type Report struct {
	Version  int           `json:"version"`
	Runtime  string        `json:"runtime"`
	Load     sdf.Space     `json:"load"` // physical, of the whole file
	Header   phdr.Hex      `json:"header"`
	Memory   []Part        `json:"memory"`
	Warnings desc.Findings `json:"warnings,omitempty"`
}

// Part is physical memory.
type Part struct {
	sdf.Space
	What  string `json:"what"`
	Bytes uint64 `json:"bytes"` // that the file has of it; the others are zero
}

// Result is an ELF file with one segment, to be loaded where its physical address
// says and entered at its first byte with the MMU off.
type Result struct {
	Body   *elffile.Body
	Report *Report
}

type maker struct {
	sys    *desc.System
	plan   *sdf.Plan
	opt    Options
	images map[string]*elffile.File
	rt     *runtime

	memory, free image.Ranges
	parts        []part
	maps         []mapping
	buffers      []image.Addr // physical, of IPC buffers
	tables       image.Range
	found        desc.Findings
}

// Make puts a system that was applied behind a runtime. What the runtime does not
// have, and what there is no memory for, is a *desc.Refusal with all of it.
func Make(s *desc.System, a *sdf.Applied, program *elffile.File, opt Options) (*Result, error) {
	rt, err := readRuntime(program, s.Board.Arch)
	if err != nil {
		return nil, err
	}
	m := &maker{sys: s, plan: a.Plan, opt: opt, rt: rt, images: map[string]*elffile.File{}}
	for _, o := range a.Outputs {
		if o.Name == a.Plan.Description {
			continue
		}
		f, err := elffile.ParseBody(o.Name, o.Body)
		if err != nil {
			return nil, err
		}
		m.images[o.Name] = f
	}
	m.refuse()
	m.place()
	if m.found.Faulty() {
		return nil, &desc.Refusal{Findings: m.found}
	}
	return m.write()
}

// write lays the file out: the runtime with its zeros, the header, the data.
func (m *maker) write() (*Result, error) {
	regions, data := m.split()
	img := &loader.Image{Regions: regions, KernelEntry: uint64(m.rt.load), TaskEntry: uint64(m.plan.Domains[0].Entry)}
	for _, p := range m.parts {
		if img.TaskStart == 0 || uint64(p.phys.Start) < img.TaskStart {
			img.TaskStart = uint64(p.phys.Start)
		}
		img.TaskEnd = max(img.TaskEnd, uint64(p.phys.End()))
	}
	head := loader.HeaderSize(len(regions))
	body := elffile.NewBody(m.rt.bytes)
	body.Truncate(int64(m.rt.size + head))
	for i, d := range data {
		if d != nil {
			at := body.Size()
			body.Truncate(at + d.Size())
			body.Put(at, d)
			regions[i].Offset = uint64(at) - m.rt.size - head
			body.Truncate(int64(up(uint64(body.Size()))))
		}
	}
	img.Size = uint64(body.Size()) - m.rt.size
	body.Put(int64(m.rt.size), elffile.Buffer(img.Encode()))
	load := image.Range{Start: m.rt.load, Size: uint64(body.Size())}
	if err := m.clear(load); err != nil {
		return nil, err
	}
	out, err := m.rt.file(body)
	if err != nil {
		return nil, err
	}
	return &Result{out, m.report(load)}, nil
}

// split makes regions of parts: bytes of the file, and zeros around them. The
// first is the table, which the runtime reads where it is.
func (m *maker) split() (list []loader.Region, data []elffile.Data) {
	add := func(at image.Addr, size uint64, d elffile.Data) {
		if size == 0 {
			return
		}
		r := loader.Region{Load: uint64(at), Size: size, Type: loader.Data}
		if d == nil {
			r.Type = loader.Zero
		}
		list, data = append(list, r), append(data, d)
	}
	table := m.table()
	add(m.rt.load+image.Addr(m.rt.size), uint64(len(table)), elffile.Buffer(table))
	for _, p := range m.parts {
		n := uint64(0)
		if p.bytes != nil {
			n = uint64(p.bytes.Size())
		}
		skip := p.skip
		if n == 0 {
			skip = 0
		}
		add(p.phys.Start, skip, nil)
		add(p.phys.Start+image.Addr(skip), n, p.bytes)
		add(p.phys.Start+image.Addr(skip+n), p.phys.Size-skip-n, nil)
	}
	return list, data
}

// clear refuses memory that the file itself is loaded to, also where a protection
// domain maps it as a device.
func (m *maker) clear(load image.Range) error {
	for _, p := range m.parts {
		if p.phys.Overlaps(load) {
			m.need(m.sys.PDs[0].Pos(), "%s at %v overlaps the file itself, which is loaded to %v; give memory above that", p.what, p.phys, load)
			return &desc.Refusal{Findings: m.found}
		}
	}
	for _, x := range m.maps {
		if phys := (image.Range{Start: x.phys, Size: x.at.Size}); phys.Overlaps(load) {
			m.need(m.sys.PDs[x.domain].Pos(), "protection_domain %s maps %v, and the file itself is loaded to %v", m.sys.PDs[x.domain].Name, phys, load)
			return &desc.Refusal{Findings: m.found}
		}
	}
	return nil
}

func (m *maker) report(load image.Range) *Report {
	r := &Report{Version: 1, Runtime: m.rt.name, Load: space(load), Header: phdr.Hex(uint64(load.Start) + m.rt.size), Warnings: m.found}
	for _, p := range m.parts {
		x := Part{Space: space(p.phys), What: p.what}
		if p.bytes != nil {
			x.Bytes = uint64(p.bytes.Size())
		}
		r.Memory = append(r.Memory, x)
	}
	return r
}

func space(r image.Range) sdf.Space {
	return sdf.Space{Start: phdr.Hex(r.Start), End: phdr.Hex(r.End())}
}

// up rounds to the alignment of what the runtime reads.
func up(n uint64) uint64 { return (n + 15) &^ 15 }

const allRights = elf.PF_R | elf.PF_W | elf.PF_X
