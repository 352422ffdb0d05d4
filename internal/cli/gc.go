package cli

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
)

// collectFrom is the heap from which on garbage is collected during a link. Nearly
// all that a link allocates it needs to its end, so that collecting early takes
// a fifth of its time and frees nothing.
const collectFrom = 1 << 30

// lateGC turns the collector off until the heap has collectFrom bytes; from then on it
// works as ever. The function that it returns puts things back, if anything comes
// after: to do so starts a collection. GOGC and GOMEMLIMIT in the environment have the
// last word.
func lateGC(last bool) (restore func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent := debug.SetGCPercent(-1)
	limit := debug.SetMemoryLimit(collectFrom)
	restore = func() {
		if last {
			return
		}
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	}
	// A limit alone would have the collector run without end once what is in use
	// comes near it: the first collection that finds the sentinel lifts it.
	type sentinel struct{ _ [4]*int }
	runtime.AddCleanup(new(sentinel), func(int) {
		debug.SetMemoryLimit(math.MaxInt64)
		debug.SetGCPercent(100)
	}, 0)
	return restore
}
