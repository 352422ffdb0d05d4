package elftest

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Bytes is content as it is.
type Bytes []byte

// Encode returns the bytes.
func (b Bytes) Encode(*Env) []byte { return b }

// Words is content of 32-bit words in the file's order.
type Words []uint32

// Encode returns the words.
func (c Words) Encode(e *Env) []byte {
	w := e.Writer()
	for _, v := range c {
		w.U32(v)
	}
	return w.B
}

// Addrs is content of words as large as an address.
type Addrs []uint64

// Encode returns the words.
func (c Addrs) Encode(e *Env) []byte {
	w := e.Writer()
	for _, v := range c {
		w.Addr(v)
	}
	return w.B
}

// Pointers is content of one address for each named section.
type Pointers []string

// Encode returns the addresses.
func (c Pointers) Encode(e *Env) []byte {
	w := e.Writer()
	for _, key := range c {
		w.Addr(e.Addr(key))
	}
	return w.B
}

// Strings is a string table. The strings listed come first; what other contents
// refer to is added behind them.
type Strings []string

// Encode is not used: the layout keeps a string table for such a section.
func (c Strings) Encode(*Env) []byte { return nil }

func (c Strings) wants(*Env) wants { return wants{typ: elf.SHT_STRTAB, align: 1} }

// Group is the content of a section group (gABI, Section Groups).
type Group struct {
	Flags     uint32 // GRP_COMDAT is 1
	Members   []string
	Signature string // a symbol of the linked table
}

// Encode returns the flag word and the members' indexes.
func (c Group) Encode(e *Env) []byte {
	w := e.Writer()
	w.U32(c.Flags)
	for _, m := range c.Members {
		w.U32(e.Index(m))
	}
	return w.B
}

func (c Group) wants(*Env) wants {
	return wants{typ: elf.SHT_GROUP, link: ".symtab", align: 4, entsize: 4}
}

// Compressed is content behind a compression header (gABI, Section Compression).
type Compressed struct {
	Type  elf.CompressionType // COMPRESS_ZLIB or elf.COMPRESS_ZSTD
	Of    Content
	Align uint64 // of the content; 0 means 1
}

// Encode compresses the content.
func (c Compressed) Encode(e *Env) []byte {
	plain := c.Of.Encode(e)
	w := e.Writer()
	w.U32(uint32(c.Type))
	if e.Is64() {
		w.U32(0)
	}
	w.Addr(uint64(len(plain)))
	w.Addr(max(c.Align, 1))
	w.Bytes(compress(c.Type, plain))
	return w.B
}

func (c Compressed) wants(e *Env) wants {
	return wants{flags: elf.SHF_COMPRESSED, align: e.Word()}
}

// compress panics on errors because writing to memory has none.
func compress(t elf.CompressionType, plain []byte) []byte {
	switch t {
	case elf.COMPRESS_ZLIB:
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		if _, err := z.Write(plain); err != nil {
			panic(err)
		}
		if err := z.Close(); err != nil {
			panic(err)
		}
		return b.Bytes()
	case elf.COMPRESS_ZSTD:
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err)
		}
		return z.EncodeAll(plain, nil)
	}
	panic(fmt.Sprintf("elftest: compression type %d", t))
}

func dataOf(o binary.ByteOrder) elf.Data {
	if o == binary.BigEndian {
		return elf.ELFDATA2MSB
	}
	return elf.ELFDATA2LSB
}
