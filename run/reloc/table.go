package reloc

import (
	"encoding/binary"

	"elfwright/elffile"
)

// tableOf carries out a table.
func (w *worker) tableOf(t *elffile.RelocTable) {
	w.table, w.entry = t, 0
	if t.Kind == "RELR" {
		for r := range t.All() {
			w.relr(r.Off, r.Type)
			w.entry++
		}
		return
	}
	for n := t.Len(); w.entry < n; w.entry++ {
		if w.relatives(t); w.entry == n {
			break
		}
		r := t.At(w.entry)
		w.count(r.Type)
		w.one(&r)
	}
}

// relatives carries out as many relative relocations as come one after the other
// in the segment at hand. They are nine of ten.
func (w *worker) relatives(t *elffile.RelocTable) {
	table, stride := t.Rela64()
	s := w.seg
	if table == nil || s == nil || !s.Private || w.k.relative == 0 {
		return
	}
	bytes, start, base, first := s.Bytes, s.Start, w.o.Base, w.entry
	le := binary.LittleEndian
	for n := t.Len(); w.entry < n; w.entry++ {
		r := table[w.entry*stride:]
		r = r[:24]
		at := le.Uint64(r) - start
		if le.Uint64(r[8:]) != uint64(w.k.relative) || at > uint64(len(bytes)) || uint64(len(bytes))-at < 8 {
			break
		}
		le.PutUint64(bytes[at:], base+le.Uint64(r[16:]))
	}
	if n := w.entry - first; n > 0 {
		w.count(w.k.relative)
		w.counts[w.k.relative] += n - 1
	}
}

func (w *worker) count(typ uint32) {
	if typ >= uint32(len(w.counts)) {
		if typ > 1<<12 {
			return // its row will refuse it
		}
		w.counts = append(w.counts, make([]int, int(typ)+1-len(w.counts))...)
	}
	w.counts[typ]++
}
