package paging_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"elfwright/sdf/paging"
)

// A mmu walks tables as the machine does.
type mmu map[uint64][]byte

func newMMU(l paging.Loader, list []paging.Table) mmu {
	m := mmu{}
	for _, t := range list {
		m[l.Tables[t.Name]] = t.Bytes
	}
	return m
}

func (m mmu) entry(table, i uint64) uint64 { return binary.LittleEndian.Uint64(m[table][8*i:]) }

// arm returns the address and MAIR's index, or false.
func (m mmu) arm(root, virt uint64) (phys, attr uint64, ok bool) {
	table := root
	for shift := uint(39); shift >= 21; shift -= 9 {
		e := m.entry(table, virt>>shift&511)
		switch e & 3 {
		case 3:
			table = e & 0xfffffffff000
		case 1:
			if e&(1<<10) == 0 || e&0xfffffffff000&(1<<shift-1) != 0 {
				return 0, 0, false // not accessed, or bits that must be zero
			}
			return e&0xfffffffff000 | virt&(1<<shift-1), e >> 2 & 7, true
		default:
			return 0, 0, false
		}
	}
	return 0, 0, false
}

// riscv does the same for Sv39.
func (m mmu) riscv(root, virt uint64) (phys uint64, ok bool) {
	table := root
	for shift := uint(30); shift >= 12; shift -= 9 {
		e := m.entry(table, virt>>shift&511)
		to := e >> 10 << 12
		switch {
		case e&1 == 0:
			return 0, false
		case e&0xe == 0:
			table = to
		case e&0xce != 0xce || to&(1<<shift-1) != 0:
			return 0, false
		default:
			return to | virt&(1<<shift-1), true
		}
	}
	return 0, false
}

func tables(names []string, at uint64) map[string]uint64 {
	m := map[string]uint64{}
	for i, n := range names {
		m[n] = at + uint64(i)*0x1000
	}
	return m
}

func TestAArch64(t *testing.T) {
	uart := uint64(0x9000040)
	l := paging.Loader{Start: 0x70001000, End: 0x70234000, UART: &uart, Tables: tables(paging.AArch64Names, 0x70010000)}
	for _, k := range []paging.Kernel{{0xffffff8040000000, 0x40000000}, {0x8060000000, 0x60000000}, {0xffffff8040010000, 0x40010000}} {
		list, err := paging.AArch64(l, k)
		if err != nil {
			t.Fatal(err)
		}
		m := newMMU(l, list)
		lower, upper := l.Tables["boot_lvl0_lower"], l.Tables["boot_lvl0_upper"]
		for _, at := range []uint64{l.Start, 0x70200000, l.End - 1, l.End, uart} {
			if phys, attr, ok := m.arm(lower, at); !ok || phys != at || attr != 0 {
				t.Errorf("%#x is at %#x, %d, %v", at, phys, attr, ok)
			}
		}
		for _, at := range []uint64{0x6fffffff, 0x70400000, 0x80000000, 0} {
			if _, _, ok := m.arm(lower, at); ok != (at < 0x40000000) { // the device has its whole 1 GiB
				t.Errorf("%#x is mapped: %v", at, ok)
			}
		}
		for _, root := range []uint64{lower, upper} {
			for _, off := range []uint64{0, 0x200000, 0x1fe00000} {
				virt := k.Virt + off
				if phys, attr, ok := m.arm(root, virt); !ok || phys != k.Phys+off || attr != 4 {
					t.Errorf("%#x is at %#x, %d, %v", virt, phys, attr, ok)
				}
			}
			if _, _, ok := m.arm(root, k.Virt&^0x1fffff-1); ok {
				t.Errorf("what is below %#x is mapped", k.Virt)
			}
		}
	}
	l.Low, l.Start, l.End = true, 0x10000000, 0x10100000
	list, err := paging.AArch64(l, paging.Kernel{Virt: 0x8000200000, Phys: 0x200000})
	if err != nil {
		t.Fatal(err)
	}
	if phys, _, ok := newMMU(l, list).arm(l.Tables["boot_lvl0_lower"], 0xd8); !ok || phys != 0xd8 {
		t.Errorf("0xd8 is at %#x, %v", phys, ok)
	}
}

