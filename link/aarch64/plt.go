package aarch64

import (
	"debug/elf"
	"encoding/binary"
	"fmt"

	"elfwright/link/model"
)

// Procedure linkage (AAELF64, "Procedure linkage table"): with BTI, where all
// objects have it or -z force-bti says so, an entry that may be reached by a
// pointer begins with a landing pad; with -z pac-plt the address that is loaded
// is authenticated. In what is loaded anywhere the address of a function that
// another object may define is never that of an entry, and only the header has a
// pad; GNU ld leaves it out of entries of indirect functions too, whose address
// may be taken there as well.

// PLT is the procedure linkage.
func (t *target) PLT(e *model.Env) model.PLT {
	t.pltOnce.Do(func() {
		t.plt = linkageFor(e.Opt.BTI != "" || allBTI(e), e.Opt.PAC != "", e.PIC())
	})
	return t.plt
}

const (
	insnBTI  = 0xd503245f // bti c
	insnAuth = 0xd503219f // autia1716
)

// Tags of .dynamic (AAELF64, "Dynamic Section").
const (
	dtBTI     = elf.DynTag(0x70000001) // DT_AARCH64_BTI_PLT
	dtPAC     = elf.DynTag(0x70000003) // DT_AARCH64_PAC_PLT
	dtVariant = elf.DynTag(0x70000005) // DT_AARCH64_VARIANT_PCS
)

func linkageFor(bti, pac, pic bool) model.PLT {
	pad := bti && !pic
	p := model.PLT{Header: 32, Entry: entrySize(pad || pac), IEntry: entrySize(bti || pac), Align: 16, Variant: dtVariant}
	if bti {
		p.Tags = append(p.Tags, dtBTI)
	}
	if pac {
		p.Tags = append(p.Tags, dtPAC)
	}
	p.WriteHeader = func(e *model.Env, b []byte, at, gotplt uint64) { writeHeader(e, b, at, gotplt, bti) }
	p.WriteEntry = func(e *model.Env, b []byte, at, got uint64, _ int) { writeEntry(e, b[:p.Entry], at, got, pad, pac) }
	p.WriteIEntry = func(e *model.Env, b []byte, at, got uint64, _ int) { writeEntry(e, b[:p.IEntry], at, got, bti, pac) }
	return p
}

func entrySize(more bool) uint64 {
	if more {
		return 24
	}
	return 16
}

// fill writes instructions, and NOPs behind them.
func fill(b []byte, insns ...uint32) {
	for i := 0; i+insnSize <= len(b); i += insnSize {
		insn := uint32(insnNop)
		if n := i / insnSize; n < len(insns) {
			insn = insns[n]
		}
		store(b[i:], insn)
	}
}

// slot makes the three instructions that load from a slot of the GOT and leave
// its address in x16; at is the address of the first.
func slot(e *model.Env, at, got uint64) []uint32 {
	d := pagesApart(got, at)
	if !pageReaches(d) {
		e.Report.Error(fmt.Errorf("the PLT at %#x does not reach the GOT at %#x", at, got))
	}
	lo := uint32(got) & pageMask
	return []uint32{
		page(0x90000010, uint64(d)), // adrp x16, got
		0xf9400211 | lo>>3<<10,      // ldr x17, [x16, #:lo12:got]
		0x91000210 | lo<<10,         // add x16, x16, #:lo12:got
	}
}

const (
	insnPush = 0xa9bf7bf0 // stp x16, x30, [sp, #-16]!
	insnGo   = 0xd61f0220 // br x17
)

// writeHeader: the dynamic linker is the third word of .got.plt.
func writeHeader(e *model.Env, b []byte, at, gotplt uint64, bti bool) {
	var insns []uint32
	if bti {
		insns = append(insns, insnBTI)
	}
	insns = append(insns, insnPush)
	insns = append(insns, slot(e, at+uint64(insnSize*len(insns)), gotplt+16)...)
	fill(b, append(insns, insnGo)...)
}

func writeEntry(e *model.Env, b []byte, at, got uint64, bti, pac bool) {
	var insns []uint32
	if bti {
		insns = append(insns, insnBTI)
	}
	insns = append(insns, slot(e, at+uint64(insnSize*len(insns)), got)...)
	if pac {
		insns = append(insns, insnAuth)
	}
	fill(b, append(insns, insnGo)...)
}

// allBTI says whether the code of all objects has landing pads: their notes have
// GNU_PROPERTY_AARCH64_FEATURE_1_BTI.
func allBTI(e *model.Env) bool {
	any := false
	for _, o := range e.Objects {
		if o.Linker || o.JustSymbols || len(o.Sections) == 0 {
			continue
		}
		if any = hasBTI(o, e.Order); !any {
			return false
		}
	}
	return any
}

func hasBTI(o *model.Object, order binary.ByteOrder) bool {
	const (
		features = 0xc0000000 // GNU_PROPERTY_AARCH64_FEATURE_1_AND
		bti      = 1
		header   = 16 // of the note, with its name
	)
	for _, s := range o.Sections {
		if s == nil || s.Type != elf.SHT_NOTE || s.Name != ".note.gnu.property" || len(s.Data) < header {
			continue
		}
		for b := s.Data[header:]; len(b) >= 12; {
			n := (uint64(order.Uint32(b[4:])) + 7) &^ 7
			if order.Uint32(b) == features && order.Uint32(b[8:])&bti != 0 {
				return true
			}
			if n > uint64(len(b)-8) {
				break
			}
			b = b[8+n:]
		}
	}
	return false
}
