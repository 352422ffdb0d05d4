package loader_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"elfwright/sdf/loader"
)

// make lays an image out: front bytes of a loader, header, regions, data.
func build(front int, words []uint64, data int) []byte {
	b := bytes.Repeat([]byte{0xaa}, front)
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return append(b, make([]byte, data)...)
}

const magic = 0x5e14dead14de5ead

var good = []uint64{magic, 128 + 0x30, 0xffff, 0x1000, 0x3000, 0x10, 0x8000, 2,
	0x40000000, 0x10, 0, 1, 0x50000000, 0x20, 0x10, 1}

func TestParse(t *testing.T) {
	for _, front := range []int{0, 0x100, 0x10c} {
		img, err := loader.Parse("f", build(front, good, 0x30))
		if err != nil {
			t.Fatal(err)
		}
		if img.Kind != loader.Raw || img.Offset != int64(front) || img.Word != 8 || img.KernelEntry != 0xffff || img.TaskEntry != 0x8000 || len(img.Regions) != 2 {
			t.Errorf("%+v", img)
		}
		if r := img.Regions[1]; r.Load != 0x50000000 || r.Size != 0x20 || r.File != int64(front+128+0x10) {
			t.Errorf("%+v", r)
		}
	}
	// The loader's own code may have the number, too.
	b := append(binary.LittleEndian.AppendUint64(nil, magic), build(0x41, good, 0x30)...)
	if img, err := loader.Parse("f", b); err != nil || img.Offset != 0x49 {
		t.Errorf("%+v, %v", img, err)
	}
	u := build(64, good, 0x30)
	binary.BigEndian.PutUint32(u, 0x27051956)
	if img, err := loader.Parse("f", u); err != nil || img.Kind != loader.UImage {
		t.Errorf("%+v, %v", img, err)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		word int
		to   uint64
		want string
	}{
		{0, 1, "no place has the magic number"},
		{1, 0x1000, "size at 0x8: 0x1000 reaches beyond the end of the file"},
		{3, 0x4000, "ui_p_reg_start at 0x18: 0x4000 is behind"},
		{7, 1 << 60, "num_regions at 0x38: 1152921504606846976 do not fit"},
		{9, 0x31, "region[0], size at 0x48: 0x0 + 0x31 is beyond the data, 0x30"},
		{14, ^uint64(0), "region[1], size at 0x68"},
		{8, ^uint64(0), "region[0], load_addr at 0x40"},
	} {
		words := append([]uint64{}, good...)
		words[c.word] = c.to
		_, err := loader.Parse("f", build(0, words, 0x30))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("word %d: %v, want %s", c.word, err, c.want)
		}
	}
}

// A region of zeros has no bytes in the file, however large it is.
func TestZeros(t *testing.T) {
	words := append([]uint64{}, good...)
	words[13], words[14], words[15] = 1<<30, 1<<40, loader.Zero
	img, err := loader.Parse("f", build(0, words, 0x30))
	if err != nil || img.Regions[1].File != 0 || img.Regions[1].Size != 1<<30 {
		t.Error(img, err)
	}
}

func TestOverlaps(t *testing.T) {
	words := append([]uint64{}, good...)
	words[12] = 0x40000008
	img, err := loader.Parse("f", build(0, words, 0x30))
	if err != nil || len(img.Overlaps()) != 1 {
		t.Error(img, err)
	}
	words[12] = 0x40000010
	img, err = loader.Parse("f", build(0, words, 0x30))
	if err != nil || len(img.Overlaps()) != 0 {
		t.Error(img, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(build(16, good, 0x30))
	f.Add([]byte("\xad\xde\x14\x5e0000000000000000000000000000000000000000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := loader.Parse("f", b)
		if (img == nil) == (err == nil) {
			t.Fatal(img, err)
		}
		if img == nil {
			return
		}
		img.Overlaps()
		for _, r := range img.Regions {
			if r.Type == loader.Zero {
				continue
			}
			if r.File < 0 || uint64(r.File)+r.Size > uint64(len(b)) {
				t.Fatalf("%+v in %d bytes", r, len(b))
			}
		}
	})
}

func ExampleParse() {
	img, err := loader.Parse("loader.img", build(32, good, 0x30))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("header at %#x, kernel entry %#x, %d regions\n", img.Offset, img.KernelEntry, len(img.Regions))
	// Output: header at 0x20, kernel entry 0xffff, 2 regions
}

func TestEncode(t *testing.T) {
	want, err := loader.Parse("f", build(0, good, 0x30))
	if err != nil {
		t.Fatal(err)
	}
	b := want.Encode()
	if uint64(len(b)) != loader.HeaderSize(2) || !bytes.Equal(b, build(0, good, 0)) {
		t.Errorf("%x", b)
	}
	got, err := loader.Parse("f", append(b, make([]byte, 0x30)...))
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v, %v", got, want, err)
	}
}
