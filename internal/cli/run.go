package cli

import (
	"crypto/rand"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"elfwright/dyn/load"
	"elfwright/run"
)

// runFlags are what the command line of run says.
type runFlags struct {
	loaderFlags
	engine, argv0, root, stopAt, save string
	libpath, preload, trace           []string
	dryRun, cache, renew              bool
	cacheDir, link                    string
	learn, row                        string
}

func runVerb() *verb {
	opt := &runFlags{engine: "auto"}
	const kept, where, look, build = "Images that are kept", "Libraries", "Looking on", "Builds of C libraries"
	return &verb{
		name:  "run",
		short: "start a program with a dynamic linker and libraries of our choice",
		usage: []string{"[flags] PROG [ARG…]"},
		args:  args{min: 1, max: -1, name: "PROG"},
		stops: true,
		long:  runText,
		examples: []example{
			{"a program, as if it were started without us", "elfwright run /bin/ls -d /"},
			{"one that comes from a pipe", "elfwright run - hello </bin/echo"},
			{"a link that starts it as quickly as can be", "elfwright run --cache --link=fast-ls /bin/ls && ./fast-ls -d /"},
			{"what would be mapped", "elfwright run --dry-run /bin/ls"},
		},
		flags: slices.Concat([]flag{
			{name: "engine", to: &opt.engine, words: []string{"auto", "own", "interp"}, help: "who links: elfwright itself, or the program's dynamic linker; auto is elfwright where it can"},
			{name: "argv0", to: &opt.argv0, value: "NAME", help: "the program's argv[0], instead of PROG"},
			{name: "cache", to: &opt.cache, group: kept, help: "keep the image that engine own makes in $XDG_CACHE_HOME/elfwright/run, or take the one that is kept there"},
			{name: "cache-dir", to: &opt.cacheDir, value: "DIR", files: true, group: kept, help: "the same in DIR"},
			{name: "renew", to: &opt.renew, group: kept, help: "do not take the image that is kept, but make it again"},
			{name: "link", to: &opt.link, value: "PATH", files: true, group: kept, help: "start nothing, but keep the image and make PATH a symbolic link to it, by which the program is started without elfwright"},
			{name: "root", to: &opt.root, value: "DIR", files: true, group: where, help: "take the dynamic linker and the libraries from DIR, another system's root"},
			{name: "libpath", to: &opt.libpath, value: "DIRS", group: where, help: "look for libraries in DIRS first, as LD_LIBRARY_PATH says, which the program does not see"},
			{name: "preload", to: &opt.preload, value: "LIB", group: where, help: "load LIB before all other libraries, as LD_PRELOAD says, which the program does not see"},
		}, opt.rows(where), []flag{
			{name: "stop-at", to: &opt.stopAt, words: []string{"entry", "main"}, group: look, help: "let the process stop itself (SIGSTOP) when everything is loaded, before the program's first instruction; or when its constructors have run, before main"},
			{name: "trace", to: &opt.trace, value: "WORD", group: look, help: "tell on standard error what is decided: load, map, reloc, symbols (how many), bind (each), init or all; may be given more than once"},
			{name: "dry-run", to: &opt.dryRun, group: look, help: "print that, without bind unless --trace asks for it, for any machine, and do not start the program"},
			{name: "row", to: &opt.row, value: "ROW", files: true, group: build, help: "take from the file ROW where the program's C library keeps its state, instead of a row that is built in"},
			{name: "learn", to: &opt.learn, value: "DEBUG", files: true, group: build, help: "start nothing, but print the row of PROG, a dynamic linker of glibc or musl, from DEBUG, the file with its debugging information; ARG is glibc's libc.so.6, which before 2.33 alone tells the version"},
			{name: "save", to: &opt.save, value: "IMAGE", files: true, group: look, help: "write what would be started to IMAGE, an executable, instead of starting it"},
		}),
		run: func(c *call) error { return runProgram(c, opt) },
	}
}

