package synth_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/link/model"
)

// TestMergeSizes: sections of strings and constants are as large as GNU ld's, and
// what refers to them finds what it found before.
func TestMergeSizes(t *testing.T) {
	source := map[string]string{
		"a.s": `
	.section .rodata.s1,"aMS",@progbits,1
x0:	.string "foobar"
x1:	.string "bar"
	.string ""
x2:	.string "quux"
	.section .rodata.s8,"aMS",@progbits,1
	.balign 8
y0:	.string "aligned"
	.balign 8
y1:	.string "ned"
	.balign 8
	.string "0123456789abcdef"
	.balign 8
	.string "89abcdef"
	.section .rodata.w,"aMS",@progbits,4
	.balign 4
z0:	.long 'a', 'b', 0, 'b', 0
	.section .rodata.c16,"aM",@progbits,16
	.balign 16
c0:	.quad 1, 2
	.quad 3, 4
	.data
	.globl _start
_start:	.quad x0, x1, x2, x0+3, .rodata.s1+4, y0, y1, z0, z0+12, c0, c0+16
`,
		"b.s": `
	.section .rodata.s1,"aMS",@progbits,1
	.string "bar"
	.string "foobar"
v:	.string "a foobar"
	.string "x"
	.string "unique"
	.section .rodata.s8,"aMS",@progbits,1
	.balign 8
	.string "ned"
	.balign 8
	.string "other"
	.section .rodata.w,"aMS",@progbits,4
	.balign 4
	.long 'a', 'b', 0, 'c', 0
	.section .rodata.c16,"aM",@progbits,16
	.balign 16
	.quad 3, 4
d:	.quad 5, 6
	.data
	.quad v, v+2, d, .rodata.s1+4
`,
	}
	dir, objs := build(t, "", "", source)
	script := `SECTIONS { .s1 : { *(.rodata.s1) } .s8 : { *(.rodata.s8) } .w : { *(.rodata.w) } .c16 : { *(.rodata.c16) } .data : { *(.data) } }`
	if err := os.WriteFile(filepath.Join(dir, "t.lds"), []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	ref := reference(t, dir, "", objs, "-T", "t.lds")
	l := newLab(t, dir, objs, &model.Options{})
	for _, o := range l.env.Objects {
		for _, s := range o.Sections {
			if s != nil {
				s.Name = strings.Replace(s.Name, ".rodata", "", 1)
			}
		}
	}
	ours := l.link()
	names := []string{".s1", ".s8", ".w", ".c16"}
	if got, want := sizes(t, ours, names...), sizes(t, ref, names...); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got, want := pointees(t, ours), pointees(t, ref); got != want {
		t.Errorf("pointers lead to\n got %s\nwant %s", got, want)
	}
}

// pointees are the first bytes of what each word of .data points to.
func pointees(t *testing.T, b []byte) (text string) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	d, _ := f.Section(".data").Data()
	for ; len(d) >= 8; d = d[8:] {
		p := f.ByteOrder.Uint64(d)
		for _, s := range f.Sections {
			if p >= s.Addr && p < s.Addr+s.Size && s.Flags&elf.SHF_ALLOC != 0 {
				c, _ := s.Data()
				c = c[p-s.Addr:]
				if i := bytes.IndexByte(c, 0); i > 0 && s.Name == ".s1" {
					c = c[:i]
				}
				text += fmt.Sprintf("%q ", c[:min(len(c), 8)])
			}
		}
	}
	return text
}

var throwing = map[string]string{
	"a.c": `extern void b(int); __attribute__((section(".text.dead"))) int dead(int x) { return x + 1; }
void use(void *); int a(int x) { char buf[100]; use(buf); b(x); return buf[3]; } void use(void *p) {} `,
	"b.c": `extern int a(int); void b(int x) { char buf[200]; extern void use(void *); use(buf); if (x) a(x - 1); }
void _start(void) { a(3); for (;;); }`,
}

