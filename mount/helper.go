package mount

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// selfPath is the program that this process runs, also if its file was replaced.
const selfPath = "/proc/self/exe"

// What a helper process finds open.
const (
	helperSocket  = 3 // asks and answers
	helperProgram = 4 // the program to become, for enter
)

// An ask is what a helper process is to do, as its parent sends it: serve a
// tree, or become a program with trees in place.
type ask struct {
	Source *Source `json:"source,omitempty"`
	Dir    string  `json:"dir,omitempty"`

	Run      *entering `json:"run,omitempty"`
	Parent   int       `json:"parent,omitempty"`   // its process id, for enter
	Bounding []uintptr `json:"bounding,omitempty"` // capabilities to give up; nil leaves them as they are
	Confined bool      `json:"confined,omitempty"` // in a user namespace of its own
}

// entering is the part of a Run that the helper needs.
type entering struct {
	Program string   `json:"program"`
	Args    []string `json:"args"`
	Targets []string `json:"targets"`
	Sources []Source `json:"sources"`
	Copy    bool     `json:"copy,omitempty"` // rather than fail for want of FUSE
}

// An answer is how far it came.
type answer struct {
	Error string `json:"error,omitempty"`
	Code  int    `json:"code,omitempty"` // for an exit, where a program could not be started
	User  bool   `json:"user,omitempty"` // mounted by fusermount3

	Copied bool `json:"copied,omitempty"` // nobody has to serve the trees
}

func (a answer) err() error {
	if a.Error == "" {
		return nil
	}
	return errors.New(a.Error)
}

// Helper is what a process does that was started by this package, with the
// arguments it was given as Self. It returns the exit code. env is the environment
// of a program it becomes.
func Helper(env []string) int {
	runtime.LockOSThread() // capabilities and the signal of a parent's death belong to threads
	unix.CloseOnExec(helperSocket)
	s := socket(helperSocket)
	var a ask
	if err := s.receive(&a, nil); err != nil {
		return ExitFailed // nobody's child of ours
	}
	if a.Run != nil {
		code, err := a.enter(s, env)
		_ = s.send(answer{Error: err.Error(), Code: code}) // the parent may be gone
		return code
	}
	return a.serve(s)
}

// serve serves a tree until it is unmounted.
func (a *ask) serve(s socket) int {
	m := &Mounted{Source: *a.Source, Dir: a.Dir, Via: FUSE}
	err := m.serve()
	if err != nil {
		_ = s.send(answer{Error: err.Error()})
		return ExitFailed
	}
	if err := s.send(answer{User: m.user}); err != nil {
		_ = m.Unmount()
		return ExitFailed
	}
	s.close()
	_ = unix.Chdir("/") // so that what we were started in can be unmounted
	if m.UntilSignal() != nil {
		return ExitFailed
	}
	return 0
}

// UntilSignal returns when the tree was unmounted, or unmounts it on SIGINT,
// SIGTERM or SIGHUP.
func (m *Mounted) UntilSignal() error {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(c)
	ended := make(chan error, 1)
	go func() { ended <- m.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-c:
		return m.Unmount()
	}
}

// A socket is one end of a pair between parent and helper.
type socket int

// pair returns both ends.
func pair() (ours, theirs socket, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, os.NewSyscallError("socketpair", err)
	}
	return socket(fds[0]), socket(fds[1]), nil
}

func (s socket) close() { unix.Close(int(s)) }

// send sends a message, with descriptors.
func (s socket) send(v any, fds ...int) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	return os.NewSyscallError("sendmsg", again(func() error {
		return unix.Sendmsg(int(s), b, rights, nil, unix.MSG_NOSIGNAL)
	}))
}

// maxMessage is more than the arguments of a program may be, 6 MiB.
const maxMessage = 8 << 20

// maxRights is SCM_MAX_FD, the descriptors that one message may carry.
const maxRights = 253

// receive receives a message and its descriptors; io.EOF when the other end is
// closed.
func (s socket) receive(v any, fds *[]int) error {
	n, err := s.message(nil, nil, unix.MSG_PEEK|unix.MSG_TRUNC)
	switch {
	case err != nil:
		return err
	case n == 0:
		return io.EOF
	case n > maxMessage:
		return fmt.Errorf("a message of %d bytes: %w", n, unix.EMSGSIZE)
	}
	b := make([]byte, n)
	if n, err = s.message(b, fds, 0); err != nil {
		return err
	}
	return json.Unmarshal(b[:n], v)
}

// rights receives descriptors beside a message that does not matter.
func (s socket) rights(fds *[]int) error {
	_, err := s.message(make([]byte, 1), fds, 0)
	return err
}

// message receives one message.
func (s socket) message(b []byte, fds *[]int, flags int) (n int, err error) {
	var oob []byte
	if fds != nil {
		oob = make([]byte, unix.CmsgSpace(4*maxRights))
	}
	noob := 0
	err = again(func() (err error) {
		n, noob, _, _, err = unix.Recvmsg(int(s), b, oob, unix.MSG_CMSG_CLOEXEC|flags)
		return err
	})
	if err != nil {
		return 0, os.NewSyscallError("recvmsg", err)
	}
	if noob == 0 {
		return n, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob[:noob])
	if err != nil {
		return 0, err
	}
	for _, m := range messages {
		got, err := unix.ParseUnixRights(&m)
		if err != nil {
			return 0, err
		}
		*fds = append(*fds, got...)
	}
	return n, nil
}

// again calls f until it was not interrupted by a signal.
func again(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
