package memory

import (
	"bytes"
	"testing"
)

// TestPatch: pages that are changed are a segment, and the rest is where it was.
func TestPatch(t *testing.T) {
	file := make([]byte, 0x4800)
	for i := range file {
		file[i] = byte(i >> 8)
	}
	for _, at := range []uint64{0x1000, 0x2ffe, 0x47f0} {
		o := &Object{Segments: []Segment{{Start: 0x1000, End: 0x6000, FileEnd: 0x1000 + 0x4800, FileOff: 0x3000, Bytes: file}}}
		for range 2 { // the second time the pages are there
			if err := o.Patch(at, []byte("abcd"), 0x1000); err != nil {
				t.Fatalf("0x%x: %v", at, err)
			}
		}
		end, private := uint64(0x1000), 0
		for _, s := range o.Segments {
			if s.Start != end || s.FileOff-0x3000 != s.Start-0x1000 || s.FileEnd < s.Start || s.FileEnd > s.End || s.FileEnd-s.Start != uint64(len(s.Bytes)) {
				t.Errorf("0x%x: segment [0x%x, 0x%x), file until 0x%x, %d bytes", at, s.Start, s.End, s.FileEnd, len(s.Bytes))
			}
			if end = s.End; s.Private {
				private++
			}
		}
		if end != 0x6000 || private != 1 || !bytes.Equal(o.Read(at, 4), []byte("abcd")) || file[at-0x1000] == 'a' {
			t.Errorf("0x%x: ends at 0x%x, %d private, %q", at, end, private, o.Read(at, 4))
		}
	}
	o := &Object{Segments: []Segment{{Start: 0x1000, End: 0x6000, FileEnd: 0x1000 + 0x4800, FileOff: 0x3000, Bytes: file}}}
	for _, at := range []uint64{0, 0x57fe, 0x5800, 0x6000} {
		if err := o.Patch(at, []byte("abcd"), 0x1000); err == nil {
			t.Errorf("0x%x: no error", at)
		}
	}
}
