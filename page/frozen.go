package page

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/freeze/note"
	"elfwright/freeze/saved"
	"elfwright/freeze/script"
	"elfwright/image"
	"elfwright/machine"
	"elfwright/picture"
)

// Frozen adds to what is drawn of a frozen file its process: the mappings that it
// had, the calls of each thread, and what the file does before the process goes on.
// Another file is left as it is.
func Frozen(s *Subject, m *machine.Machine) error {
	if s.File == nil || s.File.Header.Type == elf.ET_CORE {
		return nil
	}
	list, err := saved.Open(s.File, m)
	if err != nil {
		return err
	}
	seen := make(map[uint64]bool)
	for _, p := range list {
		s.Maps = append(s.Maps, frozenMaps(p)...)
		s.Steps = append(s.Steps, calls(p)...)
		p.Close()
		if seen[p.Script] {
			continue
		}
		seen[p.Script] = true
		steps, err := thaw(s.File, p)
		if err != nil {
			return err
		}
		s.Steps = append(s.Steps, steps...)
	}
	return nil
}

func frozenMaps(p *saved.Process) []picture.Map {
	var out []picture.Map
	for i := range p.Maps {
		m := &p.Maps[i]
		shared := "p"
		if m.Shared {
			shared = "s"
		}
		out = append(out, picture.Map{
			Range: image.Range{Start: image.Addr(m.Start), Size: m.Size}, Prot: picture.Letters(elf.ProgFlag(m.Prot)) + shared, Off: m.Off, Path: m.Name, Header: -1, Stored: pieces(m),
		})
	}
	return out
}

// pieces are what of a mapping is in the file, and the room between.
func pieces(m *note.Map) []picture.Stored {
	var out []picture.Stored
	at, end := m.Start, m.Start+m.Size
	add := func(to, off, size uint64) {
		if at < to {
			out = append(out, picture.Stored{Range: image.Range{Start: image.Addr(at), Size: to - at}, Off: off, Size: size})
		}
		at = to
	}
	for _, r := range m.Stored {
		add(r.Start, 0, 0)
		add(r.Start+r.Size, uint64(r.At), r.Size)
	}
	add(end, 0, 0)
	return out
}

// plain are mappings to be drawn as such, where what the file has of them is told
// in another way.
func plain(maps []picture.Map) []picture.Map {
	out := slices.Clone(maps)
	for i := range out {
		out[i].Stored = nil
	}
	return out
}

// calls are the backtraces.
func calls(p *saved.Process) []Step {
	var out []Step
	for i := range p.Threads {
		phase := fmt.Sprintf("thread %d (%s) goes on", p.Threads[i].TID, p.Threads[i].Comm)
		for _, f := range p.Backtrace(i) {
			s := Step{Phase: phase, Title: fmt.Sprintf("0x%x", f.PC), Rule: string(f.How), Header: -1, Ranges: []image.Range{{Start: image.Addr(f.PC), Size: 1}}}
			if f.Symbol.Name != "" {
				s.Title += fmt.Sprintf(" %s+0x%x", f.Symbol.Name, f.PC-f.Symbol.Addr)
			}
			if f.Module != nil {
				s.Title += " in " + f.Module.Base()
			}
			out = append(out, s)
		}
	}
	return out
}

// thaw are the steps of the script.
func thaw(f *elffile.File, p *saved.Process) ([]Step, error) {
	off, size, ok := f.OffsetOf(p.Script)
	if !ok {
		return nil, fmt.Errorf("%s: the thaw script at 0x%x is in no segment", f.Name, p.Script)
	}
	b, err := f.Body.Bytes(off, size)
	if err != nil {
		return nil, err
	}
	s, err := script.Parse(p.Machine, p.Script, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	phase := fmt.Sprintf("thaw script of process %d", p.PID)
	var out []Step
	for i := range s.Records {
		r := &s.Records[i]
		step := Step{Phase: phase, Title: fmt.Sprintf("%d  %s", i, s.Print(r)), Rule: r.Op.String(), Header: -1}
		if call := s.Machine.Linux.CallName(r.Call); r.Op == script.Call && (call == "mmap" || call == "mprotect" || call == "munmap") {
			step.Ranges = []image.Range{{Start: image.Addr(r.Args[0]), Size: r.Args[1]}}
		}
		out = append(out, step)
	}
	return out, nil
}
