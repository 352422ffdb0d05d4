package show

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/freeze/core"
	"elfwright/freeze/note"
	"elfwright/freeze/script"
	"elfwright/image"
	"elfwright/machine/amd64"
)

// Where the parts of the frozen file of this test are.
const (
	frozenBase = 0x100000
	frozenSP   = 0x7000
)

// frozenStack is a page with two frames that frame pointers lead to.
func frozenStack() []byte {
	b := make([]byte, 0x1000)
	for i, w := range []uint64{frozenSP + 0x20, 0x4711, 0, 0, 0, 0x4712} {
		binary.LittleEndian.PutUint64(b[8*i:], w)
	}
	return b
}

func frozenRegs() []byte {
	st := amd64.Machine.Status
	regs := make([]byte, st.FPValid-st.Regs)
	for name, v := range map[string]uint64{"rip": 0x4710, "rsp": frozenSP, "rbp": frozenSP, "rax": 0x1122334455} {
		s, _ := st.Slot(name)
		binary.LittleEndian.PutUint64(regs[s.Off:], v)
	}
	return regs
}

// frozenNote describes a process that has one of everything.
func frozenNote(state note.Range) *note.Process {
	return &note.Process{
		Version: note.Version, PID: 4242, Parent: 1, Group: 4242, Session: 7, UID: 1000, GID: 100, Exe: "/bin/prog", CWD: "/home", Umask: 0o22,
		Machine: "x86-64", Kernel: "6.1.0", PIDs: "new", CPU: []string{"sse3"}, XCR0: 7, XSave: []note.Component{{Bit: 2, Off: 576, Size: 256}}, Script: frozenBase + 0x1000,
		Bounds:  note.Bounds{Code: [2]uint64{0x4000, 0x5000}, Stack: frozenSP},
		Threads: []note.Thread{{TID: 4242, Comm: "prog", Regs: frozenRegs(), Mask: 2, Pending: []int{10}, Frame: 0x101100, State: state}},
		Maps: []note.Map{
			{Range: note.Range{Start: 0x4000, Size: 0x1000}, Prot: 5, Name: "/no/such/prog", Off: 0x2000, File: &note.File{Size: 5, BuildID: []byte{1, 2}}},
			{Range: note.Range{Start: frozenSP, Size: 0x2000}, Prot: 6, Name: "[stack]", Flags: "rd wr gd", Stored: []note.Run{{Range: note.Range{Start: frozenSP, Size: 0x1000}, At: 0x2000}}},
			{Range: note.Range{Start: 0xa000, Size: 0x1000}, Prot: 4, Shared: true, Name: "/memfd:x", Deleted: true},
		},
		Descriptors: []note.Descriptor{{N: 3, Link: "/tmp/f", Flags: 0x8002, Pos: 17, Choice: "null"}},
		Limits:      []note.Limit{{Cur: 5, Max: ^uint64(0)}}, Actions: []note.Action{{Signal: 15, Handler: 0x4720, Flags: 4, Restorer: 0x4730, Mask: 1}, {Signal: 13, Handler: 1}},
		Pending: []int{12}, Timers: []string{"0: clock 1, signal 14, signal"}, Warnings: []string{"groups are not restored"},
	}
}

