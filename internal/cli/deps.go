package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"elfwright/deps"
	dynbind "elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/term"
	"elfwright/show"
)

// depsFlags are what the command line of deps says.
type depsFlags struct {
	loaderFlags
	root, libc, libpath, preload, color string

	why, provides                                     string
	symbols, unused, missing, minGlibc, everyWay, all bool

	list, flat, json, dot, demangle bool
	html                            string
}

func depsVerb() *verb {
	opt := &depsFlags{color: "auto"}
	const how, asked, output = "Circumstances", "Questions", "Output"
	return &verb{
		name:  "deps",
		short: "tell which libraries a program would load, from where and why, and what binds to what",
		usage: []string{"[flags] FILE…", "--all [flags] DIR…"},
		args:  args{min: 1, max: -1, name: "FILE"},
		no:    "something is missing, or the answer to the question is no",
		long: `The search and the binding of the dynamic linker, of glibc and of musl, are carried out by their rules, and nothing is executed: programs of every machine can be asked about, in every directory tree. Without a question the tree of libraries is printed, each with the rule that found it; what is missing with every place that was tried, in order.

The exit code is 0 if all is found, 1 if a library is missing, or, where symbols are looked at (--symbols, --missing, --html, --all), a version or a symbol, or a program uses directly what a library has protected since, and glibc ends the start for that. A function that nothing defines counts too if it is bound when it is first called. With --unused it is 1 if the file itself needs a library in vain, with --why or --provides if nothing of that name is there, with --min-glibc if a library is missing, for what it asks for is not known.

With --unused a library is told of if no reference of the object that needs it is bound to it, lazily or not, nor to a variable that was copied out of it. The rule says whether it could go: not if it brings another library that is used, or if what it defines is only in this process taken from elsewhere first. Such ones do not count for the exit code. What constructors do is not known.

With --all the directory is searched for programs and libraries, and the causes of all failures are listed, each once with whom it concerns. A directory with an etc and a usr in it is taken for a root of its own, unless --root is given. What a plugin expects of the program that loads it is no failure; it is told who has it.

The NAMES of --hwcaps are sub-directories of glibc-hwcaps, best first and parted by colons; x86-64-v3 stands for itself and the levels below it, none for no directory.`,
		examples: []example{
			{"the tree of what a program loads", "elfwright deps /bin/ls"},
			{"as ldd prints it, but without running anything", "elfwright deps --list /bin/ls"},
			{"who brings this library in", "elfwright deps --why libc.so.6 /bin/ls"},
			{"who defines a symbol, and who is bound to it", "elfwright deps --provides malloc /bin/ls"},
			{"the oldest glibc that will do", "elfwright deps --min-glibc /bin/ls"},
		},
		flags: slices.Concat([]flag{
			{name: "root", to: &opt.root, value: "SYSROOT", files: true, group: how, help: "the directory that stands for /"},
			{name: "libc", to: &opt.libc, words: []string{"glibc", "musl"}, group: how, help: "whose rules hold; as a rule the dynamic linker tells"},
			{name: "libpath", to: &opt.libpath, value: "DIRS", group: how, help: "as if LD_LIBRARY_PATH were DIRS"},
			{name: "preload", to: &opt.preload, value: "FILES", group: how, help: "as if LD_PRELOAD were FILES"},
			{name: "audit", to: &opt.audit, value: "FILES", group: how, help: "as if LD_AUDIT were FILES"},
			{name: "tunables", to: &opt.tunables, value: "TEXT", group: how, help: "as if GLIBC_TUNABLES were TEXT: glibc.rtld.dynamic_sort and glibc.cpu.hwcaps count"},
			{name: "secure", to: &opt.secure, group: how, help: "as if the program had the set-user-ID bit: without --libpath, and preloaded libraries only from directories that are trusted"},
		}, opt.rows(how), []flag{
			{name: "symbols", to: &opt.symbols, group: asked, help: "what every symbol is bound to, and which definitions others come before"},
			{name: "missing", to: &opt.missing, group: asked, help: "only what is missing: libraries, versions, symbols"},
			{name: "unused", to: &opt.unused, group: asked, help: "libraries that are needed in vain, of every object"},
			{name: "why", to: &opt.why, value: "LIB", group: asked, help: "the shortest ways by which a library comes in"},
			{name: "every", to: &opt.everyWay, group: asked, help: "with --why: every way, not only the shortest ones"},
			{name: "provides", to: &opt.provides, value: "SYM", group: asked, help: "who defines a symbol (NAME or NAME@VERSION), and who is bound to it"},
			{name: "min-glibc", to: &opt.minGlibc, group: asked, help: "the highest versions of glibc, libstdc++ and libgcc that are asked for, and by whom"},
			{name: "all", to: &opt.all, group: asked, help: "all that is broken in directories"},
		}, opt.output(output)),
		run: func(c *call) error { return runDeps(c, opt) },
	}
}

