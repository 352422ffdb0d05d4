package riscv_test

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link"
	"elfwright/link/model"
	"elfwright/link/options"
	"elfwright/link/riscv"
	"elfwright/machine/riscv64"
)

// TestFaults are relocations that cannot be, and what is said about them.
func TestFaults(t *testing.T) {
	samples.Need(t, "riscv64-linux-gnu-as")
	for _, c := range []struct {
		source, want string
		args         []string
	}{
		{".option norelax\n.2byte 1\n.reloc ., R_RISCV_ALIGN, 4\nnop\nret", `R_RISCV_ALIGN against .*: alignment to 8 bytes needs 6 bytes of nop, there are 4`, nil},
		{"jal far", `R_RISCV_JAL against far: S \+ A - P = 0x\w+ does not fit 21 signed bits; far is at 0x40000000, .*use call or tail`, []string{"--defsym=far=0x40000000"}},
		{"lui a0, %hi(far)", `R_RISCV_HI20 against far: .*-mcmodel=medany`, []string{"--defsym=far=0x400000000"}},
		{"lui a0, %hi(x)\nx:", `R_RISCV_HI20 against .*: it cannot be in a position-independent executable`, []string{"-pie"}},
		{"addi a0, a0, %pcrel_lo(x)\nx:", `there is no relocation of a high part at the label`, nil},
		{"call gone", `undefined symbol gone`, nil},
		{".reloc ., R_RISCV_CALL, x\n.reloc .+4, R_RISCV_CALL, x\nnop;nop;nop\nx:", `its instruction begins within another one`, nil},
	} {
		dir := t.TempDir()
		obj, out := filepath.Join(dir, "a.o"), filepath.Join(dir, "out")
		cmd := exec.Command("riscv64-linux-gnu-as", "-march=rv64gc", "-o", obj, "-")
		cmd.Stdin = strings.NewReader(c.source + "\n")
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c.source, err, msg)
		}
		opt, _, err := options.Parse(append(c.args, "-m", "elf64lriscv", "-o", out, obj), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = link.Link(opt, link.Host{}); err == nil {
			t.Errorf("%s: no error", c.source)
		} else if !regexp.MustCompile(c.want).MatchString(err.Error()) {
			t.Errorf("%s:\n%v\nwant %s", c.source, err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: there is an output", c.source)
		}
	}
}

// newer makes a section with relocations that the assembler of Debian 12 does not
// know.
func newer(opt model.Options, code []uint32, relocs ...model.Reloc) (*model.Env, *model.Section) {
	e := &model.Env{Opt: &opt, Class: 64, Order: binary.LittleEndian, Code: binary.LittleEndian, Table: model.NewTable(),
		Report: &model.Report{}, Target: riscv.New(riscv64.Machine), TLSStart: 0x20000, TLSSize: 0x3000, TLSAlign: 16, GOT: 0x30000}
	o := &model.Object{File: "a.o", Class: elf.ELFCLASS64, Machine: elf.EM_RISCV, Order: e.Order}
	data := []byte{}
	for _, x := range code {
		data = binary.LittleEndian.AppendUint32(data, x)
	}
	text := &model.Section{Obj: o, Name: ".text", Index: 1, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Live: true, Data: data,
		Size: uint64(len(data)), Align: 4, Out: &model.Output{Addr: 0x10000, Align: 4, Flags: elf.SHF_ALLOC}, Relocs: relocs}
	tls := &model.Section{Obj: o, Name: ".tbss", Index: 2, Flags: elf.SHF_ALLOC | elf.SHF_TLS, Live: true, Out: &model.Output{Addr: 0x20000}}
	o.Sections = []*model.Section{nil, text, tls}
	at := func(s *model.Section, off uint64) *model.Symbol {
		return &model.Symbol{Name: "x", Local: true, State: model.Defined, Obj: o, Sec: s, Value: off}
	}
	o.Symbols = []*model.Symbol{nil, at(text, 0), at(text, 4), at(text, 12), at(tls, 0x1804), at(text, 0x404)}
	o.Symbols[4].Type = elf.STT_TLS
	e.Objects = []*model.Object{o}
	e.SecGOT = &model.Section{Obj: o, Live: true, Out: &model.Output{Addr: 0x30000}}
	return e, text
}

