package mount

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A Bind is a tree and where a program expects it.
type Bind struct {
	Source Source `json:"source"`
	Target string `json:"target"` // absolute; need not exist
}

// A Run is a program that is started with trees in place.
type Run struct {
	Program string   // its file
	Args    []string // with argv[0]
	Env     []string
	Binds   []Bind
	Via     Via
	Self    []string // arguments, argv[0] first, with which this program calls Helper
}

// Exit codes where the program does not give one: those of a shell, of env and
// of chroot.
const (
	ExitFailed    = 125 // we failed
	ExitNotRun    = 126 // the program cannot be executed
	ExitNotFound  = 127 // the program is not there
	ExitBySignal  = 128 // plus the signal's number
	namespaceFlag = unix.CLONE_NEWNS | unix.CLONE_FS
)

// Start starts the program and returns its exit code when it has ended. If the
// kernel has all the trees, this process becomes the program, and Start does
// not return. With an error the code says whose failure it was.
func (r *Run) Start() (int, error) {
	// Namespaces and the signal of a parent's death belong to threads.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := r.check(); err != nil {
		return ExitFailed, err
	}
	program, err := os.Open(r.Program)
	if err != nil {
		return code(err), err
	}
	defer program.Close()
	files, err := r.open()
	if err != nil {
		return ExitFailed, err
	}
	trees, passed, err := r.byKernel(files)
	switch {
	case err != nil:
		return ExitFailed, err
	case trees != nil:
		return r.become(program, trees)
	}
	c, err := r.served(program, files)
	if err != nil {
		err = errors.Join(passed, err)
	}
	return c, err
}

func (r *Run) check() error {
	for i, b := range r.Binds {
		if err := checkTarget(b.Target); err != nil {
			return err
		}
		for _, other := range r.Binds[:i] {
			if other.Target == b.Target {
				return &Refusal{fmt.Errorf("mount point %s: two trees go there", b.Target)}
			}
		}
	}
	// A tree that goes into another comes after it.
	slices.SortStableFunc(r.Binds, func(a, b Bind) int { return strings.Compare(a.Target, b.Target) })
	return nil
}

// open opens the sources, in the order of the binds.
func (r *Run) open() ([]*os.File, error) {
	var files []*os.File
	for i := range r.Binds {
		f, err := r.Binds[i].Source.open()
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// byKernel mounts all trees by the kernel, on no directory yet. No trees and no
// error mean that a server has to do it, and passed why.
func (r *Run) byKernel(files []*os.File) (trees []int, passed, err error) {
	if r.Via == FUSE {
		return nil, nil, nil
	}
	trees = []int{}
	for i, b := range r.Binds {
		m := Mounted{Source: b.Source}
		fd, err := m.byKernel(files[i], r.Via)
		if err != nil {
			return nil, nil, err
		}
		if fd < 0 {
			for _, t := range trees {
				unix.Close(t)
			}
			return nil, m.failed(nil), nil
		}
		trees = append(trees, fd)
	}
	return trees, nil, nil
}

// become puts the trees in place in a namespace of its own and makes this
// process the program.
func (r *Run) become(program *os.File, trees []int) (int, error) {
	if err := unix.Unshare(namespaceFlag); err != nil {
		return ExitFailed, fmt.Errorf("a mount namespace: %w", err)
	}
	if err := place(r.targets(), trees); err != nil {
		return ExitFailed, err
	}
	err := r.exec(program)
	return code(err), err
}

func (r *Run) targets() []string {
	var out []string
	for _, b := range r.Binds {
		out = append(out, b.Target)
	}
	return out
}

// place puts mounted trees where the program expects them. It changes the mount
// namespace, which must be ours.
func place(targets []string, trees []int) error {
	// What is mounted on the host meanwhile shows here, and nothing from here there.
	switch err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); {
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("/ is not a mount point, as in a chroot: mounts could not be kept from others: %w", err)
	case err != nil:
		return fmt.Errorf("make mounts slaves: %w", err)
	}
	cwd, errCwd := unix.Getwd()
	var made covers
	for i, target := range targets {
		dir, err := made.provide(target)
		if err != nil {
			return err
		}
		if err := moveOnto(trees[i], dir); err != nil {
			return err
		}
		unix.Close(trees[i])
	}
	if err := made.finish(); err != nil {
		return err
	}
	// The same path, in what lies there now. It may be a directory that was removed,
	// or one we may not search; then the old one stays, as for any program.
	if errCwd == nil {
		_ = unix.Chdir(cwd)
	}
	return nil
}

// exec makes this process the program. It returns if that failed.
func (r *Run) exec(program *os.File) error {
	path := r.Program
	if !strings.Contains(path, "/") {
		path = "./" + path
	}
	// A tree may now lie over the program; its file is still open.
	if !same(path, program) {
		path = fmt.Sprintf("/proc/self/fd/%d", program.Fd())
	}
	if err := unix.Exec(path, r.Args, r.Env); err != nil {
		return &os.PathError{Op: "exec", Path: r.Program, Err: err}
	}
	return nil
}

func same(path string, f *os.File) bool {
	a, errA := os.Stat(path)
	b, errB := f.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// code is the exit code of a program that could not be started.
func code(err error) int {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return ExitNotFound
	}
	return ExitNotRun
}
