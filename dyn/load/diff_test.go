package load_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
)

// account is what a dynamic linker says of a start.
type account struct {
	scope   []string // the paths of what is loaded, without the program
	missing []string // names, in order, each once
	listed  []string
	relocs  []string // what is relocated, in order
	base    bool     // the scope that follows is of the base namespace
	events  []string // "find NAME", "try PATH", in order
	fatal   string
}

var (
	debugLine  = regexp.MustCompile(`^ *\d+:\t(.*)$`)
	findLine   = regexp.MustCompile(`^find library=(.*) \[\d+\]; searching$`)
	tryLine    = regexp.MustCompile(`^  trying file=(.*)$`)
	foundLine  = regexp.MustCompile(`^\t(?:.* => )?(.*) \(0x[0-9a-f]+\)$`)
	lostLine   = regexp.MustCompile(`^\t(.*) => not found$`)
	relocLine  = regexp.MustCompile(`^relocation processing: (.*?)(?: \(lazy\))?$`)
	objectLine = regexp.MustCompile(`^object=.* \[0\]$`)
	scopeLine  = regexp.MustCompile(`^ scope 0: (.*)$`)
	fatalLine  = regexp.MustCompile(`^(.*): error while loading shared libraries: (.*)$`)
)

// traced runs a dynamic linker in trace mode: what is loaded, what is missing, and
// what LD_DEBUG tells of the search.
func traced(t testing.TB, dir string, env []string, argv ...string) account {
	t.Helper()
	a := run(t, dir, append([]string{"LD_DEBUG=libs", "LD_TRACE_LOADED_OBJECTS=1"}, env...), argv...)
	a.scope = a.listed
	return a
}

// started runs a program: LD_DEBUG tells of its scope as well.
func started(t testing.TB, dir string, env []string, argv ...string) account {
	t.Helper()
	return run(t, dir, append([]string{"LD_DEBUG=libs:scopes:reloc"}, env...), argv...)
}

func run(t testing.TB, dir string, env []string, argv ...string) account {
	t.Helper()
	if strings.HasPrefix(argv[0], "qemu-") { // which the host's ld.so loads
		argv = slices.Clone(argv)
		for _, e := range env {
			argv = slices.Insert(argv, 1, "-E", e)
		}
		env = []string{}
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, env
	return accountOf(t, cmd)
}

// accountOf runs a command and takes what it says apart.
func accountOf(t testing.TB, cmd *exec.Cmd) account {
	t.Helper()
	var talk, list bytes.Buffer
	cmd.Stderr, cmd.Stdout = &talk, &list
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	var a account
	for line := range strings.Lines(talk.String()) {
		a.line(strings.TrimRight(line, "\n"))
	}
	for line := range strings.Lines(list.String()) {
		line = strings.TrimRight(line, "\n")
		if m := lostLine.FindStringSubmatch(line); m != nil {
			a.lost(m[1])
		} else if m := foundLine.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[1], "linux-vdso") && !strings.HasPrefix(m[1], "linux-gate") {
			a.listed = append(a.listed, m[1])
		}
	}
	return a
}

func (a *account) lost(name string) {
	if !slices.Contains(a.missing, name) {
		a.missing = append(a.missing, name)
	}
}

func (a *account) line(line string) {
	if m := fatalLine.FindStringSubmatch(line); m != nil {
		a.fatal = m[2]
		return
	}
	m := debugLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	if f := findLine.FindStringSubmatch(m[1]); f != nil {
		a.events = append(a.events, "find "+f[1])
	} else if f := tryLine.FindStringSubmatch(m[1]); f != nil {
		a.events = append(a.events, "try "+f[1])
	} else if f := relocLine.FindStringSubmatch(m[1]); f != nil {
		a.relocs = append(a.relocs, f[1])
	} else if objectLine.MatchString(m[1]) {
		a.base = true
	} else if f := scopeLine.FindStringSubmatch(m[1]); f != nil && a.base && a.scope == nil {
		a.scope = strings.Fields(f[1])[1:]
	}
}

// told is our own account in the same words.
func told(p *load.Process) account {
	var a account
	for _, o := range p.Objects {
		if o != p.Objects[0] {
			a.scope = append(a.scope, o.Path)
		}
		for i := range o.Needs {
			a.need(p, &o.Needs[i])
		}
	}
	return a
}

func (a *account) need(p *load.Process, n *load.Need) {
	if n.Found.Rule == load.RuleLoaded || n.Found.Rule == load.RuleInterp || a.fatal != "" {
		return
	}
	if !strings.Contains(n.Name, "/") {
		a.events = append(a.events, "find "+n.Name)
		for _, t := range n.Tried {
			a.events = append(a.events, "try "+t.Path)
		}
		if n.Found.Path != "" {
			a.events = append(a.events, "try "+n.Found.Path)
		}
	}
	switch n.Kind {
	case load.Audit:
		for _, q := range p.Audits {
			if q.Objects[0] == n.To {
				a.events = append(a.events, told(q).events...)
			}
		}
	case load.Needed, load.Filter, load.Auxiliary:
		// Trace mode lists an auxiliary one that is missing, too.
		if _, missing := errors.AsType[*load.NotFound](n.Err); missing {
			a.lost(n.Name)
		} else if n.Err != nil && n.Kind != load.Auxiliary {
			a.fatal = n.Err.Error()
		}
	}
}

// same compares two accounts. After a fatal error the dynamic linker is silent.
func same(t testing.TB, what string, want, got account) bool {
	t.Helper()
	ok := (want.fatal == "") == (got.fatal == "")
	if !ok {
		t.Errorf("%s: fatal %q, here %q", what, want.fatal, got.fatal)
	}
	if want.fatal == "" && !equal(want.scope, got.scope) {
		t.Errorf("%s: scope\n%s", what, difference(want.scope, got.scope))
		ok = false
	}
	if want.fatal == "" && !equal(want.missing, got.missing) {
		t.Errorf("%s: missing %q, here %q", what, want.missing, got.missing)
		ok = false
	}
	if !equal(want.events, got.events) {
		t.Errorf("%s: search\n%s", what, difference(want.events, got.events))
		ok = false
	}
	return ok
}

func equal(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }

func difference(want, got []string) string {
	for i := 0; ; i++ {
		w, g := "(end)", "(end)"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g || w == "(end)" {
			return fmt.Sprintf("  at %d of %d and %d: ld.so %q, here %q", i, len(want), len(got), w, g)
		}
	}
}

func sweep() bool { return os.Getenv("ELFWRIGHT_SWEEP") == "1" }
