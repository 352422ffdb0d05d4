package compare

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// What a report keeps of the bytes that differ.
const (
	maxRanges = 32 // of one unit
	maxShown  = 32 // bytes of one range
	joinGap   = 3  // equal bytes between two ranges that are shown as one
)

// A span is a half-open range of offsets.
type span struct{ from, to int }

// nextDiff returns the first offset from which on x and y, of which neither is
// shorter than n, differ; n if there is none.
func nextDiff(x, y []byte, from, n int) int {
	const block = 256
	for from < n {
		to := min(from+block, n)
		if bytes.Equal(x[from:to], y[from:to]) {
			from = to
			continue
		}
		for x[from] == y[from] {
			from++
		}
		return from
	}
	return n
}

// differing says how x became y; nil if they are equal. Differences within the
// spans of refs, which are sorted, are references and not in the ranges.
func differing(x, y []byte, refs []span) *Bytes {
	n := min(len(x), len(y))
	d := nextDiff(x, y, 0, n)
	if d == n && len(x) == len(y) {
		return nil
	}
	b := &Bytes{First: Hex(d), OldSize: Size(len(x)), NewSize: Size(len(y)), References: Size(len(refs))}
	var open span // the range being built
	flush := func() {
		if open.to == open.from {
			return
		}
		if len(b.Ranges) < maxRanges {
			b.Ranges = append(b.Ranges, Range{Hex(open.from), Size(open.to - open.from), shown(x[open.from:open.to]), shown(y[open.from:open.to])})
		} else {
			b.NoRanges++
		}
	}
	for d < n {
		b.Differing++
		for len(refs) > 0 && refs[0].to <= d {
			refs = refs[1:]
		}
		switch {
		case len(refs) > 0 && refs[0].from <= d: // a reference
		case open.to > 0 && d-open.to <= joinGap:
			open.to = d + 1
		default:
			flush()
			open = span{d, d + 1}
		}
		d = nextDiff(x, y, d+1, n)
	}
	flush()
	if b.shifted() {
		b.Differing, b.Ranges, b.NoRanges = 0, nil, 0
	}
	return b
}

// shifted says whether runs of different lengths have so little in common that
// something was put in between, and comparing place by place says nothing.
func (b *Bytes) shifted() bool {
	return b.OldSize != b.NewSize && 2*b.Differing > min(b.OldSize, b.NewSize)
}

// differingCount is differing without the ranges, and faster.
func differingCount(x, y []byte) *Bytes {
	n := min(len(x), len(y))
	d := nextDiff(x, y, 0, n)
	if d == n && len(x) == len(y) {
		return nil
	}
	b := &Bytes{First: Hex(d), OldSize: Size(len(x)), NewSize: Size(len(y))}
	const low = 0x7f7f7f7f7f7f7f7f
	for ; d+8 <= n; d += 8 {
		v := binary.LittleEndian.Uint64(x[d:]) ^ binary.LittleEndian.Uint64(y[d:])
		// The top bit of each byte of the sum says whether its low bits are not 0.
		b.Differing += Size(bits.OnesCount64((v&low + low | v) &^ low))
	}
	for ; d < n; d++ {
		if x[d] != y[d] {
			b.Differing++
		}
	}
	if b.shifted() {
		b.Differing = 0
	}
	return b
}

// shown is bytes as the report writes them.
func shown(b []byte) string {
	if len(b) > maxShown {
		return fmt.Sprintf("%x...", b[:maxShown])
	}
	return fmt.Sprintf("%x", b)
}

// sortEntries orders entries by their place in the new file, removed ones by
// that in the old one.
func sortEntries(list []Entry) {
	at := func(e *Entry) int {
		if e.New != nil {
			return *e.New
		}
		return *e.Old
	}
	slices.SortStableFunc(list, func(x, y Entry) int { return cmp.Compare(at(&x), at(&y)) })
}
