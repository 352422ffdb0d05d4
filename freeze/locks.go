package freeze

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// A lock as fdinfo has it: "lock: 1: POSIX  ADVISORY  WRITE 77 fe:00:1234 0 EOF".
type lock struct {
	kind  string // FLOCK, POSIX, OFDLCK, LEASE
	state string // ADVISORY; of a lease ACTIVE, BREAKING
	write bool
	start uint64
	size  uint64 // 0: up to the end of the file
}

// parseLock reads a line. What it does not know is an error.
func parseLock(line string) (l lock, err error) {
	f := strings.Fields(line)
	if len(f) != 9 || f[0] != "lock:" {
		return l, fmt.Errorf("%q is not a lock", line)
	}
	l.kind, l.state, l.write = f[2], f[3], f[4] == "WRITE"
	if !l.write && f[4] != "READ" {
		return l, fmt.Errorf("%q: %q is neither READ nor WRITE", line, f[4])
	}
	if l.start, err = strconv.ParseUint(f[7], 10, 63); err != nil {
		return l, fmt.Errorf("%q: %w", line, err)
	}
	if f[8] == "EOF" {
		return l, nil
	}
	end, err := strconv.ParseUint(f[8], 10, 63)
	if err != nil || end < l.start {
		return l, fmt.Errorf("%q: it ends at %s", line, f[8])
	}
	l.size = end - l.start + 1
	return l, nil
}

// locks takes the locks again, when all descriptors are there: to close one would
// give back those of the process. One that another has ends the thaw.
func (c *compiler) locks() {
	for i := range c.s.Descriptors {
		d := &c.s.Descriptors[i]
		for _, line := range d.Info {
			if !strings.HasPrefix(line, "lock:") || d.Same != d.N || c.opt.FDs[d.N] != "" {
				continue
			}
			l, err := parseLock(line)
			switch {
			case err != nil:
				c.refuseFD(d, err.Error())
			case !c.made[d.N]:
				c.warn("%s: its lock is not restored, for it is the one that the file is started with: %s", describe(d), line)
			default:
				c.lock(d, l)
			}
		}
	}
}

func (c *compiler) lock(d *capture.Descriptor, l lock) {
	const ofdSetlk = 37 // F_OFD_SETLK
	what := fmt.Sprintf("%s: its lock (%s)", describe(d), l.kind)
	fd := script.Int(d.N)
	kind := map[bool]int{false: unix.F_RDLCK, true: unix.F_WRLCK}[l.write]
	switch {
	case l.kind == "FLOCK":
		how := map[bool]int{false: unix.LOCK_SH, true: unix.LOCK_EX}[l.write]
		c.Call("flock", fd, script.Int(how|unix.LOCK_NB)).Says("%s", what)
	case l.kind == "POSIX":
		c.Call("fcntl", fd, script.Int(unix.F_SETLK), c.record(kind, l)).Says("%s", what)
	case l.kind == "OFDLCK":
		c.Call("fcntl", fd, script.Int(ofdSetlk), c.record(kind, l)).Says("%s", what)
	case l.kind == "LEASE" && l.state == "ACTIVE":
		c.Call("fcntl", fd, script.Int(unix.F_SETLEASE), script.Int(kind)).Says("%s: its lease", describe(d))
		c.owner(d) // the call above makes the process the owner
	case l.kind == "LEASE":
		c.refuseFD(d, "has a lease that another process is about to break")
	default:
		c.refuseFD(d, "has a lock of a kind that is not restored: "+l.kind)
	}
}

// record makes a struct flock.
func (c *compiler) record(kind int, l lock) script.Arg {
	b := binary.LittleEndian.AppendUint16(nil, uint16(kind))
	b = append(b, make([]byte, 6)...) // SEEK_SET
	b = binary.LittleEndian.AppendUint64(b, l.start)
	b = binary.LittleEndian.AppendUint64(b, l.size)
	return script.Int(c.Data(append(b, make([]byte, 8)...), 8))
}