func TestRISCV64(t *testing.T) {
	l := paging.Loader{Start: 0x90000000, End: 0x90100000, Tables: tables(paging.RISCV64Names, 0x90004000)}
	for _, k := range []paging.Kernel{{0xffffffff84000000, 0x84000000}, {0xffffffff80020000, 0x80020000}, {0xffffffff801ff000, 0x803ff000}} {
		list, err := paging.RISCV64(l, k)
		if err != nil {
			t.Fatal(err)
		}
		m, root := newMMU(l, list), l.Tables["boot_lvl1_pt"]
		for _, at := range []uint64{l.Start, l.Start + 0x54321, 0xbfffffff} {
			if phys, ok := m.riscv(root, at); !ok || phys != at {
				t.Errorf("%#x is at %#x, %v", at, phys, ok)
			}
		}
		for _, off := range []uint64{0, 0xfff, 0x1000, 0x1e0000, 0x200000, 0x3a00000} {
			if phys, ok := m.riscv(root, k.Virt+off); !ok || phys != k.Phys+off {
				t.Errorf("%#x is at %#x, %v", k.Virt+off, phys, ok)
			}
		}
		for _, at := range []uint64{l.Start - 1, k.Virt - 1, 0xc0000000} {
			if _, ok := m.riscv(root, at); ok {
				t.Errorf("%#x is mapped", at)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	far := uint64(1 << 50)
	arm := func(change func(l *paging.Loader, k *paging.Kernel)) error {
		l := paging.Loader{Start: 0x70000000, End: 0x70001000, Tables: tables(paging.AArch64Names, 0x70010000)}
		k := paging.Kernel{Virt: 0xffffff8040000000, Phys: 0x40000000}
		change(&l, &k)
		_, err := paging.AArch64(l, k)
		return err
	}
	riscv := func(change func(l *paging.Loader, k *paging.Kernel)) error {
		l := paging.Loader{Start: 0x90000000, End: 0x90001000, Tables: tables(paging.RISCV64Names, 0x90010000)}
		k := paging.Kernel{Virt: 0xffffffff84000000, Phys: 0x84000000}
		change(&l, &k)
		_, err := paging.RISCV64(l, k)
		return err
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{arm(func(*paging.Loader, *paging.Kernel) {}), ""},
		{arm(func(l *paging.Loader, _ *paging.Kernel) { delete(l.Tables, "boot_lvl1_upper") }), "boot_lvl1_upper is missing"},
		{arm(func(l *paging.Loader, _ *paging.Kernel) { l.Tables["boot_lvl1_upper"]++ }), "a page table lies at a multiple"},
		{arm(func(l *paging.Loader, _ *paging.Kernel) { l.End = l.Start }), "no memory"},
		{arm(func(l *paging.Loader, _ *paging.Kernel) { l.End = 0x80000000 }), "crosses a multiple of 1 GiB"},
		{arm(func(l *paging.Loader, _ *paging.Kernel) { l.Start += 1 << 40; l.End += 1 << 40 }), "beyond the 512 GiB"},
		{arm(func(l *paging.Loader, _ *paging.Kernel) { l.UART = &far }), "uart_addr is"},
		{arm(func(l *paging.Loader, _ *paging.Kernel) { l.Low = true }), "cpus_release_addr"},
		{arm(func(_ *paging.Loader, k *paging.Kernel) { k.Phys = far }), "beyond 48 bits"},
		{arm(func(_ *paging.Loader, k *paging.Kernel) { k.Phys = 1<<48 - 1<<30 }), ""},
		{arm(func(_ *paging.Loader, k *paging.Kernel) { k.Phys = 1<<48 - 1<<29 }), "beyond 48 bits"},
		{arm(func(_ *paging.Loader, k *paging.Kernel) { k.Virt = 0x40000000 }), "where the loader is"},
		{arm(func(_ *paging.Loader, k *paging.Kernel) { k.Virt += 0x1000 }), "no block of 2 MiB"},
		{riscv(func(*paging.Loader, *paging.Kernel) {}), ""},
		{riscv(func(l *paging.Loader, _ *paging.Kernel) { l.Start += 0x1000 }), "multiple of 2 MiB"},
		{riscv(func(_ *paging.Loader, k *paging.Kernel) { k.Phys = 1<<56 - 1<<30 }), ""},
		{riscv(func(_ *paging.Loader, k *paging.Kernel) { k.Phys = 1<<56 - 1<<29 }), "beyond 56 bits"},
		{riscv(func(_ *paging.Loader, k *paging.Kernel) { k.Virt = 0x80000000 }), "in the same 1 GiB"},
		{riscv(func(_ *paging.Loader, k *paging.Kernel) { k.Virt += 0x1000 }), "no pages of 4 KiB and 2 MiB"},
		{riscv(func(l *paging.Loader, _ *paging.Kernel) { delete(l.Tables, "boot_lvl3_pt") }), "boot_lvl3_pt is missing"},
	} {
		if (c.err == nil) != (c.want == "") || c.err != nil && !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("want %q: %v", c.want, c.err)
		}
	}
}

func ExampleAArch64() {
	l := paging.Loader{Start: 0x70000000, End: 0x70020000, Tables: tables(paging.AArch64Names, 0x70010000)}
	list, err := paging.AArch64(l, paging.Kernel{Virt: 0x8040000000, Phys: 0x40000000})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range list {
		fmt.Println(t.Name, len(t.Bytes))
	}
	// Output:
	// boot_lvl0_lower 4096
	// boot_lvl1_lower 4096
	// boot_lvl2_lower 4096
	// boot_lvl0_upper 4096
	// boot_lvl1_upper 4096
	// boot_lvl2_upper 4096
}
