package mount

import (
	"os"

	"golang.org/x/sys/unix"
)

func capget() (data [2]unix.CapUserData, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	err = unix.Capget(&header, &data[0])
	return data, err
}

// capable reports whether this thread has a capability.
func capable(c int) bool {
	data, err := capget()
	return err == nil && data[c/32].Effective&(1<<(c%32)) != 0
}

// notBounding are the capabilities that no program started by this process can
// have. A user namespace would give them to root.
func notBounding() []uintptr {
	var out []uintptr
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0); err == nil && has == 0 {
			out = append(out, c)
		}
	}
	return out
}

// giveUp gives up, with the next exec, what the user namespace gave this thread:
// ambient and inheritable capabilities, and those not within the caller's bounds.
// An exec by anyone but root then leaves none, capabilities(7).
func giveUp(bounding []uintptr) error {
	for _, c := range bounding {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
			return os.NewSyscallError("PR_CAPBSET_DROP", err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return os.NewSyscallError("PR_CAP_AMBIENT", err)
	}
	data, err := capget()
	if err != nil {
		return os.NewSyscallError("capget", err)
	}
	data[0].Inheritable, data[1].Inheritable = 0, 0
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	return os.NewSyscallError("capset", unix.Capset(&header, &data[0]))
}
