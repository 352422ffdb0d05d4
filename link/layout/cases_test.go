package layout

import (
	"testing"

	"elfwright/link/model"
)

const basic = `
.section .text,"ax"
.globl _start, tend
.type _start,%function
_start: .long 0,0
tend:
.section .text.foo,"ax"
.globl foo
foo: .zero 24
.section .data,"aw"
.globl d
.balign 8
d: .long 1,2
.section .rodata,"a"
.balign 4
.long 2
.section .rodata.str1.1,"aMS",%progbits,1
.asciz "hello"
.section .bss,"aw",%nobits
.balign 16
.globl b
b: .zero 40
.section .note.GNU-stack,"",%progbits
`

// layoutCase is a script with what goes in, to be laid out by both linkers.
type layoutCase struct {
	name   string
	script string
	extra  string   // a second object
	args   []string // of ld
	opt    func(*model.Options)
}

func TestLikeGNU(t *testing.T) {
	for _, c := range layoutCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			compareWith(t, x86, c)
		})
	}
}

func compareWith(t *testing.T, tc toolchain, c layoutCase) {
	t.Helper()
	dir := t.TempDir()
	objs := []string{"a.o"}
	tc.assemble(t, dir, "a.o", basic)
	if c.extra != "" {
		tc.assemble(t, dir, "b.o", c.extra)
		objs = append(objs, "b.o")
	}
	want := gnu(t, tc, dir, objs, c.script, c.args)
	opt := &model.Options{}
	if c.opt != nil {
		c.opt(opt)
	}
	got := ours(t, dir, objs, c.script, opt)
	if d := diff(want, got); d != "" {
		t.Errorf("%s\n%s", c.script, d)
		if testing.Verbose() {
			t.Logf("ld says %q\nours: %q %q\n%v", want.warnings, got.errs, got.warnings, got)
		}
	}
}

