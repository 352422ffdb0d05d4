package script_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"elfwright/elffile"
	"elfwright/freeze/script"
	"elfwright/image"
	"elfwright/internal/samples"
	"elfwright/machine"
	"elfwright/machine/aarch64"
	"elfwright/machine/amd64"
)

// stubCase is a script for any machine, and how it ends.
type stubCase struct {
	name     string
	code     int
	out, err string
	make     func(b *script.Builder)
}

// must ends the script with a message unless the record before, which is given a
// place to go on, went there.
func must(b *script.Builder, s script.Step) {
	ok := b.Label()
	s.Or(ok)
	b.Do(script.Fail).Says("did not jump")
	b.Place(ok)
}

// mustNot is the contrary.
func mustNot(b *script.Builder, s script.Step) {
	bad, ok := b.Label(), b.Label()
	s.Or(bad)
	b.Jump(ok)
	b.Place(bad)
	b.Do(script.Fail).Says("jumped")
	b.Place(ok)
}

func stubCases(m *machine.Machine) []stubCase {
	n := script.Int[int]
	is := func(b *script.Builder, s script.Slot, v uint64) { must(b, b.Do(script.Equal, s.Get(), script.Int(v))) }
	write := func(b *script.Builder, text string) {
		b.Call("write", n(1), b.Text(text), n(len(text))).Exact().Says("write")
	}
	return []stubCase{
		{"exit", 7, "", "", func(b *script.Builder) { b.Do(script.Exit, n(7)) }},
		{"comparisons", 3, "", "", func(b *script.Builder) {
			w := b.Words(1<<40|5, 9)
			must(b, b.Do(script.Equal, n(-1), n(-1)))
			mustNot(b, b.Do(script.Equal, n(1<<40), n(0)))
			must(b, b.Do(script.Below, n(1), n(-1)))
			mustNot(b, b.Do(script.Below, n(-1), n(1)))
			mustNot(b, b.Do(script.Below, n(1), n(1)))
			must(b, b.Do(script.Equal4, w, n(5)))
			mustNot(b, b.Do(script.Equal4, w, n(4)))
			must(b, b.Do(script.Bits4, w, n(4)))
			mustNot(b, b.Do(script.Bits4, w, n(6)))
			must(b, b.Do(script.Same, b.Text("abcd1"), b.Text("abcd2"), n(4)))
			mustNot(b, b.Do(script.Same, b.Text("abcd1"), b.Text("abcd2"), n(5)))
			must(b, b.Do(script.Same, b.Text("abcd1"), b.Text("abcd2"), n(0)))
			b.Do(script.Exit, n(3))
		}},
		{"memory", 3, "", "", func(b *script.Builder) {
			w, s := b.Words(1<<40|5, 9), b.Slot()
			b.Do(script.Load, w, n(8)).To(s)
			is(b, s, 9)
			b.Do(script.Load4, w, n(0)).To(s)
			is(b, s, 5)
			b.Do(script.Store4, w, n(-1))
			b.Do(script.Load, w, n(0)).To(s)
			is(b, s, 1<<40|0xffffffff)
			b.Do(script.Store, w, n(77))
			b.Do(script.Swap, w, n(78)).To(s)
			is(b, s, 77)
			b.Do(script.Count, w)
			must(b, b.Do(script.Equal4, w, n(79)))
			b.Do(script.TID, w, n(78), n(1))
			must(b, b.Do(script.Equal4, w, n(79)))
			b.Do(script.TID, w, n(79), n(1))
			must(b, b.Do(script.Equal4, w, n(1)))
			b.Do(script.Copy, w, b.Text("0123456789"), n(10))
			must(b, b.Do(script.Same, w, b.Text("0123456789"), n(10)))
			b.Do(script.Add, n(5), n(-6)).To(s)
			is(b, s, ^uint64(0))
			b.Do(script.Subtract, n(5), n(6)).To(s)
			is(b, s, ^uint64(0))
			b.Do(script.Exit, n(3))
		}},
		{"calls", 3, "ok\n", "", func(b *script.Builder) {
			s, failed := b.Slot(), b.Label()
			b.Call("close", n(-1)).To(s) // fails, and nothing is said
			is(b, s, uint64(1<<64-9))
			b.Call("close", n(-1)).Or(failed).Says("is not told")
			b.Do(script.Fail).Says("went on")
			b.Place(failed)
			write(b, "ok\n")
			b.Do(script.Exit, n(3))
		}},
		{"fails", 125, "", "thaw: file 5: ENOENT\n", func(b *script.Builder) {
			b.Call("open", b.Text("/no such file"), n(0), n(0)).Says("file %d", 5)
			b.Do(script.Exit, n(3))
		}},
		{"too little", 125, "", "thaw: read: EIO\n", func(b *script.Builder) {
			b.Call("read", n(0), b.Words(0), n(8)).Exact().Says("read") // of /dev/null
			b.Do(script.Exit, n(3))
		}},
		{"exact fails", 125, "", "thaw: read: EBADF\n", func(b *script.Builder) {
			b.Call("read", n(-1), b.Words(0), n(8)).Exact().Says("read")
			b.Do(script.Exit, n(3))
		}},
		{"told", 125, "", "thaw: that\n", func(b *script.Builder) { b.Do(script.Fail).Says("that") }},
		{"told elsewhere", 125, "thaw: that\n", "", func(b *script.Builder) {
			b.Do(script.Store, b.ErrorsTo().Addr(), n(1))
			b.Do(script.Fail).Says("that")
		}},
		{"child", 9, "child\n", "", func(b *script.Builder) {
			child, pid, status := b.Label(), b.Slot(), b.Words(0)
			b.Fork(child, "fork").To(pid).Says("fork")
			b.Call("wait4", pid.Get(), status, n(0), n(0)).Says("wait")
			b.Do(script.Load4, status, n(0)).To(pid)
			b.Do(script.Status, pid.Get())
			b.Place(child)
			write(b, "child\n")
			b.Do(script.Exit, n(9))
		}},
		{"killed", 128 + 13, "", "", func(b *script.Builder) { b.Do(script.Status, n(13)) }},
		{"no child", 125, "", "thaw: child: EINVAL\n", func(b *script.Builder) {
			const thread = 0x10000 // CLONE_THREAD alone
			b.Fork(b.Here(), "clone", n(thread)).Says("child")
		}},
		{"auxiliary vector", 125, "", "thaw: tag 999: ENOENT\n", func(b *script.Builder) {
			s := b.Slot()
			b.Do(script.Aux, n(6)).To(s).Says("AT_PAGESZ")
			is(b, s, 4096)
			b.Do(script.Aux, n(999)).To(s).Says("tag 999")
			b.Do(script.Exit, n(3))
		}},
		{"processor", 3, "", "", func(b *script.Builder) {
			buf, s := b.Data(make([]byte, 16), 16), b.Slot()
			b.Do(script.CPUID, n(0), n(0), script.Int(buf))
			if m == amd64.Machine {
				mustNot(b, b.Do(script.Equal4, script.Int(buf), n(0))) // the highest leaf
				b.Do(script.Exit, n(3))
				return
			}
			must(b, b.Do(script.Bits4, script.Int(buf+8), script.Int(uint32(1)<<31))) // of CTR_EL0, always
			b.Do(script.Pointer, n(4096))
			b.Do(script.Sign, n(0x12345678), n(5)).To(s)
			other := b.Slot()
			b.Do(script.Sign, n(0x12345678), n(5)).To(other)
			must(b, b.Do(script.Equal, s.Get(), other.Get()))
			mustNot(b, b.Do(script.Equal, s.Get(), n(0x12345678)))
			b.Do(script.Exit, n(3))
		}},
	}
}

