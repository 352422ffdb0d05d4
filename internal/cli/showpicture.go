package cli

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/machine/all"
	webpage "elfwright/page"
	"elfwright/picture"
	"elfwright/plan"
	"elfwright/proc"
)

// pictureFlags are those of show's flags that ask for pictures.
type pictureFlags struct {
	asText    bool
	svg, html string
}

func (f *pictureFlags) wanted() bool { return f.asText || f.svg != "" || f.html != "" }

// flags are the rows of the table of flags.
func (f *pictureFlags) flags() []flag {
	const group = "Pictures"
	return []flag{
		{name: "map", to: &f.asText, group: group, help: "draw file, virtual and physical addresses side by side, in the width of the terminal"},
		{name: "svg", to: &f.svg, value: "OUT", files: true, group: group, help: "write the same as a figure for documents; a dash is standard output"},
		{name: "html", to: &f.html, value: "OUT", files: true, group: group, help: "write one page of all files to explore in a browser, which needs no other file and no network; /proc/PID/exe is drawn as the process has it"},
	}
}

// drawWidth is that of a map which goes to no terminal.
const drawWidth = 100

// runPictures draws the files that are named.
func runPictures(c *call, f *showFlags) error {
	p := &f.pictures
	if p.svg != "" && len(c.args) > 1 {
		return c.usagef("--svg draws one file, not %d", len(c.args))
	}
	if p.svg == "-" && p.html == "-" || p.asText && (p.svg == "-" || p.html == "-") {
		return c.usagef("only one picture can go to standard output")
	}
	var bad error
	var open []webpage.Subject
	for i, arg := range c.args {
		file, err := openPicture(c, arg)
		if err != nil {
			return err
		}
		defer file.Close()
		img := image.FromFile(file)
		bad = errors.Join(bad, file.ProgErr)
		open = append(open, webpage.Subject{Image: img, File: file})
		if !p.asText && p.svg == "" {
			continue
		}
		if err := file.Guard(func() error { return f.draw(c, i, img, file, &bad) }); err != nil {
			return err
		}
	}
	if p.html != "" {
		if err := writePage(c, p.html, open, &bad); err != nil {
			return err
		}
	}
	return faulty(bad)
}

// openPicture opens a file; a dash is standard input.
func openPicture(c *call, arg string) (*elffile.File, error) {
	if arg != "-" {
		return elffile.Open(arg)
	}
	b, err := io.ReadAll(c.in)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return elffile.Parse("standard input", b)
}

// draw makes the pictures of one file.
func (f *showFlags) draw(c *call, i int, img *image.Image, file *elffile.File, bad *error) error {
	*bad = errors.Join(*bad, img.ReadSections(file))
	frozen := webpage.Subject{Image: img, File: file}
	*bad = errors.Join(*bad, webpage.Frozen(&frozen, all.Lookup(file.Header.Machine, file.Class)))
	m := picture.New(img, file, frozen.Maps...)
	if f.pictures.asText {
		style := c.style(f.color)
		if len(c.args) > 1 {
			if i > 0 {
				fmt.Fprintln(c.out)
			}
			fmt.Fprintln(c.out, style.Bold(m.Name+":"))
		}
		if err := m.Text(c.out, picture.TextOptions{Width: c.width(drawWidth), Style: style}); err != nil {
			return err
		}
	}
	if f.pictures.svg == "" {
		return nil
	}
	return c.create(f.pictures.svg, m.SVG)
}

func writePage(c *call, name string, list []webpage.Subject, bad *error) error {
	for i := range list {
		*bad = errors.Join(*bad, guardAll(list[i:i+1], func() error {
			s := &list[i]
			s.Steps = loading(s)
			return errors.Join(webpage.Frozen(s, all.Lookup(s.File.Header.Machine, s.File.Class)), inProcess(s, c.args[i]))
		}))
	}
	done := c.phase("page")
	defer done()
	return c.create(name, func(w io.Writer) error {
		return guardAll(list, func() error {
			report, err := webpage.Write(w, list, webpage.Options{})
			for _, fault := range report.Faults {
				*bad = errors.Join(*bad, fault)
			}
			return err
		})
	})
}

