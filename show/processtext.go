package show

import (
	"debug/elf"
	"strings"

	"elfwright/freeze/note"
	"elfwright/freeze/saved"
	"elfwright/freeze/unwind"
)

// text prints a process: what it was, its threads, its memory, its files.
func (r *processRow) text(t *text) {
	t.title("Process "+decString(uint64(max(r.PID, 0))), "")
	t.str(": ")
	t.names(r.Exe)
	t.nl()
	r.facts(t)
	r.threadsText(t)
	r.mapsText(t)
	r.descriptorsText(t)
	r.limitsText(t)
	r.signalsText(t)
	for i, w := range r.Timers {
		t.str([]string{"\n  Timers:\n    ", "    "}[min(i, 1)])
		t.names(w)
		t.nl()
	}
	for i, w := range r.Warnings {
		t.str([]string{"\n  Not as it was:\n    ", "    "}[min(i, 1)])
		t.names(w)
		t.nl()
	}
}

func (r *processRow) facts(t *text) {
	label := func(s string) { t.str("  "); t.left(s, 20) }
	line := func(what, value string) {
		if value != "" {
			label(what)
			t.names(value)
			t.nl()
		}
	}
	line("Saved in:", r.kind())
	line("Kernel:", r.Kernel)
	line("Working directory:", r.CWD)
	label("Relations:")
	for _, e := range []struct {
		name string
		v    int
	}{{"parent ", r.Parent}, {", group ", r.Group}, {", session ", r.Session}, {", user ", r.UID}, {", users' group ", r.GID}} {
		t.str(e.name)
		t.int(int64(e.v))
	}
	t.nl()
	if r.Umask >= 0 {
		label("Umask:")
		t.str("0" + string([]byte{'0' + byte(r.Umask>>6&7), '0' + byte(r.Umask>>3&7), '0' + byte(r.Umask&7)}))
		t.nl()
	}
	line("Numbers:", map[string]string{"new": "new ones when it is thawed", "keep": "the old ones, which needs a privilege", "ns": "the old ones, in a namespace of their own"}[r.PIDs])
	line("Processor must have:", strings.Join(r.CPU, " "))
	if r.XCR0 != 0 {
		label("Registers kept:")
		t.str("XCR0 ")
		t.zx(r.XCR0)
		t.nl()
	}
	if r.Bounds.Stack != 0 {
		r.boundsText(t, label)
	}
}

// kind says what the process is saved in.
func (r *processRow) kind() string {
	switch {
	case r.Core == nil:
		return "a frozen file"
	case r.Core.GDB:
		return "an ELF core of gcore"
	}
	return "an ELF core"
}

func (r *processRow) boundsText(t *text, label func(string)) {
	for _, e := range []struct {
		name string
		v    [2]uint64
	}{{"Code:", r.Bounds.Code}, {"Data:", r.Bounds.Data}, {"Heap (brk):", r.Bounds.Brk}, {"Arguments:", r.Bounds.Args}, {"Environment:", r.Bounds.Env}} {
		label(e.name)
		t.str("[")
		t.zx(e.v[0])
		t.str(", ")
		t.zx(e.v[1])
		t.str(")")
		t.nl()
	}
}

func (r *processRow) threadsText(t *text) {
	for i := range r.threads {
		e := &r.threads[i]
		t.nl()
		t.title("  Thread "+decString(uint64(max(e.TID, 0)))+" ", "")
		t.names(e.Comm)
		t.str(", pc ")
		t.zx(e.pc)
		t.str(", sp ")
		t.zx(e.sp)
		if e.Mask != 0 {
			t.str(", blocked signals ")
			t.zx(e.Mask)
		}
		for j, n := range e.Pending {
			t.str([]string{", pending ", " "}[min(j, 1)])
			t.int(int64(n))
		}
		t.nl()
		e.regs.text(t)
		e.state.text(t)
		e.vectors.text(t)
		for j := range e.frames {
			r.frameText(t, j, &e.frames[j])
		}
	}
}

