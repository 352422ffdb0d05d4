package page

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
)

// packer makes chunks, and minds how large the page becomes.
type packer struct {
	left   int // bytes that the page may still grow
	share  int // of them, those for the image at hand
	chunks []string
	z      *flate.Writer
}

// column is a column of a table, in the order in which a chunk has them: those
// of wide numbers first, so that each is aligned when it is unpacked.
type column struct {
	Name string `json:"name"`
	Bits int    `json:"bits"` // 64, 32 or 8
	u64  []uint64
	u32  []uint32
	u8   []byte
}

func wide(name string, v []uint64) column  { return column{Name: name, Bits: 64, u64: v} }
func word(name string, v []uint32) column  { return column{Name: name, Bits: 32, u32: v} }
func narrow(name string, v []uint8) column { return column{Name: name, Bits: 8, u8: v} }
func (c *column) append(b []byte, n int) []byte {
	switch c.Bits {
	case 64:
		for _, v := range c.u64[:n] {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	case 32:
		for _, v := range c.u32[:n] {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	default:
		b = append(b, c.u8[:n]...)
	}
	return b
}

// table is where a table is in the page.
type table struct {
	Rows  int      `json:"rows"`
	Of    int      `json:"of"` // rows there would be if there were room
	Cols  []column `json:"cols"`
	Chunk int      `json:"chunk"`
	Text  int      `json:"text"` // chunk of the names: strings that end in NUL; -1: none
}

// names collects strings for a table; equal neighbours are kept once.
type names struct {
	blob []byte
	last string
	at   uint32
}

// maxName cuts names that are longer than anyone reads.
const maxName = 4096

// maxNames bounds the names of one table.
const maxNames = 64 << 20

// add returns the offset of a name.
func (n *names) add(s []byte) uint32 {
	if len(n.blob) > 0 && string(s) == n.last || len(n.blob) >= maxNames {
		return n.at
	}
	n.last = string(s)
	if len(s) > maxName {
		s = s[:maxName]
	}
	n.at = uint32(len(n.blob))
	n.blob = append(n.blob, s...)
	n.blob = append(n.blob, 0)
	return n.at
}

// table packs columns of of rows; where they do not fit, the first rows that
// do. The names' offsets, in a column of this table, ascend.
func (p *packer) table(cols []column, rows, of int, offsets []uint32, text []byte) table {
	t := table{Of: of, Cols: cols, Chunk: -1, Text: -1}
	for rows > 0 {
		var raw []byte
		for i := range cols {
			raw = cols[i].append(raw, rows)
		}
		blob := text
		if rows < len(offsets) {
			blob = text[:offsets[rows]]
		}
		a, b := p.deflate(raw), p.deflate(blob)
		if size := len(a) + len(b); size > p.share {
			// Rows of one table are alike; a little less, lest it happen again.
			rows = min(int(float64(rows)*float64(max(p.share, 0))/float64(size)*0.95), rows-1)
			continue
		}
		t.Rows = rows
		t.Chunk = p.put(a)
		if len(blob) > 0 {
			t.Text = p.put(b)
		}
		return t
	}
	return t
}

// put adds a chunk and returns its number.
func (p *packer) put(b string) int {
	p.chunks = append(p.chunks, b)
	p.left -= len(b)
	p.share -= len(b)
	return len(p.chunks) - 1
}

// deflate packs bytes for the page: raw deflate (RFC 1951), in base64.
func (p *packer) deflate(raw []byte) string {
	var b bytes.Buffer
	enc := base64.NewEncoder(base64.StdEncoding, &b)
	if p.z == nil {
		var err error
		if p.z, err = flate.NewWriter(nil, flate.BestSpeed); err != nil {
			panic(err) // the level is a constant
		}
	}
	p.z.Reset(enc)
	// A bytes.Buffer takes everything.
	p.z.Write(raw)
	p.z.Close()
	enc.Close()
	return b.String()
}