// TestStub runs each stub over scripts that take every operation and every way in
// which a record may fail, but for the last: to return as from a signal.
func TestStub(t *testing.T) {
	for _, m := range []struct {
		*machine.Machine
		emulator string
	}{{amd64.Machine, "qemu-x86_64"}, {aarch64.Machine, "qemu-aarch64"}} {
		for _, c := range stubCases(m.Machine) {
			t.Run(m.Name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				samples.Need(t, m.emulator)
				cmd := exec.Command(m.emulator, program(t, m.Machine, c.make))
				var out, errs bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &errs
				if err := cmd.Run(); err != nil {
					if _, ok := errors.AsType[*exec.ExitError](err); !ok {
						t.Fatal(err)
					}
				}
				if code := cmd.ProcessState.ExitCode(); code != c.code || out.String() != c.out || errs.String() != c.err {
					t.Errorf("exit code %d, %q, %q; want %d, %q, %q", code, out.String(), errs.String(), c.code, c.out, c.err)
				}
			})
		}
		if len(m.Thaw) > 4096 {
			t.Errorf("%s: the stub has %d bytes, more than a page", m.Name, len(m.Thaw))
		}
	}
}

// program makes a file of a script.
func program(t *testing.T, m *machine.Machine, make func(b *script.Builder)) string {
	t.Helper()
	const page, at = 4096, 0x200000
	b := script.NewBuilder(m, at+page)
	make(b)
	text, err := b.Encode(at, at+16*page)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := script.Parse(m, at+page, text); err != nil {
		t.Fatal(err)
	}
	code, err := script.Stub(m, at+page)
	if err != nil {
		t.Fatal(err)
	}
	segment := func(at image.Addr, flags elf.ProgFlag, off int64, b []byte) image.Segment {
		n := uint64(len(b))
		return image.Segment{Vaddr: at, Paddr: at, Filesz: n, Memsz: n, Flags: flags, Align: page, Data: elffile.Buffer(b), Off: off, Index: image.NoIndex}
	}
	img := &image.Image{
		Name: "script", Format: elffile.Format{Class: m.Class, Data: m.Orders[0]}, Type: elf.ET_EXEC, Machine: m.ELF, Entry: at,
		Segments: []image.Segment{segment(at, elf.PF_R|elf.PF_X, page, code), segment(at+page, elf.PF_R|elf.PF_W, 2*page, text)},
	}
	f, err := img.File()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "program")
	if err := f.Encode().WriteFile(name, 0o700); err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, name)
	return name
}