func (r *processRow) frameText(t *text, n int, f *saved.Frame) {
	t.str("    #")
	t.left(decString(uint64(n)), 3)
	t.str(" 0x")
	t.hex(f.PC, 16)
	if name, off := r.function(f); name != "" {
		t.str(" ")
		r.p.symbolText(t, []byte(name))
		t.str("+")
		t.zx(off)
	}
	if f.Module != nil {
		t.str(" (")
		t.names(f.Module.Base())
		t.str(")")
	}
	if f.How == unwind.ByPointer || f.How == unwind.BySignal {
		t.str(" <" + string(f.How) + ">")
	}
	t.nl()
}

func (r *processRow) mapsText(t *text) {
	t.nl()
	t.heads("  Mappings             start              end  prot    stored  what")
	for i := range r.Maps {
		m := &r.Maps[i]
		t.str("  ")
		t.hex(m.Start, 16)
		t.str(" ")
		t.hex(m.Start+m.Size, 16)
		t.str("  ")
		t.str(protection(m))
		t.dec(stored(m), 10)
		if m.Name != "" {
			t.str("  ")
			t.names(m.Name)
		}
		if m.Off != 0 {
			t.str(" at ")
			t.zx(m.Off)
		}
		if m.Deleted {
			t.str(" (deleted)")
		}
		if m.Flags != "" {
			t.str("  [")
			t.names(m.Flags)
			t.str("]")
		}
		t.nl()
	}
}

// protection is written as in /proc/PID/maps.
func protection(m *note.Map) string {
	b := []byte("---p")
	for i, bit := range []elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if elf.ProgFlag(m.Prot)&bit != 0 {
			b[i] = "rwx"[i]
		}
	}
	if m.Shared {
		b[3] = 's'
	}
	return string(b)
}

// stored is how many bytes of a mapping are in the file.
func stored(m *note.Map) (n uint64) {
	for _, r := range m.Stored {
		n += r.Size
	}
	return n
}

func (r *processRow) descriptorsText(t *text) {
	for i := range r.Descriptors {
		d := &r.Descriptors[i]
		if i == 0 {
			t.nl()
			t.heads("  Descriptors")
		}
		t.dec(uint64(max(d.N, 0)), 6)
		t.str("  ")
		t.names(d.Link)
		t.str(", flags ")
		t.zx(uint64(d.Flags))
		if d.Pos != 0 {
			t.str(", position ")
			t.int(d.Pos)
		}
		if d.Choice != "" {
			t.str(", asked for: ")
			t.names(d.Choice)
		}
		t.nl()
	}
}

// limitNames are RLIMIT_ by number (include/uapi/asm-generic/resource.h).
var limitNames = [...]string{"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"}

func limitName(i int) string {
	if i < len(limitNames) {
		return limitNames[i]
	}
	return decString(uint64(i))
}

func (r *processRow) limitsText(t *text) {
	for i, l := range r.Limits {
		if i == 0 {
			t.nl()
			t.heads("  Limits                       now                 most")
		}
		t.str("    ")
		t.left(limitName(i), 10)
		t.right(limitText(l.Cur), 18)
		t.right(limitText(l.Max), 21)
		t.nl()
	}
}

func limitText(v uint64) string {
	if v == ^uint64(0) {
		return "unlimited"
	}
	return decString(v)
}

func (r *processRow) signalsText(t *text) {
	for i, n := range r.Process.Pending {
		t.str([]string{"\n  Pending signals: ", ", "}[min(i, 1)])
		t.int(int64(n))
	}
	if len(r.Process.Pending) > 0 {
		t.nl()
	}
	for i := range r.Actions {
		a := &r.Actions[i]
		if i == 0 {
			t.nl()
			t.heads("  Signals")
		}
		t.dec(uint64(max(a.Signal, 0)), 6)
		t.str(" ")
		t.left(signalWord(r.p, a.Signal), 10)
		t.str(" ")
		t.str(r.handler(a.Handler))
		t.str(", flags ")
		t.zx(a.Flags)
		t.str(", mask ")
		t.zx(a.Mask)
		t.nl()
	}
}

func signalWord(p *printer, n int) string {
	c := &noteContext{Format: p.f.Format, mach: p.m}
	return c.signalName(uint32(max(n, 0)))
}

// handler says what an action calls.
func (r *processRow) handler(at uint64) string {
	switch at {
	case 0:
		return "default"
	case 1:
		return "ignored"
	}
	if s, _, ok := r.Symbol(at); ok && s.Addr == at {
		return string(appendName(nil, s.Name))
	}
	return "0x" + hexString(at)
}
