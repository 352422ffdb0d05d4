package reset_test

import (
	"bytes"
	"debug/elf"
	"io"
	"math/rand"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/patch"
	"elfwright/reset"
	"elfwright/reset/table"
	"elfwright/show"
)

// sel4 gives the synthetic program the table that sel4-reset's tool would: a
// read-only PT_LOAD with the same bytes of the file as the writable one, and four
// words for each piece that is not persistent; the source is 0 where all is zero.
func sel4(machine elf.Machine, format elffile.Format) *elffile.File {
	const aliasAt, tableAt, tableOff = 0x31000, 0x50000, 0x3000
	f := synthetic(machine, format)
	rows := [][4]uint64{
		{dataAt, 0x40, aliasAt, 0x40},
		{dataAt + 0x80, 0x980, aliasAt + 0x80, fileSize - 0x80},
		{dataAt + 0xa20, memSize - 0xa20, 0, 0},
	}
	var b []byte
	for _, r := range rows {
		for _, v := range r {
			w := make([]byte, f.AddrSize())
			f.PutAddr(w, v)
			b = append(b, w...)
		}
	}
	f.Body.Put(tableOff, elffile.Buffer(b))
	load := func(typ elf.ProgType, off, vaddr, size uint64) elffile.Prog {
		return elffile.Prog{Type: typ, Flags: elf.PF_R, Off: off, Vaddr: vaddr, Paddr: vaddr, Filesz: size, Memsz: size, Align: 0x1000}
	}
	f.Progs = append(f.Progs, load(elf.PT_LOAD, dataOff, aliasAt, fileSize), load(elf.PT_LOAD, tableOff, tableAt, uint64(len(b))), load(table.Sel4ProgType, tableOff, tableAt, uint64(len(b))))
	if err := f.Renumber(0); err != nil {
		panic(err)
	}
	now, err := elffile.ParseBody(f.Name, f.Encode())
	if err != nil {
		panic(err)
	}
	return now
}

// TestSel4: the published table is read, shown, checked and patched, for each machine
// and also for one that has no code here.
func TestSel4(t *testing.T) {
	all := append(kinds[:len(kinds):len(kinds)], kinds[3])
	all[len(all)-1].machine = elf.EM_PPC64
	for _, k := range all {
		f := sel4(k.machine, k.format)
		c, err := reset.Verify(f, synthetic(k.machine, k.format))
		if err != nil || c.Table != "sel4-reset" || c.Kept != 0x60 || c.Restored != memSize-0x60 {
			t.Fatalf("%v: %+v, %v", k.machine, c, err)
		}
		rnd := rand.New(rand.NewSource(int64(k.machine)))
		for range 25 {
			list := writes(rnd)
			want := first()
			for _, w := range list {
				copy(want[w.at:], w.value)
			}
			checkStates(t, patched(t, f, list), want)
			if t.Failed() {
				t.Fatalf("%v: %x", k.machine, list)
			}
		}
		if _, err := reset.Apply(f, reset.Options{}); err == nil || !strings.Contains(err.Error(), "no code for a reset yet") && !strings.Contains(err.Error(), "is the table of sel4-reset: the program restores its memory itself") {
			t.Errorf("%v: resettable twice: %v", k.machine, err)
		}
		var text bytes.Buffer
		if _, err := show.Print(&text, f, show.Options{Views: show.Reset}); err != nil || !strings.Contains(text.String(), "Reset table of sel4-reset") || !strings.Contains(text.String(), "zeros") {
			t.Errorf("%v: %v\n%s", k.machine, err, text.String())
		}
	}
}

// TestRefresh: what was written to the writable segment alone is in the copy after
// it, for tables of both kinds, and what was not changed is not written.
func TestRefresh(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	for _, k := range kinds {
		own := resettable(t, synthetic(k.machine, k.format), reset.Options{Persistent: []string{"0x20040..0x20080", "0x20a00..0x20a20"}})
		for _, f := range []*elffile.File{own, sel4(k.machine, k.format)} {
			want := first()
			for range 5 {
				at := rnd.Intn(fileSize - 8)
				rnd.Read(want[at : at+8])
			}
			off, _, _ := f.OffsetOf(dataAt)
			f.Body.Put(int64(off), elffile.Buffer(want[:fileSize]))
			r, err := patch.Refresh(parseBody(t, f.Name, f.Body), patch.Options{})
			if err != nil {
				t.Fatal(err)
			}
			now := parseBody(t, f.Name, r.Body)
			checkStates(t, now, want)
			if again, err := patch.Refresh(now, patch.Options{}); err != nil || len(again.Report.Writes) != 0 {
				t.Errorf("a second time: %v, %+v", err, again)
			}
		}
		for _, opt := range []reset.Options{{Shape: reset.Deflate}, {Shape: reset.Deflate, HookEntry: true}} {
			if _, err := patch.Refresh(resettable(t, synthetic(k.machine, k.format), opt), patch.Options{}); err == nil || !strings.Contains(err.Error(), "have no bytes of their own") {
				t.Errorf("%v: deflated: %v", k.machine, err)
			}
		}
	}
	if _, err := patch.Refresh(synthetic(elf.EM_X86_64, kinds[0].format), patch.Options{}); err == nil || !strings.Contains(err.Error(), "it is not resettable") {
		t.Errorf("a program that is not resettable: %v", err)
	}
}

// TestShowBroken: a table that cannot be read is a fault of the file, with its place.
func TestShowBroken(t *testing.T) {
	f := resettable(t, synthetic(elf.EM_X86_64, kinds[0].format), reset.Options{})
	tab, err := table.Find(f)
	if err != nil {
		t.Fatal(err)
	}
	off, _, _ := f.OffsetOf(tab.Addr + 8)
	f.Body.Put(int64(off), elffile.Buffer{7})
	r, err := show.Print(io.Discard, f, show.Options{})
	if err != nil || len(r.Faults) != 1 || !strings.Contains(r.Faults[0].Error(), "version at 0x") {
		t.Errorf("%v, %v", err, r.Faults)
	}
}
