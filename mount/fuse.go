package mount

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
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
	if err == nil {
		err = s.plain(f, files)
	}
	if err != nil && s.Offset != 0 {
		err = fmt.Errorf("%w (offsets count from the image, which is at 0x%x)", err, s.Offset)
	}
	if err != nil {
		return nil, &Refusal{err}
	}
	return newTree(files, s.Size)
}

// plain refuses an image with compressed files, which only the kernel reads,
// rather than to serve one that fails file by file.
func (s Source) plain(f *os.File, files fs.FS) error {
	var b [4]byte
	if _, err := f.ReadAt(b[:], s.Offset+superOffset+fieldIncompat); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(b[:])&incompatCompression == 0 {
		return nil
	}
	return fs.WalkDir(files, ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			_, err = d.Info()
		}
		return err
	})
}

// newServer serves the image over a connection to the kernel, which it owns, and
// closes the file when the tree was unmounted.
func newServer(conn int, f *os.File, s Source) (*server, error) {
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
		f.Close()
		close(ended)
	}()
	return &server{ended}, nil
}

// fuseTree mounts what a connection to the kernel will serve, on no directory
// yet. All users see it; with enforce, as far as modes and owners allow.
func fuseTree(source string, enforce bool) (conn, tree int, err error) {
	conn, err = unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, -1, &os.PathError{Op: "open", Path: "/dev/fuse", Err: err}
	}
	settings := []setting{
		{name: "source", value: source}, {name: "subtype", value: "elfwright"}, {name: "ro", flag: true},
		{name: "fd", value: strconv.Itoa(conn)}, {name: "rootmode", value: "40000"},
		{name: "user_id", value: strconv.Itoa(os.Geteuid())}, {name: "group_id", value: strconv.Itoa(os.Getegid())},
		{name: "max_read", value: strconv.Itoa(maxRead)}, {name: "allow_other", flag: true},
	}
	if enforce {
		settings = append(settings, setting{name: "default_permissions", flag: true})
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
	conn, tree, err := fuseTree(m.Source.Path, true)
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
	if err := refusePolls(tree, "."); err != nil {
		return nil, err
	}
	return s, moveOnto(tree, m.Dir)
}

// refusePolls lets the kernel learn that files cannot be polled. Go's runtime
// asks when this process opens a file of the mount, in a system call that it
// thinks cannot block; the server would never run again to answer. go-fuse
// answers for this name itself.
func refusePolls(at int, dir string) error {
	const name = ".go-fuse-epoll-hack"
	fd, err := unix.Openat(at, filepath.Join(dir, name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	return os.NewSyscallError("poll", err)
}

// serveByHelper lets fusermount3, which is set-uid root, mount.
func (m *Mounted) serveByHelper(f *os.File) (*server, error) {
	conn, err := connectByHelper(m.Source.Path, m.Dir)
	if err != nil {
		return nil, err
	}
	m.user = true
	s, err := newServer(conn, f, m.Source)
	if err == nil {
		err = refusePolls(unix.AT_FDCWD, m.Dir)
	}
	if err != nil {
		return nil, errors.Join(err, m.Unmount())
	}
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

// connectByHelper runs fusermount3, which mounts and sends the connection to the
// kernel over a socket. (Its auto_unmount is of no use here: in fuse 3.14 it
// looks at the mount as root, from whom the kernel hides it.)
func connectByHelper(source, dir string) (int, error) {
	ours, theirs, err := pair()
	if err != nil {
		return -1, err
	}
	defer ours.close()
	end := os.NewFile(uintptr(theirs), "fusermount3")
	defer end.Close()
	escape := strings.NewReplacer(`\`, `\\`, `,`, `\,`)
	options := fmt.Sprintf("ro,nosuid,nodev,subtype=elfwright,max_read=%d,fsname=%s", maxRead, escape.Replace(source))
	if err := fusermount(end, "-o", options, "--", dir); err != nil {
		return -1, err
	}
	var fds []int
	if err := ours.rights(&fds); err != nil {
		return -1, err
	}
	if len(fds) != 1 {
		return -1, fmt.Errorf("fusermount3 sent %d descriptors, not one", len(fds))
	}
	return fds[0], nil
}

// fusermount runs it with those arguments, and with a socket if there is one.
func fusermount(socket *os.File, args ...string) error {
	path, err := helperPath()
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{}
	if socket != nil {
		cmd.ExtraFiles = []*os.File{socket} // descriptor 3
		cmd.Env = []string{"_FUSE_COMMFD=3"}
	}
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
	p, err := os.StartProcess(selfPath, self, &os.ProcAttr{
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
