package load_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// release is a tree with the dynamic linker of a distribution, made of this
// machine's: what it says of its release is replaced.
type release struct {
	name string
	file string // of the dynamic linker
	ld   string // what it says
	libc string // what libc.so.6 says; "": there is none
	want load.Version
	note bool
}

var releases = []release{
	{"Debian 11", "ld-2.31.so", "", "GNU C Library (Debian GLIBC 2.31-13+deb11u11) stable release version 2.31.", load.Version{Major: 2, Minor: 31}, false},
	{"without the words in brackets", "ld.so", "", "GNU C Library stable release version 2.12, by Roland McGrath", load.Version{Major: 2, Minor: 12}, false},
	{"other words before", "ld.so", "", "no release version 7.7 GNU C Library (x) release release version 2.30.", load.Version{Major: 2, Minor: 30}, false},
	{"the name alone", "ld-2.27.so", "", "", load.Version{Major: 2, Minor: 27}, false},
	{"nothing at all", "ld.so", "", "no release", load.Version{}, true},
	{"Debian 13", "ld-linux-x86-64.so.2", "ld.so (Debian GLIBC 2.41-12) stable release version 2.41.", "GNU C Library (none) stable release version 2.31.", load.Version{Major: 2, Minor: 41}, false},
}

// build makes the tree: the dynamic linker in a directory of Debian's, and in
// lib64 a link with an absolute target.
func (r *release) build(t *testing.T) *tree {
	b := newTree(t, native)
	b.root = b.dir
	text, err := os.ReadFile(ldso)
	if err != nil {
		t.Fatal(err)
	}
	const says = "ld.so (Debian GLIBC "
	i := bytes.Index(text, []byte(says))
	if i < 0 {
		t.Skip("this machine's ld.so is not Debian's")
	}
	end := i + bytes.IndexByte(text[i:], 0)
	clear(text[i:end])
	copy(text[i:end], r.ld)
	const dir = "lib/x86_64-linux-gnu/"
	b.link(dir+"libc.so.6", `.section .rodata; .asciz "`+r.libc+`"; .asciz "more"`, "-soname=libc.so.6")
	b.link("x/libx.so", "", "-soname=libx.so")
	b.libc = []string{b.path(dir + "libc.so.6")}
	b.link("p", "", "x/libx.so", both, "-rpath=/none:/x")
	if r.libc == "" {
		os.Remove(b.path(dir + "libc.so.6"))
	}
	if err := os.WriteFile(b.path(dir+r.file), text, 0o777); err != nil {
		t.Fatal(err)
	}
	b.symlink("/"+dir+r.file, "lib64/ld-linux-x86-64.so.2")
	return b
}

// TestReleases has the rules by release for trees whose ld.so does not tell it.
func TestReleases(t *testing.T) {
	samples.Need(t, ldso)
	for _, r := range releases {
		t.Run(strings.ReplaceAll(r.name, " ", "-"), func(t *testing.T) {
			b := r.build(t)
			cpu := &load.CPU{HWCaps: []string{"x86-64-v2"}, Platform: "haswell"}
			p, err := load.Load(b.path("p"), load.Options{Root: b.root, CPU: cpu})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if p.Version != r.want {
				t.Errorf("version %v, not %v", p.Version, r.want)
			}
			if got := slices.ContainsFunc(p.Notes, func(s string) bool { return strings.Contains(s, "2.36") }); got != r.note {
				t.Errorf("notes %q", p.Notes)
			}
			tried := ""
			for _, n := range p.Program().Needs {
				for _, try := range n.Tried {
					tried += try.Path + "\n"
				}
			}
			hwcaps, legacy := !r.want.Before(2, 33), r.want.Before(2, 37)
			if strings.Contains(tried, "/x/glibc-hwcaps/x86-64-v2/libx.so") != hwcaps || strings.Contains(tried, "/x/tls/haswell/libx.so") != legacy {
				t.Errorf("%v: tried\n%s", r.want, tried)
			}
		})
	}
}

// TestOtherReleases holds the search in the trees of other distributions, named by
// ELFWRIGHT_ROOTS, against their own dynamic linkers, which run in them by chroot.
// Each is a root with the libraries of libc6.
func TestOtherReleases(t *testing.T) {
	roots := os.Getenv("ELFWRIGHT_ROOTS")
	if roots == "" {
		t.Skip("ELFWRIGHT_ROOTS names no trees")
	}
	for _, root := range filepath.SplitList(roots) {
		t.Run(filepath.Base(filepath.Dir(root)), func(t *testing.T) {
			b := newTree(t, native)
			b.root = b.dir
			if out, err := exec.Command("cp", "-a", root+"/.", b.root).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			b.dir += "/case"
			for _, n := range strings.Fields("liba.so tls/liba.so libb.so x86_64/libb.so libd.so glibc-hwcaps/x86-64-v2/libd.so") {
				b.link("a/"+n, "", "-soname="+filepath.Base(n))
			}
			b.link("libz.so", "", "-soname=libz.so", "a/liba.so", both, "-rpath=$ORIGIN/a")
			b.link("p", "", "libz.so", "a/libb.so", "a/libd.so", both, "-rpath=$ORIGIN:$ORIGIN/a")
			p, err := load.Load(b.path("p"), load.Options{Root: b.root})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			// There is no /proc from which ld.so could have $ORIGIN.
			cmd := &exec.Cmd{Path: "/case/p", Args: []string{"/case/p"}, Dir: "/", Env: []string{"LD_DEBUG=libs:scopes:reloc", "LD_ORIGIN_PATH=/case"}}
			cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: b.root}
			want, got := accountOf(t, cmd), told(p)
			same(t, root, want, got)
			var order []string
			for _, o := range p.RelocationOrder() {
				order = append(order, o.Path)
			}
			if want.relocs = slices.DeleteFunc(want.relocs, func(s string) bool { return s == p.Ld.Path }); !slices.Equal(want.relocs, order) {
				t.Errorf("ld.so relocates %q, here %q", want.relocs, order)
			}
			t.Logf("%v, %d events", p.Version, len(got.events))
		})
	}
}
