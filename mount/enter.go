package mount

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall" // SysProcAttr's mappings are of its types

	"golang.org/x/sys/unix"
)

// served starts the program as a child, in namespaces of its own, with trees
// that this process serves until the program ends.
func (r *Run) served(program *os.File, files []*os.File) (int, error) {
	if len(r.Binds) > maxRights {
		return ExitFailed, fmt.Errorf("%d trees, and no more than %d can be served", len(r.Binds), maxRights)
	}
	ours, theirs, err := pair()
	if err != nil {
		return ExitFailed, err
	}
	defer ours.close()
	to, stop := forward()
	defer stop()
	pid, err := r.spawn(program, ours, theirs)
	if err != nil {
		return ExitFailed, err
	}
	to(pid)
	if c, err := r.attend(ours, files); err != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = wait(pid)
		return c, err
	}
	return wait(pid)
}

// spawn starts the helper and tells it what to do.
func (r *Run) spawn(program *os.File, ours, theirs socket) (int, error) {
	end := os.NewFile(uintptr(theirs), "helper")
	defer end.Close()
	a := ask{Run: r.entering(), Parent: os.Getpid()}
	// The death of this thread kills the program, at the latest.
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
	if !capable(unix.CAP_SYS_ADMIN) {
		a.Confined, a.Bounding = true, notBounding()
		confine(attr)
	}
	p, err := os.StartProcess(selfPath, r.Self, &os.ProcAttr{
		Env:   append([]string{}, r.Env...),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, end, program},
		Sys:   attr,
	})
	if err != nil && a.Confined {
		return 0, fmt.Errorf("a user namespace, which is needed without root: %w", err)
	} else if err != nil {
		return 0, fmt.Errorf("a mount namespace: %w", err)
	}
	pid := p.Pid
	_ = p.Release() // wait sees stops, too
	if err := ours.send(a); err != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = wait(pid)
		return 0, err
	}
	return pid, nil
}

// confine adds a user namespace in which the caller is who he was. Of the
// capabilities he has there the helper keeps, over its exec, what it needs to
// mount, to change the root, and to give up the others.
func confine(attr *syscall.SysProcAttr) {
	uid, gid := os.Geteuid(), os.Getegid()
	attr.Cloneflags |= unix.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT, unix.CAP_SETPCAP}
}

func (r *Run) entering() *entering {
	e := &entering{Program: r.Program, Args: r.Args, Targets: r.targets(), Copy: r.Via == Auto}
	for _, b := range r.Binds {
		e.Sources = append(e.Sources, b.Source)
	}
	return e
}

// attend takes the connections that the helper has made, serves them, and
// returns when the helper has become the program.
func (r *Run) attend(s socket, files []*os.File) (int, error) {
	var first answer
	var conns []int
	switch err := s.receive(&first, &conns); {
	case err == io.EOF:
		return ExitFailed, nil // killed; wait tells by what
	case err != nil:
		return ExitFailed, err
	case first.Error != "":
		return first.Code, first.err()
	case len(conns) != len(files) && !first.Copied:
		return ExitFailed, fmt.Errorf("%d connections to the kernel for %d trees", len(conns), len(files))
	}
	var failed error
	for i, fd := range conns {
		if _, err := newServer(fd, files[i], r.Binds[i].Source); err != nil {
			failed = err
		}
	}
	// If the helper has failed meanwhile, its mounts are gone, and its reason is the
	// one that counts.
	var last answer
	switch err := s.receive(&last, nil); {
	case err == nil:
		return last.Code, last.err()
	case err != io.EOF:
		return ExitFailed, err
	}
	return ExitFailed, failed // without an error: the exec has closed it
}

// enter is the helper's side: it mounts, gives up what it may more than the
// caller, and becomes the program.
func (a *ask) enter(s socket, env []string) (int, error) {
	// The signal is set already, unless a security module took it at the exec; and
	// the parent may have died before.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return ExitFailed, os.NewSyscallError("prctl", err)
	}
	if unix.Getppid() != a.Parent {
		return ExitFailed, errors.New("the parent process has ended")
	}
	unix.CloseOnExec(helperProgram)
	program := os.NewFile(helperProgram, a.Run.Program)
	trees, err := a.connect(s)
	if err != nil {
		return ExitFailed, err
	}
	if err := place(a.Run.Targets, trees); err != nil {
		return ExitFailed, err
	}
	if a.Confined {
		if err := giveUp(a.Bounding); err != nil {
			return ExitFailed, err
		}
	}
	r := Run{Program: a.Run.Program, Args: a.Run.Args, Env: env}
	err = r.exec(program)
	return code(err), err
}

// connect mounts a tree for each target, on no directory yet, and gives the
// connections to the parent.
func (a *ask) connect(s socket) (trees []int, err error) {
	var conns []int
	defer func() {
		for _, fd := range conns {
			unix.Close(fd)
		}
	}()
	for _, source := range a.Run.Sources {
		// Who is alone in a user namespace owns the file that the tree is in.
		conn, tree, err := fuseTree(source.Path, !a.Confined)
		if err != nil && len(conns) == 0 && a.Run.Copy && noFUSE(err) {
			return a.copies(s, err)
		}
		if err != nil {
			return nil, err
		}
		conns, trees = append(conns, conn), append(trees, tree)
	}
	return trees, s.send(answer{}, conns...)
}

// copies makes a copy of each tree, because of an error of FUSE.
func (a *ask) copies(s socket, fuse error) (trees []int, err error) {
	for _, source := range a.Run.Sources {
		tree, err := copyTree(source)
		if err != nil {
			return nil, errors.Join(fuse, err)
		}
		trees = append(trees, tree)
	}
	return trees, s.send(answer{Copied: true})
}
