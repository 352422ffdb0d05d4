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
	more   string   // a second script
	def    bool     // with ld's default script
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
	var texts []Text
	for i, script := range []string{c.script, c.more} {
		if script != "" {
			texts = append(texts, Text{Name: string(rune('a'+i)) + ".lds", Text: []byte(script)})
		}
	}
	if c.def {
		texts = append(texts, builtin(t, tc, c.args...))
	}
	want := gnu(t, tc, dir, objs, texts, c.args)
	opt := &model.Options{}
	if tc.name == "arm" {
		opt.Emulation = "armelf"
	}
	if c.opt != nil {
		c.opt(opt)
	}
	got := ours(t, dir, objs, texts, opt)
	if d := diff(want, got); d != "" {
		t.Errorf("%s\n%s", c.script, d)
		if testing.Verbose() {
			t.Logf("ld says %q\nours: %q %q\n%v", want.warnings, got.errs, got.warnings, got)
		}
	}
}

// TestMachines lays the cases out for the other machines.
func TestMachines(t *testing.T) {
	for _, tc := range []toolchain{i386, arm64, arm, rv64, rv32} {
		for _, c := range layoutCases {
			if testing.Short() && c.name != "headers" {
				continue
			}
			if tc.name == "arm" && (c.name == "sane" || c.name == "defined") {
				// GNU ld's empty sections for interworking change where
				// it puts orphans of code if the script has .text alone.
				continue
			}
			t.Run(tc.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				compareWith(t, tc, c)
			})
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
	{name: "start stop", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`, extra: ".section set,\"aw\"\n.long 4,4,1\n.section .data\n.long __start_set, __stop_set\n"},
	{name: "common", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`, extra: ".comm c1,8,8\n"},
	{name: "default", def: true},
	{name: "default -N", def: true, args: []string{"-N"}, opt: func(o *model.Options) { o.OMagic = true }},
	{name: "default, separate code", def: true, args: []string{"-z", "separate-code"}, opt: func(o *model.Options) { o.SeparateCode = yesNo(true) }},
	{name: "default, one segment of code and data", def: true, args: []string{"-z", "noseparate-code"}, opt: func(o *model.Options) { o.SeparateCode = yesNo(false) }},
	{name: "default without relro", def: true, args: []string{"-z", "norelro"}, opt: func(o *model.Options) { o.Relro = yesNo(false) }},
	{name: "default with relro", def: true, args: []string{"-z", "relro"}, opt: func(o *model.Options) { o.Relro = yesNo(true) }, extra: relroData},
	{name: "default at", def: true, args: []string{"-Ttext=0x800000"}, opt: func(o *model.Options) { o.Text = u64(0x800000) }},
	{name: "default segment at", def: true, args: []string{"-Ttext-segment=0x800000"}, opt: func(o *model.Options) { o.TextSegment = u64(0x800000) }},
	{name: "default pages", def: true, args: []string{"-z", "max-page-size=0x4000"}, opt: func(o *model.Options) { o.MaxPageSize = 0x4000 }, extra: relroData},
	{name: "default stack", def: true, args: []string{"-z", "execstack"}, opt: func(o *model.Options) { o.ExecStack = yesNo(true) }},
	{name: "default sorted", def: true, args: []string{"--sort-section=alignment"}, opt: func(o *model.Options) { o.SortSection = "alignment" }, extra: relroData},
	{name: "insert after", def: true, script: `SECTIONS { .mine : { *(.data) LONG(7) } } INSERT AFTER .data;`},
	{name: "insert before", def: true, script: `SECTIONS { .mine : { *(.data) LONG(7) } x = .; } INSERT BEFORE .bss;`},
	{name: "insert text", def: true, script: `SECTIONS { .mine : { *(.text.foo) } } INSERT AFTER .rodata; SECTIONS { .mine2 : { LONG(1) } } INSERT BEFORE .mine;`},
	{name: "insert main behind", script: `SECTIONS { .mine : { *(.text.foo) } } INSERT AFTER .data;`, more: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`},
	{name: "sorts", script: `SECTIONS { . = 0x10000; .text : { *(SORT(.text.*)) *(.text) } .data : { *(SORT_BY_ALIGNMENT(.data*)) } .a : { *(SORT_BY_NAME(SORT_BY_ALIGNMENT(.a*))) } .b : { *(SORT_BY_ALIGNMENT(SORT_BY_NAME(.b.*))) } .init_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) SORT_BY_INIT_PRIORITY(.ctors.*))) *(.init_array EXCLUDE_FILE(a.o) .ctors) } .c : { b.o(.c) *(.c2 .c3) } .d : { *(.d2) *(.d1) } SORT_BY_NAME(.x) : { *(.x) } }`, extra: manySections},
	{name: "mixed sorts", script: `SECTIONS { . = 0x10000; .text : { *(SORT(.text.*) .text) } .data : { *(.a.1 SORT_BY_ALIGNMENT(.a.*) .data SORT(.b.*)) } }`, extra: manySections},
	{name: "files", script: `SECTIONS { . = 0x10000; .text : { b.o(.text*) a.o(.text) } .t2 : { EXCLUDE_FILE(b.o) *(.text*) } .data : { *(EXCLUDE_FILE(*a.o) .data .data.*) } .d2 : { :b.o(.a*) :a.o(.data) } .d3 : { b.o(.c .d?) } }`, extra: manySections},
	{name: "section flags", script: `SECTIONS { . = 0x10000; .x : { INPUT_SECTION_FLAGS(SHF_EXECINSTR) *(*) } .w : { INPUT_SECTION_FLAGS(SHF_WRITE & !SHF_TLS) *(*) } }`, extra: manySections},
	{name: "constraints", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .eh : ONLY_IF_RO { *(.rodata) *(.bss) } .eh : ONLY_IF_RW { *(.rodata) *(.bss) } .e2 : ONLY_IF_RO { *(.rodata*) } .e2 : ONLY_IF_RW { *(.data) } }`},
	{name: "align with input", script: `MEMORY { ROM (rx) : ORIGIN = 0x1001, LENGTH = 64K RAM (rw!x) : ORIGIN = 0x20003, LENGTH = 64K } SECTIONS { .text : { *(.text*) } >ROM .data : ALIGN_WITH_INPUT { *(.data) } >RAM AT>ROM .bss : ALIGN_WITH_INPUT { *(.bss) } >RAM AT>ROM .rodata : { *(.rodata*) } > ROM }`},
	{name: "align lma", script: `MEMORY { ROM (rx) : ORIGIN = 0x1001, LENGTH = 64K RAM (rw!x) : ORIGIN = 0x20003, LENGTH = 64K } SECTIONS { .text : { *(.text*) } >ROM .data : ALIGN(64) { *(.data) } >RAM AT>ROM .d2 : { LONG(1) } >RAM .bss : { *(.bss) } >RAM AT>ROM .rodata : { *(.rodata*) } > ROM }`},
	{name: "region order", script: `MEMORY { A : ORIGIN = 0x1000, LENGTH = 64K B : ORIGIN = 0x20000, LENGTH = LENGTH(A) * 2 C : ORIGIN = ORIGIN(B) + LENGTH(B), LENGTH = 1M } REGION_ALIAS("D", C) SECTIONS { .text : { *(.text*) } >A .data : { *(.data) } >D AT>A . = 0x30000; .bss : { *(.bss) } >B x = ORIGIN(C); y = LENGTH(B); .rodata : { *(.rodata*) } >A }`},
	{name: "fill", script: `SECTIONS { . = 0x10000; .text : { *(.text) . = ALIGN(64); FILL(0x1234) . += 3; LONG(1) } =0x90 .data : { *(.data) } }`},
	{name: "nested noload", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .noinit (NOLOAD) : { *(.data) } .bss : { *(.bss) } .rodata : { *(.rodata*) } }`},
	{name: "bss in the middle", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .bss : { *(.bss) } .data : { *(.data) } .rodata : { *(.rodata*) } }`},
	{name: "bss before data in one", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.bss) *(.data) } .rodata : { *(.rodata*) } }`},
	{name: "phdrs at", script: `PHDRS { h PT_PHDR PHDRS; t PT_LOAD FILEHDR PHDRS AT(0x100000); d PT_LOAD AT(0x200000); n PT_NOTE; k PT_GNU_STACK FLAGS(7); } SECTIONS { . = 0x10000 + SIZEOF_HEADERS; .text : { *(.text*) } :t .note.x : { LONG(1) } :t :n .rodata : { *(.rodata*) } :t . = 0x20000; .data : { *(.data) } :d .bss : { *(.bss) } .none : { LONG(1) } :NONE }`},
	{name: "phdrs without room", script: `PHDRS { t PT_LOAD FILEHDR PHDRS; } SECTIONS { . = 0x10; .text : { *(.text*) } :t }`},
	{name: "phdrs undeclared", script: `PHDRS { t PT_LOAD; } SECTIONS { . = 0x10; .text : { *(.text*) } :u }`},
	{name: "low headers", script: `SECTIONS { . = SIZEOF_HEADERS; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`},
	{name: "at zero", script: `SECTIONS { .text 0 : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } }`},
	{name: "high half", script: `SECTIONS { . = 0x80008000; s = .; .startup : { *(.text) } e = ALIGN(0x1000); n = e - s; . = 0xC0008000; . += n; k = .; .text : AT(e) { *(.text.foo) } .rodata : AT(LOADADDR(.text) + SIZEOF(.text)) { *(.rodata*) } . = ALIGN(0x1000); ro = .; .data : AT(LOADADDR(.text) + ro - k) { *(.data) } .bss : AT(LOADADDR(.data) + SIZEOF(.data)) { *(.bss) } . = ALIGN(0x1000); . = . + 0x1000; top = .; pages = (top - k) / 0x1000; }`},
	{name: "relative outside", script: `SECTIONS { . = 0x10000; .text : { *(.text) } a = . + ADDR(.text); b1 = tend + foo; c = ADDR(.text) + 4; dd = 4 + tend; e = tend * 2; f = ABSOLUTE(tend) + 1; g = MAX(tend, 4); h = ALIGN(tend, 64); i = ~0; j = !tend; k = tend && 1; l = tend ? tend : 0; m = -tend; n = SEGMENT_START("x", 0x44); o = . ; . = ALIGN(0x1000); p = .; q = . - 0x10; .data : { *(.data) } r = .; . = 0x90000; t = .; }`},
	{name: "relative inside", script: `SECTIONS { . = 0x10000; .text : { *(.text) a = . + ADDR(.text); b1 = tend + foo; c = ADDR(.data) + 4; dd = 4 + tend; e = tend * 2; f = ABSOLUTE(tend) + 1; g = MAX(tend, 4); h = ALIGN(tend, 64); i = ~0; j = !tend; k = tend && 1; l = tend ? tend : 0; m = -tend; n = SEGMENT_START("x", 0x44); o = . ; . = ALIGN(32); p = .; q = . - 4; r = tend - foo; s = foo - 0x10000; u = _start == 0x10000; v = NEXT(16); w = LOG2CEIL(100); x = MIN(., 4); y = CONSTANT(MAXPAGESIZE); z = abs1; aa = abs1 + 4; bb = abs1 + tend; } abs1 = 0x55; .data : { *(.data) } }`},
	{name: "sane", script: `LD_FEATURE("SANE_EXPR") SECTIONS { . = 0x10000; .text : { *(.text) a = 4; b1 = tend - _start; c = tend + 4; } dd = 4; e = tend + 4; f = tend - _start; g = 4 + .; h = dd + tend; }`},
	{name: "end of image", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .data : { *(.data) } .bss : { *(.bss) } . = ALIGN(0x1000); _end = .; x = . + 4; . = 0x40000; .stack : { LONG(1) } y = .; }`},
	{name: "symbols in empties", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .e1 : { a = .; *(.none) b1 = .; } .e2 ALIGN(64) : { c = 4; } dd = .; .data : { *(.data) } .e3 : { e = .; } f = .; .bss : { *(.bss) } .e4 : { g = .; } }`},
	{name: "kept", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .k : { KEEP(*(.kept)) } .n : { *(.empty) } .data : { *(.data) } }`, extra: ".section .kept,\"aw\"\n.section .empty,\"aw\"\n.balign 64\n"},
	{name: "merge flags", script: `SECTIONS { . = 0x10000; .text : { *(.text*) } .s : { *(.rodata.str1.1) *(.s2) } .s3 : { *(.s3) } .m : { *(.m1) *(.m2) } }`, extra: ".section .s2,\"aMS\",%progbits,1\n.asciz \"x\"\n.section .s3,\"aM\",%progbits,8\n.quad 1,2\n.section .m1,\"aM\",%progbits,4\n.long 1\n.section .m2,\"aM\",%progbits,8\n.quad 1\n"},
	{name: "code orphans", script: `SECTIONS { . = 0x10000; .text : { *(.text) } .data : { *(.data) } }`, extra: ".section .init,\"ax\"\n.long 1\n.section .wx,\"awx\"\n.long 2\n.section .ro2,\"a\"\n.long 3\n.section .rw2,\"aw\"\n.long 3\n.section .zero2,\"aw\",%nobits\n.zero 12\n"},
}

