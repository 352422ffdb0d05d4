package input

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
)

// compareAttributes links objects in GNU ld and here: the merged section and
// e_flags are equal, or both refuse.
func compareAttributes(d *dir, d2 *attrDialect, list ...string) {
	d.Helper()
	out, err := d.try("ld", append([]string{"-e", "0", "-o", "out"}, list...)...)
	x := d.load(d.options(list...), Settings{})
	if failed := x.rep.Failed(); failed != (err != nil) {
		d.Errorf("%v: fails here: %v %v; GNU ld: %v %s", list, failed, x.rep.Errors(), err, first(out))
		return
	}
	if err != nil {
		return
	}
	f, err := elf.Open(d.abs("out"))
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	var want []byte
	if s := f.Section(d2.section); s != nil {
		want, _ = s.Data()
	}
	var got []byte
	for _, o := range x.Objects() {
		for _, s := range o.Sections {
			if s != nil && s.Live && s.Name == d2.section {
				got = append(got, s.Data...)
			}
		}
	}
	if !bytes.Equal(got, want) {
		d.Errorf("%v:\n got  %q\n want %q", list, got, want)
	}
	b, err := os.ReadFile(d.abs("out"))
	if err != nil {
		d.Fatal(err)
	}
	off := 48
	if f.Class == elf.ELFCLASS32 {
		off = 36
	}
	if flags := f.ByteOrder.Uint32(b[off:]); flags != x.Flags {
		d.Errorf("%v: e_flags %#x, GNU ld has %#x", list, x.Flags, flags)
	}
}

// TestArmArchitectures merges each architecture with each.
func TestArmArchitectures(t *testing.T) {
	d := newDir(t, armTools)
	names := []string{"armv2", "armv4", "armv4t", "armv5t", "armv5te", "armv6", "armv6kz", "armv6t2", "armv6k", "armv7-a", "armv7-r", "armv7-m", "armv6-m", "armv6s-m",
		"armv7e-m", "armv8-a", "armv8-r", "armv8-m.base", "armv8-m.main", "armv8.1-m.main", "armv8.2-a", "armv9-a"}
	for _, n := range names {
		d.asm(n, ".arch "+n+"\n")
	}
	for i, a := range names {
		for j, b := range names {
			if (7*i+4*j)%3 != 0 { // a third of them, each with several
				continue
			}
			compareAttributes(d, armAttrs, a+".o", b+".o")
		}
	}
}

// TestArmAttributes merges each value of a tag with each other.
func TestArmAttributes(t *testing.T) {
	d := newDir(t, armTools)
	values := map[int][]int{
		7: {0, 'A', 'M', 'R', 'S'}, 8: {0, 1}, 9: {0, 1, 2, 3}, 10: {0, 1, 2, 3, 4, 5, 6, 7, 8}, 13: {0, 1, 2}, 14: {0, 1, 3}, 15: {0, 1, 2, 3}, 16: {0, 1, 2},
		17: {0, 1, 2}, 18: {0, 2, 4}, 20: {0, 1, 2}, 23: {0, 1, 3}, 24: {0, 1, 2}, 25: {0, 1, 2}, 26: {0, 1, 2, 3}, 28: {0, 1, 3}, 29: {0, 1}, 30: {0, 1, 2},
		38: {0, 1, 2}, 42: {0, 1}, 44: {0, 1, 2}, 46: {0, 1}, 68: {0, 1, 2, 3},
	}
	for tag, list := range values {
		for _, v := range list {
			d.asm(fmt.Sprintf("t%d_%d", tag, v), fmt.Sprintf(".arch armv7-a\n.eabi_attribute 23, 3\n.eabi_attribute %d, %d\n", tag, v))
		}
		for i, a := range list {
			for j, b := range list {
				if tag == 10 && (i+j)%3 != 0 { // there are many
					continue
				}
				compareAttributes(d, armAttrs, fmt.Sprintf("t%d_%d.o", tag, a), fmt.Sprintf("t%d_%d.o", tag, b))
			}
		}
	}
	d.asm("none", ".text\n")
	d.asm("soft", ".fpu softvfp\n.eabi_attribute 28, 0\n")
	compareAttributes(d, armAttrs, "none.o", "t28_1.o", "soft.o")
	compareAttributes(d, armAttrs, "t28_3.o", "t28_1.o")
}

