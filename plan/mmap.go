package plan

import (
	"debug/elf"

	"elfwright/image"
)

const (
	gapMin     = 128 << 20
	hugePage   = 2 << 20   // PMD_SIZE with pages of 4 KiB
	lsmMinAddr = 1 << 16   // CONFIG_LSM_MMAP_MIN_ADDR
	maxLFS     = 1<<63 - 1 // MAX_LFS_FILESIZE of 64-bit kernels
	guardPages = 256       // stack_guard_gap
)

// guard is stack_guard_gap in bytes.
func (e *execve) guard() uint64 { return guardPages * e.page }

// stackTop is where the stack ends: STACK_TOP, or what was given.
func (e *execve) stackTop() image.Addr {
	if e.host.StackTop != 0 || e.abi == nil {
		return e.host.StackTop
	}
	return image.Addr(down(e.abi.StackTop, e.page))
}

// setupNewExec decides where mmap looks for room (arch_pick_mmap_layout).
func (e *execve) setupNewExec() *failure {
	a := e.abi
	e.minAddr = up(e.host.MinAddr, e.page)
	e.hintMin = max(e.minAddr, up(e.host.HintMin, e.page)) // update_mmap_min_addr
	e.legacyBase = up(a.Unmapped, e.page)
	e.topDown = !(a.NoLimitLegacy && e.host.StackLimit == Unlimited)
	switch {
	case e.host.MmapBase != 0:
		e.mmapBase = uint64(e.host.MmapBase)
	case !e.topDown:
		e.mmapBase = e.legacyBase
	default:
		e.mmapBase = e.mmapBaseOf()
	}
	e.out.MmapBase = image.Addr(e.mmapBase)
	where := "room is searched downward from mmap_base"
	if !e.topDown {
		where = "without a stack limit room is searched upward from TASK_UNMAPPED_BASE,"
	}
	e.step(PhaseStack, "arch_pick_mmap_layout", FromProgram, -1, "%s 0x%x", where, e.mmapBase)
	return nil
}

// mmapBaseOf is mmap_base: the stack's limit and its guard below the end,
// within bounds.
func (e *execve) mmapBaseOf() uint64 {
	top := e.abi.StackTop
	gap := e.host.StackLimit
	if pad := e.guard(); gap+pad > gap {
		gap += pad
	}
	most := top / 6 * 5
	switch {
	case gap < gapMin && gapMin < most:
		gap = gapMin
	case gap > most:
		gap = most
	}
	return up(top-gap, e.page)
}

// placing says how an address is meant.
type placing uint8

const (
	asHint    placing = iota
	fixed             // MAP_FIXED
	noReplace         // MAP_FIXED_NOREPLACE
)

// vmMmap is vm_mmap of a private file mapping; it returns the address or an
// errno.
func (e *execve) vmMmap(m Mapping, addr, size, off uint64, how placing) (uint64, string) {
	length := up(size, e.page)
	switch {
	case off+length < off, off%e.page != 0:
		return 0, "EINVAL"
	case length == 0:
		return 0, "ENOMEM"
	}
	if addr = down(addr, e.page); how == asHint && addr != 0 {
		addr = max(addr, e.hintMin) // round_hint_to_min
	}
	addr, errno := e.getUnmappedArea(m.Origin, addr, length, off, how)
	if errno != "" {
		return 0, errno
	}
	m.Range = image.Range{Start: image.Addr(addr), Size: length}
	if from, to := e.out.overlaps(m.Range); how == noReplace && from < to {
		return 0, "EEXIST"
	}
	if length > maxLFS || off > maxLFS-length {
		return 0, "EOVERFLOW" // file_mmap_ok
	}
	m.Off = int64(off)
	m.Prot = e.readImplies(m.Prot)
	if m.Prot&elf.PF_W != 0 && !e.enoughMemory(length) {
		return 0, "ENOMEM"
	}
	e.out.place(m)
	return addr, ""
}

// enoughMemory is __vm_enough_memory with the usual vm.overcommit_memory: one
// private writable mapping may have as much as there is memory and swap.
func (e *execve) enoughMemory(length uint64) bool {
	return e.host.Memory == 0 || length <= e.host.Memory
}

