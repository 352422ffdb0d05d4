package launch

import (
	"sync"

	"elfwright/machine"
	m64 "elfwright/machine/aarch64"
	x64 "elfwright/machine/amd64"
)

// paths are the system calls that take a path, or map a file: open and what is as
// old are not known on newer machines.
var paths = []struct {
	name string
	path uint64
	does Does
}{
	{"open", 0, Open}, {"openat", 1, Open},
	{"stat", 0, Look}, {"lstat", 0, Look}, {"newfstatat", 1, Look}, {"statx", 1, Look},
	{"access", 0, Access}, {"faccessat", 1, Access}, {"faccessat2", 1, Access},
	{"readlink", 0, Readlink}, {"readlinkat", 1, Readlink},
	{"mmap", 0, Map},
}

// Looked up when they are first asked for: most starts of the program never do.
var amd64Calls, aarch64Calls = callsOf(x64.Machine), callsOf(m64.Machine)

func callsOf(m *machine.Machine) func() []Call {
	return sync.OnceValue(func() (out []Call) {
		for _, p := range paths {
			if n, ok := m.Linux.Lookup(p.name); ok {
				out = append(out, Call{uint64(n), p.path, p.does})
			}
		}
		return out
	})
}

// Calls are the system calls that take a path, or map a file.
func (c *Code) Calls() []Call { return c.calls() }
