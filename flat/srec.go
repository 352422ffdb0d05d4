package flat

import (
	"fmt"

	"elfwright/elffile"
)

// srecPer is how many bytes GNU objcopy puts in a record if not told otherwise.
const srecPer = 16

// srecName is how much of the output's name S0 has.
const srecName = 40

// srecLine is the length of a record of a type with n bytes.
func srecLine(typ, n int) int { return 2 + 2*(1+srecAddress(typ)+n+1) + 2 }

// srecAddress is how many bytes of address a record of a type has.
func srecAddress(typ int) int {
	switch typ {
	case 3, 7:
		return 4
	case 2, 8, 6:
		return 3
	}
	return 2
}

// putSRec writes a record of a type.
func putSRec(p, b []byte, addr uint32, typ int) {
	k := srecAddress(typ)
	p[0], p[1] = 'S', '0'+byte(typ)
	n := byte(k + len(b) + 1)
	putByte(p[2:], n)
	sum := n
	at := 4
	for i := k - 1; i >= 0; i-- {
		c := byte(addr >> (8 * i))
		putByte(p[at:], c)
		sum += c
		at += 2
	}
	sum += putBytes(p[at:], b)
	end := p[at+2*len(b):]
	putByte(end, ^sum)
	end[2], end[3] = '\r', '\n'
}

func (t *text) srecRecord(typ int, addr uint32, b []byte) {
	line := make([]byte, srecLine(typ, len(b)))
	putSRec(line, b, addr, typ)
	t.fix(line)
}

// srec writes records as GNU objcopy does: S0 with the name, data records that
// are all as wide as the highest address wants, and the start address.
func (fl *flattening) srec(t *text) error {
	if err := fl.check32(); err != nil {
		return err
	}
	typ := fl.srecType()
	per := srecPer
	if fl.opt.SRecLen != 0 {
		per = fl.opt.SRecLen
	}
	if most := 255 - srecAddress(typ) - 1; per < 1 || per > most {
		return fmt.Errorf("an S%d record has 1 to %d bytes, not %d", typ, most, per)
	}
	name := fl.opt.Name
	t.srecRecord(0, 0, []byte(name[:min(len(name), srecName)]))
	length := func(n int) int { return srecLine(typ, n) }
	put := func(p, b []byte, addr uint64) { putSRec(p, b, uint32(addr), typ) }
	for i := range fl.pieces {
		p := &fl.pieces[i]
		at := t.size
		t.data(source(p), 0, int64(p.size()), per, p.at, length, put)
		fl.report.place(p, at, t.size-at)
	}
	return fl.srecStart(t, typ)
}

// srecType is the narrowest type of data record that all addresses fit.
func (fl *flattening) srecType() int {
	typ := 1
	if fl.opt.ForceS3 {
		return 3
	}
	for i := range fl.pieces {
		switch last := fl.pieces[i].last(); {
		case last > 0xffffff:
			return 3
		case last > 0xffff:
			typ = 2
		}
	}
	return typ
}

// srecStart writes the last record, which cannot be left out. Its width is that
// of the data records; objcopy drops what does not fit.
func (fl *flattening) srecStart(t *text, typ int) error {
	entry := Hex(0)
	if fl.report.Entry != nil {
		entry = *fl.report.Entry
	}
	if bits := 8 * srecAddress(typ); bits < 32 && entry>>bits != 0 {
		return fl.refusef("the start address 0x%x does not fit the %d bits of S%d; --srec-force-s3 makes room, --entry names another one, or none", uint64(entry), bits, 10-typ)
	}
	t.srecRecord(10-typ, uint32(entry), nil)
	return nil
}

// source is the bytes of a piece, read from the file.
func source(p *piece) elffile.Data { return elffile.Unmap(p.data) }

// check32 refuses addresses that have more than 32 bits, and those that would be
// the same with 32.
func (fl *flattening) check32() error {
	var low *piece
	for i := range fl.pieces {
		p := &fl.pieces[i]
		if !fits32(p.at) || !fits32(p.last()) || p.at <= 0xffffffff != (p.last() <= 0xffffffff) {
			return fl.refusef("%v does not fit the 32-bit addresses of %s", p, fl.opt.Format)
		}
		if p.at <= 0xffffffff {
			if low == nil || p.last() > low.last() {
				low = p
			}
		} else if low != nil && uint64(uint32(p.at)) <= low.last() {
			return fl.refusef("%v and %v may be at the same address once they are cut to the 32 bits of %s; --only leaves one of them out", low, p, fl.opt.Format)
		}
	}
	return nil
}
