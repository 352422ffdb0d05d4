package freeze

import (
	"fmt"
	"os"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/freeze/note"
	"elfwright/freeze/saved"
	"elfwright/machine/all"
)

// CoreReport says what was written.
type CoreReport struct {
	Files    []string
	Warnings []string
}

// noCore is what no core has, of any process.
const noCore = "a core has no descriptors, actions of signals, timers, limits and directories: they are lost"

// ToCore writes an ELF core file of a running process, which goes on, undisturbed,
// unless the options say otherwise.
func ToCore(pid int, name string, opt Options) (*CoreReport, error) {
	err := capture.With(pid, func(t *capture.Target) error {
		s, err := t.Snapshot()
		if err != nil {
			return err
		}
		if err := writeCore(live(s, t), name, opt); err != nil {
			return err
		}
		if opt.Kill {
			t.Kill()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &CoreReport{Files: []string{name}}, nil
}

// live makes of a process that is stopped what is made of saved ones. Its registers
// are those of now: a system call that was interrupted shows as such.
func live(s *capture.Snapshot, t *capture.Target) *saved.Process {
	a := archOf(s)
	c := &compiler{s: s, t: t, arch: a}
	n := c.describe()
	from := &source{steady: steady{target: t}}
	var states [][]byte
	for i := range s.Threads {
		n.Threads[i].Regs = s.Threads[i].Now
		states = append(states, s.Threads[i].Xstate)
	}
	var parts []saved.Part
	for i := range s.Maps {
		m := &s.Maps[i]
		for _, r := range m.Runs {
			n.Maps[i].Stored = append(n.Maps[i].Stored, note.Run{Range: note.Range{Start: uint64(r.Start), Size: r.Size}})
			parts = append(parts, saved.Part{Start: uint64(r.Start), Data: &memory{from, r}})
		}
		if m.Name == "[vdso]" && len(s.VDSO) > 0 {
			parts = append(parts, saved.Part{Start: uint64(m.Start), Data: elffile.Buffer(s.VDSO)})
		}
	}
	return saved.New(n, a.Machine, states, parts)
}

// FileToCore writes an ELF core file of a frozen file. Of one with several processes
// each gets a core, whose name ends in the process's number.
func FileToCore(file, name string, opt Options) (*CoreReport, error) {
	f, err := elffile.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	report := &CoreReport{Warnings: []string{noCore}}
	err = f.Guard(func() error {
		if !note.Is(f) {
			return fmt.Errorf("%s: is not a frozen process: it has no note of one", file)
		}
		list, err := saved.Open(f, all.Lookup(f.Header.Machine, f.Class))
		if err != nil {
			return err
		}
		for _, p := range list {
			to := name
			if len(list) > 1 {
				to = fmt.Sprintf("%s.%d", name, p.PID)
			}
			err := writeCore(p, to, opt)
			p.Close()
			if err != nil {
				return err
			}
			report.Files = append(report.Files, to)
			report.Warnings = append(report.Warnings, notStored(p)...)
		}
		return nil
	})
	return report, err
}

// notStored names the files whose pages are not in a frozen file and so not in a
// core of it; debuggers take them from where they are.
func notStored(p *saved.Process) (out []string) {
	last := ""
	for i := range p.Maps {
		if m := &p.Maps[i]; m.File != nil && m.Name != last {
			last = m.Name
			out = append(out, "pages of "+last+" are not in the core, for they are not in the frozen file")
		}
	}
	return out
}

func writeCore(p *saved.Process, name string, opt Options) error {
	body, err := p.AsCore().Write(p.Machine)
	if err != nil {
		return err
	}
	mode := os.FileMode(opt.Mode)
	if mode == 0 {
		mode = 0o600
	}
	return body.WriteFile(name, mode)
}
