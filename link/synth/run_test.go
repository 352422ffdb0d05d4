package synth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/ldscript"
	"elfwright/link/model"
)

// These tests run what was linked, so they are for the machine they run on.

var library = map[string]string{
	"a.c": `int counter = 5; int *where = &counter; static int hidden = 7; int *inside = &hidden;
int twice(int x) { return 2 * x; } extern int thrice(int); int (*table[])(int) = {twice, thrice};
int both(int x) { return twice(x) + thrice(x) + counter; }
const char *word(void) { return "merged"; } const char *tail(void) { return "ged"; }
static __thread int t = 9; int *tls(void) { return &t; }
static int chosen(void) { return 42; } static void *choose(void) { return chosen; } int ifn(void) __attribute__((ifunc("choose")));
int call(void) { return ifn(); }`,
	"b.c": `int thrice(int x) { return 3 * x; } extern int absent(void) __attribute__((weak)); int has(void) { return absent != 0; }`,
}

const useLibrary = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
	void *h = dlopen("./lib.so", RTLD_LAZY);
	if (!h) { puts(dlerror()); return 1; }
#define get(t, n) __typeof__(t) n = (__typeof__(t))dlsym(h, #n); if (!n) { puts("no " #n); return 1; }
	get(int *, counter) get(int **, where) get(int **, inside) get(int (*)(int), both)
	typedef int (*fn)(int); get(fn *, table) get(const char *(*)(void), word) get(const char *(*)(void), tail)
	get(int *(*)(void), tls) get(int (*)(void), call) get(int (*)(void), has)
	printf("%d %d %d %d %d %s %s %d %d %d\n", **where == *counter, **inside, both(10), table[0](4), table[1](4), word(), tail(), *tls(), call(), has());
	if (dlvsym(h, "both", "V1") != (void *)both || dlvsym(h, "both", "V2")) return 2;
	return 0;
}`

const libraryAnswer = "1 7 55 8 12 merged ged 9 42 0\n"

// TestSharedRuns has the C library load a shared object of ours: with both hash
// tables, versions, bound late and at once, relative relocations packed or not.
func TestSharedRuns(t *testing.T) {
	samples.Need(t, "gcc")
	dir, objs := build(t, "", "-O1 -fPIC -ftls-model=initial-exec", library)
	if err := os.WriteFile(filepath.Join(dir, "main.c"), []byte(useLibrary), 0o666); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "gcc", "-o", "main", "main.c")
	for _, opt := range []model.Options{{}, {HashStyle: "sysv"}, {HashStyle: "gnu"}, {Now: true}, {PackRelative: true}, {Symbolic: true}} {
		opt.Shared, opt.EhFrameHdr, opt.BuildID = true, true, "sha1"
		l := newLab(t, dir, objs, &opt)
		l.env.Versions = &ldscript.Version{Nodes: []*ldscript.VersionNode{{Name: "V1"}, {Name: "V2", Deps: []string{"V1"}}}}
		if s := l.env.Table.Get("both"); s != nil {
			s.Version, s.Default = "V1", true
		}
		b := l.link()
		if err := os.WriteFile(filepath.Join(dir, "lib.so"), b, 0o777); err != nil {
			t.Fatal(err)
		}
		readelf(t, dir, b, "-aW")
		if got := run(t, dir, "./main"); got != libraryAnswer {
			t.Errorf("hash %q now %v relr %v symbolic %v: %s, want %s", opt.HashStyle, opt.Now, opt.PackRelative, opt.Symbolic, got, libraryAnswer)
		}
	}
}

const start = `.globl _start
_start:	call main
	mov %eax, %edi
	mov $60, %eax
	syscall
`

// TestStaticIFunc: a static program finds its resolvers by __rela_iplt_start.
func TestStaticIFunc(t *testing.T) {
	dir, objs := build(t, "", "-O1 -fno-pic -mno-red-zone", map[string]string{
		"start.s": start,
		"a.c": `struct rela { unsigned long off, info; long add; }; extern struct rela begin[], end[];
static int chosen(void) { return 40; } static void *choose(void) { return chosen; } int ifn(void) __attribute__((ifunc("choose")));
int (*p)(void) = ifn; extern char __ehdr_start[];
int main(void) {
	for (struct rela *r = begin; r < end; r++) {
		if ((r->info & 0xffffffff) != 37) return 1;
		*(unsigned long *)r->off = ((unsigned long (*)(void))r->add)();
	}
	return p == ifn && p() == 40 ? ifn() : 2;
}`,
	})
	l := newLab(t, dir, objs, &model.Options{})
	for _, n := range []string{"begin", "end"} {
		s := l.env.Table.Intern(n)
		s.State, s.Script = model.Defined, true
	}
	l.edges = func() {
		r := l.env.SecRelaIPLT
		l.env.Table.Get("begin").Value, l.env.Table.Get("end").Value = r.Addr(0), r.Addr(0)+r.Size
	}
	b := l.link()
	name := filepath.Join(dir, "prog")
	if err := os.WriteFile(name, b, 0o777); err != nil {
		t.Fatal(err)
	}
	out := run(t, dir, "sh", "-c", "./prog; echo $?")
	if strings.TrimSpace(out) != "40" {
		t.Errorf("exit %s, want 40", out)
	}
}
