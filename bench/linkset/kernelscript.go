package linkset

import (
	"fmt"
	"strings"
)

// kernelBase is where the kernel runs; it is stored from 0 on.
const kernelBase = "0xffffffff80000000"

// place is an output section of the kernel. A word of its contents is a pattern,
// or one of: KEEP:PATTERN, SORT:PATTERN, ALIGN:N, and TABLE:NAME, which is kept
// and has symbols for its start and end.
type place struct {
	name     string
	align    string
	contents string
	phdrs    string
}

var places = []place{
	{".text", "", `KEEP:.head.text ALIGN:8 .text.hot .text.hot.* ALIGN:8 .text .text.fixup .text.unlikely .text.unlikely.*
		ALIGN:8 .noinstr.text .ref.text ALIGN:8 .sched.text ALIGN:8 .cpuidle.text ALIGN:8 .spinlock.text ALIGN:8 .kprobes.text
		ALIGN:0x1000 .entry.text ALIGN:0x1000 .softirqentry.text .static_call.text`, ":text =0xcccccccc"},
	{".rodata", "0x200000", `.rodata .rodata.* .data.rel.ro* ALIGN:32 .data..ro_after_init TABLE:__jump_table TABLE:.static_call_sites
		TABLE:.static_call_tramp_key TABLE:__tracepoints_ptrs __tracepoints_strings`, ""},
	{".pci_fixup", "16", "TABLE:.pci_fixup_early TABLE:.pci_fixup_header TABLE:.pci_fixup_final TABLE:.pci_fixup_enable", ""},
	{"__ksymtab", "8", "SORT:___ksymtab+*", ""},
	{"__ksymtab_gpl", "8", "SORT:___ksymtab_gpl+*", ""},
	{"__ksymtab_strings", "", "__ksymtab_strings", ""},
	{"__param", "8", "TABLE:__param", ""},
	{"__modver", "8", "TABLE:__modver", ""},
	{"__ex_table", "16", "TABLE:__ex_table", ""},
	{"__bug_table", "8", "TABLE:__bug_table", ""},
	{".orc_unwind_ip", "4", "TABLE:.orc_unwind_ip", ""},
	{".orc_unwind", "2", "TABLE:.orc_unwind", ""},
	{".notes", "4", "KEEP:.note.gnu.* KEEP:.note.Linux", ":text :note"},
	{".data", "0x200000", `KEEP:.data..init_task ALIGN:0x1000 .data..page_aligned ALIGN:64 .data..cacheline_aligned .xiptext .data
		.data..decrypted .ref.data .data..shared_aligned .data.unlikely .data.once ALIGN:32 __tracepoints TABLE:__dyndbg
		TABLE:__bpf_raw_tp ALIGN:64 .data..read_mostly`, ":data"},
	{".init.text", "0x1000", ".init.text .init.text.* .text.startup .meminit.text*", ":init"},
	{".altinstr_aux", "", ".altinstr_aux", ""},
	{".init.data", "0x1000", `SORT:___kentry+* .init.data init.data.* .meminit.data* .init.rodata .init.rodata.* .meminit.rodata
		TABLE:_ftrace_events TABLE:__syscalls_metadata TABLE:__mcount_loc ALIGN:32 TABLE:.dtb.init.rodata TABLE:__earlycon_table
		ALIGN:16 TABLE:.init.setup TABLE:.initcallearly.init TABLE:.initcall0.init TABLE:.initcall1.init TABLE:.initcall2.init TABLE:.initcall3.init
		TABLE:.initcall4.init TABLE:.initcall5.init TABLE:.initcallrootfs.init TABLE:.initcall6.init TABLE:.initcall7.init
		TABLE:.con_initcall.init ALIGN:4 KEEP:.init.ramfs`, ""},
	{".x86_cpu_dev.init", "8", "TABLE:.x86_cpu_dev.init", ""},
	{".parainstructions", "8", "TABLE:.parainstructions", ""},
	{".retpoline_sites", "8", "TABLE:.retpoline_sites", ""},
	{".return_sites", "8", "TABLE:.return_sites", ""},
	{".altinstructions", "8", "TABLE:.altinstructions", ""},
	{".altinstr_replacement", "", ".altinstr_replacement", ""},
	{".apicdrivers", "8", "TABLE:.apicdrivers", ""},
	{".exit.text", "8", ".exit.text .text.exit", ""},
	{".exit.data", "8", ".exit.data .exit.data.* .fini_array .fini_array.*", ""},
	{".data..percpu", "0x1000", ".data..percpu..first ALIGN:0x1000 .data..percpu..page_aligned ALIGN:64 .data..percpu..read_mostly ALIGN:64 .data..percpu .data..percpu..shared_aligned", ""},
	{".smp_locks", "0x1000", "TABLE:.smp_locks ALIGN:0x1000", ""},
	{".bss", "0x1000", ".bss..page_aligned ALIGN:0x1000 .bss COMMON", ""},
	{".brk", "0x1000", ".bss..brk", ""},
}

