package freeze

import (
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// Devices that are nothing but what they are: /dev/null, zero, full, random,
// urandom.
func plainDevice(rdev uint64) bool {
	if unix.Major(rdev) != 1 {
		return false
	}
	switch unix.Minor(rdev) {
	case 3, 5, 7, 8, 9:
		return true
	}
	return false
}

// character opens a device, or what stands for the terminal.
func (c *compiler) character(d *capture.Descriptor) {
	const ownTTY, consoles, slaves, slavesEnd = 5 << 8, 4, 136, 143 // /dev/tty; consoles and serial lines; /dev/pts
	major := unix.Major(d.Rdev)
	switch i := c.terminal(d); {
	case plainDevice(d.Rdev) && !d.Deleted():
		c.reopen(d, d.Link, d.Flags)
	case i >= 0:
		c.dup(script.Int(i), d)
	case d.Rdev == ownTTY || d.Termios != nil && c.controls(d):
		c.reopen(d, "/dev/tty", d.Flags)
		c.isKind(d, unix.S_IFCHR, "a terminal")
	case d.Termios != nil && major >= slaves && major <= slavesEnd:
		c.refuseFD(d, "is a pseudoterminal, and not the one that controls the process")
	case d.Termios != nil && major == consoles:
		if c.nameIsFile(d) {
			c.reopen(d, d.Link, d.Flags)
			c.isKind(d, unix.S_IFCHR, "a terminal")
			c.Call("ioctl", script.Int(d.N), script.Int(unix.TCSETS), script.Int(c.Data(d.Termios, 8))).Says("%s: its modes", describe(d))
		}
	default:
		c.refuseFD(d, fmt.Sprintf("is a device (%d, %d)", major, unix.Minor(d.Rdev)))
	}
}

// controls says whether a terminal is the one that controls the process.
func (c *compiler) controls(d *capture.Descriptor) bool {
	tty := uint32(c.s.Stat.TTY) // new_encode_dev: minor, major, minor
	return tty != 0 && unix.Mkdev(tty>>8&0xfff, tty&0xff|tty>>12&0xfff00) == d.Rdev
}

// terminal finds which of 0, 1, 2 is the same terminal.
func (c *compiler) terminal(d *capture.Descriptor) int {
	if c.tree != nil {
		return c.tree.terminal(d)
	}
	for i := range c.s.Descriptors {
		if o := &c.s.Descriptors[i]; o.N <= 2 && o.Mode == d.Mode && o.Rdev == d.Rdev && c.opt.FDs[o.N] == "" {
			return o.N
		}
	}
	return -1
}

// modes gives the terminal that the file is started at the modes that the old one
// had, if the process was and is in its foreground: one that edits a screen has
// set it up. It is told that the size may be another (SIGWINCH).
func (c *compiler) modes() {
	for i := range c.s.Descriptors {
		d := &c.s.Descriptors[i]
		if d.N > 2 || d.Termios == nil || c.opt.FDs[d.N] != "" || !c.controls(d) || c.s.Stat.TPGID != c.s.Session[1] {
			continue
		}
		none, same, ours := c.Label(), c.Label(), c.Label()
		group, now := c.Words(0), c.Data(make([]byte, len(d.Termios)), 8)
		fd := script.Int(d.N)
		c.Call("ioctl", fd, script.Int(unix.TCGETS), script.Int(now)).Or(none)
		c.Call("ioctl", fd, script.Int(unix.TIOCGPGRP), group).Or(none)
		c.Call("getpgid", zero).To(c.tmp)
		c.Do(script.Equal4, group, c.tmp.Get()).Or(ours)
		c.Jump(none)
		c.Place(ours)
		old := c.Data(d.Termios, 8)
		c.Do(script.Same, script.Int(now), script.Int(old), script.Int(len(d.Termios))).Or(same)
		c.orLacks(c.Call("ioctl", fd, script.Int(unix.TCSETS), script.Int(old)), "%s: its modes cannot be set here", describe(d))
		c.Place(same)
		if c.s.Status.Caught>>(unix.SIGWINCH-1)&1 != 0 {
			c.Call("kill", c.pid.Get(), script.Int(int(unix.SIGWINCH)))
		}
		c.Place(none)
		return
	}
}
