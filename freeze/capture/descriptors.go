package capture

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Descriptor is an open file of the process.
type Descriptor struct {
	N     int
	Link  string // what /proc/PID/fd/N points to
	Mode  uint32 // st_mode; 0 for what has none
	Dev   uint64
	Ino   uint64
	Rdev  uint64
	Links uint64 // st_nlink
	Size  int64
	Pos   int64
	Flags int
	Info  []string // the other lines of fdinfo
	// Same is the lowest descriptor that is the same open file: N itself for the
	// first of them.
	Same int
	// File is the number of the open file among those of a tree; 0: there is none.
	File int
	// Called is what errors call the descriptor; empty: by its number.
	Called string

	Socket  *Socket
	Content []byte   // what is in a memfd, a deleted file
	Packets [][]byte // what is in a pipe: one piece, or packets (O_DIRECT, pipe2(2))
	Gone    bool     // of a pipe: nobody has its other end
	Size2   int      // of a pipe, F_GETPIPE_SZ
	Seals   int      // of a memfd
	FS      int64    // f_type of statfs(2), of a regular file
	Told    bool     // of a message queue: mq_notify(3)
	Owner   Owner    // F_GETOWN_EX
	Signal  int      // F_GETSIG
	Termios []byte
	Read    unix.Timespec // of a timerfd: when it was asked what is left
	Watches []Watch       // of inotify
	Queued  int           // bytes of events of inotify that were not read
}

// Cloexec says whether execve closes it.
func (d *Descriptor) Cloexec() bool { return d.Flags&unix.O_CLOEXEC != 0 }

// Deleted says whether the file has no name any more.
func (d *Descriptor) Deleted() bool {
	return strings.HasPrefix(d.Link, "/") && strings.HasSuffix(d.Link, " (deleted)") && d.Links == 0
}

// descriptors lists the open files.
func (t *Target) descriptors() ([]Descriptor, error) {
	entries, err := os.ReadDir(t.path("fd"))
	if err != nil {
		return nil, t.fault("%w", err)
	}
	var out []Descriptor
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		d := Descriptor{N: n, Same: n}
		if d.Link, err = os.Readlink(t.path("fd/" + e.Name())); err != nil {
			return nil, t.fault("descriptor %d: %w", n, err)
		}
		var st unix.Stat_t
		if err := unix.Stat(t.path("fd/"+e.Name()), &st); err == nil {
			d.Mode, d.Dev, d.Ino, d.Rdev, d.Size, d.Links = st.Mode, uint64(st.Dev), st.Ino, uint64(st.Rdev), st.Size, uint64(st.Nlink)
		}
		text, err := t.read("fdinfo/" + e.Name())
		if err != nil {
			return nil, err
		}
		if err := d.ParseInfo(text); err != nil {
			return nil, t.fault("descriptor %d: %w", n, err)
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Descriptor) int { return cmp.Compare(a.N, b.N) })
	return out, t.sameFiles(out)
}

// ParseInfo reads /proc/PID/fdinfo/N.
func (d *Descriptor) ParseInfo(text []byte) (err error) {
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimRight(string(line), "\n"), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "pos":
			d.Pos, err = strconv.ParseInt(value, 10, 64)
		case "flags":
			var f uint64
			f, err = strconv.ParseUint(value, 8, 31)
			d.Flags = int(f)
		case "mnt_id", "ino":
		default:
			d.Info = append(d.Info, strings.TrimSpace(string(line)))
		}
		if err != nil {
			return fmt.Errorf("fdinfo: %s: %q is not a number", key, value)
		}
	}
	return nil
}

const kcmpFile = 0 // KCMP_FILE, kcmp(2)

// sameFiles finds the descriptors that share an open file, by dup or fork, and
// with it a position.
func (t *Target) sameFiles(all []Descriptor) error {
	first := make(map[[3]any][]int)
	for i := range all {
		d := &all[i]
		key := [3]any{d.Link, d.Dev, d.Ino}
		for _, n := range first[key] {
			r, _, e := unix.Syscall6(unix.SYS_KCMP, uintptr(t.PID), uintptr(t.PID), kcmpFile, uintptr(d.N), uintptr(n), 0)
			if e != 0 {
				return t.fault("descriptors %d and %d: kcmp: %w", d.N, n, e)
			}
			if r == 0 {
				d.Same = n
				break
			}
		}
		if d.Same == d.N {
			first[key] = append(first[key], d.N)
		}
	}
	return nil
}

// Open takes a descriptor of the process: the same open file, here (Linux 5.6).
func (t *Target) Open(n int) (int, error) {
	if t.pidfd == 0 {
		p, err := unix.PidfdOpen(t.PID, 0)
		if err != nil {
			return -1, t.fault("pidfd_open: %w", err)
		}
		t.pidfd = p
	}
	fd, err := unix.PidfdGetfd(t.pidfd, n, 0)
	if err != nil {
		return -1, t.fault("descriptor %d: pidfd_getfd: %w", n, err)
	}
	return fd, nil
}
