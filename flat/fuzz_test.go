package flat_test

import (
	"bytes"
	"debug/elf"
	"testing"

	"elfwright/elffile"
	"elfwright/flat"
)

// fuzzRead reads anything: an error or a result, and what was read is the same
// after it was written as a program and flattened again.
func fuzzRead(t *testing.T, data []byte, opt flat.ReadOptions) {
	c, err := flat.Read("fuzz", elffile.Buffer(data), opt)
	if err != nil {
		if err.Error() == "" || c != nil {
			t.Fatalf("%v, %v", c, err)
		}
		return
	}
	format := elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}
	if opt.Big {
		format.Data = elf.ELFDATA2MSB
	}
	body, _, err := c.ELF(flat.Target{Machine: elf.EM_X86_64, Format: format}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if body.Size() > 64<<20 { // runs far apart in the address space are near in the file
		t.Fatalf("0x%x bytes of %d", body.Size(), len(data))
	}
	if _, err := body.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	f, err := elffile.Parse("fuzz.elf", file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, segments := range []bool{false, true} {
		r, err := flat.Flatten(f, flat.Options{Format: opt.Format, Width: opt.Width, Segments: segments})
		if err != nil {
			if _, no := err.(*flat.Refusal); no { // odd words
				continue
			}
			t.Fatal(err)
		}
		var again bytes.Buffer
		if _, err := r.Body.WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		d, err := flat.Read("again", elffile.Buffer(again.Bytes()), opt)
		if err != nil {
			t.Fatalf("%v\n%s", err, again.Bytes())
		}
		if c.Entry != nil && *c.Entry == 0 {
			c.Entry = nil // which is how no start address is written
		}
		if opt.Format != flat.UF2 && show(t, c) != show(t, d) { // UF2 has whole pages
			t.Fatalf("%s\n%s", show(t, c), show(t, d))
		}
	}
}

// seeds adds files of one format.
func seeds(f *testing.F, opt flat.Options, more ...string) {
	p := program(f, formats64[0], 0x1234, load{0xfff8, []byte("some bytes across a border of 64 KiB")}, load{0x80000000, []byte("high")})
	out, _ := flatten(f, p, opt)
	f.Add(out)
	for _, s := range more {
		f.Add([]byte(s))
	}
}

func FuzzReadIHex(f *testing.F) {
	seeds(f, flat.Options{Format: flat.IHex}, ":020000021000EC\n:01000000AA55\n:00000001FF\n", ":\n", ":0400000512345678E3\n")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzRead(t, data, flat.ReadOptions{Format: flat.IHex}) })
}

func FuzzReadSRec(f *testing.F) {
	seeds(f, flat.Options{Format: flat.SRec}, "S0030000FC\nS1041000AA41\nS5030001FB\nS9030000FC\n", "S5\n")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzRead(t, data, flat.ReadOptions{Format: flat.SRec}) })
}

func FuzzReadUF2(f *testing.F) {
	seeds(f, flat.Options{Format: flat.UF2, Family: 0xe48bff56})
	f.Fuzz(func(t *testing.T, data []byte) { fuzzRead(t, data, flat.ReadOptions{Format: flat.UF2}) })
}

func FuzzReadVMem(f *testing.F) {
	seeds(f, flat.Options{Format: flat.VMem}, "// a\n@10 61 6_2 /* b */ 63", "@0004 0100 03", "00000000000000000000000000000001")
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, width := range []int{1, 2, 16} {
			fuzzRead(t, data, flat.ReadOptions{Format: flat.VMem, Width: width, Big: width == 2})
		}
	})
}
