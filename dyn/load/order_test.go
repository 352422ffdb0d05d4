package load_test

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// sameOrder compares the order in which a start relocates.
func sameOrder(t *testing.T, p *load.Process, b *tree, real account) {
	t.Helper()
	var want, got []string
	for _, name := range b.seen(account{events: real.relocs}).events {
		if p.Ld == nil || name != p.Ld.Path {
			want = append(want, name)
		}
	}
	for _, o := range p.RelocationOrder() {
		got = append(got, o.Path)
	}
	// The program is called by its path on this machine.
	if len(want) == 0 || len(got) == 0 || !equal(want[:len(want)-1], got[:len(got)-1]) {
		t.Errorf("order of relocation\n%s", difference(want, got))
	}
}

// TestOrders has libraries that need each other at random, in circles as well:
// load order and the order of relocation, which is that of constructors, as ld.so
// has them, by the algorithm of 2.35 and by that of before.
func TestOrders(t *testing.T) {
	samples.Need(t, ldso)
	rounds := 4
	if sweep() {
		rounds = 60
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			b := newTree(t, native)
			randomGraph(b, rand.New(rand.NewSource(int64(seed))))
			for _, old := range []bool{false, true} {
				checkOrder(t, b, old)
			}
		})
	}
}

func checkOrder(t *testing.T, b *tree, old bool) {
	p, err := load.Load(b.path("p"), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var env []string
	if old {
		env = []string{"GLIBC_TUNABLES=glibc.rtld.dynamic_sort=1"}
		p.Version = load.Version{Major: 2, Minor: 34}
	}
	real := started(t, b.dir, env, b.path("p"))
	got := told(p)
	got.events, real.events = blocks(got.events), blocks(real.events) // there are filters
	same(t, "load order", real, got)
	sameOrder(t, p, b, real)
	order := p.RelocationOrder()
	init := slices.DeleteFunc(p.InitOrder(), func(o *load.Object) bool { return o == p.Ld })
	if !slices.Equal(order[:len(order)-1], init) || order[len(order)-1] != p.Program() {
		t.Error("constructors do not run in the order of relocation")
	}
}

// randomGraph links libraries with up to four needs each; the first time without
// any, so that they may be needed before they need.
func randomGraph(b *tree, r *rand.Rand) {
	n := 4 + r.Intn(12)
	name := func(i int) string { return fmt.Sprintf("lib%d.so", i) }
	for i := range n {
		b.link(name(i), "", "-soname="+name(i))
	}
	needs := func(n, most int) (words []string) {
		for range r.Intn(most + 1) {
			words = append(words, name(r.Intn(n)))
		}
		return words
	}
	for i := range n {
		words := slices.DeleteFunc(needs(n, 4), func(w string) bool { return w == name(i) })
		words = append(words, "-soname="+name(i))
		if r.Intn(6) == 0 {
			words = append(words, "--filter="+name(r.Intn(n)))
		}
		b.link(name(i), "", words...)
	}
	b.link("p", "", append(append([]string{name(0)}, needs(n, 3)...), old, "-rpath=$ORIGIN")...)
}
