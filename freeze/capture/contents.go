package capture

import (
	"strings"

	"golang.org/x/sys/unix"
)

// MaxContent bounds what is kept of a file without a name.
const MaxContent = 1 << 30

// details asks for what fdinfo does not tell.
func (t *Target) details(d *Descriptor) error {
	if d.Same != d.N || d.Flags&unix.O_PATH != 0 {
		return nil
	}
	if err := t.owner(d); err != nil {
		return err
	}
	switch {
	case d.Mode&unix.S_IFMT == unix.S_IFSOCK:
		return t.socket(d)
	case d.Mode&unix.S_IFMT == unix.S_IFIFO:
		return t.pipe(d)
	case d.Mode&unix.S_IFMT == unix.S_IFREG && (d.Deleted() || strings.HasPrefix(d.Link, "/memfd:")):
		return t.unnamed(d)
	case d.Link == "anon_inode:[timerfd]":
		return t.timerFD(d)
	case d.Link == "anon_inode:inotify":
		return t.watches(d)
	case d.Link == "anon_inode:[eventfd]":
		return t.eventFD(d)
	}
	return nil
}

// pipe reads what is in a pipe, without taking it out (tee(2)).
func (t *Target) pipe(d *Descriptor) error {
	fd, err := t.Open(d.N)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if d.Size2, err = unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0); err != nil {
		return t.fault("descriptor %d: F_GETPIPE_SZ: %w", d.N, err)
	}
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLOUT}}
	if _, err := unix.Poll(poll, 0); err != nil {
		return t.fault("descriptor %d: poll: %w", d.N, err)
	}
	d.Gone = poll[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
	if d.Flags&unix.O_ACCMODE == unix.O_WRONLY {
		return nil
	}
	return t.inPipe(d, fd)
}

// inPipe copies what is in a pipe to one of ours, and reads it there.
func (t *Target) inPipe(d *Descriptor, fd int) error {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return t.fault("descriptor %d: pipe: %w", d.N, err)
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	if _, err := unix.FcntlInt(uintptr(p[1]), unix.F_SETPIPE_SZ, max(d.Size2, 4096)); err != nil {
		return t.fault("descriptor %d: a pipe of its size 0x%x: %w", d.N, d.Size2, err)
	}
	n, err := unix.Tee(fd, p[1], d.Size2, unix.SPLICE_F_NONBLOCK)
	if err == unix.EAGAIN || n == 0 {
		return nil
	}
	if err != nil {
		return t.fault("descriptor %d: tee: %w", d.N, err)
	}
	buf := make([]byte, n)
	for got := 0; got < len(buf); {
		k, err := unix.Read(p[0], buf[got:])
		if err != nil || k == 0 {
			return t.fault("descriptor %d: what is in the pipe: read %d of %d bytes: %w", d.N, got, n, err)
		}
		d.Packets = append(d.Packets, buf[got:got+k]) // only a packet ends a read early
		got += k
	}
	return nil
}

// unnamed reads a file that has no name any more, or never had one.
func (t *Target) unnamed(d *Descriptor) error {
	if d.Size > MaxContent {
		return nil // refused by whoever looks at it
	}
	fd, err := t.Open(d.N)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if d.FS == unix.HUGETLBFS_MAGIC || d.FS == MessageQueues {
		return nil // refused, too
	}
	if s, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0); err == nil {
		d.Seals = s
	}
	// Also where the process may only write: by its link a file is opened anew.
	own, err := unix.Open(t.path("fd/"+itoa(d.N)), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return t.fault("descriptor %d: %s: %w", d.N, d.Link, err)
	}
	defer unix.Close(own)
	d.Content = make([]byte, d.Size)
	for got := 0; got < len(d.Content); {
		k, err := unix.Pread(own, d.Content[got:], int64(got))
		if err != nil || k == 0 {
			return t.fault("descriptor %d: %s: read %d of %d bytes: %w", d.N, d.Link, got, d.Size, err)
		}
		got += k
	}
	return nil
}

// timerFD asks again what is left of a timer: the kernel counts expirations of a
// periodic one when it is asked, but not for fdinfo (timerfd_show).
func (t *Target) timerFD(d *Descriptor) error {
	fd, err := t.Open(d.N)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var left unix.ItimerSpec
	if err := unix.TimerfdGettime(fd, &left); err != nil {
		return t.fault("descriptor %d: timerfd_gettime: %w", d.N, err)
	}
	text, err := t.read("fdinfo/" + itoa(d.N))
	if err != nil {
		return err
	}
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &d.Read); err != nil {
		return t.fault("the time: %w", err)
	}
	d.Info = nil
	if err := d.ParseInfo(text); err != nil {
		return t.fault("descriptor %d: %w", d.N, err)
	}
	return nil
}
