package capture

import (
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

// owner asks who gets the signals of an open file, and which.
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
	return nil
}
