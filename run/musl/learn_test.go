package musl

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
)

// dynlink is a library that has what a row is learnt from: the variables and
// functions of musl's dynlink.c, a struct dso with the members where they are, and
// another file with a variable of the same name.
const dynlink = `
typedef unsigned long word;
struct pthread { char x[184]; };
struct dso {
	char *base, *name; word *dynv; struct dso *next, *prev;
	void *phdr; int phnum; word phentsize;
	void *syms, *hashtab, *ghashtab; short *versym; char *strings;
	struct dso *syms_next, *lazy_next; word *lazy, lazy_cnt;
	unsigned char *map; word map_len, dev, ino;
	char relocated, constructed, kernel_mapped, mark, bfs_built, runtime_loaded;
	struct dso **deps, *needed_by; word ndeps_direct, next_dep; void *ctor_visitor;
	char *rpath_orig, *rpath;
	struct { void *next, *image; word len, size, align, offset; } tls;
	word tls_id, relro_start, relro_end, *new_dtv; unsigned char *new_tls; void *td_index;
	struct dso *fini_next; char *EXTRA shortname;
	void *loadmap, *funcdescs; word *got; char buf[];
};
struct pthread thread;
#define HIDDEN __attribute__((visibility("hidden"), used))
#define OURS __attribute__((used)) static
HIDDEN const char __libc_version[] = VERSION;
HIDDEN int __malloc_replaced, __aligned_alloc_replaced;
HIDDEN word __libc[20], __hwcap;
OURS struct dso ldso, *head, *tail, *syms_tail, **main_ctor_queue, *builtin_ctor_queue[4];
OURS char *env_path;
OURS word tls_cnt, tls_offset, static_tls_cnt, debug[5];
OURS word tls_align = 8, *tls_tail;
OURS int runtime;
HIDDEN void *__copy_tls(void *p) { return p; }
HIDDEN int __init_tp(void *p) { return p == 0; }
HIDDEN void __init_libc(void) {}
#ifndef WITHOUT
__attribute__((noinline)) OURS void do_init_fini(struct dso **q) { runtime += q != 0; }
#endif
void __dls2b(void) {}
`

func library(t *testing.T, flags ...string) string {
	t.Helper()
	defines := append([]string{"gcc", "-g", "-O1", "-fPIC", "-c", `-DVERSION="1.2.3"`, "-DEXTRA="}, flags...)
	return filepath.Join(samples.Make(t, samples.Recipe{
		Files: map[string]string{"dynlink.c": dynlink, "atexit.c": "__attribute__((used)) static int head = 1, debug = 2;\n"},
		Steps: [][]string{append(defines, "dynlink.c"), {"gcc", "-g", "-fPIC", "-c", "atexit.c"},
			{"gcc", "-shared", "-nostdlib", "-Wl,--build-id=sha1", "-o", "libc.so", "atexit.o", "dynlink.o"}},
	}), "libc.so")
}

func open(t *testing.T, name string) *elffile.File {
	t.Helper()
	f, err := elffile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestLearn holds each address of a row against nm.
func TestLearn(t *testing.T) {
	samples.Need(t, "nm")
	name := library(t)
	f := open(t, name)
	r, err := Learn(f, f)
	if err != nil {
		t.Fatal(err)
	}
	if r.Version != "1.2.3" || r.Thread != 184 || !Is(f) {
		t.Errorf("version %q, struct pthread %d, musl %v", r.Version, r.Thread, Is(f))
	}
	out, err := exec.Command("nm", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string][]uint64)
	for line := range strings.Lines(string(out)) {
		if n := strings.Fields(line); len(n) == 3 {
			v, err := strconv.ParseUint(n[0], 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			known[n[2]] = append(known[n[2]], v)
		}
	}
	for name, at := range r.symbols() {
		all := known[name]
		if name == "head" || name == "debug" { // the other file's is initialised, and so in .data, before
			if len(all) != 2 || *at != max(all[0], all[1]) {
				t.Errorf("%s is at 0x%x, nm has 0x%x", name, *at, all)
			}
		} else if len(all) != 1 || *at != all[0] {
			t.Errorf("%s is at 0x%x, nm has 0x%x", name, *at, all)
		}
	}
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(b)
	if err != nil || *again != *r {
		t.Errorf("%v: read again %+v, written %+v", err, again, r)
	}
}

// TestLearnNot are libraries that no row comes of.
func TestLearnNot(t *testing.T) {
	good := open(t, library(t))
	for _, tc := range []struct{ flags, want string }{
		{`-DVERSION="1.1.24"`, `it is musl "1.1.24": only the structures of 1.2.0 to 1.2.5 are known`},
		{"-DEXTRA=more,*", "struct dso has no member shortname at 336: it is not that of a musl that is known"},
		{"-DWITHOUT", "musl 1.2.3: symbol do_init_fini is not known"},
	} {
		f := open(t, library(t, strings.Fields(tc.flags)...))
		if _, err := Learn(f, f); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.flags, err, tc.want)
		}
		if _, err := Learn(good, f); err == nil || !strings.Contains(err.Error(), "its build-id") {
			t.Errorf("%s, of another build: %v", tc.flags, err)
		}
	}
	if _, err := Decode([]byte(`{"version": "1.2.3"}`)); err == nil {
		t.Error("an empty row is taken")
	}
	if f := open(t, "/bin/true"); Is(f) {
		t.Error("/bin/true is musl")
	}
}
