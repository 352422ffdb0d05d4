package flat

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// vmemPer is how many bytes GNU objcopy puts on a line.
const vmemPer = 16

// checkWidth returns the bytes of a word.
func checkWidth(width int) (int, error) {
	if width == 0 {
		return 1, nil
	}
	if !slices.Contains([]int{1, 2, 4, 8, 16}, width) {
		return 0, fmt.Errorf("a word of %d bytes: want 1, 2, 4, 8 or 16", width)
	}
	return width, nil
}

// vmem writes what $readmemh reads, as GNU objcopy does with -O verilog: a line
// with the number of the first word for each piece, and words in the file's byte
// order.
func (fl *flattening) vmem(t *text) error {
	width, err := checkWidth(fl.opt.Width)
	if err != nil {
		return err
	}
	big := fl.Big() || width == 1
	length := func(n int) int { return vmemLine(n, width, big) }
	put := func(p, b []byte, _ uint64) { putVMem(p, b, width, big) }
	for i := range fl.pieces {
		p := &fl.pieces[i]
		if p.at%uint64(width) != 0 {
			return fl.refusef("%v does not begin at a word of %d bytes", p, width)
		}
		at := t.size
		format := "@%08X\r\n"
		if p.at/uint64(width) > 0xffffffff {
			format = "@%016X\r\n"
		}
		t.fix(fmt.Appendf(nil, format, p.at/uint64(width)))
		t.data(source(p), 0, int64(p.size()), vmemPer, p.at, length, put)
		fl.report.place(p, at, t.size-at)
	}
	return nil
}

// vmemLine is the length of a line of n bytes. Words of more than a byte with the
// highest first have a space behind each whole one, also at the end of the line;
// in all others spaces are between words.
func vmemLine(n, width int, big bool) int {
	if big && width > 1 {
		return 2*n + n/width + 2
	}
	return 2*n + (n-1)/width + 2
}

// spaced are the two digits of each byte, and a space.
var spaced = func() (t [256]uint32) {
	for i := range t {
		t[i] = uint32(hex4(uint32(i)))&0xffff | ' '<<16
	}
	return t
}()

func putVMem(p, b []byte, width int, big bool) {
	end := p[len(p)-2:]
	if width == 1 {
		for _, c := range b {
			binary.LittleEndian.PutUint32(p, spaced[c]) // the next one overwrites a byte of it
			p = p[3:]
		}
	}
	for width > 1 && len(b) > 0 {
		var word [vmemPer]byte
		n := copy(word[:width], b)
		if !big {
			slices.Reverse(word[:n])
		}
		putBytes(p, word[:n])
		p, b = p[2*n:], b[n:]
		if len(p) > 2 {
			p[0] = ' '
			p = p[1:]
		}
	}
	end[0], end[1] = '\r', '\n'
}
