package reset_test

import (
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/patch"
	"elfwright/phdr"
	"elfwright/reset"
	"elfwright/reset/table"
)

// TestVerifyFinds: what a reset would not restore is found, with its address.
func TestVerifyFinds(t *testing.T) {
	for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
		for _, tc := range []struct {
			name string
			do   func(f *elffile.File, tab *table.Table)
			want string
		}{
			{"a byte of the copy", func(f *elffile.File, tab *table.Table) { flip(f, tab.Each[0].Src+7) }, "memory at 0x20007, "},
			{"the entry", func(f *elffile.File, tab *table.Table) { tab.Entry += 4 }, "after a reset it would go on at 0x10304"},
			{"a row less", func(f *elffile.File, tab *table.Table) { tab.Each = tab.Each[1:] }, "memory at 0x20000, "},
			{"a shorter row", func(f *elffile.File, tab *table.Table) {
				tab.Each[0].Size--
				tab.Each[0].SrcSize = min(tab.Each[0].SrcSize, tab.Each[0].Size)
			}, "memory at 0x2"},
			{"persistent memory", func(f *elffile.File, tab *table.Table) { tab.Each[0].Size += 8 }, "memory at 0x20040, "},
			{"a copy that can change", func(f *elffile.File, tab *table.Table) {
				tab.Each[0].Src = dataAt
				tab.Each[0].SrcSize = min(tab.Each[0].SrcSize, 8)
			}, ""},
			{"a copy elsewhere", func(f *elffile.File, tab *table.Table) { tab.Each[0].Src = 0x7000_0000 }, "is in no PT_LOAD"},
			{"code", func(f *elffile.File, tab *table.Table) {
				tab.Each = append(tab.Each, table.Entry{Dst: textAt, Size: 8})
			}, "which is not all in writable memory"},
		} {
			t.Run(string(shape)+"/"+tc.name, func(t *testing.T) {
				was := synthetic(elf.EM_X86_64, kinds[0].format)
				f := resettable(t, was, reset.Options{Shape: shape, Persistent: []string{fmt.Sprintf("0x%x..0x%x", dataAt+0x40, dataAt+0x80)}})
				tab, err := table.Find(f)
				if err != nil {
					t.Fatal(err)
				}
				tc.do(f, tab)
				b, err := tab.Encode(f.Format)
				if err != nil {
					t.Fatal(err)
				}
				off, _, _ := f.OffsetOf(tab.Addr + tab.TableOff)
				f.Body.Put(int64(off), elffile.Buffer(b))
				if _, err := reset.Verify(parseBody(t, f.Name, f.Body), was); err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%v, want %q", err, tc.want)
				}
			})
		}
	}
}

func flip(f *elffile.File, addr uint64) {
	off, _, ok := f.OffsetOf(addr)
	if !ok {
		panic(fmt.Sprintf("0x%x is in no PT_LOAD", addr))
	}
	b := make([]byte, 1)
	f.Body.ReadAt(b, int64(off))
	f.Body.Put(int64(off), elffile.Buffer{^b[0]})
}

// FuzzVerify: a table from outside is read or refused, and never does harm.
func FuzzVerify(f *testing.F) {
	for _, k := range kinds {
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			r, err := reset.Apply(synthetic(k.machine, k.format), reset.Options{Shape: shape, Persistent: []string{"0x20040..0x20080"}, HookEntry: shape == reset.Keep, Phdr: phdr.Options{PageSize: 0x1000}})
			if err != nil {
				f.Fatal(err)
			}
			b := make([]byte, r.Body.Size())
			r.Body.ReadAt(b, 0)
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := elffile.Parse("fuzz", b)
		if err != nil {
			return
		}
		c, err := reset.Verify(file, nil)
		if (c == nil) == (err == nil) {
			t.Errorf("%+v and %v", c, err)
		}
		if _, err := table.Find(file); err != nil {
			return
		}
		if r, err := reset.Apply(file, reset.Options{}); err == nil && r.Report == nil {
			t.Error("neither a report nor an error")
		}
	})
}

// FuzzPatch: values for programs with tables from outside do no harm, and are there
// after a reset or refused.
func FuzzPatch(f *testing.F) {
	for _, k := range kinds {
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			r, err := reset.Apply(synthetic(k.machine, k.format), reset.Options{Shape: shape, Spare: 1, Persistent: []string{"0x20040..0x20080"}, Phdr: phdr.Options{PageSize: 0x1000}})
			if err != nil {
				f.Fatal(err)
			}
			b := make([]byte, r.Body.Size())
			r.Body.ReadAt(b, 0)
			f.Add(b, uint64(dataAt+0x30), uint64(dataAt+0x900), []byte("a value that crosses a border"))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, at, other uint64, value []byte) {
		file, err := elffile.Parse("fuzz", b)
		if err != nil || len(value) > 1<<12 {
			return
		}
		var sets []patch.Set
		for _, a := range []uint64{at, other} {
			sets = append(sets, patch.Set{Place: fmt.Sprintf("0x%x", a), Type: "bytes", Value: patch.Value{Kind: patch.Bytes, Data: elffile.Buffer(value)}})
		}
		r, err := patch.Apply(file, sets, patch.Options{})
		if err != nil {
			return
		}
		if now, err := elffile.ParseBody("fuzz", r.Body); err != nil {
			t.Error(err)
		} else if _, err := reset.Verify(file, nil); err == nil {
			if _, err := reset.Verify(now, nil); err != nil {
				t.Errorf("patched: %v", err)
			}
		}
	})
}
