package boot_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"testing"

	"elfwright/elffile"
	"elfwright/sdf"
	"elfwright/sdf/loader"
)

// A machine is what a runtime makes of the file, as far as bytes go.
type machine struct {
	memory  []loaded
	domains [][]byte
	ends    []uint64
	maps    [][]uint64
}

// loaded is what a region puts into memory.
type loaded struct {
	at uint64
	b  []byte
}

func newMachine(t *testing.T, b []byte, img *loader.Image) *machine {
	t.Helper()
	m := &machine{}
	for i, r := range img.Regions {
		if i == 0 {
			continue
		}
		l := loaded{r.Load, make([]byte, r.Size)}
		if r.Type == loader.Data {
			copy(l.b, b[r.File:])
		}
		m.memory = append(m.memory, l)
	}
	table := b[img.Regions[0].File:][:img.Regions[0].Size]
	word := func() uint64 {
		n := binary.LittleEndian.Uint64(table)
		table = table[8:]
		return n
	}
	words := func(n uint64) (list []uint64) {
		for range n {
			list = append(list, word())
		}
		return list
	}
	head := words(8)
	if head[0] != 0x74776c6577667265 || head[1] != 1 {
		t.Fatalf("table begins with %#x", head)
	}
	for range head[2] {
		m.domains = append(m.domains, table[:128])
		table = table[128:]
	}
	m.ends = words(head[3] * 5)
	for range head[4] {
		m.maps = append(m.maps, words(5))
	}
	if len(table) != 0 {
		t.Errorf("%d bytes are left of the table", len(table))
	}
	if want := m.tables(); head[6]-head[5] != want*0x1000 || !m.loads(head[5]) || !m.loads(head[6]-1) {
		t.Errorf("page tables have [%#x, %#x), and need %d pages", head[5], head[6], want)
	}
	return m
}

// tables counts the tables that a runtime fills when it maps page by page.
func (m *machine) tables() uint64 {
	seen := map[string]bool{}
	for i := range m.domains {
		seen[fmt.Sprint(i)] = true
	}
	for _, x := range m.maps {
		for virt := x[1]; virt < x[1]+x[3]; virt += 0x1000 {
			for _, shift := range []uint{39, 30, 21} {
				seen[fmt.Sprint(x[0], shift, virt>>shift)] = true
			}
		}
	}
	return uint64(len(seen))
}

// find returns the mapping that has an address of a domain.
func (m *machine) find(t *testing.T, domain int, virt uint64) []uint64 {
	t.Helper()
	for _, x := range m.maps {
		if x[0] == uint64(domain) && virt >= x[1] && virt-x[1] < x[3] {
			return x
		}
	}
	t.Fatalf("domain %d has nothing at %#x", domain, virt)
	return nil
}

// at returns the byte at a physical address, if something was loaded there.
func (m *machine) at(phys uint64) (byte, bool) {
	for _, l := range m.memory {
		if phys >= l.at && phys-l.at < uint64(len(l.b)) {
			return l.b[phys-l.at], true
		}
	}
	return 0, false
}

func (m *machine) loads(phys uint64) bool { _, ok := m.at(phys); return ok }

func (m *machine) read(t *testing.T, domain int, virt, n uint64) (out []byte) {
	t.Helper()
	for ; n > 0; n-- {
		x := m.find(t, domain, virt)
		v, ok := m.at(x[2] + virt - x[1])
		if !ok {
			t.Fatalf("domain %d, %#x: nothing is loaded to %#x", domain, virt, x[2]+virt-x[1])
		}
		out = append(out, v)
		virt++
	}
	return out
}

// domain compares a protection domain's memory with its image and the plan.
func (m *machine) domain(t *testing.T, i int, name string, a *sdf.Applied) {
	t.Helper()
	d := a.Plan.Domains[i]
	rec := m.domains[i]
	if got := string(bytes.TrimRight(rec[:64], "\x00")); got != name {
		t.Errorf("domain %d is %q", i, got)
	}
	w := func(k int) uint64 { return binary.LittleEndian.Uint64(rec[64+8*k:]) }
	parent := ^uint64(0)
	if i == 1 {
		parent = 0
	}
	if w(0) != uint64(d.Entry) || w(1) != uint64(d.Stack.End) || w(2) != uint64(d.IPCBuffer.Start) || w(5) != parent || w(6) != uint64(5*i) {
		t.Errorf("domain %s: %x", name, rec[64:])
	}
	if x := m.find(t, i, w(2)); x[2] != w(3) {
		t.Errorf("domain %s: IPC buffer at %#x, mapped to %#x", name, w(3), x[2])
	}
	m.read(t, i, uint64(d.Stack.Start), uint64(d.Stack.End-d.Stack.Start))
	f, err := elffile.ParseBody(d.Output, a.Outputs[i].Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		want, err := f.Body.Bytes(p.Off, p.Filesz)
		if err != nil {
			t.Fatal(err)
		}
		want = append(bytes.Clone(want), make([]byte, p.Memsz-p.Filesz)...)
		if got := m.read(t, i, p.Vaddr, p.Memsz); !bytes.Equal(got, want) {
			t.Errorf("domain %s: the segment at %#x differs", name, p.Vaddr)
		}
	}
}