// output are the rows of the flags that say how the answer looks.
func (f *depsFlags) output(group string) []flag {
	return []flag{
		{name: "list", to: &f.list, group: group, help: "a line for each library, as ldd prints them"},
		{name: "flat", to: &f.flat, group: group, help: "no tree, but the objects in load order, which is that of the search for symbols"},
		{name: "json", to: &f.json, group: group, help: "one JSON document for each file (docs/deps-json.md), with the answers to the questions"},
		{name: "dot", to: &f.dot, group: group, help: "the graph in the language of Graphviz"},
		{name: "html", to: &f.html, value: "OUT", files: true, group: group, help: "write the graph of one file as a page to explore in a browser, which needs no other file and no network"},
		{name: "demangle", short: "C", to: &f.demangle, group: group, help: "write C++ and Rust names as in the source, with --symbols"},
		{name: "color", to: &f.color, words: term.Modes(), bare: "always", group: group, help: "colour the output; auto is on a terminal and without NO_COLOR"},
	}
}

func runDeps(c *call, f *depsFlags) error {
	if err := f.check(c); err != nil {
		return err
	}
	if f.all {
		return runDepsAll(c, f)
	}
	l, err := load.New(f.options(!f.versions()))
	if err != nil {
		return err
	}
	defer l.Close()
	var bad error
	no := false
	for i, name := range c.args {
		if c.out.closed() {
			break
		}
		done := c.phase("load and bind")
		s, err := deps.Open(l, name, f.bound(), dynbind.Options{})
		done()
		if err != nil {
			bad = errors.Join(bad, f.explained(name, err))
			continue
		}
		yes, err := f.print(c, s, i)
		no = no || !yes
		bad = errors.Join(bad, err)
		no = c.damaged(s) || no
	}
	if bad == nil && no {
		return errNo
	}
	return bad
}

// explained adds to an error what to do about it.
func (f *depsFlags) explained(name string, err error) error {
	if st, e := os.Stat(name); e == nil && st.IsDir() {
		return fmt.Errorf("%s: a directory; --all looks through it", name)
	}
	return err
}

// damaged tells of what could not be read of the objects.
func (c *call) damaged(s *deps.Subject) bool {
	list := s.Damages()
	for i, d := range list {
		if i == maxErrors {
			fmt.Fprintf(c.err, "%s: %d more warnings are not shown\n", name, len(list)-i)
			break
		}
		fmt.Fprintf(c.err, "%s: warning: %s\n", name, strings.ReplaceAll(d.Err.Error(), "\n", "\n  "))
	}
	return len(list) > 0
}

// check refuses what does not go together.
func (f *depsFlags) check(c *call) error {
	forms := 0
	for _, on := range []bool{f.list, f.flat, f.json, f.dot, f.html != ""} {
		if on {
			forms++
		}
	}
	switch {
	case forms > 1:
		return c.usagef("one of --list, --flat, --json, --dot and --html")
	case f.everyWay && f.why == "":
		return c.usagef("--every is for --why")
	case (f.list || f.flat || f.dot || f.html != "") && (f.question() || f.all):
		return c.usagef("--list, --flat, --dot and --html answer no question")
	case f.all && f.question():
		return c.usagef("--all is a question of its own")
	case f.html != "" && len(c.args) > 1:
		return c.usagef("--html draws one file, not %d", len(c.args))
	case f.dot && len(c.args) > 1:
		return c.usagef("--dot draws one file, not %d", len(c.args))
	}
	return nil
}

