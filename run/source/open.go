package source

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/payload"
)

// Program is a program that was found.
type Program struct {
	Name string   // as it was asked for
	Path string   // by which it can be opened; "" where it has no file of its own
	Args []string // argv: for a script what its interpreter gets
	Data []byte   // where there is no Path
}

// Options say where to look.
type Options struct {
	Path  string    // PATH
	Stdin io.Reader // for the name "-"
	Argv0 string    // argv[0] instead of args[0]; a script's interpreter gets neither
}

// maxStdin is how much of a pipe is read: executables are smaller.
const maxStdin = 4 << 30

// maxScripts is how often a script's interpreter may be a script (Linux,
// exec_binprm: -ELOOP at a depth of more than 5).
const maxScripts = 5

// Open finds a program: args[0] is its name. What is in the name
//
//	prog            a file; without a slash, one in the directories of PATH
//	-               standard input
//	lib.a(member)   a member of an archive
//	prog(payload)   what a program carries; see package payload
//
// A script becomes the program that its first line names, with the arguments that
// the kernel gives it (Linux, load_script).
func Open(args []string, opt Options) (*Program, error) {
	p := &Program{Name: args[0], Args: slices.Clone(args)}
	if opt.Argv0 != "" {
		p.Args[0] = opt.Argv0
	}
	if err := p.find(opt); err != nil {
		return nil, err
	}
	for range maxScripts {
		head, err := p.head()
		if err != nil {
			return nil, err
		}
		if elffile.IsELF(head) {
			return p, nil
		}
		if err := p.script(head); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: %d interpreters are scripts: %w", p.Name, maxScripts, unix.ELOOP)
}

// find finds the file or the bytes.
func (p *Program) find(opt Options) (err error) {
	if p.Name == "-" {
		p.Data, err = readAll(opt.Stdin)
		return err
	}
	outer, inner := splitInner(p.Name, opt.Path)
	if inner == "" {
		p.Path, err = Find(p.Name, opt.Path)
		return err
	}
	file := outer
	if _, err := os.Stat(outer); err != nil {
		if file, err = Find(outer, opt.Path); err != nil {
			return err
		}
	}
	p.Data, err = within(file, inner)
	return err
}

func readAll(in io.Reader) ([]byte, error) {
	if in == nil {
		return nil, fmt.Errorf("-: there is no standard input: %w", unix.ENOENT)
	}
	b, err := io.ReadAll(io.LimitReader(in, maxStdin+1))
	if err == nil && len(b) > maxStdin {
		err = fmt.Errorf("more than %d bytes", int64(maxStdin))
	}
	if err != nil {
		return nil, fmt.Errorf("-: standard input: %w", err)
	}
	return b, nil
}

// splitInner takes "lib.a(prog)" apart, unless a file of the whole name is there.
func splitInner(name, path string) (outer, inner string) {
	if !strings.HasSuffix(name, ")") {
		return name, ""
	}
	if _, err := Find(name, path); err == nil {
		return name, ""
	}
	for i := range len(name) {
		if name[i] != '(' || i == 0 {
			continue
		}
		if _, err := os.Stat(name[:i]); err == nil {
			return name[:i], name[i+1 : len(name)-1]
		}
	}
	if i := strings.IndexByte(name, '('); i > 0 {
		return name[:i], name[i+1 : len(name)-1]
	}
	return name, ""
}

// within reads a member of an archive, or what a program carries.
func within(file, inner string) ([]byte, error) {
	m, err := elffile.Map(file)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var out []byte
	archive := false
	err = m.Guard(func() error {
		if archive = elffile.IsArchive(m.Bytes()); !archive {
			return nil
		}
		out, err = member(file, inner, m.Bytes())
		return err
	})
	if archive || err != nil {
		return out, err
	}
	p, err := payload.Open(file)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	b, err := p.Bytes(inner)
	return bytes.Clone(b), err
}

func member(file, name string, data []byte) ([]byte, error) {
	a, err := elffile.ParseArchive(file, data)
	if err != nil {
		return nil, err
	}
	for i := range a.Members {
		if a.Members[i].Name != name {
			continue
		}
		if !a.Thin {
			return bytes.Clone(a.Members[i].Data()), nil
		}
		f, err := a.OpenMember(i)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return f.Body.Bytes(0, uint64(f.Body.Size()))
	}
	return nil, fmt.Errorf("%s: the archive has no member %q: %w", file, name, unix.ENOENT)
}

// headSize is how much of a file the kernel looks at to know what it is (Linux,
// BINPRM_BUF_SIZE).
const headSize = 256

func (p *Program) head() ([]byte, error) {
	if p.Path == "" {
		return p.Data[:min(len(p.Data), headSize)], nil
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, headSize)
	n, err := io.ReadFull(f, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	return b[:n], nil
}

// Abs is the path that the kernel gives for /proc/PID/exe; "" where there is none.
func (p *Program) Abs() string {
	if p.Path == "" {
		return ""
	}
	abs, err := filepath.Abs(p.Path)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return ""
	}
	return abs
}

// File opens the program.
func (p *Program) File() (*elffile.File, error) {
	if p.Path != "" {
		return elffile.Open(p.Path)
	}
	return elffile.Parse(p.Name, p.Data)
}
