package capture

import (
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Owner is who gets the signals of an open file (F_SETOWN_EX, fcntl(2)).
type Owner struct {
	Kind int32 // OwnerThread, OwnerProcess, OwnerGroup
	ID   int32 // 0: nobody
}

// Kinds of owners.
const (
	OwnerThread = iota
	OwnerProcess
	OwnerGroup
)

// owner asks who gets the signals of an open file, and which, and what else only the
// open file tells.
func (t *Target) owner(d *Descriptor) error {
	fd, err := t.Open(d.N)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if d.Signal, err = unix.FcntlInt(uintptr(fd), unix.F_GETSIG, 0); err != nil {
		return t.fault("descriptor %d: F_GETSIG: %w", d.N, err)
	}
	if _, _, e := unix.Syscall(unix.SYS_FCNTL, uintptr(fd), unix.F_GETOWN_EX, uintptr(unsafe.Pointer(&d.Owner))); e != 0 {
		return t.fault("descriptor %d: F_GETOWN_EX: %w", d.N, e)
	}
	switch d.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		var fs unix.Statfs_t
		if err := unix.Fstatfs(fd, &fs); err == nil {
			d.FS = int64(fs.Type)
		}
		if d.FS == MessageQueues {
			return t.queue(d, fd)
		}
	case unix.S_IFCHR:
		d.Termios = termios(fd)
	}
	return nil
}

// MessageQueues is the file system of mq_overview(7).
const MessageQueues = 0x19800202

// queue sees whether the process is to be told when a message comes: "QSIZE:0
// NOTIFY:0 SIGNO:10 NOTIFY_PID:77".
func (t *Target) queue(d *Descriptor, fd int) error {
	b := make([]byte, 128)
	n, err := unix.Pread(fd, b, 0)
	if err != nil {
		return t.fault("descriptor %d: %s: %w", d.N, d.Link, err)
	}
	for word := range strings.FieldsSeq(string(b[:n])) {
		if pid, ok := strings.CutPrefix(word, "NOTIFY_PID:"); ok {
			d.Told = pid == itoa(t.PID)
		}
	}
	return nil
}

// termios reads the modes of a terminal; nil: it is none.
func termios(fd int) []byte {
	b := make([]byte, 36) // the kernel's struct termios
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TCGETS, uintptr(unsafe.Pointer(&b[0]))); e != 0 {
		return nil
	}
	return b
}
