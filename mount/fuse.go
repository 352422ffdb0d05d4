package mount

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"elfwright/erofs"
)

// server serves a tree within this process.
type server struct {
	ended chan struct{} // closed when the tree was unmounted
}

// maxRead is the most the kernel asks for at once.
const maxRead = 128 << 10

// named is part of a file as a reader that knows the file's name.
type named struct {
	*io.SectionReader
	file *os.File
}

func (n named) Name() string { return n.file.Name() }

// openTree reads the image of a source.
func openTree(f *os.File, s Source) (*tree, error) {
	files, err := erofs.Open(named{io.NewSectionReader(f, s.Offset, s.Size), f}, s.Size)
	if err != nil {
		return nil, &Refusal{err}
	}
	return newTree(files, s.Size)
}

// newServer serves the image over a connection to the kernel, which it owns, and
// closes the file, and what else is given, when the tree was unmounted.
func newServer(conn int, f *os.File, s Source, also ...io.Closer) (*server, error) {
	t, err := openTree(f, s)
	if err != nil {
		unix.Close(conn)
		return nil, err
	}
	srv, err := fuse.NewServer(t, fmt.Sprintf("/dev/fd/%d", conn), &fuse.MountOptions{
		MaxWrite:                 maxRead,
		EnableSymlinkCaching:     true,
		ExplicitDataCacheControl: true,
		Logger:                   log.New(io.Discard, "", 0),
	})
	if err != nil {
		unix.Close(conn)
		return nil, fmt.Errorf("/dev/fuse: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		srv.Serve()
		for _, c := range append(also, f) {
			c.Close()
		}
		close(ended)
	}()
	return &server{ended}, nil
}

// fuseTree mounts what a connection to the kernel will serve, on no directory
// yet. With others, also other users see it, as far as modes and owners allow.
func fuseTree(source string, others bool) (conn, tree int, err error) {
	conn, err = unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, -1, &os.PathError{Op: "open", Path: "/dev/fuse", Err: err}
	}
	settings := []setting{
		{name: "source", value: source}, {name: "subtype", value: "elfwright"}, {name: "ro", flag: true},
		{name: "fd", value: strconv.Itoa(conn)}, {name: "rootmode", value: "40000"},
		{name: "user_id", value: strconv.Itoa(os.Geteuid())}, {name: "group_id", value: strconv.Itoa(os.Getegid())},
		{name: "max_read", value: strconv.Itoa(maxRead)},
	}
	if others {
		settings = append(settings, setting{name: "allow_other", flag: true}, setting{name: "default_permissions", flag: true})
	}
	tree, err = detached("fuse", treeAttr, settings...)
	if err != nil {
		unix.Close(conn)
		return -1, -1, err
	}
	return conn, tree, nil
}

// serve mounts by FUSE and serves within this process: by a mount of our own, or
// else by fusermount3.
func (m *Mounted) serve() error {
	f, err := m.Source.open()
	if err != nil {
		return err
	}
	m.server, err = m.serveFile(f)
	if err != nil {
		f.Close()
		return err
	}
	m.Server = os.Getpid()
	return nil
}

func (m *Mounted) serveFile(f *os.File) (*server, error) {
	conn, tree, err := fuseTree(m.Source.Path, os.Geteuid() == 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return m.serveByHelper(f)
	}
	if err != nil {
		return nil, err
	}
	defer unix.Close(tree)
	s, err := newServer(conn, f, m.Source)
	if err != nil {
		return nil, err
	}
	return s, attach(tree, m.Dir)
}

// serveByHelper lets fusermount3, which is set-uid root, mount.
func (m *Mounted) serveByHelper(f *os.File) (*server, error) {
	if _, err := openTree(f, m.Source); err != nil {
		return nil, err // before there is a mount to take away
	}
	conn, link, err := connectByHelper(m.Source.Path, m.Dir)
	if err != nil {
		return nil, err
	}
	s, err := newServer(conn, f, m.Source, link)
	if err != nil {
		link.Close() // fusermount3 unmounts
		return nil, err
	}
	m.user = true
	return s, nil
}

// helpers are where fusermount3 is. It is root's, and not looked for in a path
// that anybody may set.
var helpers = []string{"/usr/bin/fusermount3", "/bin/fusermount3", "/usr/local/bin/fusermount3", "/run/wrappers/bin/fusermount3"}

func helperPath() (string, error) {
	for _, p := range helpers {
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s, which mounts for those who are not root, is not installed (Debian: fuse3): %w", helpers[0], os.ErrNotExist)
}

// connectByHelper runs fusermount3, which sends the connection over a socket. As
// long as that is open, it waits, and unmounts when we die.
func connectByHelper(source, dir string) (conn int, link *os.File, err error) {
	path, err := helperPath()
	if err != nil {
		return -1, nil, err
	}
	ours, theirs, err := pair()
	if err != nil {
		return -1, nil, err
	}
	link = os.NewFile(uintptr(ours), "fusermount3")
	end := os.NewFile(uintptr(theirs), "fusermount3")
	escape := strings.NewReplacer(`\`, `\\`, `,`, `\,`)
	options := fmt.Sprintf("ro,nosuid,nodev,auto_unmount,subtype=elfwright,max_read=%d,fsname=%s", maxRead, escape.Replace(source))
	var said bytes.Buffer
	cmd := exec.Command(path, "-o", options, "--", dir)
	cmd.Env = []string{"_FUSE_COMMFD=3"}
	cmd.ExtraFiles = []*os.File{end}
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		end.Close()
		link.Close()
		return -1, nil, err
	}
	end.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var fds []int
	if err := ours.rights(&fds); err != nil || len(fds) != 1 {
		link.Close()
		err = <-ended
		return -1, nil, fmt.Errorf("%s: %s (%v)", path, strings.TrimSpace(said.String()), err)
	}
	unix.CloseOnExec(fds[0])
	return fds[0], link, nil
}

// fusermount runs it with those arguments.
func fusermount(args ...string) error {
	path, err := helperPath()
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{}
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %s (%w)", path, strings.TrimSpace(string(said)), err)
	}
	return nil
}

// background serves in a process of its own, which outlives this one.
func (m *Mounted) background(self []string) error {
	ours, theirs, err := pair()
	if err != nil {
		return err
	}
	defer ours.close()
	end := os.NewFile(uintptr(theirs), "helper")
	defer end.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	p, err := os.StartProcess(self[0], self, &os.ProcAttr{
		Env:   []string{},
		Files: []*os.File{null, null, null, end},
		Sys:   &unix.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return err
	}
	end.Close()
	m.Server = p.Pid
	var a answer
	err = ours.send(ask{Source: &m.Source, Dir: m.Dir})
	if err == nil {
		err = ours.receive(&a, nil)
	}
	if err == nil {
		err = a.err()
	}
	if err != nil {
		_ = p.Kill()
		_, _ = p.Wait()
		return err
	}
	m.user = a.User
	return p.Release()
}
