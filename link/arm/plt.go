package arm

import (
	"encoding/binary"
	"fmt"

	"elfwright/link/model"
)

// PLT is the procedure linkage that the dynamic linker of Linux knows: Arm code,
// which Thumb code calls by BLX (AAELF32, "PLT entries"; GNU ld 2.40).
func (t *target) PLT(e *model.Env) model.PLT {
	t.attributes(e)
	if t.arch.thumbOnly() {
		return model.PLT{Header: 16, Entry: 16, Align: 4, State: 1, WriteHeader: t.thumbHeader, WriteEntry: t.thumbEntry}
	}
	p := model.PLT{Header: 20, Entry: 12, Align: 4, WriteHeader: header, WriteEntry: entry, TLSCall: 12, WriteTLSCall: tlsCall}
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

// tlsCall is entered with the distance from its return address to a descriptor in
// r0. It jumps to the descriptor's function, which returns to the caller.
func tlsCall(e *model.Env, b []byte) {
	words(e, b,
		0xe08e0000, // add r0, lr, r0
		0xe5901004, // ldr r1, [r0, #4]
		0xe12fff11, // bx r1
	)
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

func halves(o binary.ByteOrder, b []byte, insns ...uint16) {
	for i, x := range insns {
		o.PutUint16(b[2*i:], x)
	}
}

func (t *target) thumbHeader(e *model.Env, b []byte, at, gotplt uint64) {
	halves(codeOrder(e), b,
		0xb500,         // push {lr}
		0xf8df, 0xe008, // ldr.w lr, [pc, #8]
		0x44fe,         // add lr, pc
		0xf85e, 0xff08, // ldr.w pc, [lr, #8]!
	)
	e.Order.PutUint32(b[12:], uint32(gotplt-(at+10)))
}

// thumbEntry is for processors without Arm code.
func (t *target) thumbEntry(e *model.Env, b []byte, at, got uint64, _ int) {
	if !t.arch.thumb2() {
		e.Report.Error(fmt.Errorf(".plt at %#x: a PLT entry needs MOVW and a wide load, which the processor has not", at))
	}
	o, d := codeOrder(e), uint32(got-(at+12))
	halves(o, b,
		0xf240, 0x0c00, // movw ip, #:lower16:
		0xf2c0, 0x0c00, // movt ip, #:upper16:
		0x44fc,         // add ip, pc
		0xf8dc, 0xf000, // ldr.w pc, [ip]
		0xe7fc, // b .-4
	)
	move16(o, b, d)
	move16(o, b[4:], d>>16)
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
