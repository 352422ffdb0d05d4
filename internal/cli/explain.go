package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"elfwright/explain"
	"elfwright/image"
	"elfwright/internal/term"
	"elfwright/plan"
)

// explainFlags are what the command line of explain says.
type explainFlags struct {
	kernel, stackLimit, fileSystem, sysroot, color string
	pageSize, base, mmapBase, stackTop, envSize    uint64
	pid, vaBits                                    int
	native32, check, json                          bool
}

func explainVerb() *verb {
	opt := &explainFlags{color: "auto", pid: -1}
	const how, output = "Circumstances", "Output"
	return &verb{
		name:  "explain",
		short: "tell what Linux does with an executable, step by step, or what became of a process",
		usage: []string{"[flags] FILE [-- ARG…]", "[flags] --pid=N"},
		args:  args{min: 0, max: -1, name: "FILE"},
		no:    "the program would not start, the kernel does otherwise, or code of the process is not that of its files",
		long: `Every check, mapping and address is computed by the rules of the kernel and stands with the kernel's function, the program header that caused it, and the version in which the rule changed. Nothing is run, unless --check asks for it: then the program is started without randomisation, stopped before its first instruction, compared and killed.

Without other flags the circumstances are those of this machine: its kernel, its stack limit, this environment, the file systems that the files are on. For programs of another machine the kernel is the newest one known.

With --pid a living process is explained: what each of its mappings is, and how its memory differs from its files.`,
		examples: []example{
			{"what becomes of ls", "elfwright explain /bin/ls -- -l /"},
			{"and does the kernel agree", "elfwright explain --check /bin/ls"},
			{"with an older kernel and no stack limit, as JSON", "elfwright explain --kernel=5.10 --stack-limit=none --json /bin/ls"},
		},
		flags: []flag{
			{name: "kernel", to: &opt.kernel, value: "VERSION", group: how, help: "the version of Linux: 6.1, or a whole release"},
			{name: "stack-limit", to: &opt.stackLimit, value: "N", group: how, help: "RLIMIT_STACK: 8M, or none"},
			{name: "page-size", to: &opt.pageSize, group: how, help: "the size of a page, where the machine has several"},
			{name: "va-bits", to: &opt.vaBits, group: how, help: "the width of addresses on AArch64 and RISC-V 64: 39, 48, 52, 57"},
			{name: "env-size", to: &opt.envSize, group: how, help: "an environment of so many bytes instead of this one"},
			{name: "file-system", to: &opt.fileSystem, words: []string{"huge", "plain"}, group: how, help: "as if the files were on a file system that places large files by huge pages (ext4, xfs, btrfs), or on one that does not (tmpfs)"},
			{name: "sysroot", to: &opt.sysroot, value: "DIR", files: true, group: how, help: "look for the interpreter below DIR"},
			{name: "native-32", to: &opt.native32, group: how, help: "a 32-bit kernel for a 32-bit program"},
			{name: "base", to: &opt.base, value: "A", group: how, help: "where randomisation puts a PIE, instead of where it lies without"},
			{name: "mmap-base", to: &opt.mmapBase, value: "A", group: how, help: "below which address randomisation lets room be searched"},
			{name: "stack-top", to: &opt.stackTop, value: "A", group: how, help: "where randomisation lets the stack end"},

			{name: "check", to: &opt.check, group: output, help: "start the program, stopped before its first instruction, and compare"},
			{name: "pid", to: &opt.pid, group: output, help: "explain this living process"},
			{name: "json", to: &opt.json, group: output, help: "one JSON document; docs/explain-json.md describes it"},
			{name: "color", to: &opt.color, words: term.Modes(), bare: "always", group: output, help: "colour the output; auto is on a terminal and without NO_COLOR"},
		},
		run: func(c *call) error { return runExplain(c, opt) },
	}
}

