package cli

import (
	"context"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/freeze"
)

// freezeFlags are what the command line of freeze says.
type freezeFlags struct {
	output    string
	kill      bool
	leave     bool
	fds       []string
	pid       string
	argsFD    int
	libs      string
	lazy      bool
	orphan    bool
	strict    bool
	tree      bool
	otherVDSO bool
	snapshot  bool
	compress  bool
	expand    bool
	progress  bool

	run   bool
	after string
	when  string

	core coreFlags
}

func freezeVerb() *verb {
	opt := &freezeFlags{pid: "auto", libs: "embed"}
	const what, running = "What the thawed process has", "Running"
	return &verb{
		name:  "freeze",
		short: "make one executable file of a running process, which goes on where it stopped",
		usage: []string{"[flags] PID -o FILE", "--run [flags] -o FILE -- CMD [ARG…]", "--to-core PID|FILE -o CORE", "--expand [--progress] FILE -o FILE", "--core CORE [--exe PROG] [flags] -o FILE"},
		args:  args{min: 1, max: -1, name: "PID"},
		long: `FILE is an ordinary executable: started, it becomes the process with its memory, registers, threads, signals, timers, limits, working directory and open files, without any privilege and without elfwright, on Linux for x86-64 and for AArch64 with pages of 4 KiB, where the process was frozen on such a machine. Standard input, output and error are those that it is started with; so are the user and the environment of the kernel: namespaces, groups of control, the terminal.

The process goes on undisturbed, unless --kill is given. What a new process could not have again is refused, by name, before anything is written, with the flag that lets it go on if there is one; docs/freeze-resources.md has them all, one by one. FILE ends with 125 and says why, before the first instruction of the process, where something is missing: a feature of the processor, a file, an address of the network, a lock. What the process can do without, but needs a privilege that is not there, FILE tells on standard error, and goes on, unless --strict is given: hard limits, priorities, locked memory.

With --tree the processes that descend from PID are frozen, too, and FILE becomes all of them: with pipes, sockets, shared memory and open files that they have in common, process groups and sessions, children that are stopped or have ended. They have the numbers that they had, in a namespace of their own, which needs no privilege; /proc tells the numbers outside of it. What a process that is not of the tree has, too, is refused. None runs before all are there; where one cannot be made, FILE ends with 125. FILE ends as the first process does, and the others go on without it. At a terminal it is one job of the shell. docs/freeze-trees.md has it all.

With --run the program is started to be frozen: when it stops itself by SIGSTOP, after a time (--after), or when a line of its standard output matches (--when). Then it goes on, and its exit code is ours; with --kill it ends there. It is the way to programs that take long to start: they stop themselves when they are ready, and each FILE goes on behind that.

The process stands still until FILE is written. With --snapshot it stands still only until it has made a copy of itself, as by fork(2), from which FILE is written while it goes on; that takes memory for what it writes meanwhile. With --compress FILE is made smaller for moving, by zstd, while the process goes on. Where it arrives, --expand makes the executable of it, or so does zstd: zstd -d <FILE >OTHER && chmod 700 OTHER. Pages of zeros are never stored.

--to-core writes an ELF core for debuggers of a process, which goes on, or of a frozen FILE. --core makes an executable of a core that Linux or gcore wrote: memory, registers, threads with their thread-local storage, arguments and environment are as in the core. It tells what a core does not have: descriptors but 0, 1 and 2 (--fd N=PATH opens one), handlers of signals, timers, limits, the working directory. Pages that the core lacks are those of the files that were mapped, if these have the same build ID.

elfwright show FILE tells what is in a frozen file or a core: threads with the calls that have not returned, mappings, descriptors; with --thaw what FILE does before the process goes on.

FILE holds all that was in the memory: passwords and keys, too; its mode is 0700. It can be started many times. Each process that it becomes has the same random numbers that the program had drawn before.`,
		examples: []example{
			{"a program that is frozen when it is ready", "elfwright freeze --run --kill -o ready -- sh -c 'echo made; kill -STOP $$; echo and on' && ./ready"},
			{"made small to be moved, and executable again", "elfwright freeze --run --kill --compress -o moved -- sh -c 'kill -STOP $$; echo here' && elfwright freeze --expand moved -o here && ./here"},
			{"a shell with a child, while it waits for that", "elfwright freeze --run --kill --tree --after=100ms -o both -- sh -c 'sleep 0.3 & wait; echo both are there' && ./both"},
			{"one that is frozen while it sleeps, and sleeps on", "elfwright freeze --run --kill --after=100ms -o nap -- sleep 0.2 && ./nap"},
			{"a core of it for a debugger, and a program of that core", "elfwright freeze --run --kill --after=100ms -o nap -- sleep 0.2 && elfwright freeze --to-core nap -o core && elfwright freeze --core core -o again && ./again"},
		},
		flags: append([]flag{
			{name: "output", short: "o", to: &opt.output, value: "FILE", files: true, help: "the file to write"},
			{name: "leave", to: &opt.leave, help: "let the process go on; this is the default"},
			{name: "kill", to: &opt.kill, help: "kill the process when the file is there"},

			{name: "snapshot", to: &opt.snapshot, help: "write FILE from a copy that the process makes of itself, while it goes on"},
			{name: "compress", to: &opt.compress, help: "compress FILE by zstd; it is no executable then"},
			{name: "expand", to: &opt.expand, help: "make the executable of a compressed FILE"},
			{name: "progress", to: &opt.progress, help: "tell on standard error how far it is when it lasts over a second, also where that is no terminal"},

			{name: "run", to: &opt.run, stops: true, group: running, help: "start CMD and freeze it at its freeze point; what follows CMD belongs to it"},
			{name: "after", to: &opt.after, value: "TIME", group: running, help: "freeze after this time: 500ms, 10s, 2m"},
			{name: "when", to: &opt.when, value: "REGEXP", group: running, help: "freeze when a line of standard output matches"},

			{name: "fd", to: &opt.fds, value: "N=WHAT", group: what, help: "what becomes of descriptor N: inherit is what it is where FILE is started, null is /dev/null, close is nothing, else a path that is opened; PID:N is that of one process of a tree"},
			{name: "args-fd", to: &opt.argsFD, group: what, help: "descriptor N is a file with the arguments and the environment that FILE is started with: their number in 4 bytes, then strings that end in a NUL"},
			{name: "pid", to: &opt.pid, words: []string{"auto", "new", "keep", "ns"}, group: what, help: "new numbers, the old ones (a privilege), or the old ones in a namespace of their own; auto is ns for what remembers its numbers (several threads, timers, Go, Python), else new"},
			{name: "libs", to: &opt.libs, words: []string{"embed", "ref"}, group: what, help: "unmodified pages of libraries are in FILE, or stay in the libraries, which must be the same then"},
			{name: "lazy", to: &opt.lazy, group: what, help: "read memory from FILE when it is touched: quick for any size, but memory that the program gives back (MADV_DONTNEED) has its old contents again, not zeros"},
			{name: "tree", to: &opt.tree, group: what, help: "freeze the processes that descend from PID, too: one FILE becomes all of them, with their pipes, sockets and shared memory, in a namespace of process numbers of their own"},
			{name: "orphan", to: &opt.orphan, group: what, help: "leave children behind"},
			{name: "strict", to: &opt.strict, group: what, help: "FILE ends with 125 where it would else say on standard error what the process has otherwise than it was, and go on: a hard limit that is higher than permitted, a nice value, locked memory"},
			{name: "other-vdso", to: &opt.otherVDSO, hidden: true, help: "as if the kernel's own code were another"},
		}, opt.core.flags()...),
		run: func(c *call) error { return runFreeze(c, opt) },
	}
}