// loading are the steps by which Linux would start the image: those of execve
// if the interpreter is here, else only where its segments would be mapped. They
// are for the latest kernel without randomisation, so that the page is the same
// on every machine.
func loading(s *webpage.Subject) []webpage.Step {
	if s.Image.Type == elf.ET_CORE || len(s.Image.Segments) == 0 {
		return nil
	}
	program, err := plan.Read(s.File.Name, s.File.Body)
	call := plan.Call{Path: s.File.Name, Args: []string{s.File.Name}, Program: program}
	known := err == nil && s.Image.Entry != 0
	if known {
		if _, path := program.Interp(); path != "" {
			m, err := elffile.Map(path)
			known = err == nil
			if known {
				defer m.Close()
				call.Interp, err = plan.Read(path, elffile.NewBody(m.Data()))
				known = err == nil
			}
		}
	}
	if known {
		return webpage.Explained(plan.Exec(call, plan.Host{}))
	}
	// A file that Linux would refuse is drawn all the same.
	p, err := plan.Map(s.Image, plan.Options{})
	if err != nil {
		return nil
	}
	return webpage.Steps(p)
}

// inProcess adds the mappings of a process, if the name is /proc/PID/exe.
func inProcess(s *webpage.Subject, name string) error {
	var pid int
	if n, err := fmt.Sscanf(name, "/proc/%d/exe", &pid); n != 1 || err != nil || name != fmt.Sprintf("/proc/%d/exe", pid) {
		return nil
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return err
	}
	maps, err := proc.ParseMaps(text)
	if err != nil {
		return fmt.Errorf("/proc/%d/maps: %w", pid, err)
	}
	exe, err := os.Readlink(name)
	if err != nil {
		return err
	}
	s.Image.Name = fmt.Sprintf("%s (process %d)", exe, pid)
	s.Steps = nil // it is done: what is there now is in the maps
	for i := range maps {
		s.Maps = append(s.Maps, pictureMap(s, &maps[i], exe))
	}
	return nil
}

// pictureMap finds the program header that a mapping comes from, and by the
// first one the load bias.
func pictureMap(s *webpage.Subject, m *proc.Map, exe string) picture.Map {
	shared := "p"
	if m.Shared {
		shared = "s"
	}
	out := picture.Map{Range: m.Range, Prot: picture.Letters(m.Prot) + shared, Off: m.Off, Path: m.Name, Header: -1}
	if !m.File() || m.Name != exe {
		return out
	}
	for i := range s.Image.Segments {
		seg := &s.Image.Segments[i]
		const page = 4096 // maps may be of larger ones, whose offsets are multiples of it too
		if seg.Off < 0 || m.Off+m.Size <= uint64(seg.Off) || m.Off > uint64(seg.Off)+seg.Filesz {
			continue
		}
		if at := m.Start - image.Addr(m.Off) + image.Addr(seg.Off) - seg.Vaddr; s.Bias == 0 && at%page == 0 {
			s.Bias = at
		}
		if out.Header < 0 && m.Prot&^elf.PF_W == seg.Flags&^elf.PF_W {
			out.Header = seg.Index
		}
	}
	return out
}

// guardAll runs fn with faults of every file's mapping as errors.
func guardAll(list []webpage.Subject, fn func() error) error {
	if len(list) == 0 {
		return fn()
	}
	return list[0].File.Guard(func() error { return guardAll(list[1:], fn) })
}

// create writes a file beside its name and renames it, so that it is whole or
// as before; a dash is standard output, and what is no regular file is written
// to.
func (c *call) create(name string, write func(io.Writer) error) error {
	if name == "-" {
		return write(c.out)
	}
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		out, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(out), out.Close())
	}
	out, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name()) // after the rename it is not there
	err = errors.Join(write(out), out.Chmod(0o644), out.Close())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.Rename(out.Name(), name)
}