var layoutCases = []layoutCase{
	{name: "simple", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) *(COMMON) } }`},
	{name: "orphans", script: `SECTIONS { . = 0x10000; .text : { *(.text) } . = ALIGN(0x1000); .data : { *(.data) } _end = .; }`},
	{name: "none", script: `ENTRY(_start)`},
	{name: "values", script: `SECTIONS { . = 0x10000; x0 = .; .text : { *(.text) a = 0x20; b1 = tend + 4; c = SIZEOF(.text); dd = tend - _start; e = ABSOLUTE(tend); f = ALIGN(16); g = _start + tend; h = -1; i = tend > _start; j = MAX(tend, _start); k = . ; l = foo; . += 4; m = . + 1; n = ADDR(.data); o = LOADADDR(.text); p = x0; q = x0 + 4; r = x0 + tend; } xx = 0x30; y = .; z = SIZEOF(.text); w = ADDR(.text); v = tend; u = tend + 1; tt = _start & 0xff; s = tend - _start; .data : { *(.data) } .bss : { *(.bss) } aa = . + 4; bb = ABSOLUTE(.); cc = ALIGN(0x100); ddd = NEXT(0x100); ee = ALIGNOF(.bss); ff = 7 / -2; gg = 7 % -2; }`},
	{name: "empties", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .e1 : { s1 = .; } .e2 : { . = .; } .e3 : { . = ALIGN(. != 0 ? 16 : 1); } .e4 : { . = . + 0; } .e5 : { . = 0; } .e6 ALIGN(0x100) : { s6 = .; } .e7 : ALIGN(64) { *(.none) } .e8 : { KEEP(*(.none)) } s8 = .; .e9 : { . = ALIGN(4); } .data : { *(.data) } .bss : { *(.bss) } .ea : { sa = .; } }`},
	{name: "data", script: `SECTIONS { . = 0x10000; .text : { *(.text) BYTE(1) SHORT(2) LONG(3) QUAD(4) SQUAD(5) end1 = .; } .d : { LONG(_start) } .data : { *(.data) } .bss : { *(.bss) LONG(1) } .init_array : { LONG(1) } .note.x : { LONG(1) } .i (INFO) : { LONG(3) } .nl (NOLOAD) : { LONG(4) } .ro (READONLY) : { LONG(5) } .bb : { . = . + 4; } .bc : { . += 4; LONG(1) } }`},
	{name: "dup", script: `SECTIONS { . = 0x10000; .text : { *(.text) } .text : { *(.data) } .data : { *(.rodata) } .bss : { *(.bss) } }`},
	{name: "address", script: `SECTIONS { .text 0x10000 : { *(.text*) } .data ALIGN(0x1000) + 0x10 : ALIGN(32) { *(.data) } .bss . + 3 : SUBALIGN(64) { *(.bss) } .rodata 0x30001 : { *(.rodata*) } }`},
	{name: "lma", script: `SECTIONS { .text 0x10000 : AT(0x4000) { *(.text*) } .rodata : { *(.rodata) } .data 0x20000 : AT(0x8000) { *(.data) } .two : { LONG(1) } .three 0x40000 : { LONG(2) } .bss : { *(.bss) } }`},
	{name: "regions", script: `MEMORY { ROM (rx) : ORIGIN = 0x1000, LENGTH = 64K RAM (rw!x) : ORIGIN = 0x20000, LENGTH = 64K } SECTIONS { .text : { *(.text*) } >ROM .rodata : { *(.rodata*) } >ROM .data : { *(.data) } >RAM AT>ROM .two : { LONG(1) } >RAM .three 0x20100 : { LONG(2) } >RAM .bss : { *(.bss) } >RAM .four : { LONG(4) } >RAM e = ORIGIN(RAM) + LENGTH(RAM); }`},
	{name: "region attributes", script: `MEMORY { ROM (rx) : ORIGIN = 0x1000, LENGTH = 64K RAM (rw!x) : ORIGIN = 0x20000, LENGTH = 64K } SECTIONS { .text : { *(.text*) } .rodata : { *(.rodata*) } .data : { *(.data) } .bss : { *(.bss) } }`},
	{name: "phdrs", script: `PHDRS { text PT_LOAD FILEHDR PHDRS; data PT_LOAD FLAGS(6); x 0x60000001; } SECTIONS { . = 0x10000 + SIZEOF_HEADERS; .text : { *(.text*) } :text .rodata : { *(.rodata*) } . = ALIGN(0x1000); .data : { *(.data) } :data :x .bss : { *(.bss) } :data }`},
	{name: "headers", script: `SECTIONS { . = 0x10000 + SIZEOF_HEADERS; .text : { *(.text*) } . = ALIGN(0x1000); .data : { *(.data) } .bss : { *(.bss) } }`},
	{name: "overlay", script: `SECTIONS { . = 0x10000; .text : { *(.text) } OVERLAY 0x20000 : AT(0x30000) { .o1 { *(.text.foo) } .o2 { *(.data) } } after = .; .bss : { *(.bss) } x = __load_start_o1; y = __load_stop_o2; }`},
	{name: "provide", script: `PROVIDE(pa = 1); PROVIDE(pb = 2); x = pa; HIDDEN(h = 5); SECTIONS { . = 0x10000; .text : { *(.text) PROVIDE(_start = .); } .data : { *(.data) PROVIDE(und = .); } }`, extra: ".globl und\n.section .data\n.long und\n"},
	{name: "discard", script: `SECTIONS { . = 0x10000; .text : { *(.text) } /DISCARD/ : { *(.rodata*) *(.note*) } .data : { *(.data) } }`},
	{name: "dataseg", script: `SECTIONS { . = 0x10000 + SIZEOF_HEADERS; .text : { *(.text*) } . = DATA_SEGMENT_ALIGN(CONSTANT(MAXPAGESIZE), CONSTANT(COMMONPAGESIZE)); .ro : { *(.data) } . = DATA_SEGMENT_RELRO_END(0, .); .data : { LONG(1) } .bss : { *(.bss) } . = DATA_SEGMENT_END(.); }`},
	{name: "forward", script: `SECTIONS { . = 0x10000; x = late; .text : { *(.text) . += late2 - late; } .data : { *(.data) late = .; late2 = . + 8; } }`},
	{name: "defined", script: `a = DEFINED(z) ? 1 : 2; z = 3; b1 = DEFINED(z) ? 1 : 2; c = DEFINED(_start) ? 1 : 2; q = DEFINED(q) ? q : 7; SECTIONS { . = 0x10000; .text : { *(.text) } }`},
	{name: "assert", script: `SECTIONS { . = 0x10000; .text : { *(.text) ASSERT(. > 0, "no") } ASSERT(1 == 2, "yes") }`},
	{name: "backwards", script: `SECTIONS { . = 0x10000; .text : { *(.text) . = 0; } }`},
	{name: "overlap", script: `SECTIONS { . = 0x10000; .text : { *(.text) } . = 0x10004; .data : { *(.data) } }`},
	{name: "backwards outside", script: `SECTIONS { . = 0x20000; .text : AT(0x100) { *(.text*) } . = 0x10000; .data : { *(.data) } .bss : { *(.bss) } }`},
	{name: "overflow", script: `MEMORY { R : ORIGIN = 0x1000, LENGTH = 16 } SECTIONS { .text : { *(.text*) } >R }`},
	{name: "sizeof forward", script: `SECTIONS { . = 0x10000 + SIZEOF(.data); .text : { *(.text) } .data : { *(.data) } }`},
	{name: "sizeof missing", script: `SECTIONS { . = 0x10000; x = SIZEOF(.missing); .text : { *(.text) } }`},
	{name: "addr forward", script: `SECTIONS { . = 0x10000; .text : AT(ADDR(.data)) { *(.text) } .data : { *(.data) } }`},
	{name: "op", script: `SECTIONS { . = 0x10000; a = 1; a += 2; a <<= 3; a |= 1; .text : { *(.text) } . += 0x100; .data : { *(.data) } }`},
	{name: "phdr default first", script: `PHDRS { a PT_LOAD; b PT_LOAD; n PT_NULL; s PT_GNU_STACK FLAGS(6); } SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } :a .bss : { *(.bss) } }`},
	{name: "text at", args: []string{"-Ttext=0x50000", "-Tdata=0x60000"}, opt: func(o *model.Options) { o.Text, o.Data = u64(0x50000), u64(0x60000) }, script: `SECTIONS { . = 0x10000; .data : { *(.data) } .text : { *(.text) } .bss : { *(.bss) } }`},
	{name: "section start", args: []string{"--section-start=.new=0x50000", "--section-start=.rodata=0x60000"}, opt: func(o *model.Options) {
		o.SectionStart = []model.SectionStart{{Name: ".new", Addr: 0x50000}, {Name: ".rodata", Addr: 0x60000}}
	}, script: `SECTIONS { . = 0x10000; .data : { *(.data) } .text : { *(.text) } .bss : { *(.bss) } }`},
	{name: "omagic", args: []string{"-N"}, opt: func(o *model.Options) { o.OMagic = true }, script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`},
	{name: "nmagic", args: []string{"-n"}, opt: func(o *model.Options) { o.NMagic = true }, script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`},
	{name: "insert", args: []string{"-z", "noseparate-code"}, opt: func(o *model.Options) { o.SeparateCode = new(bool) }, script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } .x : { LONG(1) } }`},
	{name: "notes", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`, extra: ".section .note.a,\"a\",%note\n.balign 4\n.long 4,4,1,0,0\n.section .note.b,\"a\",%note\n.balign 8\n.long 4,4,1,0,0,0\n.section .note.c,\"a\",%note\n.balign 4\n.long 4,4,1,0,0\n.section .foo,\"a\"\n.long 1\n"},
	{name: "tls", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`, extra: ".section .tdata,\"awT\"\n.balign 16\n.long 4,4,1\n.section .tbss,\"awT\",%nobits\n.balign 32\n.zero 40\n"},
	{name: "debug", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .comment 0 : { *(.comment) } x = .; .data : { *(.data) } .bss : { *(.bss) } .debug_info 0 : { *(.debug_info) } y = .; }`, extra: ".section .debug_info,\"\"\n.long 4,4,1\n.section .comment,\"MS\",%progbits,1\n.asciz \"hello\"\n.section .debug_line,\"\"\n.long 1\n.section .zzz,\"\"\n.long 1\n"},
	{name: "start stop", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`, extra: ".section set,\"aw\"\n.long 4,4,1\n.section .data\n.quad __start_set, __stop_set\n"},
	{name: "common", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`, extra: ".comm c1,8,8\n"},
	{name: "code orphans", script: `SECTIONS { . = 0x10000; .text : { *(.text) } .data : { *(.data) } }`, extra: ".section .init,\"ax\"\n.long 1\n.section .wx,\"awx\"\n.long 2\n.section .ro2,\"a\"\n.long 3\n.section .rw2,\"aw\"\n.long 3\n.section .zero2,\"aw\",%nobits\n.zero 12\n"},
}

func u64(n uint64) *uint64 { return &n }
