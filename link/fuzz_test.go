package link_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/link"
	"elfwright/link/options"
)

// fuzzSources are small objects with what a link looks at: code, data, strings to
// merge, unwinding, thread-local storage, groups.
const fuzzSource = `	.text
	.globl _start, f
	.cfi_startproc
_start:	nop
	nop
	.cfi_endproc
	.section .text.f, "axG", %progbits, f, comdat
f:	nop
	.section .rodata.str1.1, "aMS", %progbits, 1
	.asciz "one"
	.asciz "zone"
	.data
	.weak w
	.4byte f - ., _start - .
	.section .tdata, "awT", %progbits
	.globl t
t:	.4byte 1
	.bss
	.skip 16
	.comm c, 8, 4
	.section .note.GNU-stack, "", %progbits
`

// fuzzArgs are command lines, but for the input and the output.
var fuzzArgs = [][]string{
	nil, {"-shared"}, {"-pie"}, {"-r"}, {"--gc-sections", "--print-gc-sections"}, {"--emit-relocs"},
	{"-pie", "--no-dynamic-linker", "-z", "pack-relative-relocs"}, {"-shared", "-z", "force-bti", "-z", "pac-plt"},
	{"--whole-archive"}, {"--just-symbols"}, {"-s", "--build-id"}, {"--unresolved-symbols=ignore-all", "-N"},
}

// FuzzLink links an object that may be anything, of any machine. There is an
// output or an error, never both, and the bytes do not depend on the number of
// threads.
func FuzzLink(f *testing.F) {
	dir := f.TempDir()
	for _, m := range []*crossTools{
		x64, {prefix: "i686-linux-gnu-"}, a64, a64big, {prefix: "arm-linux-gnueabihf-"}, {prefix: "arm-linux-gnueabihf-", as: []string{"-EB"}},
		{prefix: "riscv64-linux-gnu-"}, {prefix: "riscv64-linux-gnu-", as: []string{"-march=rv32gc", "-mabi=ilp32"}},
	} {
		if samples.Missing(m.prefix+"as") != "" {
			continue
		}
		b, err := os.ReadFile(m.assemble(f, dir, "seed="+fuzzSource)[0])
		if err != nil {
			f.Fatal(err)
		}
		for how := range fuzzArgs {
			f.Add(b, byte(how))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, how byte) {
		if len(b) > 1<<14 {
			return
		}
		args := fuzzArgs[int(how)%len(fuzzArgs)]
		one := fuzzLink(t, b, args, "--threads=1")
		if one == nil {
			return
		}
		if four := fuzzLink(t, b, args, "--threads=4"); !bytes.Equal(one, four) {
			t.Errorf("%v: the output depends on the number of threads", args)
		}
	})
}

// fuzzLink gives the bytes of the output, nil if there is none or it is large.
func fuzzLink(t *testing.T, b []byte, args []string, threads string) []byte {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.o"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, b, 0o666); err != nil {
		t.Fatal(err)
	}
	args = append(args[:len(args):len(args)], in, "-o", out, threads)
	opt, _, err := options.Parse(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = link.Link(opt, link.Host{})
	st, absent := os.Stat(out)
	if err != nil && absent == nil {
		t.Fatalf("%v: there is an output: %v", args, err)
	}
	const large = 1 << 22
	if err != nil || st.Size() > large {
		return nil
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := elffile.Parse(out, text); err != nil {
		t.Fatalf("%v: the output: %v", args, err)
	}
	return text
}
