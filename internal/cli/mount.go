package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"elfwright/mount"
)

// mountFlags are what the command line of mount says.
type mountFlags struct {
	via          string
	offset, size uint64
	foreground   bool
	json         bool

	run  bool
	bind []string
}

// mountHelper is the verb that mount starts itself with.
const mountHelper = "mount-helper"

func mountVerb() *verb {
	opt := &mountFlags{via: "auto"}
	const running = "Running"
	return &verb{
		name:  "mount",
		short: "show a tree that a program carries as files, to all or to the program alone",
		usage: []string{"[flags] PROG DIR [NAME]", "[flags] --offset=N FILE DIR", "--run [flags] PROG [ARG…]"},
		args:  args{min: 1, max: -1, name: "PROG"},
		no:    "there is no such tree, or it cannot be mounted",
		long: `The files are read-only and real: they can be mapped and executed. Set-id bits and devices in them mean nothing. DIR must be there. NAME may be left out if there is one tree. A tree that is stored compressed cannot be mounted.

The kernel reads the tree straight from PROG (root; Linux 6.16), or from a loop device (root), or asks a server that elfwright leaves behind and that ends when the tree is unmounted (FUSE; without root by fusermount3). What was done and how to unmount is printed. A FUSE mount without root is seen by its user alone, and modes are shown but, except for execution, not enforced: who can read PROG can read the tree.

With --run the program is started with its trees where it expects them, in a mount namespace of its own: nothing of it is seen elsewhere, and nothing is left when it ends, however it ends. PROG is a file; what follows it belongs to it. Without root that takes a user namespace, in which set-id programs such as sudo have no effect and the owners of files that are not the user's are shown as nobody. A directory that does not exist is provided without creating it: the nearest one above it is covered by one that shows the same entries and in which nothing can be created, unless it is one of temporary files. Where the kernel has the trees, elfwright becomes the program; else it stays as its parent and server (where there is no FUSE either, the trees are copied into memory), passes on SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH and SIGCONT, and each dies with the other. The exit code is the program's, 128 and the number of the signal that ended it, 127 if it is not there, 126 if it cannot be executed, 125 if elfwright failed.`,
		examples: []example{
			{"a tree in a program, as files, and away again", "elfwright embed add /bin/cat /etc/skel -o cat && mkdir m && elfwright mount cat m && cat m/.profile && (umount m || fusermount3 -u m)"},
			{"a program with its tree where it looks for it", "elfwright embed add --bind=/opt/skel /bin/cat /etc/skel -o cat && elfwright mount --run cat /opt/skel/.profile"},
		},
		flags: []flag{
			{name: "via", to: &opt.via, words: []string{"auto", "kernel", "loop", "fuse"}, help: "how: by the kernel from the file, from a loop device, or by a server; auto is the first that works"},
			{name: "offset", to: &opt.offset, help: "the tree is an EROFS image at this offset of the file, which need not be a program"},
			{name: "size", to: &opt.size, help: "with --offset, how many bytes the image may have; else all that follow"},
			{name: "foreground", to: &opt.foreground, help: "stay until the tree is unmounted, and unmount it on SIGINT, SIGTERM and SIGHUP"},
			{name: "json", to: &opt.json, help: "print the answer as one JSON document"},

			{name: "run", to: &opt.run, stops: true, group: running, help: "start PROG with its trees in place; what follows PROG belongs to it"},
			{name: "bind", to: &opt.bind, value: "NAME=/DIR", group: running, help: "bind the tree NAME to /DIR, whatever PROG says; with --offset, =/DIR"},
		},
		run: func(c *call) error { return runMount(c, opt) },
	}
}

func mountHelperVerb() *verb {
	return &verb{
		name:   mountHelper,
		short:  "do a part of mount's work in a process of its own",
		hidden: true,
		examples: []example{
			{"what it answers without a parent that asks", "elfwright mount-helper || [ $? = 125 ]"},
			{"the same, and nothing else", "elfwright mount-helper </dev/null || true"},
		},
		run: func(c *call) error { return exited{mount.Helper(c.prog.environ()), nil} },
	}
}

