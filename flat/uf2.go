package flat

import (
	"cmp"
	"encoding/binary"
	"slices"

	"elfwright/elffile"
)

// A UF2 file is blocks of 512 bytes, all numbers little-endian (microsoft/uf2,
// README, "File format").
const (
	uf2Block   = 512
	uf2Payload = 256 // "always correct", says the specification
	uf2Data    = 476 // room for it
	uf2Header  = 32

	uf2Magic0   = 0x0a324655 // "UF2\n"
	uf2Magic1   = 0x9e5d5157
	uf2MagicEnd = 0x0ab16f30

	uf2NotMain   = 0x1    // not for the flash
	uf2Container = 0x1000 // a part of a file
	uf2Family    = 0x2000 // familyID is there
	uf2MD5       = 0x4000 // the last 24 bytes of the data are a checksum
)

// uf2 writes a block for each 256 bytes that have any of the program. Those are
// aligned, since a flash page is no smaller; what is not the program's in them is
// filled.
func (fl *flattening) uf2(t *text) error {
	if err := fl.check32(); err != nil {
		return err
	}
	pages := fl.uf2Pages()
	var total uint64
	for _, r := range pages {
		total += r.to - r.from
	}
	total /= uf2Payload
	memory := fl.uf2Memory(pages)
	var number uint64
	for _, r := range pages {
		// A block's number goes by its address within the run of pages.
		first, from := number, r.from
		put := func(p, b []byte, addr uint64) {
			fl.putUF2(p, b, addr, first+(addr-from)/uf2Payload, total)
		}
		t.data(memory, int64(r.from), int64(r.to-r.from), uf2Payload, r.from, func(int) int { return uf2Block }, put)
		number += (r.to - r.from) / uf2Payload
	}
	fl.placeUF2(pages)
	return nil
}

// pages is a range of whole pages.
type pages struct{ from, to uint64 }

// uf2Pages are the pages that have bytes, those side by side as one range.
func (fl *flattening) uf2Pages() []pages {
	var list []pages
	for i := range fl.pieces {
		p := &fl.pieces[i]
		from := uint64(uint32(p.at))
		r := pages{from &^ (uf2Payload - 1), (from + p.size() + uf2Payload - 1) &^ (uf2Payload - 1)}
		if k := len(list) - 1; k >= 0 && r.from <= list[k].to {
			list[k].to = max(list[k].to, r.to)
			continue
		}
		list = append(list, r)
	}
	return list
}

// uf2Memory is the memory by 32-bit address.
func (fl *flattening) uf2Memory(list []pages) *elffile.Body {
	m := &elffile.Body{}
	for _, r := range list {
		m.Put(int64(r.from), elffile.Zeros(r.to-r.from))
		if fl.opt.Fill != nil {
			m.Put(int64(r.from), filler{*fl.opt.Fill, int64(r.to - r.from)})
		}
	}
	for i := range fl.pieces {
		p := &fl.pieces[i]
		m.Put(int64(uint32(p.at)), source(p))
	}
	return m
}

func (fl *flattening) putUF2(p, b []byte, addr, number, total uint64) {
	le := binary.LittleEndian
	var flags uint32
	if fl.opt.Family != 0 {
		flags = uf2Family
	}
	for i, v := range []uint32{uf2Magic0, uf2Magic1, flags, uint32(addr), uint32(len(b)), uint32(number), uint32(total), fl.opt.Family} {
		le.PutUint32(p[4*i:], v)
	}
	n := copy(p[uf2Header:], b)
	for i := uf2Header + n; i < uf2Header+uf2Data; i++ {
		p[i] = 0xff
	}
	le.PutUint32(p[uf2Block-4:], uf2MagicEnd)
}

// placeUF2 notes in which blocks each piece is.
func (fl *flattening) placeUF2(list []pages) {
	var before uint64 // pages of the ranges before
	k := 0
	for i := range fl.pieces {
		p := &fl.pieces[i]
		at := uint64(uint32(p.at))
		for at >= list[k].to {
			before += (list[k].to - list[k].from) / uf2Payload
			k++
		}
		first := before + (at-list[k].from)/uf2Payload
		last := before + (at+p.size()-1-list[k].from)/uf2Payload
		fl.report.place(p, int64(first*uf2Block), int64((last-first+1)*uf2Block))
	}
}

// A Family is a kind of board that UF2 blocks may be for. ELF says which machine
// it is, where one of those that are known here.
type Family struct {
	Name string
	ID   uint32
	Target
}

// families are those of microsoft/uf2, utils/uf2families.json, that people use
// most.
var families = []Family{
	{"ESP32C3", 0xd42ba06c, targetRV32},
	{"ESP32C6", 0x540ddf62, targetRV32},
	{"GD32VF103", 0x9af03e33, targetRV32},
	{"MIMXRT10XX", 0x4fb2d5bd, targetArm},
	{"NRF52", 0x1b57745f, targetArm},
	{"NRF52833", 0x621e937a, targetArm},
	{"NRF52840", 0xada52840, targetArm},
	{"RP2040", 0xe48bff56, targetArm},
	{"RP2350-ARM-S", 0xe48bff59, targetArm},
	{"RP2350-RISCV", 0xe48bff5a, targetRV32},
	{"SAMD21", 0x68ed2b88, targetArm},
	{"SAMD51", 0x55114460, targetArm},
	{"STM32F0", 0x647824b6, targetArm},
	{"STM32F1", 0x5ee21072, targetArm},
	{"STM32F3", 0x6b846188, targetArm},
	{"STM32F4", 0x57755a57, targetArm},
	{"STM32F7", 0x53b80f00, targetArm},
	{"STM32G0", 0x300f5633, targetArm},
	{"STM32G4", 0x4c71240a, targetArm},
	{"STM32H7", 0x6db66082, targetArm},
	{"STM32L4", 0x00ff6919, targetArm},
	{"STM32WB", 0x70d16653, targetArm},
}

// Families are the families that have a name here, by name.
func Families() []Family {
	list := slices.Clone(families)
	slices.SortFunc(list, func(a, b Family) int { return cmp.Compare(a.Name, b.Name) })
	return list
}
