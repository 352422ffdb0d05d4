package prelude_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/machine"
	"elfwright/machine/aarch64"
	"elfwright/machine/amd64"
	"elfwright/machine/arm"
	"elfwright/machine/i386"
	"elfwright/machine/riscv64"
	"elfwright/prelude"
)

// A harness sets every register, goes to a prelude as a kernel or a dynamic linker
// would, and compares the registers afterwards. It exits with 0 if all are as they
// were.
type harness struct {
	m        *machine.Machine
	cc       string
	flags    []string
	emulator []string
	regs     []string // that are set and compared

	set, cmp   string // of a register %[1]s, the word of the table at offset %[2]d
	head, tail string // from the start to "set", and on to the prelude
	check      string // from the old entry to "cmp"
	end        string // after "cmp"
}

func numbered(prefix string, from, to int, except ...int) []string {
	var list []string
next:
	for i := from; i <= to; i++ {
		for _, e := range except {
			if i == e {
				continue next
			}
		}
		list = append(list, fmt.Sprint(prefix, i))
	}
	return list
}

func harnesses() []harness {
	armTail := "\tb blob+16\n\t.ltorg\n"
	return []harness{
		{
			m: amd64.Machine, cc: "gcc",
			regs: append([]string{"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp"}, numbered("r", 8, 15)...),
			head: "\tmovq %rsp, saved(%rip)\n", set: "\tmovq words+%[2]d(%%rip), %%%[1]s\n", tail: "\tstc\n\tjmp blob+16\n",
			check: "\tjnc bad\n", cmp: "\tcmpq words+%[2]d(%%rip), %%%[1]s\n\tjne bad\n",
			end: "\tcmpq saved(%rip), %rsp\n\tjne bad\n\txorl %edi, %edi\nexit:\tmovl $231, %eax\n\tsyscall\nbad:\tmovl $1, %edi\n\tjmp exit\n",
		},
		{
			m: i386.Machine, cc: "i686-linux-gnu-gcc", emulator: emulate("i386"),
			regs: []string{"eax", "ebx", "ecx", "edx", "esi", "edi", "ebp"},
			head: "\tmovl %esp, saved\n", set: "\tmovl words+%[2]d, %%%[1]s\n", tail: "\tstc\n\tjmp blob+16\n",
			check: "\tjnc bad\n", cmp: "\tcmpl words+%[2]d, %%%[1]s\n\tjne bad\n",
			end: "\tcmpl saved, %esp\n\tjne bad\n\txorl %ebx, %ebx\nexit:\tmovl $252, %eax\n\tint $0x80\nbad:\tmovl $1, %ebx\n\tjmp exit\n",
		},
		{
			m: aarch64.Machine, cc: "aarch64-linux-gnu-gcc", emulator: emulate("aarch64"),
			regs: numbered("x", 2, 30, 16), // x0 and x1 below; x16 is lost
			head: "\tmov x0, sp\n\tldr x1, =saved\n\tstr x0, [x1]\n\tldr x0, =words\n", set: "\tldr %[1]s, [x0, #%[2]d]\n",
			tail:  "\tldp x0, x1, [x0, #256]\n\tb blob+16\n",
			check: "\tldr x16, =seen\n\tstp x0, x1, [x16]\n\tldr x0, =words\n", cmp: "\tldr x1, [x0, #%[2]d]\n\tcmp x1, %[1]s\n\tb.ne bad\n",
			end: "\tldr x2, =seen\n\tldp x3, x4, [x2]\n\tldp x5, x6, [x0, #256]\n\tcmp x3, x5\n\tb.ne bad\n\tcmp x4, x6\n\tb.ne bad\n" +
				"\tldr x1, =saved\n\tldr x1, [x1]\n\tmov x0, sp\n\tcmp x0, x1\n\tb.ne bad\n\tmov x0, #0\nexit:\tmov x8, #94\n\tsvc #0\nbad:\tmov x0, #1\n\tb exit\n",
		},
		{
			m: arm.Machine, cc: "arm-linux-gnueabihf-gcc", flags: []string{"-marm"}, emulator: emulate("arm"),
			regs: append(numbered("r", 1, 12), "lr"),
			head: "\t.arm\n\tldr r0, =saved\n\tstr sp, [r0]\n\tldr r0, =words\n", set: "\tldr %[1]s, [r0, #%[2]d]\n", tail: "\tldr r0, [r0, #256]\n" + armTail,
			check: armCheck, cmp: "\tldr r0, =words+%[2]d\n\tldr r0, [r0]\n\tcmp r0, %[1]s\n\tbne bad\n", end: armEnd,
		},
		{
			// The old entry is Thumb.
			m: arm.Machine, cc: "arm-linux-gnueabihf-gcc", flags: []string{"-mthumb"}, emulator: emulate("arm"),
			regs: append(numbered("r", 1, 12), "lr"),
			head: "\t.arm\n\tldr r0, =saved\n\tstr sp, [r0]\n\tldr r0, =words\n", set: "\tldr %[1]s, [r0, #%[2]d]\n", tail: "\tldr r0, [r0, #256]\n" + armTail + "\t.thumb\n\t.thumb_func\n",
			check: armCheck, cmp: "\tldr r0, =words+%[2]d\n\tldr r0, [r0]\n\tcmp r0, %[1]s\n\tbne bad\n", end: armEnd,
		},
		{
			m: riscv64.Machine, cc: "riscv64-linux-gnu-gcc", emulator: emulate("riscv64"),
			regs: numbered("x", 3, 31, 5, 6), // x5 below; x6 is lost
			head: "\t.option norelax\n\tla t1, saved\n\tsd sp, 0(t1)\n\tla t1, words\n\tsd ra, 0(t1)\n\tld x5, 256(t1)\n", set: "\tld %[1]s, %[2]d(t1)\n",
			tail:  "\tj blob+16\n",
			check: "\tla t1, seen\n\tsd x5, 0(t1)\n", cmp: "\tla t1, words\n\tld x5, %[2]d(t1)\n\tbne x5, %[1]s, bad\n",
			end: "\tla t1, seen\n\tld x5, 0(t1)\n\tla t1, words\n\tld a1, 256(t1)\n\tbne x5, a1, bad\n\tld a1, 0(t1)\n\tbne a1, ra, bad\n" +
				"\tla t1, saved\n\tld x5, 0(t1)\n\tbne x5, sp, bad\n\tli a0, 0\nexit:\tli a7, 94\n\tecall\nbad:\tli a0, 1\n\tj exit\n",
		},
	}
}

