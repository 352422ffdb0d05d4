// Package linkset makes the inputs that linkers are timed on: objects as bytes
// and the script that links them, the same for the same options, in seconds.
//
//   - [Kernel] is a kernel for x86-64 of 2,000 objects: its sections, their sizes,
//     the mix of relocations and the tables of its script follow what an
//     ordinary Linux build has (counted over the objects of version 6.1).
//   - [Sections] is 10,000 small sections, of which --gc-sections leaves four
//     fifths, placed by 500 patterns.
//   - [Firmware] is 400 objects of Arm and Thumb code whose data is stored in
//     flash memory and used in RAM.
//
// The scripts say nothing that GNU ld and lld understand differently.
package linkset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Set is one link: what stands on the command line of each linker but the output.
type Set struct {
	Name string
	Args []string
	// LD is GNU ld's command for the machine, and what only it wants to be told.
	LD []string
	// LLD is what only lld wants to be told.
	LLD []string
}

// writer puts files below a directory and keeps the first error.
type writer struct {
	dir string
	err error
}

// file writes one file and returns its path.
func (w *writer) file(name string, data []byte) string {
	path := filepath.Join(w.dir, name)
	if w.err == nil {
		w.err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if w.err == nil {
		w.err = os.WriteFile(path, data, 0o644)
	}
	return path
}

// list writes a response file of paths and returns the word that names it.
func (w *writer) list(name string, paths []string) string {
	return "@" + w.file(name, []byte(strings.Join(paths, "\n")+"\n"))
}

// rnd is a small generator of numbers, the same everywhere and for ever
// (xorshift64*, Vigna 2016).
type rnd uint64

func newRnd(seed int) *rnd {
	r := rnd(uint64(seed)*0x9e3779b97f4a7c15 + 0x1234567)
	return &r
}

func (r *rnd) next() uint64 {
	x := uint64(*r)
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*r = rnd(x)
	return x * 0x2545f4914f6cdd1d
}

// below returns a number less than n.
func (r *rnd) below(n int) int { return int(r.next() >> 33 % uint64(n)) }

// skewed returns a number from low to high, the small ones oftener.
func (r *rnd) skewed(low, high int) int {
	return low + r.below(r.below(high-low+1)+1)
}

// chance is true in percent of a hundred cases.
func (r *rnd) chance(percent int) bool { return r.below(100) < percent }

// bytes returns n bytes.
func (r *rnd) bytes(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 8 {
		x := r.next()
		for k := i; k < min(i+8, n); k++ {
			b[k] = byte(x)
			x >>= 8
		}
	}
	return b
}

// words are what names and strings are made of.
var words = strings.Fields(`alloc bind block buffer cache clear clock commit copy create destroy device
dirty drain entry event fault file flush frame free get handle hash index init inode insert irq key
list load lock lookup map mask merge name node notify open page parse path pool port probe put queue
read reap refill release remove request reset resume ring scan seek set size slot split start state
stop store submit suspend sync table task timer trace unlink unlock update validate wait wake walk write zone`)

func (r *rnd) word() string { return words[r.below(len(words))] }

// phrase is a string such as programs print.
func (r *rnd) phrase() string {
	var b strings.Builder
	for range 1 + r.below(6) {
		fmt.Fprintf(&b, "%s ", r.word())
	}
	if r.chance(60) {
		fmt.Fprintf(&b, "%%d of %x", r.below(4096))
	}
	return b.String()
}