func relocated(t *testing.T, e *model.Env, s *model.Section) []byte {
	t.Helper()
	for pass := 0; e.Target.Relax(e, pass); pass++ {
	}
	b := make([]byte, s.Size)
	if s.Moves == nil {
		copy(b, s.Data)
	}
	e.Target.Relocate(e, s, b)
	for _, err := range e.Report.Errors() {
		t.Error(err)
	}
	return b
}

// The sequence of a TLS descriptor, as the psABI has it, and what becomes of it.
func TestDescriptor(t *testing.T) {
	code := []uint32{0x00000517, 0x00053583, 0x00050513, 0x000582e7} // auipc a0; ld a1, (a0); addi a0, a0; jalr t0, a1
	relocs := []model.Reloc{{Off: 0, Sym: 4, Type: 62}, {Off: 4, Sym: 1, Type: 63}, {Off: 8, Sym: 1, Type: 64}, {Off: 12, Sym: 1, Type: 65}}
	for _, c := range []struct {
		name string
		opt  model.Options
		far  bool
		want [4]uint32
	}{
		{"executable", model.Options{}, false, [4]uint32{0x13, 0x13, 0x00002537, 0x80450513}},                     // nop; nop; lui a0, 2; addi a0, a0, -0x7fc
		{"another object's", model.Options{PIE: true}, true, [4]uint32{0x13, 0x13, 0x00020517, 0x00853503}},       // auipc a0, 0x20; ld a0, 8(a0)
		{"shared", model.Options{Shared: true}, false, [4]uint32{0x00020517, 0x02053583, 0x02050513, 0x000582e7}}, // all kept
	} {
		e, s := newer(c.opt, code, relocs...)
		sym := s.Obj.Symbols[4]
		sym.Preempt = c.far
		e.Target.Scan(e, s)
		if need := sym.Need.Load(); c.opt.Shared != (need == model.NeedTLSDesc) || c.far != (need == model.NeedGOTTP) {
			t.Errorf("%s: needs %#x", c.name, need)
		}
		sym.Aux = &model.Aux{GOT: -1, GOTTP: 16, TLSGD: -1, TLSDesc: 32, PLT: -1}
		b := relocated(t, e, s)
		for i, w := range c.want {
			if got := binary.LittleEndian.Uint32(b[4*i:]); got != w {
				t.Errorf("%s: instruction %d is %#08x, want %#08x", c.name, i, got, w)
			}
		}
	}
}

// A pair of ULEB128 keeps its length, and its difference is that of the code when
// bytes have gone.
func TestULEB128(t *testing.T) {
	call := []uint32{0x00000097, 0x000080e7, 0x13, 0x00008180} // auipc ra; jalr ra; nop; the number
	e, s := newer(model.Options{}, call, model.Reloc{Off: 0, Sym: 1, Type: 19}, model.Reloc{Off: 0, Type: 51},
		model.Reloc{Off: 12, Sym: 3, Type: 60}, model.Reloc{Off: 12, Sym: 1, Type: 61})
	e.Outputs = []*model.Output{s.Out}
	s.Out.Items = []model.Item{{Size: s.Size, Section: s}}
	e.Target.Scan(e, s)
	b := relocated(t, e, s)
	if len(b) != 12 || b[8] != 0x88 || b[9] != 0x80 || b[10] != 0 {
		t.Errorf("% x", b)
	}
	e, s = newer(model.Options{}, call, model.Reloc{Off: 15, Sym: 5, Type: 60}, model.Reloc{Off: 15, Sym: 1, Type: 61})
	e.Target.Scan(e, s)
	e.Target.Relocate(e, s, append([]byte{}, s.Data...))
	if errs := e.Report.Errors(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "the difference 0x404 does not fit the 1 bytes of the number") {
		t.Errorf("%v", errs)
	}
	e, s = newer(model.Options{}, call, model.Reloc{Off: 12, Sym: 3, Type: 60})
	e.Target.Scan(e, s)
	if !e.Report.Failed() {
		t.Error("half of a pair is taken")
	}
}