func yesNo(b bool) *bool { return &b }

const relroData = `
.section .data.rel.ro,"aw"
.long 1,2,3
.section .init_array,"aw",%init_array
.long 1
.section .tdata,"awT"
.balign 16
.long 1
.section .tbss,"awT",%nobits
.zero 20
.section .eh_frame,"a"
.long 0
.section .note.GNU-stack,"",%progbits
`

const manySections = `
.section .text.b,"ax"
.balign 4
.globl tb
tb: .long 1
.section .text.a,"ax"
.globl ta
ta: .long 1
.text
.globl t0
t0: .long 7
.section .data.1,"aw"
.globl d1
d1: .long 1
.section .data.2,"aw"
.balign 32
.globl d2
d2: .long 1
.section .a.2,"aw"
.balign 4
.globl a2
a2: .long 1
.section .a.1,"aw"
.balign 16
.globl a1
a1: .long 1
.section .b.2,"aw"
.balign 4
.globl b2
b2: .long 1
.section .b.1,"aw"
.balign 16
.globl bb1
bb1: .long 1
.section .b.0,"aw"
.balign 16
.globl b0
b0: .long 1
.section .init_array.00100,"aw",%init_array
.globl i100
i100: .long 1
.section .init_array.00020,"aw",%init_array
.globl i20
i20: .long 1
.section .ctors.65500,"aw"
.globl c35
c35: .long 1
.section .ctors,"aw"
.globl c_
c_: .long 1
.section .init_array,"aw",%init_array
.globl i_
i_: .long 1
.section .c3,"aw"
.globl c3
c3: .long 1
.section .c2,"aw"
.globl c2
c2: .long 1
.section .c,"aw"
.globl c0
c0: .long 1
.section .d1,"aw"
.globl dd1
dd1: .long 1
.section .d2,"aw"
.globl dd2
dd2: .long 1
.section .note.GNU-stack,"",%progbits
`

func u64(n uint64) *uint64 { return &n }