func runExplain(c *call, f *explainFlags) error {
	switch {
	case c.changed("pid") && len(c.args) > 0:
		return c.usagef("a FILE or --pid, not both")
	case c.changed("pid"):
		return runExplainLive(c, f)
	case len(c.args) == 0:
		return c.usagef("needs a FILE, or --pid")
	}
	opt, err := f.options(c)
	if err != nil {
		return err
	}
	done := c.phase("compute")
	s, err := explain.Open(c.args[0], opt)
	done()
	if _, ok := errors.AsType[*explain.NotELF](err); ok {
		return faulty(err)
	}
	if err != nil {
		return err
	}
	defer s.Close()
	checked, err := f.print(c, s)
	if err == nil && (s.Process.Outcome.Fate != plan.Runs || checked != nil && len(checked.Differences) > 0) {
		c.told(c.args[0], s.Process)
		return errNo
	}
	return err
}

// print prints what was computed, and holds it against the kernel before if that
// was asked for.
func (f *explainFlags) print(c *call, s *explain.Subject) (checked *explain.Checked, err error) {
	if f.check {
		done := c.phase("check")
		checked, err = s.Check()
		done()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.args[0], err)
		}
	}
	if f.json {
		return checked, s.JSON(c.out, checked)
	}
	s.Text(c.out, c.style(f.color))
	if checked != nil {
		checked.Text(c.out, c.style(f.color))
	}
	return checked, nil
}

// told says on standard error why the answer is no.
func (c *call) told(path string, p *plan.Process) {
	if o := p.Outcome; o.Fate != plan.Runs {
		fmt.Fprintf(c.err, "%s: %s: %s: %s\n", c.prog.path, path, strings.Trim(o.Errno+" "+o.Signal, " "), o.Msg)
		return
	}
	fmt.Fprintf(c.err, "%s: %s: the kernel does otherwise\n", c.prog.path, path)
}

func runExplainLive(c *call, f *explainFlags) error {
	live, err := explain.Live(f.pid)
	if err != nil {
		return err
	}
	if f.json {
		err = live.JSON(c.out)
	} else {
		live.Text(c.out, c.style(f.color))
	}
	if err == nil && live.Suspicious() {
		return errNo
	}
	return err
}

// options makes of the flags what package explain takes.
func (f *explainFlags) options(c *call) (explain.Options, error) {
	opt := explain.Options{
		Args: c.args[1:], Env: c.prog.environ(), Native32: f.native32, PageSize: f.pageSize, VABits: f.vaBits, Sysroot: f.sysroot, FileSystem: f.fileSystem,
		Base: image.Addr(f.base), MmapBase: image.Addr(f.mmapBase), StackTop: image.Addr(f.stackTop),
	}
	if f.kernel != "" {
		v, err := plan.ParseVersion(f.kernel)
		if err != nil {
			return opt, c.usagef("flag --kernel: %v", err)
		}
		opt.Kernel = v
	}
	if f.stackLimit == "none" || f.stackLimit == "unlimited" {
		opt.StackLimit = plan.Unlimited
	} else if f.stackLimit != "" {
		n, err := parseNumber(f.stackLimit)
		if err != nil {
			return opt, c.usagef("flag --stack-limit: %q: %v", f.stackLimit, err)
		}
		opt.StackLimit = n
	}
	if p := f.pageSize; p != 0 && !slices.Contains([]uint64{4 << 10, 16 << 10, 64 << 10}, p) {
		return opt, c.usagef("flag --page-size: want 4K, 16K or 64K")
	}
	if b := f.vaBits; b != 0 && !slices.Contains([]int{39, 42, 47, 48, 52, 57}, b) {
		return opt, c.usagef("flag --va-bits: want 39, 42, 47, 48, 52 or 57")
	}
	if c.changed("env-size") {
		env, err := environment(f.envSize)
		if err != nil {
			return opt, c.usagef("flag --env-size: %v", err)
		}
		opt.Env = env
	}
	return opt, nil
}

// maxEnvironment is more than execve takes (6 MiB), so that its refusal can be
// seen.
const maxEnvironment = 64 << 20

// environment makes up an environment of n bytes with its NULs, in strings that
// execve takes.
func environment(n uint64) ([]string, error) {
	if n > maxEnvironment {
		return nil, fmt.Errorf("%d is more than %d", n, maxEnvironment)
	}
	env := []string{}
	const most = 100_000
	for n > 0 {
		size := min(n, most)
		env = append(env, strings.Repeat("x", int(size-1)))
		n -= size
	}
	return env, nil
}