// frozenFile makes a frozen file; change may change what the note says.
func frozenFile(t testing.TB, change func(p *note.Process)) []byte {
	t.Helper()
	m := amd64.Machine
	b := script.NewBuilder(m, frozenBase+0x1000)
	state := make([]byte, 832)
	copy(state[160:], "\x11\x22") // xmm0
	state[512], state[576] = 7, 0x33
	at := note.Range{Start: b.Data(state, 64), Size: 832}
	ok := b.Label()
	b.Do(script.Equal, b.StartSP().Get(), script.Int(0)).Or(ok)
	b.Call("getpid").Says("no number")
	b.Place(ok)
	b.Do(script.Exit, script.Int(3))
	text, err := b.Encode(frozenBase, frozenBase+0x10000)
	if err != nil {
		t.Fatal(err)
	}
	p := frozenNote(at)
	if change != nil {
		change(p)
	}
	desc, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	seg := func(at image.Addr, flags elf.ProgFlag, off int64, b []byte) image.Segment {
		return image.Segment{Vaddr: at, Paddr: at, Filesz: uint64(len(b)), Memsz: uint64(len(b)), Flags: flags, Align: 0x1000, Data: elffile.Buffer(b), Off: off, Index: image.NoIndex}
	}
	img := &image.Image{
		Name: "frozen", Format: elffile.Format{Class: m.Class, Data: m.Orders[0]}, Type: elf.ET_EXEC, Machine: m.ELF, Entry: frozenBase,
		Segments: []image.Segment{seg(frozenBase, elf.PF_R|elf.PF_X, 0x1000, m.Thaw), seg(frozenBase+0x1000, elf.PF_R|elf.PF_W, 0x3000, text)},
		Headers:  []image.Header{{Type: elf.PT_NOTE, Flags: elf.PF_R, Filesz: uint64(len(desc)), Align: 4, Segment: -1, Data: elffile.Buffer(desc), Off: 0x6000, Index: image.NoIndex}},
	}
	f, err := img.File()
	if err != nil {
		t.Fatal(err)
	}
	body := f.Encode()
	body.Put(0x2000, elffile.Buffer(frozenStack()))
	var out bytes.Buffer
	if _, err := body.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var frozenViews = Options{Views: Summary | Processes | Thaw, Registers: true}

func TestFrozen(t *testing.T) {
	text, errs := output(t, "frozen", frozenFile(t, nil), frozenViews)
	if len(errs.Faults) > 0 {
		t.Error(errs.Faults)
	}
	for _, want := range []string{
		"Process 4242: /bin/prog\n", "Saved in:           a frozen file\n", "parent 1, group 4242, session 7, user 1000, users' group 100\n", "Umask:              0022\n",
		"Thread 4242 prog, pc 0x4710, sp 0x7000, blocked signals 0x2, pending 10\n", "rax        0000001122334455", "ymm0       00000000000000000000000000000033000000000000000000000000000022",
		"#0   0x0000000000004710\n", "#1   0x0000000000004711 <frame pointer>\n", "#2   0x0000000000004712 <frame pointer>\n",
		"0000000000004000 0000000000005000  r-xp         0  /no/such/prog at 0x2000\n", "rw-p      4096  [stack]  [rd wr gd]\n", "r--s         0  /memfd:x (deleted)\n",
		"     3  /tmp/f, flags 0x8002, position 17, asked for: null\n", "CPU                        5            unlimited\n",
		"Pending signals: 12\n", "15 SIGTERM    0x4720, flags 0x4, mask 0x1\n", "13 SIGPIPE    ignored", "0: clock 1, signal 14", "groups are not restored",
		"Thaw script of process 4242 at 0x101000, 3 steps:\n0  equal($28, 0): to 2\n1  getpid()  # no number\n2  exit(3)\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	plain, _ := output(t, "frozen", frozenFile(t, nil), Options{})
	if !strings.Contains(plain, "Process 4242") || strings.Contains(plain, "rax") || strings.Contains(plain, "Thaw script") {
		t.Errorf("without a view:\n%s", plain)
	}
}

func TestFrozenJSON(t *testing.T) {
	opt := frozenViews
	opt.JSON = true
	doc, errs := output(t, "frozen", frozenFile(t, nil), opt)
	if len(errs.Faults) > 0 {
		t.Error(errs.Faults)
	}
	checkDocumented(t, documented(t), "", document(t, doc))
	opt.Views = Processes
	doc, _ = output(t, "core", coreFile(t), opt)
	checkDocumented(t, documented(t), "", document(t, doc))
}

// coreFile is the same process in a core.
func coreFile(t testing.TB) []byte {
	c := &core.Core{
		Info: core.Info{PID: 4242, Name: "prog"}, Auxv: make([]byte, 16), Threads: []core.Thread{{TID: 4242, Regs: frozenRegs(), Signal: 11}},
		Files:    []core.File{{Start: 0x4000, End: 0x5000, Name: "/no/such/prog"}},
		Segments: []core.Segment{{Start: frozenSP, Size: 0x2000, Flags: 6, Stored: 0x2000, Parts: []core.Part{{Start: frozenSP, Data: elffile.Buffer(frozenStack())}}}},
	}
	body, err := c.Write(amd64.Machine)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := body.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCoreProcess(t *testing.T) {
	text, errs := output(t, "core", coreFile(t), Options{Views: Processes})
	if len(errs.Faults) > 0 {
		t.Error(errs.Faults)
	}
	for _, want := range []string{"Saved in:           an ELF core\n", "#2   0x0000000000004712 <frame pointer>\n", "r--p         0  /no/such/prog\n", "rw-p      8192\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// What a broken note says is a fault, and other views are there.
func TestFrozenFaults(t *testing.T) {
	for _, c := range []struct {
		change func(p *note.Process)
		want   string
	}{
		{func(p *note.Process) { p.Version = 1 }, "frozen: note of a frozen process, Version at 0x6000: 1 is not 2"},
		{func(p *note.Process) { p.Threads[0].Regs = nil }, "frozen: note of a frozen process, Threads[0].Regs: 0 bytes are not the 216 of x86-64"},
		{func(p *note.Process) { p.Threads[0].State.Start = 0x99000 }, "0x99000"},
		{func(p *note.Process) { p.Script = 0x99000 }, "0x99000 is in no segment"},
		{func(p *note.Process) { p.Script += 8 }, "magic"},
	} {
		text, errs := output(t, "frozen", frozenFile(t, c.change), frozenViews)
		found := false
		for _, e := range errs.Faults {
			found = found || strings.Contains(e.Error(), c.want)
		}
		if !found || !strings.Contains(text, "Entry:") {
			t.Errorf("faults %v, want %q", errs.Faults, c.want)
		}
	}
}

// FuzzFrozen changes what a frozen file says of its process and its memory.
func FuzzFrozen(f *testing.F) {
	good := frozenFile(f, nil)
	f.Add(0x6018, []byte(`{"Version":2`))
	f.Add(0x2000, []byte("\xff\xff\xff\xff"))
	f.Add(0x3040, []byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, at int, b []byte) {
		if at < 0 || at > len(good) {
			return
		}
		data := bytes.Clone(good)
		copy(data[at:], b)
		file, err := elffile.Parse("frozen", data)
		if err != nil {
			return
		}
		for _, json := range []bool{false, true} {
			opt := frozenViews
			opt.JSON = json
			var out bytes.Buffer
			if _, err := Print(&out, file, opt); err != nil || out.Len() > 1<<22 {
				t.Fatalf("%v, %d bytes", err, out.Len())
			}
		}
	})
}
