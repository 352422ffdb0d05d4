package own_test

import (
	"path/filepath"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// hello is a program that takes a message from a library, by its absolute address
// in the code and by a copy of the data.
const hello = `
	.intel_syntax noprefix
	.text
	.globl	_start
_start:
	mov	rdi, 1
	movabs	rsi, offset msg
	mov	rdx, 38
	mov	rax, 1
	syscall
	xor	rdi, rdi
	mov	rax, 60
	syscall
`

const message = `
	.data
	.globl	msg
	.type	msg, @object
	.size	msg, 38
msg:	.ascii	"this is way longer than sixteen bytes\n"
`

// TestHello runs it three ways: with a copy relocation, and position-independent
// with a relocation in the code, where the linker was told not to copy.
func TestHello(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags []string
		typ   string
	}{
		{"copy", []string{"-no-pie"}, "R_X86_64_COPY"},
		{"text", []string{"-pie", "-z", "nocopyreloc", "-z", "notext"}, "R_X86_64_64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := samples.Make(t, samples.Recipe{
				Files: map[string]string{"hello.S": hello, "msg.S": message},
				Steps: [][]string{
					{"as", "-o", "hello.o", "hello.S"}, {"as", "-o", "msg.o", "msg.S"},
					{"ld", "-shared", "-soname", "libmsg.so", "-o", "libmsg.so", "msg.o"},
					append(append([]string{"ld", "-rpath", "$ORIGIN", "--dynamic-linker", "/lib64/ld-linux-x86-64.so.2", "-o", "hello-dl"}, c.flags...), "hello.o", "libmsg.so"),
				},
			})
			for _, embed := range []bool{false, true} {
				r, image := build(t, filepath.Join(dir, "hello-dl"), load.Options{}, own.Options{Embed: embed})
				if r.Libc != own.None {
					t.Errorf("it has the libc %v", r.Libc)
				}
				seen := false
				for _, n := range r.Relocs.Counts {
					seen = seen || n.Name == c.typ
				}
				if !seen {
					t.Errorf("no %s: %v", c.typ, r.Relocs.Counts)
				}
				if out, status := output(t, image); out != "this is way longer than sixteen bytes\n" || status != 0 {
					t.Errorf("embed %v: status %d, %q", embed, status, out)
				}
			}
		})
	}
}