func (f *depsFlags) question() bool {
	return f.symbols || f.missing || f.unused || f.minGlibc || f.why != "" || f.provides != ""
}

// bound says whether symbols are to be bound.
func (f *depsFlags) bound() bool {
	return f.symbols || f.missing || f.unused || f.provides != "" || f.html != ""
}

// versions says whether symbols and versions are to be read.
func (f *depsFlags) versions() bool { return f.bound() || f.minGlibc || f.all }

// print prints the answers about one file, the i-th. yes is false where one is no.
func (f *depsFlags) print(c *call, s *deps.Subject, i int) (yes bool, err error) {
	done := c.phase("print")
	defer done()
	err = s.Process.Guard(func() error {
		yes, err = f.form(c, s, i)
		return err
	})
	return yes, err
}

// form prints in the form that was asked for.
func (f *depsFlags) form(c *call, s *deps.Subject, i int) (yes bool, err error) {
	yes = s.Resolved()
	switch {
	case f.json:
		ask := deps.Ask{Symbols: f.symbols, Unused: f.unused, Floors: f.minGlibc, Why: f.why, Every: f.everyWay, Provides: f.provides}
		return yes, s.JSON(c.out, ask)
	case f.html != "":
		if !yes {
			fmt.Fprintf(c.err, "%s: %s: %s\n", c.prog.path, c.args[i], s.Lack())
		}
		return yes, c.create(f.html, s.HTML)
	case f.dot:
		s.Dot(c.out)
		return yes, nil
	}
	if len(c.args) > 1 && (f.list || f.question()) {
		fmt.Fprintf(c.out, "%s:\n", c.args[i])
	}
	style := c.style(f.color)
	switch {
	case f.list:
		s.List(c.out)
	case f.flat:
		s.Flat(c.out, style)
	case f.question():
		return f.answers(c.out, s, style)
	default:
		s.Tree(c.out, style)
	}
	return yes, nil
}

// answers prints the answers to the questions.
func (f *depsFlags) answers(w io.Writer, s *deps.Subject, style term.Style) (yes bool, err error) {
	yes = true
	if s.Static() {
		s.Tree(w, style)
		return f.why == "" && f.provides == "", nil
	}
	if f.symbols {
		var demangle func(string) string
		if f.demangle {
			demangle = show.Demangle
		}
		yes, err = s.Resolved(), s.Symbols(w, demangle)
	}
	if f.missing {
		s.Faults(w, style)
		yes = s.Resolved()
	}
	if f.unused {
		list := s.Unused()
		s.WriteUnused(w, list, style)
		yes = yes && !s.UnusedBy(list)
	}
	if f.why != "" {
		list, more, found := s.Chains(f.why, f.everyWay)
		s.WriteChains(w, list, more, found, style)
		yes = yes && found
	}
	if f.provides != "" {
		p := s.Provides(f.provides)
		s.WriteProvided(w, p, style)
		yes = yes && len(p.Definitions) > 0
	}
	if f.minGlibc {
		s.WriteFloors(w, s.Floors(), style)
		yes = yes && len(s.Missing()) == 0
	}
	return yes, err
}

func (f *depsFlags) options(namesOnly bool) load.Options {
	opt := f.loaderFlags.options(load.Options{Root: f.root, LibraryPath: f.libpath, Preload: f.preload, NamesOnly: namesOnly})
	if libc := load.Glibc; f.libc != "" {
		if f.libc == "musl" {
			libc = load.Musl
		}
		opt.Libc = &libc
	}
	return opt
}

// hwcapsOf takes --hwcaps apart.
func hwcapsOf(text string) []string {
	switch text {
	case "":
		return nil
	case "none":
		return []string{}
	}
	list := strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == ',' })
	if len(list) == 1 && strings.HasPrefix(list[0], "x86-64-v") {
		for v := list[0][len(list[0])-1] - 1; v >= '2' && v < '9'; v-- {
			list = append(list, "x86-64-v"+string(rune(v)))
		}
	}
	return list
}
