package flat

import "encoding/binary"

// Record types of Intel HEX.
const (
	ihexData    = 0
	ihexEnd     = 1
	ihexSegment = 2 // bits 4 to 19 of what is added to addresses
	ihexStart16 = 3 // CS and IP
	ihexLinear  = 4 // the upper 16 bits of addresses
	ihexStart32 = 5 // EIP
)

// ihexPer is how many bytes GNU objcopy puts in a record.
const ihexPer = 16

const ihexBank = 0x10000

func ihexLine(n int) int { return 1 + 2*(1+2+1+n+1) + 2 }

// putIHex writes a record of a type.
func putIHex(p, b []byte, addr uint16, typ byte) {
	n := byte(len(b))
	p[0] = ':'
	head := uint32(n) | uint32(addr>>8)<<8 | uint32(addr&0xff)<<16 | uint32(typ)<<24
	binary.LittleEndian.PutUint64(p[1:], hex4(head))
	sum := n + byte(addr>>8) + byte(addr) + typ + putBytes(p[9:], b)
	end := p[9+2*len(b):]
	putByte(end, -sum)
	end[2], end[3] = '\r', '\n'
}

func putIHexData(p, b []byte, addr uint64) { putIHex(p, b, uint16(addr), ihexData) }

func (t *text) ihexRecord(typ byte, b ...byte) {
	line := make([]byte, ihexLine(len(b)))
	putIHex(line, b, 0, typ)
	t.fix(line)
}

// ihex writes records as GNU objcopy does: of 16 bytes, and none across a border
// of 64 KiB; addresses up to 1 MiB by segment records, those above by linear ones.
func (fl *flattening) ihex(t *text) error {
	if err := fl.check32(); err != nil {
		return err
	}
	w := ihexWriter{text: t}
	for i := range fl.pieces {
		p := &fl.pieces[i]
		at := t.size
		w.piece(p)
		fl.report.place(p, at, t.size-at)
	}
	if e := fl.report.Entry; e != nil && *e != 0 {
		w.start(uint64(*e))
	}
	t.ihexRecord(ihexEnd)
	return nil
}

// An ihexWriter knows what was last said of the upper half of addresses.
type ihexWriter struct {
	*text
	segment, linear uint32
}

func (w *ihexWriter) piece(p *piece) {
	src := source(p)
	for from := uint64(0); from < p.size(); {
		at := uint32(p.at + from)
		w.bank(at)
		n := min(p.size()-from, uint64(ihexBank-at%ihexBank))
		w.data(src, int64(from), int64(n), ihexPer, uint64(at), ihexLine, putIHexData)
		from += n
	}
}

// bank says the upper half of an address if it is another one than before.
func (w *ihexWriter) bank(at uint32) {
	upper := at &^ (ihexBank - 1)
	if upper == w.segment+w.linear {
		return
	}
	if at <= 0xfffff && w.linear == 0 {
		w.segment = upper
		w.ihexRecord(ihexSegment, byte(upper>>12), byte(upper>>4))
		return
	}
	// Some readers add both, so the segment is taken back first.
	if w.segment != 0 {
		w.segment = 0
		w.ihexRecord(ihexSegment, 0, 0)
	}
	w.linear = upper
	w.ihexRecord(ihexLinear, byte(upper>>24), byte(upper>>16))
}

func (w *ihexWriter) start(entry uint64) {
	if entry <= 0xfffff {
		w.ihexRecord(ihexStart16, byte(entry>>16<<4), 0, byte(entry>>8), byte(entry))
		return
	}
	w.ihexRecord(ihexStart32, byte(entry>>24), byte(entry>>16), byte(entry>>8), byte(entry))
}
