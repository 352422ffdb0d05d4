package load_test

import (
	"path/filepath"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// TestLdOptions holds the options of ld.so itself, and what GLIBC_TUNABLES asks of
// it, against this machine's.
func TestLdOptions(t *testing.T) {
	samples.Need(t, ldso)
	rpaths := func(b *tree) {
		b.link("a/liba.so", "", "-soname=liba.so")
		b.link("b/liba.so", "", "-soname=liba.so")
		b.link("q/libq.so", "", "a/liba.so", "-soname=libq.so", both, "-rpath=$ORIGIN/../a")
		b.link("p", "", "q/libq.so", both, "-rpath=$ORIGIN/q")
	}
	caps := func(b *tree) {
		for _, n := range strings.Fields("liba.so mine/liba.so x86-64-v2/liba.so libb.so x86-64-v2/libb.so x86-64-v9/libb.so") {
			dir := "a/"
			if strings.Contains(n, "/") {
				dir += "glibc-hwcaps/"
			}
			b.link(dir+n, "", "-soname="+filepath.Base(n))
		}
		b.link("p", "", "a/liba.so", "a/libb.so", both, "-rpath=$ORIGIN/a")
	}
	for _, tc := range []struct {
		corner
		argv []string
		opt  load.Options
	}{
		{corner{name: "inhibit the rpath of a library", build: rpaths}, []string{"--inhibit-rpath", "x:TREE/q/libq.so"}, load.Options{InhibitRpath: "x:TREE/q/libq.so"}},
		{corner{name: "inhibit another's", build: rpaths}, []string{"--inhibit-rpath", "libq.so:TREE/q/libq"}, load.Options{InhibitRpath: "libq.so:TREE/q/libq"}},
		{corner{name: "inhibit that of the program", build: rpaths}, []string{"--inhibit-rpath", "TREE/p"}, load.Options{InhibitRpath: "TREE/p"}},
		{corner{name: "inhibit that of nobody", build: rpaths}, []string{"--inhibit-rpath", ":x"}, load.Options{InhibitRpath: ":x"}},
		{corner{name: "hwcaps before", build: caps, want: "a/glibc-hwcaps/mine/liba.so a/glibc-hwcaps/x86-64-v9/libb.so"}, []string{"--glibc-hwcaps-prepend", "x86-64-v9:mine"}, load.Options{HWCapsPrepend: "x86-64-v9:mine"}},
		{corner{name: "hwcaps masked", build: caps}, []string{"--glibc-hwcaps-mask", "x86-64-v3:mine"}, load.Options{HWCapsMask: "x86-64-v3:mine"}},
		{corner{name: "hwcaps before and masked", build: caps}, []string{"--glibc-hwcaps-mask", "x86-64-v2", "--glibc-hwcaps-prepend", "mine"}, load.Options{HWCapsPrepend: "mine", HWCapsMask: "x86-64-v2"}},
	} {
		t.Run(strings.ReplaceAll(tc.name, " ", "-"), func(t *testing.T) {
			b := newTree(t, native)
			r := &rig{argv: []string{ldso}, opt: tc.opt}
			for _, a := range tc.argv {
				r.argv = append(r.argv, strings.ReplaceAll(a, "TREE", b.dir))
			}
			r.opt.InhibitRpath = strings.ReplaceAll(r.opt.InhibitRpath, "TREE", b.dir)
			tc.check(t, b, r)
		})
	}
}

// TestOldSort has libraries in a circle, whose order the two algorithms differ in.
func TestOldSort(t *testing.T) {
	samples.Need(t, ldso)
	b := newTree(t, native)
	b.link("libb.so", "", "-soname=libb.so")
	b.link("liba.so", "", "libb.so", "-soname=liba.so", both, "-rpath=$ORIGIN")
	b.link("libc2.so", "", "liba.so", "-soname=libc2.so", both, "-rpath=$ORIGIN")
	b.link("libb.so", "", "libc2.so", "-soname=libb.so", both, "-rpath=$ORIGIN")
	b.link("p", "", "liba.so", "libb.so", "libc2.so", both, "-rpath=$ORIGIN")
	orders := map[string]bool{}
	for _, tunables := range []string{"", "glibc.rtld.dynamic_sort=1", "x=y:glibc.rtld.dynamic_sort=2", "glibc.rtld.dynamic_sort=2:glibc.rtld.dynamic_sort=1"} {
		p, err := load.Load(b.path("p"), load.Options{Tunables: tunables})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		sameOrder(t, p, b, started(t, b.dir, []string{"GLIBC_TUNABLES=" + tunables}, b.path("p")))
		order := ""
		for _, o := range p.RelocationOrder() {
			order += o.Path + " "
		}
		orders[order] = true
	}
	if len(orders) != 2 {
		t.Errorf("%d orders, so that the case tells nothing: %v", len(orders), orders)
	}
}

// TestCPUTunables takes features from the processor, one at a time, and with them
// levels: nothing is to be searched that ld.so does not search.
func TestCPUTunables(t *testing.T) {
	samples.Need(t, ldso)
	for _, off := range strings.Fields("-AVX -AVX2 -BMI1 -BMI2 -F16C -FMA -LZCNT -MOVBE -OSXSAVE -POPCNT -SSE3 -SSE4_1 -SSE4_2 -SSSE3 -XSAVE -CMPXCHG16B " +
		"-AVX512F -AVX512BW -AVX512CD -AVX512DQ -AVX512VL AVX2 -AVX2,AVX2 x,-BMI2 -BMI1:glibc.cpu.hwcaps=-SSSE3 -SSSE3:glibc.cpu.hwcaps=-BMI1") {
		tc := corner{name: off, env: []string{"GLIBC_TUNABLES=glibc.cpu.hwcaps=" + off}, build: func(b *tree) {
			for _, level := range []string{"v2", "v3", "v4"} {
				b.link("a/glibc-hwcaps/x86-64-"+level+"/lib"+level+".so", "", "-soname=lib"+level+".so")
				b.link("a/lib"+level+".so", "", "-soname=lib"+level+".so")
			}
			b.link("p", "", "a/libv2.so", "a/libv3.so", "a/libv4.so", both, "-rpath=$ORIGIN/a")
		}}
		// The name becomes a directory's: no colon may be in it.
		t.Run(strings.NewReplacer(":", "_", ",", "_").Replace(off), func(t *testing.T) { tc.check(t, newTree(t, native), &rig{}) })
	}
}
