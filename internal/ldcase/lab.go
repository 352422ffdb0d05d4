package ldcase

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// A Linker links: its arguments are ld's, files are relative to dir. What it
// says is returned, and an error if it refuses.
type Linker func(dir string, args []string) (said string, err error)

// Command is a linker that is a program, perhaps with arguments of its own
// before ld's.
func Command(words ...string) Linker {
	return func(dir string, args []string) (string, error) {
		cmd := exec.Command(words[0], append(append([]string(nil), words[1:]...), args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		if errors.Is(err, exec.ErrNotFound) {
			return "", fmt.Errorf("%s is not on the machine", words[0])
		}
		return out.String(), err
	}
}

// GNU is the machine's GNU ld.
func (m *Machine) GNU() Linker { return Command(m.Ld) }

// Lab is a directory to link in. It assembles a source once for each machine.
type Lab struct {
	Dir string

	mu      sync.Mutex
	objects map[string]*object
	cases   int
}

type object struct {
	once sync.Once
	path string
	err  error
}

// Bench is a directory in which a case can be linked for a machine.
type Bench struct {
	Dir     string
	Case    *Case
	Machine *Machine
}

// Bench puts together what the case needs.
func (l *Lab) Bench(c *Case, m *Machine) (*Bench, error) {
	l.mu.Lock()
	l.cases++
	dir := filepath.Join(l.Dir, fmt.Sprintf("%s-%d", m.Name, l.cases))
	l.mu.Unlock()
	if err := os.Mkdir(dir, 0o777); err != nil {
		return nil, err
	}
	b := &Bench{dir, c, m}
	for _, name := range c.needs() {
		path, err := l.assemble(m, c.sources[name])
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name+".o")); err != nil {
			return nil, err
		}
	}
	for _, f := range c.Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(m.fill(f.Text)), 0o666); err != nil {
			return nil, err
		}
	}
	for _, a := range c.Archives {
		if err := b.bundle(a); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// fill replaces the machine's words.
func (m *Machine) fill(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	return strings.NewReplacer("@format@", m.Format, "@arch@", m.Arch, "@emu@", m.Emu).Replace(s)
}

func (l *Lab) assemble(m *Machine, source string) (string, error) {
	key := m.Name + "\n" + source
	l.mu.Lock()
	if l.objects == nil {
		l.objects = map[string]*object{}
	}
	o := l.objects[key]
	if o == nil {
		o = &object{path: filepath.Join(l.Dir, fmt.Sprintf("%s-%d.o", m.Name, len(l.objects)))}
		l.objects[key] = o
	}
	l.mu.Unlock()
	o.once.Do(func() {
		cmd := exec.Command(m.As[0], append(append([]string(nil), m.As[1:]...), "-o", o.path, "-")...)
		cmd.Stdin = strings.NewReader(source)
		if out, err := cmd.CombinedOutput(); err != nil {
			o.err = fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
		}
	})
	return o.path, o.err
}

// bundle makes an archive or a shared object.
func (b *Bench) bundle(a Bundle) error {
	var words []string
	switch a.Kind {
	case "archive":
		words = []string{"ar", "rcsD", a.Name}
	case "thin":
		words = []string{"ar", "rcsDT", a.Name}
	case "shared":
		words = []string{b.Machine.Ld, "-m", b.Machine.Emu, "-shared", "-o", a.Name}
	}
	cmd := exec.Command(words[0], append(words[1:], a.Members...)...)
	cmd.Dir = b.Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	return nil
}

// Result is what a linker made of a case: an error and no Summary, or no error.
type Result struct {
	Args    []string
	Said    string
	Err     error
	Summary *Summary
}

// Link runs the case; more are options before all others.
func (b *Bench) Link(linker Linker, more ...string) (*Result, error) {
	r := &Result{Args: append([]string{"-m", b.Machine.Emu}, more...)}
	out := b.Case.Output
	if out == "" {
		out = "out"
		r.Args = append(r.Args, "-o", out)
	}
	for _, w := range b.Case.command() {
		r.Args = append(r.Args, b.Machine.fill(w))
	}
	path := filepath.Join(b.Dir, out)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	r.Said, r.Err = linker(b.Dir, r.Args)
	if r.Err != nil {
		if _, err := os.Stat(path); err == nil {
			return r, fmt.Errorf("an output was left after the error: %s", r.Said)
		}
		return r, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("no error and no output; said: %s", r.Said)
	}
	r.Summary, err = Summarise(data)
	return r, err
}
