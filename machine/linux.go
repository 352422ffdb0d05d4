package machine

// Linux is what Linux fixes for programs of a machine, as far as code that we
// put into programs has to know it.
type Linux struct {
	LargeFile uint32    // O_LARGEFILE; 0 where every file may be large
	Calls     []Syscall // by number
}

// Syscall is a system call, named as in the kernel's <asm/unistd.h>.
type Syscall struct {
	Number uint32
	Name   string
}

// Lookup finds the number of a system call.
func (l *Linux) Lookup(name string) (number uint32, ok bool) {
	for _, c := range l.Calls {
		if c.Name == name {
			return c.Number, true
		}
	}
	return 0, false
}

// CallName names a system call, or is empty.
func (l *Linux) CallName(number uint32) string {
	for _, c := range l.Calls {
		if c.Number == number {
			return c.Name
		}
	}
	return ""
}
