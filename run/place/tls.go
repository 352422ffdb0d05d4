package place

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
)

// TLSRules are what a libc adds to the rules of the machine.
type TLSRules struct {
	// Gaps says that small blocks go into the gaps that alignment leaves before
	// larger ones (glibc, _dl_determine_tlsoffset); musl leaves them open.
	Gaps bool
}

// TLS is the static thread-local storage.
type TLS struct {
	Below   bool   // the blocks lie below the thread pointer (variant II), else above
	Size    uint64 // from the thread pointer to the far end of the last block
	Align   uint64
	Modules int
}

// tcb is what lies at the thread pointer of variant I, before the first block
// (psABIs of AArch64, Arm and RISC-V, the TLS chapters).
var tcb = map[elf.Machine]uint64{elf.EM_AARCH64: 16, elf.EM_ARM: 8, elf.EM_RISCV: 0}

// layTLS numbers the objects that have TLS in load order, and gives each its
// offset from the thread pointer (Drepper, ELF Handling For Thread-Local Storage,
// section 3). The first one, which is the program if it has TLS, must be where its
// linker thought.
func layTLS(objects []Object, rules TLSRules) (TLS, error) {
	machine := objects[0].Header.Machine
	t := TLS{Align: 1, Below: machine == elf.EM_X86_64 || machine == elf.EM_386}
	if !t.Below {
		size, ok := tcb[machine]
		if !ok {
			return t, &elffile.Error{File: objects[0].Name, Off: -1, Msg: fmt.Sprintf("how thread-local storage is laid out on machine %v is not known here", machine)}
		}
		t.Size = size
	}
	var gap struct{ from, to uint64 }
	for i := range objects {
		o := &objects[i]
		p := o.Object.TLS
		if p == nil || p.Memsz == 0 {
			continue
		}
		align := max(p.Align, 1)
		if align&(align-1) != 0 || align > 1<<24 || p.Memsz > 1<<30 || t.Size > 1<<34 {
			return t, &elffile.Error{File: o.Name, Struct: "PT_TLS", Off: -1, Msg: fmt.Sprintf("p_memsz 0x%x, p_align 0x%x: no block of thread-local storage can be made so", p.Memsz, p.Align)}
		}
		if p.Filesz > p.Memsz {
			return t, &elffile.Error{File: o.Name, Struct: "PT_TLS", Off: -1, Msg: fmt.Sprintf("p_filesz 0x%x is more than p_memsz 0x%x", p.Filesz, p.Memsz)}
		}
		t.Modules++
		o.Module = t.Modules
		t.Align = max(t.Align, align)
		skew := p.Vaddr & (align - 1)
		if !t.Below {
			at := upTo(t.Size, align, skew)
			if rules.Gaps && fits(gap.from, gap.to, p.Memsz, align, skew) {
				at = upTo(gap.from, align, skew)
				gap.from = at + p.Memsz
			} else {
				if at-t.Size > gap.to-gap.from {
					gap.from, gap.to = t.Size, at
				}
				t.Size = at + p.Memsz
			}
			o.Offset = int64(at)
			continue
		}
		first := -p.Vaddr & (align - 1)
		if rules.Gaps && gap.to-gap.from >= p.Memsz {
			if off := up(gap.from+p.Memsz-first, align) + first; off <= gap.to {
				gap.from = off
				o.Offset = -int64(off)
				continue
			}
		}
		off := up(t.Size+p.Memsz-min(first, t.Size+p.Memsz), align) + first
		if off > t.Size+p.Memsz+(gap.to-gap.from) {
			gap.from, gap.to = t.Size, off-p.Memsz
		}
		t.Size = off
		o.Offset = -int64(off)
	}
	return t, nil
}

// fits says whether a block fits between two offsets of variant I.
func fits(from, to, size, align, skew uint64) bool {
	return upTo(from, align, skew)+size <= to
}

// upTo is the first number from n on that is skew modulo align.
func upTo(n, align, skew uint64) uint64 { return n + (skew-n)&(align-1) }

func up(n, align uint64) uint64 { return (n + align - 1) &^ (align - 1) }