var debugSections = strings.Fields(`.debug_aranges .debug_info .debug_abbrev .debug_line .debug_frame .debug_str .debug_loc
.debug_macro .debug_addr .debug_line_str .debug_loclists .debug_names .debug_rnglists .debug_str_offsets`)

// kernelScript is the script: an image that runs at one address and is stored at
// another, tables between symbols, program headers of its own, and checks.
func kernelScript() string {
	var b strings.Builder
	b.WriteString("OUTPUT_ARCH(i386:x86-64)\nENTRY(kernel_start)\nticks = ticks_64;\n" +
		"PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); init PT_LOAD FLAGS(7); note PT_NOTE FLAGS(0); }\nSECTIONS\n{\n" +
		"  . = " + kernelBase + " + 0x1000000;\n  phys_start = ABSOLUTE(kernel_start - " + kernelBase + ");\n")
	for _, p := range places {
		p.print(&b)
	}
	b.WriteString("  . = ALIGN(0x1000);\n  _end = .;\n")
	for _, d := range debugSections {
		fmt.Fprintf(&b, "  %s 0 : { *(%s) }\n", d, d)
	}
	b.WriteString("  .comment 0 : { *(.comment) }\n  .symtab 0 : { *(.symtab) }\n  .strtab 0 : { *(.strtab) }\n  .shstrtab 0 : { *(.shstrtab) }\n" +
		"  .got.plt : { *(.got.plt) }\n  .got : { *(.got) *(.igot.*) }\n  .plt : { *(.plt) *(.plt.*) *(.iplt) }\n  .rela.dyn : { *(.rela.*) *(.rela_*) }\n" +
		"  ASSERT(SIZEOF(.got) == 0, \"entries in the GOT\")\n  ASSERT(SIZEOF(.plt) == 0, \"entries in the PLT\")\n" +
		"  /DISCARD/ : { *(.exitcall.exit) *(.discard) *(.discard.*) *(.modinfo) *(.gnu.version*) *(.note.GNU-stack) }\n}\n" +
		"ticks_64 = ADDR(.data) + 64;\n. = ASSERT(_end - " + kernelBase + " <= 512 * 1024 * 1024, \"the kernel is too large\");\n")
	return b.String()
}

func (p *place) print(b *strings.Builder) {
	if p.align != "" {
		fmt.Fprintf(b, "  . = ALIGN(%s);\n", p.align)
	}
	base := strings.NewReplacer(".", "_", "__", "_").Replace(p.name)
	fmt.Fprintf(b, "  %s : AT(ADDR(%s) - %s) {\n    _s%s = .;\n", p.name, p.name, kernelBase, base)
	for _, word := range strings.Fields(p.contents) {
		kind, arg, special := strings.Cut(word, ":")
		switch {
		case !special:
			fmt.Fprintf(b, "    *(%s)\n", word)
		case kind == "KEEP":
			fmt.Fprintf(b, "    KEEP(*(%s))\n", arg)
		case kind == "SORT":
			fmt.Fprintf(b, "    KEEP(*(SORT(%s)))\n", arg)
		case kind == "ALIGN":
			fmt.Fprintf(b, "    . = ALIGN(%s);\n", arg)
		case kind == "TABLE":
			name := strings.ReplaceAll(arg, ".", "_")
			fmt.Fprintf(b, "    . = ALIGN(8);\n    __start_%s = .;\n    KEEP(*(%s))\n    __stop_%s = .;\n", name, arg, name)
		}
	}
	fmt.Fprintf(b, "    _e%s = .;\n  } %s\n", base, p.phdrs)
}
