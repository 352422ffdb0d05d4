package cli

import (
	"errors"
	"fmt"

	"elfwright/deps"
	dynbind "elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/term"
)

// depsFlags are what the command line of deps says.
type depsFlags struct {
	root, libc, libpath, preload, color string
	list                                bool
}

func depsVerb() *verb {
	opt := &depsFlags{color: "auto"}
	const how, output = "Circumstances", "Output"
	return &verb{
		name:  "deps",
		short: "tell which libraries a program would load, from where and why, and what binds to what",
		usage: []string{"[flags] FILE…"},
		args:  args{min: 1, max: -1, name: "FILE"},
		no:    "something is missing",
		long:  `The search of the dynamic linker is carried out by its rules, and nothing is executed: it works for programs of every machine, in every directory tree.`,
		examples: []example{
			{"the tree of what gdb needs", "elfwright deps /bin/ls"},
			{"as ldd prints it", "elfwright deps --list /bin/ls"},
		},
		flags: []flag{
			{name: "root", to: &opt.root, value: "DIR", files: true, group: how, help: "the directory that stands for /"},
			{name: "libc", to: &opt.libc, words: []string{"glibc", "musl"}, group: how, help: "whose rules hold; as a rule the interpreter tells"},
			{name: "libpath", to: &opt.libpath, value: "DIRS", group: how, help: "as if LD_LIBRARY_PATH were DIRS"},
			{name: "preload", to: &opt.preload, value: "FILES", group: how, help: "as if LD_PRELOAD were FILES"},
			{name: "list", to: &opt.list, group: output, help: "a line for each library, as ldd prints them"},
			{name: "color", to: &opt.color, words: term.Modes(), bare: "always", group: output, help: "colour the output; auto is on a terminal and without NO_COLOR"},
		},
		run: func(c *call) error { return runDeps(c, opt) },
	}
}

func runDeps(c *call, f *depsFlags) error {
	l, err := load.New(f.options())
	if err != nil {
		return err
	}
	defer l.Close()
	var bad []error
	no := false
	for _, name := range c.args {
		p, err := l.Load(name)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		s := deps.New(p, false, dynbind.Options{})
		if f.list {
			if len(c.args) > 1 {
				fmt.Fprintf(c.out, "%s:\n", name)
			}
			s.List(c.out)
		} else {
			s.Tree(c.out, c.style(f.color))
		}
		no = no || len(s.Missing()) > 0
	}
	if len(bad) == 0 && no {
		return errNo
	}
	return errors.Join(bad...)
}

func (f *depsFlags) options() load.Options {
	opt := load.Options{Root: f.root, LibraryPath: f.libpath, Preload: f.preload, NamesOnly: true}
	if libc := load.Glibc; f.libc != "" {
		if f.libc == "musl" {
			libc = load.Musl
		}
		opt.Libc = &libc
	}
	return opt
}
