package sdf_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/phdr"
	"elfwright/reset"
	"elfwright/sdf"
	"elfwright/sdf/desc"
)

// linuxNote is what a C library for Linux puts into programs; a protection domain
// is none all the same.
const linuxNote = `__asm__(".section .note.ABI-tag, \"a\"\n.balign 4\n.long 4, 16, 1\n.asciz \"GNU\"\n.long 0, 3, 2, 0\n.text\n");`

const pairOf = `<system><memory_region name="m" size="0x1000"/>
<protection_domain name="top"><program_image path="a.elf"/>
<protection_domain name="low" id="7" setvar_id="b"><program_image path="a.elf"/><map mr="m" vaddr="0x10000000" setvar_vaddr="a" setvar_size="c"/></protection_domain>
</protection_domain></system>`

// Images with their values are made resettable, for each machine in both shapes: a
// reset restores the values, and a parent knows where its child starts.
func TestResettable(t *testing.T) {
	for arch, compiler := range map[desc.Arch]string{desc.AArch64: "aarch64-linux-gnu-gcc", desc.RISCV64: "riscv64-linux-gnu-gcc", desc.X86_64: "gcc"} {
		dir := build(t, compiler, source+linuxNote+"unsigned long entry; __attribute__((section(\".persistent\"))) unsigned long count;")
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			t.Run(fmt.Sprint(arch, " ", shape), func(t *testing.T) {
				s := parse(t, desc.Default(arch), pairOf)
				opt := sdf.Options{Search: []string{dir}, Entries: []sdf.Entry{{Child: "low", Symbol: "entry"}}}
				plain, err := sdf.Apply(s, opt)
				if err != nil {
					t.Fatal(err)
				}
				defer plain.Close()
				opt.Reset = shape
				opt.Persistent = []sdf.Persistent{{Domain: "top", What: "microkit_irqs"}}
				a, err := sdf.Apply(s, opt)
				if err != nil {
					t.Fatal(err)
				}
				defer a.Close()
				if len(a.Warnings) > 0 {
					t.Error(a.Warnings)
				}
				for i := range s.PDs {
					now, was := parsed(t, a.Outputs[i]), parsed(t, plain.Outputs[i])
					if i == 0 {
						was = nil // its variable has another value
					}
					if _, err := reset.Verify(now, was); err != nil {
						t.Errorf("%s: %v", a.Outputs[i].Name, err)
					}
					r := a.Plan.Domains[i].Reset
					if r == nil || r.Shape != shape || r.OS != reset.NoneOS || slices.ContainsFunc(r.Warnings, func(w phdr.Warning) bool { return w.Code != "far-table" }) {
						t.Errorf("%s: %+v", a.Outputs[i].Name, r)
					}
				}
				low := a.Plan.Domains[1]
				if low.Entry == plain.Plan.Domains[1].Entry {
					t.Errorf("the entry point is still 0x%x", low.Entry)
				}
				want := fmt.Sprintf("%x", binary.LittleEndian.AppendUint64(nil, uint64(low.Entry)))
				if got := value(t, plain, "top.elf", plain.Plan.Domains[0].Variables, "entry"); got == want || got == strings.Repeat("0", 16) {
					t.Errorf("without a reset the entry is %s", got)
				}
				var plan string
				for _, v := range a.Plan.Domains[0].Variables {
					if v.Symbol == "entry" {
						plan = v.Bytes
					}
				}
				if plan != want {
					t.Errorf("the entry is %s, want %s", plan, want)
				}
				if n := len(a.Plan.Domains[0].Reset.Kept); n != len(low.Reset.Kept)+1 {
					t.Errorf("top keeps %v, and low %v", a.Plan.Domains[0].Reset.Kept, low.Reset.Kept)
				}
				again(t, s, a, opt)
			})
		}
	}
}

func parsed(t *testing.T, o sdf.Output) *elffile.File {
	t.Helper()
	f, err := elffile.ParseBody(o.Name, o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// again applies the description of the outputs to them, and nothing changes: the
// values are in the copies that a reset takes, too.
func again(t *testing.T, s *desc.System, a *sdf.Applied, opt sdf.Options) {
	t.Helper()
	dir := t.TempDir()
	var text string
	for _, o := range a.Outputs {
		if err := o.Body.WriteFile(filepath.Join(dir, o.Name), 0o666); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(dir, o.Name)); err != nil {
			t.Fatal(err)
		} else if o.Name == a.Plan.Description {
			text = string(b)
		}
	}
	opt.Search, opt.Reset, opt.Persistent = []string{dir}, "", nil
	b, err := sdf.Apply(parse(t, s.Board, text), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for i := range a.Outputs {
		x, err1 := a.Outputs[i].Body.Bytes(0, uint64(a.Outputs[i].Body.Size()))
		y, err2 := b.Outputs[i].Body.Bytes(0, uint64(b.Outputs[i].Body.Size()))
		if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
			t.Errorf("%s is another when it is made again (%v, %v)", a.Outputs[i].Name, err1, err2)
		}
	}
}

func TestResetRefused(t *testing.T) {
	dir := build(t, "aarch64-linux-gnu-gcc", source)
	for _, c := range []struct {
		opt  sdf.Options
		want string
	}{
		{sdf.Options{Entries: []sdf.Entry{{Child: "top", Symbol: "a"}}}, "protection_domain top has no parent"},
		{sdf.Options{Entries: []sdf.Entry{{Child: "none", Symbol: "a"}}}, `no protection_domain "none"`},
		{sdf.Options{Entries: []sdf.Entry{{Child: "low", Symbol: "b"}}}, "b of "}, // b is set by setvar_id
		{sdf.Options{Entries: []sdf.Entry{{Child: "low", Symbol: "gone"}}}, "has no symbol gone"},
		{sdf.Options{Entries: []sdf.Entry{{Child: "low", Symbol: "pd_names"}}}, "has 4096 bytes"},
		{sdf.Options{Reset: reset.Keep, Persistent: []sdf.Persistent{{Domain: "none", What: "a"}}}, `no protection_domain "none"`},
		{sdf.Options{Reset: reset.Keep, Persistent: []sdf.Persistent{{Domain: "low", What: "gone"}}}, "gone"},
		{sdf.Options{Reset: "flat"}, `shape "flat"`},
	} {
		c.opt.Search = []string{dir}
		a, err := sdf.Apply(parse(t, desc.Default(desc.AArch64), pairOf), c.opt)
		if err == nil {
			a.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.opt, err)
		}
	}
}
