package paging

import "fmt"

// RISCV64Names are the variables of the loader on RISC-V with Sv39.
var RISCV64Names = []string{"boot_lvl1_pt", "boot_lvl2_pt", "boot_lvl3_pt", "boot_lvl2_pt_loader"}

// RISC-V privileged architecture, Sv39: bits of an entry.
const (
	riscvValid = 1 << 0
	riscvLeaf  = riscvValid | 1<<1 | 1<<2 | 1<<3 | 1<<6 | 1<<7 // R, W, X, A, D
)

func riscvNext(addr uint64) uint64 { return addr>>12<<10 | riscvValid }

func riscvPage(addr uint64) uint64 { return addr>>12<<10 | riscvLeaf }

// RISCV64 makes the four tables of Sv39. A kernel that does not start at a
// multiple of 2 MiB has pages of 4 KiB up to the next one.
func RISCV64(l Loader, k Kernel) ([]Table, error) {
	t, err := newTables(&l, RISCV64Names)
	if err != nil {
		return nil, err
	}
	switch {
	case l.Start%mega2 != 0 || l.Start>>38 != 0:
		return nil, fmt.Errorf("_text is %#x, and the loader must start at a multiple of 2 MiB below 2^38", l.Start)
	case k.Phys > 1<<56-giga:
		return nil, fmt.Errorf("the kernel at %#x, with what follows it, is beyond 56 bits", k.Phys)
	case index(l.Start, 30) == index(k.Virt, 30):
		return nil, fmt.Errorf("the kernel runs at %#x, in the same 1 GiB as the loader at %#x", k.Virt, l.Start)
	case k.Virt%page != 0 || k.Virt%mega2 != k.Phys%mega2:
		return nil, fmt.Errorf("the kernel is at %#x and runs at %#x, which no pages of 4 KiB and 2 MiB map", k.Phys, k.Virt)
	}
	t.put("boot_lvl1_pt", index(l.Start, 30), riscvNext(t.at["boot_lvl2_pt_loader"]))
	phys := l.Start
	for i := index(l.Start, 21); i < 512; i++ {
		t.put("boot_lvl2_pt_loader", i, riscvPage(phys))
		phys += mega2
	}
	t.put("boot_lvl1_pt", index(k.Virt, 30), riscvNext(t.at["boot_lvl2_pt"]))
	at, phys := index(k.Virt, 21), k.Phys
	if k.Virt%mega2 != 0 {
		for i := index(k.Virt, 12); i < 512; i++ {
			t.put("boot_lvl3_pt", i, riscvPage(phys))
			phys += page
		}
		t.put("boot_lvl2_pt", at, riscvNext(t.at["boot_lvl3_pt"]))
		at++
	}
	for ; at < 512; at++ {
		t.put("boot_lvl2_pt", at, riscvPage(phys))
		phys += mega2
	}
	return t.list(), nil
}