// self are the arguments that make this program mount's helper.
func self() []string { return []string{name, mountHelper} }

func runMount(c *call, f *mountFlags) error {
	if f.run {
		return runMountProgram(c, f)
	}
	if n := len(c.args); n < 2 || n > 3 || n == 3 && c.changed("offset") {
		return c.usagef("takes PROG, DIR and perhaps NAME, or FILE and DIR with --offset, but got %d arguments: %s", n, strings.Join(c.args, " "))
	}
	if f.bind != nil {
		return c.usagef("flag --bind: is for --run; DIR says where the tree goes")
	}
	src, err := f.source(c)
	if err != nil {
		return answer(err)
	}
	opt := mount.Options{Via: f.how()}
	if !f.foreground {
		opt.Self = self()
	}
	done := c.phase("mount")
	m, err := mount.Mount(src, c.args[1], opt)
	done()
	if err != nil {
		return answer(err)
	}
	if err := f.report(c.out, m); err != nil || !f.foreground {
		return err
	}
	if err := c.out.flush(); err != nil {
		return errors.Join(err, m.Unmount())
	}
	return m.UntilSignal()
}

func (f *mountFlags) how() mount.Via {
	if f.via == "auto" {
		return mount.Auto
	}
	return mount.Via(f.via)
}

// source is the tree that the command line names.
func (f *mountFlags) source(c *call) (mount.Source, error) {
	if c.changed("offset") {
		return f.image(c)
	}
	if c.changed("size") {
		return mount.Source{}, c.usagef("flag --size: needs --offset")
	}
	trees, err := mount.Trees(c.args[0])
	if err != nil {
		return mount.Source{}, err
	}
	name := ""
	if len(c.args) == 3 {
		name = c.args[2]
	}
	return mount.Find(trees, name)
}

// image is what --offset and --size say.
func (f *mountFlags) image(c *call) (mount.Source, error) {
	off, size := int64(f.offset), int64(f.size)
	if off < 0 || size < 0 || c.changed("size") && size == 0 {
		return mount.Source{}, c.usagef("flags --offset=0x%x and --size=0x%x: no file has such bytes", f.offset, f.size)
	}
	return mount.Source{Path: c.args[0], Offset: off, Size: size}, nil
}

func (f *mountFlags) report(w io.Writer, m *mount.Mounted) error {
	if f.json {
		return writeJSON(w, m.Report())
	}
	return m.Report().WriteText(w)
}

// runMountProgram starts a program with its trees in place. Its exit code is
// ours.
func runMountProgram(c *call, f *mountFlags) error {
	for _, flag := range []string{"foreground", "json"} {
		if c.changed(flag) {
			return c.usagef("flag --%s: is not for --run", flag)
		}
	}
	binds, err := f.binds(c)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return exited{mount.ExitNotFound, err}
		}
		return exited{mount.ExitFailed, err}
	}
	r := mount.Run{Program: c.args[0], Args: c.args, Env: c.prog.environ(), Binds: binds, Via: f.how(), Self: self()}
	code, err := r.Start()
	return exited{code, err}
}

// binds are the trees of a program and where they go.
func (f *mountFlags) binds(c *call) ([]mount.Bind, error) {
	if !c.changed("offset") {
		trees, err := mount.Trees(c.args[0])
		if err != nil {
			return nil, err
		}
		return mount.Binds(trees, f.bind)
	}
	src, err := f.image(c)
	if err != nil {
		return nil, err
	}
	if len(f.bind) != 1 || !strings.HasPrefix(f.bind[0], "=/") {
		return nil, fmt.Errorf("flag --bind: with --offset, want =/DIR once")
	}
	return []mount.Bind{{Source: src, Target: f.bind[0][1:]}}, nil
}