const runText = `PROG is a file, or a name that is looked for in PATH; a dash is standard input; 'lib.a(prog)' is a member of an archive and 'prog(name)' what a program carries (see 'elfwright embed'). Nothing is written to a disk. A script is started by its interpreter as the kernel does it; a text without #! by /bin/sh. What follows PROG belongs to it.

elfwright becomes the program: process, arguments, environment, descriptors, and exit status are as without it. If the program cannot be started, the exit code is that of a shell: 127 if it is not there, 126 otherwise.

Engine own does the dynamic linker's work itself, and lets the kernel start what comes of it. Engine interp makes an image of the program and of the dynamic linker that its PT_INTERP names, and lets the kernel start that from memory; the dynamic linker then does all its work. There is interp for x86-64 and AArch64. With auto it is own, unless that has no answer to something: an unknown build of glibc, musl in another root, variables such as LD_DEBUG, GLIBC_TUNABLES for the dynamic linker (glibc.rtld, but for dynamic_sort), a library that is missing; --trace tells. --dry-run looks at programs of all machines. A static program is simply executed.

With --root, DIR is another system's root. The dynamic linker comes from there, and whatever that opens, now and in dlopen, is looked for below DIR first, links included that begin with a slash (Linux 5.6). A file that is not there is taken from this machine, unless it is one of the directories of libraries: two C libraries are never mixed. PROG, all files that it opens by itself, and the programs that it starts are this machine's. There is no chroot, nothing is changed on the disk, and no privilege is needed. This works by answering system calls of glibc's dynamic linker, with either engine; if its code does not allow that, it is refused. With musl, whose dynamic linker is the C library as well, the directories of DIR are put into a search path that the program does not see; it comes before RPATH.

Where a build of glibc keeps its state is a row, by the build-id of its dynamic linker; those of Debian 11, 12 and 13 are built in, and those of musl in Debian 12. 'elfwright run --learn' makes one from what the distribution has for debuggers (libc6-dbg), of musl also from a build that was not stripped, and --row takes it.

The search of engine own can be told what ld.so is told by options: --inhibit-cache, --inhibit-rpath, --hwcaps-prepend and the like. That holds for the start; what the program opens later is searched for as ever. Engine interp cannot be told, and such images are not kept.

With --cache the image of own is kept, for the user alone, and the next start is an exec. The image looks by itself, before anything else, whether the files that it was made of are the same (device, inode, size, times), whether one is there that was not, and whether kernel, processor, elfwright, and the variables for the dynamic linker (LD_…, GLIBC_TUNABLES) are as they were; if not, it executes elfwright, which makes it again, or takes that of the other variables. Its addresses are the same each time. AT_EXECFN is an absolute path. With --link that exec is left to whoever executes PATH: nothing of elfwright runs, and the start takes less time than that of PROG. Where elfwright is not there any more, such an image executes PROG.

With --save the image is a file. That of interp holds the program and the dynamic linker; libraries, --root and --libpath are looked for when it is started.

What differs from a start without elfwright: /proc/self/exe is a file in memory (/memfd:PROG), or the one that --cache or --save has written. The C library of the program, glibc or musl, and the dynamic linker are told the path of PROG when they read that link, so that readlink, realpath and $ORIGIN are right; opening it gives the image, others see the file in memory, and for a program without a file nothing is told. (The kernel would let a process of root change the link, but only when nothing of the image is mapped any more: that is not done.) AT_EXECFN and the name of the process (comm) are those of PROG; core files and debuggers name the file in memory, and debuggers have to be told PROG for its symbols. Code of a position-independent program lies among the libraries, at a random address as ever, and brk below it. The pages of PROG are not shared with other processes. Set-id bits and capabilities of PROG mean nothing, and AT_SECURE is 0. PROG must be readable. Signals that were ignored are so no longer, but for SIGHUP and SIGINT. With --libpath and --preload the constructors of libraries see LD_LIBRARY_PATH and LD_PRELOAD, and the program does not. Where vm.memfd_noexec forbids executing memory, a file in the directory for temporary files is used, which has no name.`

func runProgram(c *call, f *runFlags) error {
	if f.learn != "" {
		return learnRow(c, f.learn)
	}
	p := run.Program{
		Args: c.args, Env: c.prog.environ(), Path: c.prog.getenv("PATH"), Stdin: c.in,
		Engine: run.Engine(f.engine), Root: f.root, Save: f.save != "", Stop: run.Stop(f.stopAt),
		Argv0: f.argv0, Look: f.dryRun, Tell: f.trace != nil, LibraryPath: strings.Join(f.libpath, ":"), Preload: strings.Join(f.preload, ":"),
		Search: f.loaderFlags.options(load.Options{}),
	}
	if f.row != "" {
		if err := addRow(&p, f.row); err != nil {
			return err
		}
	}
	if err := run.CheckTrace(f.trace); err != nil {
		return c.usagef("flag --trace: %v", err)
	}
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err == nil && f.save == "" && !f.dryRun { // else the same each time
		p.Random = binary.LittleEndian.Uint64(seed[:])
	}
	if err := f.keep(c, &p); err != nil {
		return err
	}
	done := c.phase("prepare")
	r, err := run.Prepare(p)
	done()
	if err != nil {
		return exited{run.ExitCode(err), err}
	}
	defer r.Close()
	if f.dryRun {
		if f.trace == nil {
			f.trace = []string{"load", "map", "reloc", "symbols", "init"}
		}
		return r.Trace(c.out, f.trace)
	}
	if f.trace != nil {
		if err := r.Trace(c.err, f.trace); err != nil {
			return exited{run.ExitCode(err), err}
		}
	}
	switch {
	case f.save != "":
		return r.Save(f.save)
	case f.link != "":
		return r.Link(f.link)
	}
	if err := c.out.flush(); err != nil {
		return err
	}
	err = r.Exec()
	return exited{run.ExitCode(err), err}
}

// keep says where the image is kept, if it is.
func (f *runFlags) keep(c *call, p *run.Program) (err error) {
	if f.link != "" && (f.save != "" || f.dryRun) {
		return c.usagef("flag --link keeps an image: --save and --dry-run do something else instead")
	}
	switch {
	case f.cacheDir != "":
		if p.Cache, err = filepath.Abs(f.cacheDir); err != nil {
			return err
		}
	case f.cache:
		if p.Cache = c.cacheDir(); p.Cache == "" {
			return c.usagef("flag --cache: neither XDG_CACHE_HOME nor HOME is set")
		}
	case f.link != "", f.renew:
		return c.usagef("flags --link and --renew are of an image that is kept: --cache or --cache-dir is missing")
	default:
		return nil
	}
	p.Renew = f.renew
	p.Self, _ = os.Executable() // without it nothing is kept
	return nil
}

// cacheDir is where images are kept (XDG Base Directory Specification); "" is
// nowhere.
func (c *call) cacheDir() string {
	dir := c.prog.getenv("XDG_CACHE_HOME")
	if !filepath.IsAbs(dir) {
		home := c.prog.getenv("HOME")
		if home == "" {
			return ""
		}
		dir = filepath.Join(home, ".cache")
	}
	return filepath.Join(dir, "elfwright", "run")
}