const (
	armCheck = "\tpush {r0}\n"
	armEnd   = "\tldr r0, =words+256\n\tldr r0, [r0]\n\tpop {r1}\n\tcmp r0, r1\n\tbne bad\n\tldr r0, =saved\n\tldr r0, [r0]\n\tcmp r0, sp\n\tbne bad\n" +
		"\tmovs r0, #0\nexit:\tmovs r7, #248\n\tsvc #0\nbad:\tmovs r0, #1\n\tb exit\n\t.ltorg\n"
)

// run carries a script out in the harness and returns what it wrote.
func (h *harness) run(t *testing.T, script []byte) string {
	t.Helper()
	samples.Need(t, h.cc)
	if len(h.emulator) > 0 {
		samples.Need(t, h.emulator[0])
	}
	blob := prelude.Segment(h.m, script)
	at := 16 + len(h.m.Prelude) + 16 // of the distance to the old entry
	word := map[int]string{4: ".long", 8: ".quad"}[h.m.WordSize()]
	var s strings.Builder
	fmt.Fprintf(&s, "\t.text\n\t.globl _start\n_start:\n%s", h.head)
	for i, r := range h.regs {
		fmt.Fprintf(&s, h.set, r, (i+1)*h.m.WordSize())
	}
	tail, thumb, _ := strings.Cut(h.tail, armThumb)
	if thumb != "" || strings.HasSuffix(h.tail, armThumb) {
		thumb = armThumb
	}
	fmt.Fprintf(&s, "%s\t.balign 16\nblob:\t.incbin \"blob\", 0, %d\n", tail, at)
	fmt.Fprintf(&s, "\t%s check - (blob + %d)", word, at-16)
	if thumb != "" {
		s.WriteString(" + 1") // the bit that makes it Thumb
	}
	fmt.Fprintf(&s, "\n\t.incbin \"blob\", %d\n\t.balign 16\n%scheck:\n%s", at+h.m.WordSize(), thumb, h.check)
	for i, r := range h.regs {
		fmt.Fprintf(&s, h.cmp, r, (i+1)*h.m.WordSize())
	}
	fmt.Fprintf(&s, "%s\t.data\n\t.balign 16\nsaved:\t%s 0\n\t.balign 16\nseen:\t%s 0, 0\n\t.balign 16\nwords:\n", h.end, word, word)
	for i := range 256/h.m.WordSize() + 2 {
		fmt.Fprintf(&s, "\t%s 0x%x\n", word, 0x12345678+i*0x01010101)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blob"), blob)
	write(t, filepath.Join(dir, "h.S"), []byte(s.String()))
	args := append([]string{h.cc, "-nostdlib", "-static", "-no-pie", "-Wl,-z,noexecstack", "-o", "h", "h.S"}, h.flags...)
	if out, errs, status := run(t, false, dir, args...); status != 0 {
		t.Fatalf("%v: %s%s\n%s", args, out, errs, s.String())
	}
	out, errs, status := run(t, false, dir, append(h.emulator, filepath.Join(dir, "h"))...)
	if status != 0 {
		t.Errorf("status %d, %s: a register is not what it was", status, errs)
	}
	return out
}

const armThumb = "\t.thumb\n\t.thumb_func\n"

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A calculation is a script that says on standard output what its operations make.
type calculation struct {
	*prelude.Builder
	out  prelude.Arg
	at   prelude.Word
	want string
}

func (c *calculation) number(x prelude.Arg, want uint64) {
	c.Decimal(c.at, c.at.Get(), x)
	c.Copy(c.at, c.at.Get(), c.Text("\n"))
	c.want += fmt.Sprintln(want)
}

func (c *calculation) text(s string) {
	c.Copy(c.at, c.at.Get(), c.Text(s+"\n"))
	c.want += s + "\n"
}

// operations is a script that uses every operation.
func operations(m *machine.Machine) (script []byte, want string, err error) {
	c := &calculation{Builder: prelude.NewBuilder(m)}
	c.out, c.at = c.Buffer(2048), c.Word()
	w, v := c.Word(), c.Word()
	max := uint64(1)<<(8*m.WordSize()-1)<<1 - 1
	c.Set(c.at, c.out)
	for _, n := range []int64{0, 7, 10, 123456789, 1<<31 - 1} {
		c.number(prelude.Int(n), uint64(n))
	}
	c.number(prelude.Int(-1), max) // the largest word
	c.Sub(w, prelude.Int(5), prelude.Int(7))
	c.number(w.Get(), max-1)
	c.Add(w, w.Get(), prelude.Int(44))
	c.number(w.Get(), 42)
	table := c.Table(append(c.Int64(0x1122334455667788), prelude.Int(99), c.Text("of a table"))...)
	last := int64(8 + m.WordSize())
	c.Load(w, table, prelude.Int(0))
	c.number(w.Get(), 0x1122334455667788&max)
	c.Load(w, table, prelude.Int(8))
	c.number(w.Get(), 99)
	c.Load(w, table, prelude.Int(last))
	c.Add(w, w.Get(), prelude.Base())
	c.Copy(c.at, c.at.Get(), w.Get())
	c.text("")
	c.want = strings.TrimSuffix(c.want, "\n") + "of a table\n"
	buffer := c.Buffer(64)
	c.Load(w, buffer, prelude.Int(16))
	c.number(w.Get(), 0) // scratch memory is zero
	c.Add(w, buffer, prelude.Int(16))
	c.Store(w.Get(), prelude.Int(77))
	c.Load(v, buffer, prelude.Int(16))
	c.number(v.Get(), 77)
	for _, f := range []struct {
		text, part string
		at         uint64
	}{{"abcabd", "abd", 3}, {"aaab", "aab", 1}, {"x", "", 0}, {"abc", "c", 2}} {
		c.Find(w, c.Text(f.text), c.Text(f.part))
		c.Sub(w, w.Get(), c.Text(f.text))
		c.number(w.Get(), f.at)
	}
	for _, none := range [][2]string{{"abc", "abcd"}, {"", "a"}, {"abab", "abb"}} {
		c.Find(w, c.Text(none[0]), c.Text(none[1]))
		c.number(w.Get(), 0)
	}
	c.jumps(w)
	c.Sub(w, c.at.Get(), c.out)
	c.Call("write", w, 0, prelude.Int(1), c.out, w.Get())
	c.End()
	script, err = c.Script()
	return script, c.want, err
}

// jumps adds what jumps, and what does not.
func (c *calculation) jumps(w prelude.Word) {
	branch := func(what string, taken bool, jump func(prelude.Label)) {
		yes, done := c.Label(), c.Label()
		want := c.want
		jump(yes)
		c.text(what + " not")
		c.Jump(done)
		c.Place(yes)
		c.text(what)
		c.Place(done)
		c.want = want + what + " not\n"
		if taken {
			c.want = want + what + "\n"
		}
	}
	i := prelude.Int
	branch("1 == 1", true, func(l prelude.Label) { c.Equal(i(1), i(1), l) })
	branch("1 == 2", false, func(l prelude.Label) { c.Equal(i(1), i(2), l) })
	branch("1 < 2", true, func(l prelude.Label) { c.Below(i(1), i(2), l) })
	branch("2 < 2", false, func(l prelude.Label) { c.Below(i(2), i(2), l) })
	branch("-1 < 2", false, func(l prelude.Label) { c.Below(i(-1), i(2), l) })
	branch("a call fails", true, func(l prelude.Label) { c.Call("close", w, l, i(-1)) })
	c.Sub(w, i(0), w.Get())
	c.number(w.Get(), 9) // EBADF
	branch("a call that may fail fails", false, func(l prelude.Label) { c.Call("close", w, 0, i(-1)) })
	branch("a call that works fails", false, func(l prelude.Label) { c.Call("getpid", w, l) })
	// All six operands reach the call: mmap at an address, and a look at it.
	name, addr := "mmap", int64(0x3000000)
	if _, ok := c.Machine().Linux.Lookup(name); !ok {
		name = "mmap2"
	}
	branch("mmap fails", false, func(l prelude.Label) { c.Call(name, w, l, i(addr), i(4096), i(3), i(0x32), i(-1), i(0)) })
	c.number(w.Get(), uint64(addr))
	branch("mmap of a file descriptor that is none fails", true, func(l prelude.Label) { c.Call(name, w, l, i(addr), i(4096), i(3), i(2), i(-1), i(0)) })
}

func TestInterpreter(t *testing.T) {
	for _, h := range harnesses() {
		t.Run(h.m.Name+strings.Join(h.flags, ""), func(t *testing.T) {
			script, want, err := operations(h.m)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.run(t, script); got != want {
				t.Errorf("the script writes\n%s\nwant\n%s", got, want)
			}
			b := prelude.NewBuilder(h.m)
			b.End()
			if script, err = b.Script(); err != nil {
				t.Fatal(err)
			}
			h.run(t, script)
		})
	}
}
