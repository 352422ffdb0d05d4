package capture

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Requests of ptrace(2) that package unix has no functions for.
const (
	ptraceGetRseq  = 0x420f // PTRACE_GET_RSEQ_CONFIGURATION, Linux 5.13
	sigmaskSize    = 8
	siginfoSize    = 128
	peekSharedFlag = 1 // PTRACE_PEEKSIGINFO_SHARED
	eventStop      = 128
	syscallStop    = unix.SIGTRAP | 0x80
)

// ptrace makes one request. The kernel wants them all from the thread that
// seized the process.
func ptrace(request, tid int, addr, data uintptr) (uintptr, error) {
	r, _, e := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0)
	if e != 0 {
		return 0, e
	}
	return r, nil
}

func getRegset(tid int, note uintptr, buf []byte) ([]byte, error) {
	iov := unix.Iovec{Base: &buf[0]}
	iov.SetLen(len(buf))
	_, err := ptrace(unix.PTRACE_GETREGSET, tid, note, uintptr(unsafe.Pointer(&iov)))
	return buf[:iov.Len], err
}

func setRegset(tid int, note uintptr, buf []byte) error {
	iov := unix.Iovec{Base: &buf[0]}
	iov.SetLen(len(buf))
	_, err := ptrace(unix.PTRACE_SETREGSET, tid, note, uintptr(unsafe.Pointer(&iov)))
	return err
}

func getMask(tid int) (mask uint64, err error) {
	_, err = ptrace(unix.PTRACE_GETSIGMASK, tid, sigmaskSize, uintptr(unsafe.Pointer(&mask)))
	return mask, err
}

func setMask(tid int, mask uint64) error {
	_, err := ptrace(unix.PTRACE_SETSIGMASK, tid, sigmaskSize, uintptr(unsafe.Pointer(&mask)))
	return err
}

// pending reads a queue of signals: the thread's own, or that of the process.
func pending(tid int, shared bool) ([]Siginfo, error) {
	arg := struct {
		off   uint64
		flags uint32
		nr    int32
	}{nr: 1}
	if shared {
		arg.flags = peekSharedFlag
	}
	var out []Siginfo
	for {
		info := make(Siginfo, siginfoSize)
		n, _, e := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_PEEKSIGINFO, uintptr(tid), uintptr(unsafe.Pointer(&arg)), uintptr(unsafe.Pointer(&info[0])), 0, 0)
		if e != 0 {
			return nil, e
		}
		if n == 0 {
			return out, nil
		}
		out = append(out, info)
		arg.off++
	}
}

// Rseq is the restartable sequence area of a thread (rseq(2)).
type Rseq struct {
	Addr  uint64
	Size  uint32
	Sig   uint32
	Flags uint32
	_     uint32
}

func getRseq(tid int) (r Rseq, err error) {
	_, err = ptrace(ptraceGetRseq, tid, unsafe.Sizeof(r), uintptr(unsafe.Pointer(&r)))
	return r, err
}

func getRobust(tid int) (head, size uint64, err error) {
	_, _, e := unix.Syscall(unix.SYS_GET_ROBUST_LIST, uintptr(tid), uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&size)))
	if e != 0 {
		return 0, 0, e
	}
	return head, size, nil
}

// wait waits for one thread.
func wait(tid int) (unix.WaitStatus, error) {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(tid, &ws, unix.WALL, nil)
		if err != unix.EINTR {
			return ws, err
		}
	}
}
