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

// anonymous makes what the kernel has no file for.
func (c *compiler) anonymous(d *capture.Descriptor) {
	switch strings.TrimPrefix(d.Link, "anon_inode:") {
	case "[eventfd]":
		c.eventFD(d)
	case "[eventpoll]":
		c.Call("epoll_create1", zero).To(c.work).Says("%s", describe(d))
		c.put(d)
	case "[timerfd]":
		c.timerFD(d)
	case "[signalfd]":
		c.signalFD(d)
	case "inotify":
		c.inotify(d)
	case "[pidfd]":
		c.pidFD(d)
	default:
		c.refuseFD(d, "is not restored")
	}
}

// info is the value of a line of fdinfo.
func info(d *capture.Descriptor, key string) string {
	for _, l := range d.Info {
		if k, v, ok := strings.Cut(l, ":"); ok && k == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func (c *compiler) eventFD(d *capture.Descriptor) {
	n, err := strconv.ParseUint(info(d, "eventfd-count"), 16, 64)
	if err != nil {
		c.refuseFD(d, "the kernel does not tell its count")
		return
	}
	flags := d.Flags & unix.O_NONBLOCK
	if info(d, "eventfd-semaphore") == "1" {
		flags |= 1 // EFD_SEMAPHORE
	}
	c.Call("eventfd2", zero, script.Int(flags)).To(c.work).Says("%s", describe(d))
	c.put(d)
	if n != 0 {
		c.Call("write", script.Int(d.N), c.Words(n), script.Int(8)).Exact().Says("%s: count", describe(d))
	}
}

func (c *compiler) timerFD(d *capture.Descriptor) {
	clock, err := strconv.Atoi(info(d, "clockid"))
	var v [4]uint64
	_, err1 := fmt.Sscanf(info(d, "it_value"), "(%d, %d)", &v[2], &v[3])
	_, err2 := fmt.Sscanf(info(d, "it_interval"), "(%d, %d)", &v[0], &v[1])
	if err != nil || err1 != nil || err2 != nil {
		c.refuseFD(d, "the kernel does not tell when it expires")
		return
	}
	ticks, _ := strconv.ParseUint(info(d, "ticks"), 10, 64)
	c.Call("timerfd_create", script.Int(clock), script.Int(d.Flags&unix.O_NONBLOCK)).To(c.work).Says("%s", describe(d))
	c.put(d)
	// One that has expired and was not read yet is not running; a new one that
	// expires at once is the same.
	if ticks > 0 && v[2] == 0 && v[3] == 0 {
		v[3] = 1
		if ticks == 1 {
			ticks = 0
		}
	}
	flags, _ := strconv.ParseUint(info(d, "settime flags"), 8, 32)
	// A time of the calendar stays it; others are counted from the thaw on.
	if flags = calendar(clock, flags); flags&absolute != 0 && v != [4]uint64{} && v != [4]uint64{3: 1} {
		v[2] += uint64(d.Read.Sec)
		if v[3] += uint64(d.Read.Nsec); v[3] >= 1e9 {
			v[2], v[3] = v[2]+1, v[3]-1e9
		}
	}
	if v != [4]uint64{} {
		c.Call("timerfd_settime", script.Int(d.N), script.Int(flags), c.Words(v[:]...), zero).Says("%s: time", describe(d))
	}
	if ticks != 0 {
		const setTicks = 0x40085400 // TFD_IOC_SET_TICKS
		c.Call("ioctl", script.Int(d.N), script.Int(setTicks), c.Words(ticks)).Says("%s: ticks", describe(d))
	}
}

const absolute = 1 // TFD_TIMER_ABSTIME

// calendar keeps the flags of a timer that is set by the time of the calendar.
func calendar(clock int, flags uint64) uint64 {
	if clock != unix.CLOCK_REALTIME && clock != unix.CLOCK_REALTIME_ALARM {
		return 0
	}
	return flags
}

func (c *compiler) signalFD(d *capture.Descriptor) {
	mask, err := strconv.ParseUint(info(d, "sigmask"), 16, 64)
	if err != nil {
		c.refuseFD(d, "the kernel does not tell its signals")
		return
	}
	c.Call("signalfd4", minus1, c.Words(mask), script.Int(8), script.Int(d.Flags&unix.O_NONBLOCK)).To(c.work).Says("%s", describe(d))
	c.put(d)
}

func (c *compiler) pidFD(d *capture.Descriptor) {
	if c.tree != nil {
		c.relativeFD(d)
		return
	}
	if info(d, "Pid") != strconv.Itoa(c.s.Outer) {
		c.refuseFD(d, "is of another process, "+info(d, "Pid"))
		return
	}
	c.Call("getpid").To(c.tmp)
	c.Call("pidfd_open", c.tmp.Get(), script.Int(d.Flags&unix.O_NONBLOCK)).To(c.work).Says("%s", describe(d))
	c.put(d)
}

// watched tells each epoll what it watches, when all is there.
func (c *compiler) watched() {
	for i := range c.s.Descriptors {
		d := &c.s.Descriptors[i]
		if d.Link != "anon_inode:[eventpoll]" || d.Same != d.N || c.opt.FDs[d.N] != "" || c.tree != nil && !c.tree.watches(c, d) {
			continue
		}
		for _, l := range d.Info {
			if strings.HasPrefix(l, "tfd:") {
				c.watch(d, l)
			}
		}
	}
}

// watch adds what a line of fdinfo says: "tfd: 5 events: 19 data: 5 pos:0 ino:3d
// sdev:10".
func (c *compiler) watch(d *capture.Descriptor, line string) {
	var fd int
	var events uint32
	var data, ino, pos, sdev uint64
	line = strings.Join(strings.Fields(line), " ")
	if n, _ := fmt.Sscanf(line, "tfd: %d events: %x data: %x pos:%d ino:%x sdev:%x", &fd, &events, &data, &pos, &ino, &sdev); n < 3 {
		c.refuseFD(d, fmt.Sprintf("the kernel tells in another way what it watches: %q", line))
		return
	}
	target := c.find(fd)
	switch {
	case target == nil || ino != 0 && target.Ino != ino && target.Mode != 0:
		c.refuseFD(d, fmt.Sprintf("watches a file that was descriptor %d and is not any more", fd))
		return
	case c.opt.FDs[fd] == Close:
		return
	}
	b := append(binary.LittleEndian.AppendUint32(nil, events), make([]byte, c.arch.epollPad)...)
	b = binary.LittleEndian.AppendUint64(b, data)
	const add = 1 // EPOLL_CTL_ADD
	c.Call("epoll_ctl", script.Int(d.N), script.Int(add), script.Int(fd), script.Int(c.Data(b, 8))).Says("%s: watch %s", describe(d), describe(target))
}

func (c *compiler) find(n int) *capture.Descriptor {
	for i := range c.s.Descriptors {
		if d := &c.s.Descriptors[i]; d.N == n {
			return d
		}
	}
	return nil
}
