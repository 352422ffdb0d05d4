package freeze

import (
	"fmt"
	"path"
	"strings"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/freeze/note"
	"elfwright/freeze/script"
	"elfwright/image"
)

// compiler makes the script of a process.
type compiler struct {
	*script.Builder
	s    *capture.Snapshot
	t    *capture.Target // nil: it is not a living process, and the snapshot has its memory
	opt  Options
	arch *arch
	refusals
	warnings []string
	stopped  bool

	*shelf
	blobs []blob

	tree   *tree   // that the process is of; nil: it is alone
	member *member // its place in the tree
	common bool    // it is no process, but opens what several have

	high      int           // a descriptor above all of the process's
	last      script.Slot   // the highest one that is ours so far
	ours      []script.Slot // all of them, ascending
	exe       script.Slot   // the frozen file
	tmp       script.Slot
	work      script.Slot
	pid       script.Slot
	stubAt    image.Range
	sameVDSO  script.Slot
	parked    parked
	vdsoData  note.Range             // the recorded vDSO
	files     map[fileID]script.Slot // memfds that mappings and descriptors share
	filled    map[fileID]bool
	made      map[int]bool       // descriptors that are not those that the file is started with
	pairs     map[uint64]bool    // sockets that are made
	nameless  script.Slot        // not 0: a mapping has lost its name
	unlocked  script.Slot        // or is not locked any more
	misplaced script.Slot        // or is on other nodes
	late      []func()           // what comes when all descriptors are there
	libraries map[string]library // files of mappings, by name
	argsFD    script.Slot
	wanted    map[int]script.Slot // descriptors that are inherited, where they are kept
	frames    map[int]frame       // of threads, by their numbers
}

type fileID struct{ dev, ino uint64 }

func (c *compiler) refuse(what, why, option string) { c.add(c.who()+what, why, option) }

func (c *compiler) warn(format string, args ...any) {
	c.warnings = append(c.warnings, c.who()+fmt.Sprintf(format, args...))
}

// who tells the processes of a tree apart.
func (c *compiler) who() string {
	if c.tree == nil || c.common {
		return ""
	}
	return fmt.Sprintf("process %d (%s): ", c.s.Outer, c.s.Stat.Comm)
}

// compile makes the script for an address, and all that goes with it.
func compile(s *capture.Snapshot, t *capture.Target, opt Options, stub image.Range) (*compiler, error) {
	c := newCompiler(script.NewBuilder(archOf(s).Machine, uint64(stub.Start)+page), &shelf{next: memoryOff}, s, t, opt, stub)
	c.check()
	c.thaw()
	return c, c.err()
}

// newCompiler is one whose script and file may be those of others, too.
func newCompiler(b *script.Builder, on *shelf, s *capture.Snapshot, t *capture.Target, opt Options, stub image.Range) *compiler {
	c := &compiler{
		Builder: b, shelf: on, s: s, t: t, opt: opt, arch: archOf(s), stubAt: stub,
		files: make(map[fileID]script.Slot), wanted: make(map[int]script.Slot), made: make(map[int]bool), frames: make(map[int]frame),
	}
	c.tmp, c.work, c.pid = c.Slot(), c.Slot(), c.Slot()
	return c
}

// build compiles twice: how long the script is decides where it can be, and where
// it is stands in it.
func build(s *capture.Snapshot, t *capture.Target, opt Options) (*Report, *elffile.Body, error) {
	if opt.PIDs == PIDAuto {
		opt.PIDs = PIDNew
		if remembers(s) {
			opt.PIDs = PIDNS
		}
	}
	c, err := compile(s, t, opt, image.Range{Start: lowest, Size: 1 << 40})
	if err != nil {
		return nil, nil, err
	}
	size := page + (c.Size()+page-1)&^(page-1) + c.arch.parking
	at, err := c.arch.place(s.PID, s.Maps, s.Brk, size+c.arch.parking)
	if err != nil {
		return nil, nil, err
	}
	if c, err = compile(s, t, opt, image.Range{Start: at, Size: size}); err != nil {
		return nil, nil, err
	}
	body, err := c.file([]*compiler{c})
	if err != nil {
		return nil, nil, err
	}
	r := &Report{Snapshot: s, PIDs: opt.PIDs, Warnings: c.warnings}
	r.Stored = c.stored()
	return r, body, nil
}

// remembers says whether a process is likely to have its numbers in memory, where
// nobody can tell them from others: mutexes of the C library have those of the
// threads that hold them, Go sends signals to its own threads, and asyncio looks
// whether it is still the process that it was.
func remembers(s *capture.Snapshot) bool {
	if len(s.Threads) > 1 || s.Go || len(s.Timers) > 0 {
		return true
	}
	for i := range s.Maps {
		if m := &s.Maps[i]; m.File() && strings.Contains(path.Base(m.Name), "python") {
			return true
		}
	}
	return false
}