// TestEhFrame: of the frames of code that is there all are kept, of others none;
// equal CIEs are one; the table is sorted and complete, as readelf reads it.
func TestEhFrame(t *testing.T) {
	for name, triple := range tools {
		if name == "arm" {
			continue // has .ARM.exidx
		}
		t.Run(name, func(t *testing.T) {
			dir, objs := build(t, triple, "-O1 -fno-pic -fasynchronous-unwind-tables", throwing)
			ref := reference(t, dir, triple, objs, "--gc-sections", "--eh-frame-hdr", "--no-relax")
			l := newLab(t, dir, objs, &model.Options{EhFrameHdr: true})
			for _, o := range l.env.Objects {
				for _, s := range o.Sections {
					if s != nil && s.Name == ".text.dead" {
						s.Live, s.Dropped = false, model.Collected
					}
				}
			}
			ours := l.link()
			names := []string{".eh_frame", ".eh_frame_hdr"}
			if got, want := sizes(t, ours, names...), sizes(t, ref, names...); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			text := readelf(t, dir, ours, "--debug-dump=frames")
			want := run(t, dir, "readelf", "--debug-dump=frames", "ref")
			if got, want := strings.Count(text, "FDE cie="), strings.Count(want, "FDE cie="); got != want {
				t.Errorf("%d FDEs, want %d", got, want)
			}
			if got, want := strings.Count(text, " CIE\n"), strings.Count(want, " CIE\n"); got != want {
				t.Errorf("%d CIEs, want %d", got, want)
			}
			checkTable(t, ours, text)
		})
	}
}

// checkTable reads .eh_frame_hdr as an unwinder would.
func checkTable(t *testing.T, b []byte, frames string) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	s := f.Section(".eh_frame_hdr")
	h, _ := s.Data()
	if !bytes.HasPrefix(h, []byte{1, 0x1b, 3, 0x3b}) {
		t.Fatalf("header %x", h[:4])
	}
	at := func(off int) uint64 { return s.Addr + uint64(int64(int32(f.ByteOrder.Uint32(h[off:])))) }
	if got, want := at(4)+4, f.Section(".eh_frame").Addr; got != want {
		t.Errorf(".eh_frame at %#x, want %#x", got, want)
	}
	n := int(f.ByteOrder.Uint32(h[8:]))
	if len(h) != 12+8*n || n != strings.Count(frames, "FDE cie=") {
		t.Errorf("%d entries in %d bytes", n, len(h))
	}
	funcs := map[uint64]bool{}
	syms, _ := f.Symbols()
	for _, x := range syms {
		if elf.ST_TYPE(x.Info) == elf.STT_FUNC {
			funcs[x.Value] = true
		}
	}
	last := uint64(0)
	for i := range n {
		pc := at(12 + 8*i)
		if pc <= last || !funcs[pc] {
			t.Errorf("entry %d: %#x is no function or not in order", i, pc)
		}
		last = pc
	}
}

// TestExidx: the unwind table of Arm has GNU ld's entries.
func TestExidx(t *testing.T) {
	source := map[string]string{
		"a.s": `
	.text
	.fnstart
	.globl _start, __aeabi_unwind_cpp_pr0
__aeabi_unwind_cpp_pr0:
_start:	bx lr
	.save {r4}
	.fnend
	.fnstart
	bx lr
	.save {r4}
	.fnend
	.section .text.b,"ax"
	.fnstart
	bx lr
	.cantunwind
	.fnend
	.section .text.c,"ax"
	.fnstart
	bx lr
	.cantunwind
	.fnend
`,
		"b.s": `
	.text
	bx lr
	bx lr
`,
		"c.s": `
	.text
	.fnstart
	bx lr
	.save {r4,r5}
	.fnend
`,
	}
	triple := tools["arm"]
	dir, objs := build(t, triple, "", source)
	for _, args := range [][]string{nil, {"--no-merge-exidx-entries"}} {
		ref := reference(t, dir, triple, objs, args...)
		ours := newLab(t, dir, objs, &model.Options{NoMergeExidx: len(args) != 0}).link()
		if got, want := unwinds(t, ours), unwinds(t, ref); got != want {
			t.Errorf("%v\n got %s\nwant %s", args, got, want)
		}
	}
}

// unwinds lists .ARM.exidx: of each entry the offset in .text and the second word.
func unwinds(t *testing.T, b []byte) (text string) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	s := f.Section(".ARM.exidx")
	d, _ := s.Data()
	for i := 0; i+8 <= len(d); i += 8 {
		w := int32(f.ByteOrder.Uint32(d[i:])<<1) >> 1
		text += fmt.Sprintf("%#x:%#x ", int64(s.Addr)+int64(i)+int64(w)-int64(f.Section(".text").Addr), f.ByteOrder.Uint32(d[i+4:]))
	}
	return text
}
