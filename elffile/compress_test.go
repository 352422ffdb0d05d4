package elffile

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"elfwright/internal/elftest"
	"github.com/klauspost/compress/zstd"
)

func TestUncompress(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		want := make([]byte, 4096)
		copy(want, "compressible")
		f := parseDesc(t, elftest.Object(k))
		for name, typ := range map[string]elf.CompressionType{".debug_info": elf.COMPRESS_ZLIB, ".debug_str": compressZstd} {
			i := section(t, f, name)
			h, ok, err := f.Compressed(i)
			if err != nil || !ok || h.Type != typ || h.Size != 4096 || h.Gnu {
				t.Errorf("%s: %+v, %v, %v", name, h, ok, err)
			}
			b, _, err := f.Uncompress(i, 4096)
			if err != nil || !bytes.Equal(b, want) {
				t.Errorf("%s: %d bytes, %v", name, len(b), err)
			}
			_, _, err = f.Uncompress(i, 4095)
			wantError(t, err, name, "ch_size 0x1000 is more than the limit of 0xfff")
		}
		b, h, err := f.Uncompress(section(t, f, ".data.bar"), 1)
		if string(b) != "bar data" || h != (Chdr{}) || err != nil {
			t.Errorf("not compressed: %q, %+v, %v", b, h, err)
		}
		if b, _, err := f.Uncompress(section(t, f, ".bss"), 1); b != nil || err != nil {
			t.Errorf("no bytes: %q, %v", b, err)
		}
	})
}

// deflated is data as zlib makes it.
func deflated(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// TestZdebug is the older form: a name, a magic, a big-endian size.
func TestZdebug(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		want := []byte(strings.Repeat("old ", 1000))
		data := append(binary.BigEndian.AppendUint64([]byte("ZLIB"), 4000), deflated(want)...)
		d := elftest.File{Class: k.Class, Order: k.Order, Machine: k.Machine, Type: elf.ET_REL, Sections: []elftest.Section{
			{Name: ".zdebug_info", Data: data},
			{Name: ".zdebug_line", Data: []byte("not compressed after all")},
			{Name: ".debug_info", Data: data},
		}}
		f := parseDesc(t, d)
		b, h, err := f.Uncompress(1, 4000)
		if err != nil || !h.Gnu || !bytes.Equal(b, want) {
			t.Errorf("%d bytes, %+v, %v", len(b), h, err)
		}
		for i, name := range []string{"", "", ".zdebug_line", ".debug_info"} {
			if _, ok, err := f.Compressed(i); i > 1 && (ok || err != nil) {
				t.Errorf("%s: compressed, %v", name, err)
			}
		}
	})
}

// compressedSection is a file whose section 1 is a Chdr and stream.
func compressedSection(k elftest.Kind, typ elf.CompressionType, size uint64, stream []byte) elftest.File {
	return elftest.File{Class: k.Class, Order: k.Order, Machine: k.Machine, Type: elf.ET_REL, Sections: []elftest.Section{
		{Name: ".debug_x", Type: elf.SHT_PROGBITS, Flags: elf.SHF_COMPRESSED, Content: elftest.ContentFunc(func(e *elftest.Env) []byte {
			w := e.Writer()
			w.U32(uint32(typ))
			if e.Is64() {
				w.U32(0)
			}
			w.Addr(size)
			w.Addr(1)
			w.Bytes(stream)
			return w.B
		})},
	}}
}

func TestUncompressFaults(t *testing.T) {
	z, _ := zstd.NewWriter(nil)
	zeros := make([]byte, 32<<20)
	small := deflated([]byte("hello, hello, hello"))
	for _, tc := range []struct {
		name   string
		typ    elf.CompressionType
		size   uint64
		stream []byte
		got    int
		words  string
	}{
		{"announces less", elf.COMPRESS_ZLIB, 5, small, 6, "0x6 bytes came out, ch_size is 0x5"},
		{"announces more", elf.COMPRESS_ZLIB, 50, small, 19, "0x13 bytes came out, ch_size is 0x32"},
		{"cut", elf.COMPRESS_ZLIB, 19, small[:12], -1, "unexpected EOF"},
		{"no stream", elf.COMPRESS_ZLIB, 19, []byte("nothing of the kind"), 0, "uncompress (ZLIB): zlib: invalid header"},
		{"no zstd", compressZstd, 19, []byte("nothing of the kind"), 0, "uncompress (ZSTD): invalid input"},
		{"unknown", 77, 19, small, 0, "uncompress (<unknown>: 0x4d): unknown type"},
		{"zlib beyond its ratio", elf.COMPRESS_ZLIB, 256 << 20, small, 0, "is more than 4096 times"},
		{"zstd bomb", compressZstd, 1 << 31, z.EncodeAll(zeros, nil), 0, "is more than 4096 times"},
		{"zstd bomb behind a small size", compressZstd, 1 << 20, z.EncodeAll(zeros, nil), 1<<20 + 1, "0x100001 bytes came out, ch_size is 0x100000"},
	} {
		f := parseDesc(t, compressedSection(elftest.Kinds()[0], tc.typ, tc.size, tc.stream))
		b, h, err := f.Uncompress(1, 1<<32)
		t.Run(tc.name, func(t *testing.T) {
			wantError(t, err, "section header 1 (.debug_x)", tc.words)
			if tc.got >= 0 && len(b) != tc.got || h.Size != tc.size {
				t.Errorf("%d bytes, header %+v", len(b), h)
			}
		})
	}
	for _, k := range elftest.Kinds() {
		d := compressedSection(k, elf.COMPRESS_ZLIB, 5, small)
		d.Set = map[string]uint64{"shdr[1].sh_size": 11}
		_, _, err := parseDesc(t, d).Uncompress(1, 100)
		wantError(t, err, "0xb is less than the size of a compression header")
	}
}

// TestCompress: what is compressed comes out as it was, of either class and order.
func TestCompress(t *testing.T) {
	text := bytes.Repeat([]byte("all the same "), 1000)
	for _, f := range []Format{{elf.ELFCLASS64, elf.ELFDATA2LSB}, {elf.ELFCLASS32, elf.ELFDATA2MSB}} {
		for _, typ := range []elf.CompressionType{elf.COMPRESS_ZLIB, elf.COMPRESS_ZSTD} {
			b, err := Compress(f, typ, 8, text)
			if err != nil {
				t.Fatal(err)
			}
			h := Chdr{Type: elf.CompressionType(f.U32(b)), Size: f.Addr(b[f.ChdrSize()-2*f.AddrSize():]), Addralign: f.Addr(b[f.ChdrSize()-f.AddrSize():])}
			if h.Type != typ || h.Size != uint64(len(text)) || h.Addralign != 8 || len(b) > 500 {
				t.Errorf("%v: header %+v, %d bytes", typ, h, len(b))
			}
			if got, err := uncompress(h, b[f.ChdrSize():]); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%v: %v", typ, err)
			}
		}
	}
	if _, err := Compress(Format{elf.ELFCLASS64, elf.ELFDATA2LSB}, 77, 1, text); err == nil {
		t.Error("type 77 is taken")
	}
}
