package image

import (
	"math/rand/v2"
	"testing"
)

// model is a set of small addresses, the slow and obvious way.
type model [64]bool

func modelOf(rs ...Range) (m model) {
	for _, r := range rs {
		for i := range m {
			if uint64(i) >= uint64(r.Start) && uint64(i)-uint64(r.Start) < r.Size {
				m[i] = true
			}
		}
	}
	return m
}

func TestRangeAlgebra(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func() Range { s := rnd.Uint64N(60); return Range{Addr(s), rnd.Uint64N(64 - s)} }
	for range 5000 {
		a, b, c := pick(), pick(), pick()
		ma, mb := modelOf(a), modelOf(b)
		var and, minus model
		for i := range ma {
			and[i] = ma[i] && mb[i]
			minus[i] = ma[i] && !mb[i]
		}
		if got := modelOf(a.Intersect(b)); got != and {
			t.Fatalf("%v & %v = %v", a, b, a.Intersect(b))
		}
		if got := modelOf(a.Minus(b)...); got != minus {
			t.Fatalf("%v - %v = %v", a, b, a.Minus(b))
		}
		if got := a.Overlaps(b); got != (and != model{}) {
			t.Fatalf("%v overlaps %v: %v", a, b, got)
		}
		if got := a.Covers(b); got != (and == mb) {
			t.Fatalf("%v covers %v: %v", a, b, got)
		}
		u := Union(a, b, c)
		if modelOf(u...) != modelOf(a, b, c) {
			t.Fatalf("union of %v %v %v = %v", a, b, c, u)
		}
		for i := 1; i < len(u); i++ {
			if u[i].Start <= u[i-1].End() {
				t.Fatalf("union %v is not sorted and apart", u)
			}
		}
	}
}

func TestRangeAtTop(t *testing.T) {
	top := Range{^Addr(0) - 0xfff, 0x1000}
	if !top.Valid() || top.End() != 0 || !top.Contains(^Addr(0)) {
		t.Errorf("the last page: %v valid=%v", top, top.Valid())
	}
	if (Range{^Addr(0), 2}).Valid() {
		t.Error("a range over the top is valid")
	}
	if got := top.Minus(Range{^Addr(0), 1}); len(got) != 1 || got[0].Size != 0xfff {
		t.Errorf("without its last byte: %v", got)
	}
	if _, ok := (Range{1, ^uint64(0)}).Pages(4096); ok {
		t.Error("all pages have a size that fits")
	}
	if s := (Range{0x1000, 0x2000}).String(); s != "[0x1000, 0x3000)" {
		t.Error(s)
	}
}
