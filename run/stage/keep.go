package stage

import "encoding/binary"

// Again says what an image that is kept does when it is no longer that of its
// files, or when the variables for the dynamic linker are others. It executes Self
// with arguments, behind which come those of the process, less the first. Where Self
// is not there, it executes Native with the process's own; so it does when it was
// started by Name, which says that it has just been made.
type Again struct {
	Name   string   // of AT_EXECFN
	Self   string   // a path
	Stale  []string // argv for files that changed
	Other  []string // and for other variables
	Native string   // a path
}

// Argv0 stands in a list of Again for the process's own argv[0].
const Argv0 = "\x00argv[0]"

// Keep makes the image one that is kept: without it there may be none of the
// operations that ask whether it still is the right one.
func (p *Plan) Keep(a Again) {
	p.name = p.Text(a.Name)
	msg := "elfwright: " + a.Native + ": cannot be executed\n"
	block := []uint64{p.Text(a.Self), p.Text(a.Native), p.list(a.Stale), p.list(a.Other), p.Text(msg), uint64(len(msg))}
	p.again = p.words(block)
}

// list puts the addresses of strings into the plan, behind their number.
func (p *Plan) list(list []string) uint64 {
	words := []uint64{uint64(len(list))}
	for _, s := range list {
		if s == Argv0 {
			words = append(words, 1)
		} else {
			words = append(words, p.Text(s))
		}
	}
	return p.words(append(words, 0))
}

func (p *Plan) words(words []uint64) uint64 {
	at := p.Place()
	for _, w := range words {
		p.extra = binary.LittleEndian.AppendUint64(p.extra, w)
	}
	return at
}

// Stat is what tells of a file whether it is the same.
type Stat struct {
	Dev, Ino     uint64
	Size         int64
	MTime, CTime int64 // nanoseconds
}

// stat puts a Stat into the plan, in the order of the kernel's struct stat.
func (p *Plan) stat(s Stat) uint64 {
	const second = 1e9
	// Before 1970 the kernel's nanoseconds still count upwards.
	split := func(ns int64) (uint64, uint64) {
		sec, rest := ns/second, ns%second
		if rest < 0 {
			sec, rest = sec-1, rest+second
		}
		return uint64(sec), uint64(rest)
	}
	ms, mn := split(s.MTime)
	cs, cn := split(s.CTime)
	return p.words([]uint64{s.Dev, s.Ino, uint64(s.Size), ms, mn, cs, cn})
}

// OpenSame adds the opening of a file, which is to be the same.
func (p *Plan) OpenSame(path string, s Stat) { p.Do(OpenSame, p.Text(path), p.stat(s)) }

// Same adds a look at a file.
func (p *Plan) Same(path string, s Stat) { p.Do(Same, p.Text(path), p.stat(s)) }

// Absent adds a look at a place where no file is.
func (p *Plan) Absent(path string) { p.Do(Absent, p.Text(path)) }

// Variables adds that the strings of the environment which begin so are these.
func (p *Plan) Variables(prefix string, all []string) {
	list := p.list(all) + 8 // without their number
	p.Do(Variables, p.Text(prefix), list)
}

// Kernel adds that the kernel is this one: release and version of uname(2), each
// filled up with zeros.
func (p *Plan) Kernel(release, version [65]byte) {
	at := p.Place()
	p.Put(append(release[:], version[:]...))
	p.Do(Kernel, at)
}

// Skipped adds records that are left out in a process started by the name of Keep.
func (p *Plan) Skipped(add func()) {
	i := len(p.Records)
	p.Do(Skip)
	add()
	p.Records[i].Args[0], p.Records[i].Args[1] = 0, uint64(len(p.Records)-i-1)
}
