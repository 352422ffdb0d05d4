package explain

import (
	"debug/elf"
	"strings"
	"testing"

	"elfwright/image"
	"elfwright/internal/elftest"
	"elfwright/plan"
)

// TestVersions holds that a rule changes with its version.
func TestVersions(t *testing.T) {
	dir := t.TempDir()
	programs := crafted()
	pie, interpreters := interps()
	interp := interpreters["dyn"].write(t, dir, "interp", "")
	for _, tc := range []struct {
		name    string
		c       craft
		interp  string
		kernel  plan.Version
		outcome string
		check   func(*plan.Process) bool
	}{
		{"headers-74", programs["headers-74"], "", plan.Version{Major: 6, Minor: 16}, "refused with ENOEXEC", nil},
		{"headers-73", programs["headers-73"], "", plan.Version{Major: 6, Minor: 16}, "runs", nil},
		{"headers-1171", programs["headers-1171"], "", plan.Version{Major: 6, Minor: 17}, "refused with ENOEXEC", nil},
		{"bss-read-only", programs["bss-read-only"], "", plan.Version{Major: 6, Minor: 6}, "killed by SIGSEGV", nil},
		{"bss-read-only", programs["bss-read-only"], "", plan.Version{Major: 6, Minor: 7}, "runs", nil},
		{"static-pie", programs["static-pie"], "", plan.Version{Major: 6, Minor: 14}, "runs", func(p *plan.Process) bool { return p.StartBrk > 0x700000000000 }},
		{"static-pie", programs["static-pie"], "", plan.Version{Major: 6, Minor: 15}, "runs", func(p *plan.Process) bool { return p.StartBrk == 0x555555555000 }},
		{"pie-2M", pie["pie-2M"], interp, plan.Version{Major: 5, Minor: 9}, "runs", func(p *plan.Process) bool { return p.Bias == 0x555555554000 }},
		{"pie-2M", pie["pie-2M"], interp, plan.Version{Major: 5, Minor: 10}, "runs", func(p *plan.Process) bool { return p.Bias == 0x555555400000 }},
		{"static-pie-2M", programs["static-pie-2M"], "", plan.Version{Major: 6, Minor: 9}, "runs", func(p *plan.Process) bool { return p.Bias%(2<<20) != 0 }},
		{"static-pie-2M", programs["static-pie-2M"], "", plan.Version{Major: 6, Minor: 10}, "runs", func(p *plan.Process) bool { return p.Bias%(2<<20) == 0 }},
		{"table-nowhere", programs["table-nowhere"], "", plan.Version{Major: 5, Minor: 17}, "runs", func(p *plan.Process) bool { return p.Phdr == execBase+0x40 }},
		{"table-nowhere", programs["table-nowhere"], "", plan.Version{Major: 5, Minor: 18}, "runs", func(p *plan.Process) bool { return p.Phdr == 0 }},
		{"plain", programs["plain"], "", plan.Version{Major: 6, Minor: 2}, "runs", func(p *plan.Process) bool { return len(p.Auxv) == 21 }},
		{"plain", programs["plain"], "", plan.Version{Major: 6, Minor: 3}, "runs", func(p *plan.Process) bool { return len(p.Auxv) == 23 }},
		{"bss-tail", programs["bss-tail"], "", plan.Version{Major: 5, Minor: 4}, "runs", func(p *plan.Process) bool { return len(p.Merged()) == 7-1 }},
	} {
		s, err := Open(tc.c.write(t, dir, tc.name, tc.interp), Options{Kernel: tc.kernel, StackLimit: 8 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		p := s.Process
		if got := fateText(p.Outcome); got != tc.outcome {
			t.Errorf("%s, Linux %v: %s (%s), want %s", tc.name, tc.kernel, got, p.Outcome.Msg, tc.outcome)
		}
		if tc.check != nil && !tc.check(p) {
			t.Errorf("%s, Linux %v: bias %v brk %v phdr %v auxv %d %d lines", tc.name, tc.kernel, p.Bias, p.StartBrk, p.Phdr, len(p.Auxv), len(p.Merged()))
		}
	}
}

// TestMachines: where other machines put a PIE, its stack and its interpreter
// (the constants of their asm/processor.h and asm/elf.h).
func TestMachines(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		machine      elf.Machine
		class        elf.Class
		opt          Options
		bias, stack  image.Addr
		mmapBase     image.Addr
		readableCode bool // without PT_GNU_STACK all that is readable is executable
	}{
		{elf.EM_AARCH64, elf.ELFCLASS64, Options{}, 0xaaaaaaaaa000, 1 << 48, 1<<48 - 128<<20, false},
		{elf.EM_AARCH64, elf.ELFCLASS64, Options{PageSize: 64 << 10}, 0xaaaaaaaa0000, 1 << 48, 1<<48 - 128<<20, false},
		{elf.EM_AARCH64, elf.ELFCLASS64, Options{VABits: 39}, 0x5555555000, 1 << 39, 1<<39 - 128<<20, false},
		{elf.EM_AARCH64, elf.ELFCLASS64, Options{StackLimit: plan.Unlimited}, 0xaaaaaaaaa000, 1 << 48, 1 << 46, false},
		{elf.EM_ARM, elf.ELFCLASS32, Options{}, 0x400000, 0xffff0000, 0xf7ff0000, true},
		{elf.EM_ARM, elf.ELFCLASS32, Options{Native32: true}, 0x400000, 0xbf000000, 0xb7000000, true},
		{elf.EM_RISCV, elf.ELFCLASS64, Options{}, 0x555555555000, 1 << 47, 1<<47 - 128<<20, false},
		{elf.EM_RISCV, elf.ELFCLASS64, Options{VABits: 39}, 0x2aaaaaa000, 1 << 38, 1<<38 - 128<<20, false},
		{elf.EM_386, elf.ELFCLASS32, Options{Kernel: plan.Latest}, 0x56555000, 0xffffe000, 0xf7ffe000, true},
		{elf.EM_386, elf.ELFCLASS32, Options{Native32: true}, 0x400000, 0xc0000000, 0xb8000000, true},
	} {
		f := elftest.File{Class: tc.class, Type: elf.ET_DYN, Machine: tc.machine, Entry: codeOff, Segments: []elftest.Segment{load(rx, 0, 0, 0x2000, 0x2000), load(elf.PF_R, 0, 0x10000, 0x10, 0x10)}}
		c := craft{class: tc.class, typ: elf.ET_DYN, machine: tc.machine, entry: codeOff, segs: f.Segments, size: 0x20000}
		interp := c.write(t, dir, "interp", "")
		tc.opt.StackLimit = max(tc.opt.StackLimit, 8<<20)
		s, err := Open(c.write(t, dir, "program", interp), tc.opt)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		p := s.Process
		if p.Outcome.Fate != plan.Runs {
			t.Errorf("%v %+v: %+v", tc.machine, tc.opt, p.Outcome)
			continue
		}
		if p.Bias != tc.bias || p.Stack.End() != tc.stack || p.MmapBase != tc.mmapBase {
			t.Errorf("%v %+v: bias %v stack end %v mmap base %v, want %v %v %v", tc.machine, tc.opt, p.Bias, p.Stack.End(), p.MmapBase, tc.bias, tc.stack, tc.mmapBase)
		}
		if m := p.At(p.Bias + 0x10000); m == nil || (m.Prot&elf.PF_X != 0) != tc.readableCode {
			t.Errorf("%v: %v", tc.machine, m)
		}
	}
}

// TestWarnings: each is told where it belongs.
func TestWarnings(t *testing.T) {
	programs := crafted()
	for name, code := range map[string]string{
		"bss-read-only": "writable-bss", "overlap": "replaced", "headers-74": "many-headers", "wx": "wx", "exec-stack": "executable-stack",
		"two-stacks": "several", "stack-memsz": "stack-size-ignored", "table-nowhere": "table-not-loaded", "class-32": "ident-ignored",
		"static-pie-align3": "align-ignored", "beyond-file": "beyond-file", "plain": "overlay", "i386-no-stack": "read-implies-exec",
		"over-stack-bss": "stack-replaced",
	} {
		s, err := Open(programs[name].write(t, t.TempDir(), name, ""), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var codes []string
		for _, w := range s.Process.Warnings {
			codes = append(codes, w.Code)
		}
		if !strings.Contains(" "+strings.Join(codes, " ")+" ", " "+code+" ") {
			t.Errorf("%s: warnings %v, want %s", name, codes, code)
		}
	}
}
