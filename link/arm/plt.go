package arm

import (
	"encoding/binary"
	"fmt"

	"elfwright/link/model"
)

// PLT is the procedure linkage that the dynamic linker of Linux knows: Arm code,
// which Thumb code calls by BLX (AAELF32, "PLT entries"; GNU ld 2.40).
func (t *target) PLT(e *model.Env) model.PLT {
	p := model.PLT{Header: 20, Entry: 12, Align: 4, WriteHeader: header, WriteEntry: entry}
	if e.Opt.LongPLT {
		p.Entry, p.WriteEntry = 16, longEntry
	}
	return p
}

func header(e *model.Env, b []byte, at, gotplt uint64) {
	words(e, b,
		0xe52de004, // push {lr}
		0xe59fe004, // ldr lr, [pc, #4]
		0xe08fe00e, // add lr, pc, lr
		0xe5bef008, // ldr pc, [lr, #8]!
	)
	e.Order.PutUint32(b[16:], uint32(gotplt-(at+16))) // the third instruction's pc
}

// entry reaches 256 MB.
func entry(e *model.Env, b []byte, at, got uint64, _ int) {
	d := uint32(got - (at + 8))
	if d>>28 != 0 {
		e.Report.Error(fmt.Errorf(".plt at %#x: its slot at %#x is more than 256 MB above; link with --long-plt", at, got))
	}
	words(e, b,
		0xe28fc600|d>>20&0xff, // add ip, pc, #…00000
		0xe28cca00|d>>12&0xff, // add ip, ip, #…000
		0xe5bcf000|d&0xfff,    // ldr pc, [ip, #…]!
	)
}

func longEntry(e *model.Env, b []byte, at, got uint64, _ int) {
	d := uint32(got - (at + 8))
	words(e, b,
		0xe28fc200|d>>28,      // add ip, pc, #…0000000
		0xe28cc600|d>>20&0xff, // add ip, ip, #…00000
		0xe28cca00|d>>12&0xff, // add ip, ip, #…000
		0xe5bcf000|d&0xfff,    // ldr pc, [ip, #…]!
	)
}

// codeOrder is the byte order of instructions in the output.
func codeOrder(e *model.Env) binary.ByteOrder {
	if e.Opt.BE8 {
		return binary.LittleEndian
	}
	return e.Order
}

func words(e *model.Env, b []byte, insns ...uint32) {
	o := codeOrder(e)
	for i, x := range insns {
		o.PutUint32(b[4*i:], x)
	}
}