// readImplies adds PF_X where the personality READ_IMPLIES_EXEC does (do_mmap).
func (e *execve) readImplies(prot elf.ProgFlag) elf.ProgFlag {
	if e.readImpliesExec && prot&elf.PF_R != 0 {
		return prot | elf.PF_X
	}
	return prot
}

// getUnmappedArea is __get_unmapped_area: an address for length bytes.
func (e *execve) getUnmappedArea(file Origin, addr, length, off uint64, how placing) (uint64, string) {
	if length > e.abi.TaskSize {
		return 0, "ENOMEM"
	}
	if how == asHint {
		found, ok := uint64(0), false
		if huge := file == FromProgram && e.host.Huge || file == FromInterp && e.host.InterpHuge; huge {
			found, ok = e.thpGetUnmappedArea(addr, length, off)
		}
		if !ok {
			found, ok = e.archGetUnmappedArea(addr, length)
		}
		if !ok {
			return 0, "ENOMEM"
		}
		addr = found
	}
	switch {
	case addr > e.abi.TaskSize-length:
		return 0, "ENOMEM"
	case addr%e.page != 0:
		return 0, "EINVAL"
	case addr < e.minAddr && !e.host.RawIO:
		return 0, "EPERM" // security_mmap_addr
	}
	return addr, ""
}

// thpGetUnmappedArea is thp_get_unmapped_area: a file mapping that holds a
// whole huge page of the file is placed so that the page can be one in memory.
func (e *execve) thpGetUnmappedArea(addr, length, off uint64) (uint64, bool) {
	if !e.has(changeHugeFile) || e.abi.Word() == 4 || e.page != page4K {
		return 0, false
	}
	end, aligned := off+length, up(off, hugePage)
	if end <= aligned || end-aligned < hugePage {
		return 0, false
	}
	padded := length + hugePage
	if padded < length || off+padded < off {
		return 0, false
	}
	found, ok := e.archGetUnmappedArea(addr, padded)
	switch {
	case !ok:
		return 0, false
	case found == addr:
		return addr, true
	}
	sub := (off - found) & (hugePage - 1)
	if sub == 0 && e.topDown && e.has(changeHugeTop) {
		return found + hugePage, true
	}
	return found + sub, true
}

// archGetUnmappedArea is arch_get_unmapped_area_topdown, and for the old layout
// arch_get_unmapped_area.
func (e *execve) archGetUnmappedArea(addr, length uint64) (uint64, bool) {
	if addr != 0 && addr <= e.abi.TaskSize && e.abi.TaskSize-length >= addr && e.roomAt(addr, length) {
		return addr, true
	}
	if e.topDown {
		if found, ok := e.out.highest(max(e.page, e.hintMin), e.mmapBase, length, e.guard()); ok {
			return found, true
		}
	}
	return e.out.lowest(max(e.legacyBase, e.hintMin), min(e.abi.TaskSize, e.abi.Window), length, e.guard())
}

// roomAt says whether a hint can be taken.
func (e *execve) roomAt(addr, length uint64) bool {
	i := e.out.after(image.Addr(addr))
	return i == len(e.out.Mappings) || addr+length <= e.out.Mappings[i].guarded(e.guard())
}

// vmBrkFlags is vm_brk_flags: zero-filled memory, always writable, over what is
// there.
func (e *execve) vmBrkFlags(origin Origin, index int, start, end uint64, exec elf.ProgFlag) string {
	size := end - start
	length := up(size, e.page)
	switch {
	case length < size:
		return "ENOMEM"
	case length == 0:
		return ""
	}
	if _, errno := e.getUnmappedArea(FromKernel, start, length, 0, fixed); errno != "" {
		return errno
	}
	if !e.enoughMemory(length) {
		return "ENOMEM"
	}
	e.out.place(Mapping{
		Range: image.Range{Start: image.Addr(start), Size: length}, Off: Anonymous, Index: index, Origin: origin,
		Prot: e.readImplies(elf.PF_R | elf.PF_W | exec&elf.PF_X), Rule: ruleZero,
	})
	return ""
}

const (
	ruleFile = "elf_map"
	ruleZero = "vm_brk_flags"
)
