package cli

import (
	"fmt"
	"strconv"
	"strings"

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
	otherVDSO bool
}

func freezeVerb() *verb {
	opt := &freezeFlags{pid: "auto", libs: "embed"}
	const what = "What the thawed process has"
	return &verb{
		name:  "freeze",
		short: "make one executable file of a running process, which goes on where it stopped",
		usage: []string{"[flags] PID -o FILE"},
		args:  args{min: 1, max: -1, name: "PID"},
		long: `FILE is an ordinary executable: started, it becomes the process with its memory, registers, threads, signals, timers, limits, working directory and open files, without any privilege and without elfwright. Standard input, output and error are those that it is started with; so are the user and the environment of the kernel: namespaces, groups of control, the terminal.

The process goes on undisturbed, unless --kill is given. What a new process could not have again is refused, by name, before anything is written, with the flag that lets it go on if there is one. FILE ends with 125 and says why, before the first instruction of the process, where something is missing: a feature of the processor, a file, an address of the network.

FILE holds all that was in the memory: passwords and keys, too; its mode is 0700. It can be started many times. Each process that it becomes has the same random numbers that the program had drawn before.`,
		examples: []example{
			{"a process, frozen and gone on with elsewhere", "sleep 2 & elfwright freeze --kill $! -o nap && ./nap"},
			{"one whose pipe is not ours", "sleep 9 3</dev/null & elfwright freeze --kill --fd 3=null $! -o nap"},
		},
		flags: []flag{
			{name: "output", short: "o", to: &opt.output, value: "FILE", files: true, help: "the file to write"},
			{name: "leave", to: &opt.leave, help: "let the process go on; this is the default"},
			{name: "kill", to: &opt.kill, help: "kill the process when the file is there"},

			{name: "fd", to: &opt.fds, value: "N=WHAT", group: what, help: "what becomes of descriptor N: inherit is what it is where FILE is started, null is /dev/null, close is nothing, else a path that is opened"},
			{name: "args-fd", to: &opt.argsFD, group: what, help: "descriptor N is a file with the arguments and the environment that FILE is started with: their number in 4 bytes, then strings that end in a NUL"},
			{name: "pid", to: &opt.pid, words: []string{"auto", "new", "keep", "ns"}, group: what, help: "new numbers, the old ones (a privilege), or the old ones in a namespace of their own; auto is ns for what remembers its numbers (several threads, timers, Go, Python), else new"},
			{name: "libs", to: &opt.libs, words: []string{"embed", "ref"}, group: what, help: "unmodified pages of libraries are in FILE, or stay in the libraries, which must be the same then"},
			{name: "lazy", to: &opt.lazy, group: what, help: "read memory from FILE when it is touched: quick for any size, but memory that the program gives back (MADV_DONTNEED) has its old contents again, not zeros"},
			{name: "orphan", to: &opt.orphan, group: what, help: "leave children behind"},
			{name: "other-vdso", to: &opt.otherVDSO, hidden: true, help: "as if the kernel's own code were another"},
		},
		run: func(c *call) error { return runFreeze(c, opt) },
	}
}

func runFreeze(c *call, f *freezeFlags) error {
	if len(c.args) != 1 {
		return c.usagef("takes one PID, but got %d arguments: %s", len(c.args), strings.Join(c.args, " "))
	}
	pid, err := strconv.Atoi(c.args[0])
	if err != nil || pid <= 0 {
		return c.usagef("%q is not the number of a process", c.args[0])
	}
	if f.output == "" {
		return c.usagef("flag --output: is needed")
	}
	if f.kill && f.leave {
		return c.usagef("flags --kill and --leave: one of them")
	}
	opt, err := f.options(c)
	if err != nil {
		return err
	}
	done := c.phase("freeze")
	r, err := freeze.Freeze(pid, f.output, opt)
	done()
	if err != nil {
		return err
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(c.err, "%s: %s: %s\n", c.prog.path, f.output, w)
	}
	return nil
}

func (f *freezeFlags) options(c *call) (freeze.Options, error) {
	opt := freeze.Options{Kill: f.kill, ArgsFD: f.argsFD, Lazy: f.lazy, Orphan: f.orphan, OtherVDSO: f.otherVDSO}
	if f.pid != "auto" {
		opt.PIDs = freeze.PIDs(f.pid)
	}
	if f.libs != "embed" {
		opt.Libs = freeze.Libs(f.libs)
	}
	opt.FDs = make(map[int]string)
	for _, s := range f.fds {
		n, what, ok := strings.Cut(s, "=")
		fd, err := strconv.Atoi(n)
		if !ok || err != nil || fd < 0 || what == "" {
			return opt, c.usagef("flag --fd=%s: want N=inherit, N=null, N=close or N=PATH", s)
		}
		opt.FDs[fd] = what
	}
	return opt, nil
}