// TestRiscvAttributes merges instruction sets.
func TestRiscvAttributes(t *testing.T) {
	d := newDir(t, riscvTools)
	arches := []string{"rv64i", "rv64imac", "rv64gc", "rv64imafdc_zba_zbb", "rv64gc_zicbom_zicboz", "rv64gcv", "rv64gc_svinval_zbs", "rv64gc_xtheadba", "rv64i_zmmul"}
	for i, a := range arches {
		d.asm(fmt.Sprint("a", i), fmt.Sprintf(".attribute arch, \"%s\"\n.attribute unaligned_access, %d\n.attribute stack_align, 16\n", a, i%2))
	}
	d.asm("priv", ".attribute priv_spec, 1\n.attribute priv_spec_minor, 11\n")
	d.asm("priv2", ".attribute priv_spec, 1\n.attribute priv_spec_minor, 12\n")
	d.asm("stack", ".attribute stack_align, 4\n")
	for i := range arches {
		for j := range arches {
			compareAttributes(d, riscvAttrs, fmt.Sprintf("a%d.o", i), fmt.Sprintf("a%d.o", j))
		}
	}
	for _, list := range [][]string{{"priv.o", "priv2.o"}, {"priv2.o", "priv.o"}, {"a1.o", "stack.o"}, {"a1.o", "priv.o"}} {
		compareAttributes(d, riscvAttrs, list...)
	}
}

// TestFlags: objects with other e_flags are refused where GNU ld refuses them.
func TestFlags(t *testing.T) {
	d := newDir(t, riscvTools)
	code := ".globl f%d\nf%[1]d: nop\n"
	for i, a := range []struct{ march, mabi string }{{"rv64gc", "lp64d"}, {"rv64imac", "lp64"}, {"rv64imafc", "lp64f"}, {"rv64gc", "lp64"}} {
		d.write("x.s", fmt.Sprintf(code, i))
		d.run("as", "-march="+a.march, "-mabi="+a.mabi, "-o", fmt.Sprintf("f%d.o", i), "x.s")
	}
	for i := range 4 {
		for j := range 4 {
			if i != j {
				compareAttributes(d, riscvAttrs, fmt.Sprintf("f%d.o", i), fmt.Sprintf("f%d.o", j))
			}
		}
	}
	x := d.load(d.options("f0.o", "f1.o"), Settings{})
	if errs := x.rep.Errors(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "f0.o") || !strings.Contains(errs[0].Error(), "f1.o") {
		t.Errorf("%v", errs)
	}
}

// TestAttributesRoundTrip: what is written is read again as it was.
func TestAttributesRoundTrip(t *testing.T) {
	in := attributes{4: {text: "raw"}, 5: {text: "name"}, 6: {n: 14}, 32: {n: 1, text: "gnu", both: true}, 67: {text: "2.09"}, 46: {n: 300}}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		out, err := parseAttributes(in.encode(order, armAttrs), order, armAttrs)
		if err != nil || !maps.Equal(in, out) {
			t.Errorf("%v: %v, %v", order, out, err)
		}
	}
}

func FuzzAttributes(f *testing.F) {
	f.Add([]byte("A\x2a\x00\x00\x00aeabi\x00\x01\x20\x00\x00\x00\x05\x36\x00\x06\x06"))
	f.Add([]byte("A"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, d := range []*attrDialect{armAttrs, riscvAttrs} {
			a, err := parseAttributes(b, binary.LittleEndian, d)
			if err != nil {
				continue
			}
			again, err := parseAttributes(a.encode(binary.LittleEndian, d), binary.LittleEndian, d)
			if err != nil {
				t.Fatal(err)
			}
			for tag, x := range a {
				if (x.n != 0 || x.text != "") && again[tag] != x {
					t.Errorf("tag %d: %v became %v", tag, x, again[tag])
				}
			}
			m := &merger{rep: newReport(), first: &object{Object: newObject("a")}, obj: &object{Object: newObject("b")}}
			d.merge(m, maps.Clone(a), again)
		}
	})
}