func runFreeze(c *call, f *freezeFlags) error {
	if f.output == "" {
		return c.usagef("flag --output: is needed")
	}
	if f.kill && f.leave {
		return c.usagef("flags --kill and --leave: one of them")
	}
	if err := f.core.check(c, f); err != nil {
		return err
	}
	if f.kill && f.snapshot {
		return c.usagef("flags --kill and --snapshot: a process that is killed does not go on")
	}
	if f.run && f.expand {
		return c.usagef("flags --run and --expand: one of them")
	}
	if f.run {
		return runFreezeProgram(c, f)
	}
	if f.after != "" || f.when != "" {
		return c.usagef("flags --after and --when: are for --run")
	}
	if len(c.args) != 1 {
		return c.usagef("takes one PID or file, but got %d arguments: %s", len(c.args), strings.Join(c.args, " "))
	}
	if f.expand {
		return runExpand(c, f)
	}
	opt, err := f.options(c)
	switch {
	case err != nil:
		return err
	case f.core.to:
		return runToCore(c, f, opt)
	case f.core.from:
		return runFromCore(c, f, opt)
	}
	pid, err := strconv.Atoi(c.args[0])
	if err != nil || pid <= 0 {
		return c.usagef("%q is not the number of a process", c.args[0])
	}
	p := c.newProgress(f.output, f.progress)
	defer p.end()
	if p != nil {
		opt.Progress = p.tell
	}
	var stop func()
	opt.Context, stop = interruptible()
	defer stop()
	done := c.phase("freeze")
	r, err := freeze.Freeze(pid, f.output, opt)
	done()
	if err != nil {
		return err
	}
	p.end()
	c.prog.timing.add("of which the process stood still", r.Stopped)
	f.warn(c, r)
	return nil
}

