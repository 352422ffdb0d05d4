package script

import (
	"encoding/binary"
	"fmt"

	"elfwright/elffile"
	"elfwright/machine"
)

// Script is a script, taken apart.
type Script struct {
	Machine    *machine.Machine
	Base       uint64 // where it is
	Start, End uint64 // of the frozen file's segments
	First      uint64 // address of the first record
	Records    []Record
	Bytes      []byte // all of it
}

func fault(field string, off int, format string, args ...any) error {
	return &elffile.Error{Struct: "thaw script", Field: field, Off: int64(off), Msg: fmt.Sprintf(format, args...)}
}

// Parse reads a script that is at an address and checks that it stays within
// itself. Offsets in errors count from its first byte.
func Parse(m *machine.Machine, base uint64, b []byte) (*Script, error) {
	o := binary.LittleEndian
	if len(b) < HeadSize {
		return nil, fault("", 0, "0x%x bytes are fewer than its head has (0x%x)", len(b), HeadSize)
	}
	if string(b[:len(Magic)]) != Magic {
		return nil, fault("magic", 0, "%q is not %q", b[:len(Magic)], Magic)
	}
	if n := o.Uint32(b[machineField:]); n != uint32(m.ELF) {
		return nil, fault("machine", machineField, "e_machine %d is not that of %s (%d)", n, m.Name, m.ELF)
	}
	size := o.Uint64(b[sizeField:])
	if size > uint64(len(b)) || size < HeadSize {
		return nil, fault("size", sizeField, "0x%x is not a size in 0x%x bytes", size, len(b))
	}
	s := &Script{Machine: m, Base: base, Start: o.Uint64(b[8:]), End: o.Uint64(b[16:]), First: o.Uint64(b[firstField:]), Bytes: b[:size]}
	n := o.Uint64(b[firstField+8:])
	if s.First < base+HeadSize || s.First-base > size {
		return nil, fault("records", firstField, "0x%x is not in [0x%x, 0x%x)", s.First, base+HeadSize, base+size)
	}
	if room := (size - (s.First - base)) / RecordSize; n == 0 || n > room {
		return nil, fault("records", firstField+8, "%d records (0x%x bytes each) where there is room for %d", n, RecordSize, room)
	}
	s.Records = make([]Record, n)
	for i := range s.Records {
		at := int(s.First-base) + i*RecordSize
		if err := s.record(i, at); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// record reads record i, at an offset, and checks it.
func (s *Script) record(i, at int) error {
	b := s.Bytes[at:]
	name := fmt.Sprintf("record %d", i)
	if b[0] >= byte(numOps) {
		return fault(name, at, "operation %d is unknown", b[0])
	}
	if b[1]>>operands != 0 || b[2] > 1 || b[3] != 0 {
		return fault(name, at+1, "bits that have no meaning are set: 0x%02x%02x%02x", b[1], b[2], b[3])
	}
	r := decode(b)
	first, end := uint32(s.First-s.Base), uint32(s.First-s.Base)+uint32(len(s.Records)*RecordSize)
	if r.Jump != 0 && (r.Jump < first || r.Jump >= end || (r.Jump-first)%RecordSize != 0) {
		return fault(name, at+8, "the jump to 0x%x leads to no record in [0x%x, 0x%x)", r.Jump, first, end)
	}
	if r.Jump == 0 && r.Op.jumps() {
		return fault(name, at+8, "%v has nowhere to jump to", r.Op)
	}
	if _, ok := s.text(r.Msg); r.Msg != 0 && !ok {
		return fault(name, at+12, "the message at 0x%x is not in [0x%x, 0x%x)", r.Msg, HeadSize, len(s.Bytes))
	}
	s.Records[i] = r
	return nil
}

// text is the text at an offset.
func (s *Script) text(off uint32) (string, bool) {
	if off < HeadSize || uint64(off)+4 > uint64(len(s.Bytes)) {
		return "", false
	}
	n := uint64(binary.LittleEndian.Uint32(s.Bytes[off:]))
	from := uint64(off) + 4
	if n > uint64(len(s.Bytes))-from {
		return "", false
	}
	return string(s.Bytes[from : from+n]), true
}

// Message is what a record says if it fails; "" is nothing.
func (s *Script) Message(r *Record) string {
	t, _ := s.text(r.Msg)
	return t
}

// Target is the number of the record that a record jumps to, or -1.
func (s *Script) Target(r *Record) int {
	if r.Jump == 0 {
		return -1
	}
	return int(uint64(r.Jump)-(s.First-s.Base)) / RecordSize
}
