package flat

import (
	"encoding/binary"
)

// An ihexReader knows what is added to addresses.
type ihexReader struct {
	*reader
	*records
	base   uint64
	linear bool // base is of a linear record: a record may cross a border of 64 KiB
	buf    [256 + 8]byte
}

// ihex reads Intel HEX.
func (r *reader) ihex() error {
	h := &ihexReader{reader: r, records: r.records()}
	for {
		more, err := h.next()
		if err != nil {
			return err
		}
		if !more {
			return h.cut("an end record (type 01)")
		}
		ended, err := h.record()
		if err != nil {
			return err
		}
		if ended {
			return h.end()
		}
	}
}

func (h *ihexReader) record() (ended bool, err error) {
	if h.text[0] != ':' {
		return false, h.fault(0, "%s: a record begins with ':'", quote(h.text))
	}
	b, err := h.bytes(1, h.buf[:])
	if err != nil {
		return false, err
	}
	if len(b) < 5 || len(b) != int(b[0])+5 {
		return false, h.fault(1, "the record has %d bytes; its length 0x%02x asks for %d", len(b), firstOf(b), int(firstOf(b))+5)
	}
	n := len(b) - 1
	if want := -sumOf(b[:n]); b[n] != want {
		return false, h.fault(1+2*n, "the checksum is 0x%02x; for these bytes it is 0x%02x", b[n], want)
	}
	return h.typed(b[3], uint64(b[1])<<8|uint64(b[2]), b[4:n])
}

func firstOf(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// typed takes a record's data, by its type.
func (h *ihexReader) typed(typ byte, addr uint64, data []byte) (ended bool, err error) {
	sizes := []int{ihexEnd: 0, ihexSegment: 2, ihexStart16: 4, ihexLinear: 2, ihexStart32: 4}
	if int(typ) >= len(sizes) {
		return false, h.fault(7, "record type 0x%02x is none of 00 to 05", typ)
	}
	if typ != ihexData && len(data) != sizes[typ] {
		return false, h.fault(1, "a record of type 0x%02x has %d bytes, not %d", typ, sizes[typ], len(data))
	}
	switch typ {
	case ihexData:
		// In a segment addresses wrap around, which no writer can mean.
		if !h.linear && addr+uint64(len(data)) > ihexBank {
			return false, h.fault(3, "%d bytes at 0x%04x reach beyond the segment of 64 KiB", len(data), addr)
		}
		if h.base+addr+uint64(len(data)) > 1<<32 {
			return false, h.fault(3, "%d bytes at 0x%x reach beyond 32-bit addresses", len(data), h.base+addr)
		}
		return false, h.add(h.base+addr, data, h.place)
	case ihexEnd:
		return true, nil
	case ihexSegment:
		h.base, h.linear = uint64(binary.BigEndian.Uint16(data))<<4, false
	case ihexLinear:
		h.base, h.linear = uint64(binary.BigEndian.Uint16(data))<<16, true
	case ihexStart16:
		return false, h.start(uint64(binary.BigEndian.Uint16(data))<<4 + uint64(binary.BigEndian.Uint16(data[2:])))
	case ihexStart32:
		return false, h.start(uint64(binary.BigEndian.Uint32(data)))
	}
	return false, nil
}

func (h *ihexReader) start(entry uint64) error {
	return h.setEntry(entry, func(msg string) error { return h.fault(9, "%s", msg) })
}

// An srecReader counts what it has read.
type srecReader struct {
	*reader
	*records
	count uint64 // data records
	buf   [256 + 8]byte
}

// srec reads Motorola S-records.
func (r *reader) srec() error {
	s := &srecReader{reader: r, records: r.records()}
	for {
		more, err := s.next()
		if err != nil {
			return err
		}
		if !more {
			return s.cut("an end record (S7, S8 or S9)")
		}
		ended, err := s.record()
		if err != nil {
			return err
		}
		if ended {
			return s.end()
		}
	}
}

func (s *srecReader) record() (ended bool, err error) {
	if len(s.text) < 2 || s.text[0] != 'S' {
		return false, s.fault(0, "%s: a record begins with 'S' and a digit", quote(s.text))
	}
	typ := int(s.text[1]) - '0'
	if typ < 0 || typ > 9 || typ == 4 { // S4 is reserved
		return false, s.fault(1, "record type %s is none of S0 to S3, S5 to S9", quote(s.text[:2]))
	}
	b, err := s.bytes(2, s.buf[:])
	if err != nil {
		return false, err
	}
	k := srecAddress(typ)
	if len(b) < k+2 || len(b) != int(b[0])+1 {
		return false, s.fault(2, "the record has %d bytes; its length 0x%02x asks for %d, and S%d for %d at least", len(b), firstOf(b), int(firstOf(b))+1, typ, k+2)
	}
	n := len(b) - 1
	if want := ^sumOf(b[:n]); b[n] != want {
		return false, s.fault(2+2*n, "the checksum is 0x%02x; for these bytes it is 0x%02x", b[n], want)
	}
	addr := uint64(0)
	for _, c := range b[1 : 1+k] {
		addr = addr<<8 | uint64(c)
	}
	return s.typed(typ, addr, b[1+k:n])
}

// typed takes a record's data, by its type.
func (s *srecReader) typed(typ int, addr uint64, data []byte) (ended bool, err error) {
	switch typ {
	case 1, 2, 3:
		s.count++
		if limit := uint64(1) << (8 * srecAddress(typ)); addr+uint64(len(data)) > limit {
			return false, s.fault(4, "%d bytes at 0x%x reach beyond the addresses of S%d (0x%x)", len(data), addr, typ, limit)
		}
		return false, s.add(addr, data, s.place)
	case 5, 6:
		if addr != s.count {
			return false, s.fault(4, "S%d counts %d data records; there are %d before it", typ, addr, s.count)
		}
	case 7, 8, 9:
		if len(data) > 0 {
			return false, s.fault(2, "S%d has %d bytes behind its address", typ, len(data))
		}
		if addr == 0 { // the record must be there; 0 is what is written for no address
			return true, nil
		}
		return true, s.setEntry(addr, func(msg string) error { return s.fault(4, "%s", msg) })
	}
	return false, nil
}
