package paging

import "fmt"

// AArch64Names are the variables of the loader on AArch64.
var AArch64Names = []string{"boot_lvl0_lower", "boot_lvl1_lower", "boot_lvl2_lower", "boot_lvl0_upper", "boot_lvl1_upper", "boot_lvl2_upper"}

// Arm ARM, VMSAv8-64 descriptors of stage 1 with a granule of 4 KiB.
const (
	armTable    = 3
	armBlock    = 1
	armAccessed = 1 << 10
	armOuter    = 2 << 8
	armInner    = 3 << 8
	// Indexes of MAIR_ELx as the loader and seL4 set it.
	armDevice = 0 << 2
	armNormal = 4 << 2
)

func armDeviceBlock(addr uint64) uint64 { return addr | armBlock | armAccessed | armOuter | armDevice }

func armNormalBlock(addr uint64) uint64 { return addr | armBlock | armAccessed | armInner | armNormal }

// AArch64 makes the six tables. A loader at EL2 has one table of level 0, at EL1
// two: the kernel is entered in both.
func AArch64(l Loader, k Kernel) ([]Table, error) {
	t, err := newTables(&l, AArch64Names)
	if err != nil {
		return nil, err
	}
	if err := armFits(&l, &k); err != nil {
		return nil, err
	}
	t.put("boot_lvl0_lower", 0, t.at["boot_lvl1_lower"]|armTable)
	if l.UART != nil {
		t.put("boot_lvl1_lower", index(*l.UART, 30), armDeviceBlock(*l.UART&^(giga-1)))
	}
	t.put("boot_lvl1_lower", index(l.Start, 30), t.at["boot_lvl2_lower"]|armTable)
	for at := l.Start &^ (mega2 - 1); at <= l.End; at += mega2 {
		t.put("boot_lvl2_lower", index(at, 21), armDeviceBlock(at))
	}
	if l.Low {
		t.put("boot_lvl2_lower", 0, armDeviceBlock(0))
	}
	t.put("boot_lvl0_lower", index(k.Virt, 39), t.at["boot_lvl1_upper"]|armTable)
	t.put("boot_lvl0_upper", index(k.Virt, 39), t.at["boot_lvl1_upper"]|armTable)
	t.put("boot_lvl1_upper", index(k.Virt, 30), t.at["boot_lvl2_upper"]|armTable)
	phys := k.Phys &^ (mega2 - 1)
	for i := index(k.Virt, 21); i < 512; i++ {
		t.put("boot_lvl2_upper", i, armNormalBlock(phys))
		phys += mega2
	}
	return t.list(), nil
}

// armFits says why six tables cannot map both.
func armFits(l *Loader, k *Kernel) error {
	switch {
	case l.End <= l.Start || l.End>>48 != 0:
		return fmt.Errorf("the loader is at [%#x, %#x), which is no memory", l.Start, l.End)
	case l.Start/giga != l.End/giga:
		return fmt.Errorf("the loader at [%#x, %#x) crosses a multiple of 1 GiB, and one table maps it", l.Start, l.End)
	case l.Start >= 512*giga:
		return fmt.Errorf("the loader at %#x is beyond the 512 GiB of the table that maps it", l.Start)
	case k.Phys > 1<<48-giga:
		return fmt.Errorf("the kernel at %#x, with what follows it, is beyond 48 bits", k.Phys)
	case index(k.Virt, 39) == 0:
		return fmt.Errorf("the kernel runs at %#x, in the 512 GiB where the loader is", k.Virt)
	case k.Virt%mega2 != k.Phys%mega2:
		return fmt.Errorf("the kernel is at %#x and runs at %#x, which no block of 2 MiB maps", k.Phys, k.Virt)
	case l.UART != nil && *l.UART >= 512*giga:
		return fmt.Errorf("uart_addr is %#x, beyond the 512 GiB of the table that maps it", *l.UART)
	case l.Low && (l.Start < mega2 || l.Start >= giga):
		return fmt.Errorf("the loader at %#x is not in the first 1 GiB behind 2 MiB, where cpus_release_addr is", l.Start)
	}
	return nil
}
