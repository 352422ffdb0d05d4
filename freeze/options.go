package freeze

import (
	"context"
	"time"

	"elfwright/freeze/capture"
)

// PIDs say which numbers the process has when it is thawed.
type PIDs string

// The ways to number.
const (
	PIDAuto PIDs = ""     // new, but ns for a process that may remember its numbers
	PIDNew  PIDs = "new"  // whatever the kernel gives
	PIDKeep PIDs = "keep" // the old ones, which needs a privilege
	PIDNS   PIDs = "ns"   // the old ones, in a namespace of its own
)

// Libs say what becomes of unmodified pages of files.
type Libs string

// The ways to have libraries.
const (
	Embed Libs = ""    // in the frozen file
	Ref   Libs = "ref" // in the original files, which must be the same when it is thawed
)

// What becomes of a descriptor, besides a path that is opened instead.
const (
	Inherit = "inherit" // it is what it is where the file is started
	Null    = "null"    // /dev/null
	Close   = "close"   // it is not there
)

// Options say how to freeze.
type Options struct {
	Tree   bool                   // children, and theirs, are frozen, too
	FDs    map[int]string         // what becomes of descriptors
	FDsOf  map[int]map[int]string // of those of one process of a tree, by its number
	PIDs   PIDs
	ArgsFD int // the descriptor that gets the arguments and the environment of the thaw; 0: none
	Libs   Libs
	Lazy   bool // memory is read from the file when it is touched
	Orphan bool // children are left behind
	Kill   bool // the process ends when the file is there
	Strict bool // the thaw ends with 125 where it would warn and go on
	// Snapshot lets the process go on as soon as it has made a copy of itself, from
	// which the file is written.
	Snapshot bool
	Mode     uint32
	// Compress makes a file of zstd of the frozen one; see Expand.
	Compress bool
	// Context ends it before the file is there; nil: nothing does.
	Context context.Context
	// Progress is told now and then how much of the memory is in the file.
	Progress func(done, total uint64)
	// Unjoined lets a core go on of which is not known where the end of its threads is
	// waited for.
	Unjoined bool
	// OtherVDSO makes the file behave as if the kernel's code were another.
	OtherVDSO bool
}

// Report says what was done.
type Report struct {
	Snapshot  *capture.Snapshot // of the first process
	Processes int               // of a tree
	PIDs      PIDs
	Size      int64         // of the file
	Stored    uint64        // bytes of memory that can differ from zero
	Stopped   time.Duration // the process stood still
	Warnings  []string      // what the thawed process has otherwise
}

// stopped is the error of a Context that has ended it.
func (o *Options) stopped() error {
	if o.Context == nil {
		return nil
	}
	return context.Cause(o.Context)
}