// runExpand makes the executable of a compressed file.
func runExpand(c *call, f *freezeFlags) error {
	for _, f := range c.verb.flags {
		if c.changed(f.name) && f.name != "output" && f.name != "expand" && f.name != "progress" {
			return c.usagef("flag --%s: is not for --expand", f.name)
		}
	}
	var opt freeze.Options
	p := c.newProgress(f.output, f.progress)
	defer p.end()
	if p != nil {
		opt.Progress = p.tell
	}
	var stop func()
	opt.Context, stop = interruptible()
	defer stop()
	return freeze.Expand(c.args[0], f.output, opt)
}

// interruptible is a context that a signal ends which would end us: no file is left
// then, and the process goes on.
func interruptible() (context.Context, func()) {
	return signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM, unix.SIGHUP)
}

func (f *freezeFlags) warn(c *call, r *freeze.Report) {
	f.tell(c, r.Warnings)
}

// runFreezeProgram starts a program and freezes it.
func runFreezeProgram(c *call, f *freezeFlags) error {
	opt, err := f.options(c)
	if err != nil {
		return err
	}
	if f.progress { // else its standard error is the program's
		p := c.newProgress(f.output, true)
		defer p.end()
		opt.Progress = p.tell
	}
	r := freeze.Run{Args: c.args, Env: c.prog.environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Options: opt}
	if f.after != "" {
		if r.After, err = time.ParseDuration(f.after); err != nil || r.After <= 0 {
			return c.usagef("flag --after=%s: want a time, such as 500ms", f.after)
		}
	}
	if f.when != "" {
		if r.When, err = regexp.Compile(f.when); err != nil {
			return c.usagef("flag --when: %v", err)
		}
	}
	report, code, err := r.Start(f.output)
	if err != nil {
		return err
	}
	f.warn(c, report)
	return exited{code, nil}
}

func (f *freezeFlags) options(c *call) (freeze.Options, error) {
	opt := freeze.Options{Kill: f.kill, ArgsFD: f.argsFD, Lazy: f.lazy, Orphan: f.orphan, Tree: f.tree, Strict: f.strict, Unjoined: f.core.unjoined, OtherVDSO: f.otherVDSO, Snapshot: f.snapshot, Compress: f.compress}
	if f.pid != "auto" {
		opt.PIDs = freeze.PIDs(f.pid)
	}
	if f.libs != "embed" {
		opt.Libs = freeze.Libs(f.libs)
	}
	opt.FDs = make(map[int]string)
	opt.FDsOf = make(map[int]map[int]string)
	for _, s := range f.fds {
		n, what, ok := strings.Cut(s, "=")
		fds := opt.FDs
		if p, rest, of := strings.Cut(n, ":"); of {
			pid, err := strconv.Atoi(p)
			if err != nil || pid <= 0 || !f.tree {
				return opt, c.usagef("flag --fd=%s: PID:N is for --tree", s)
			}
			if opt.FDsOf[pid] == nil {
				opt.FDsOf[pid] = make(map[int]string)
			}
			n, fds = rest, opt.FDsOf[pid]
		}
		fd, err := strconv.Atoi(n)
		if !ok || err != nil || fd < 0 || what == "" {
			return opt, c.usagef("flag --fd=%s: want N=inherit, N=null, N=close or N=PATH", s)
		}
		fds[fd] = what
	}
	if f.tree && f.orphan {
		return opt, c.usagef("flags --tree and --orphan: one of them")
	}
	return opt, nil
}
