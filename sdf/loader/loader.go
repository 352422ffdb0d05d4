// Package loader reads the images that Microkit makes for boot loaders: the code
// of its own loader, behind it a header, descriptors of regions, and their bytes.
// Such a file is raw, or has a header of U-Boot before it, or is the one segment
// of an ELF file; here it is bytes.
//
// Where the header lies no field tells: the loader looks at the end of its own
// .bss. So it is looked for by its magic number, and taken where its sizes fit.
package loader

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Kind is what comes before the loader.
type Kind string

// The kinds.
const (
	Raw    Kind = "raw binary"
	UImage Kind = "uImage"
	ELF    Kind = "ELF"
)

// Image is a loader image.
type Image struct {
	Kind        Kind
	Offset      int64  // of the header, in the file
	Word        int    // 8 or 4 bytes
	Size        uint64 // of header, descriptors and data
	KernelEntry uint64 // virtual
	TaskStart   uint64 // physical, of the initial task
	TaskEnd     uint64
	TaskOffset  uint64 // physical minus virtual, modulo the word
	TaskEntry   uint64 // virtual

	Regions []Region
}

// Region is what is loaded to one place.
type Region struct {
	Load   uint64 // physical
	Size   uint64 // in bytes
	Offset uint64 // in the data
	File   int64  // the same in the file; 0: none
	Type   uint64 // Data or Zero
}

// The types of regions.
const (
	Data = 1
	Zero = 2 // no bytes of the file
)

// headerWords and regionWords are the sizes of the structures.
const (
	headerWords = 8
	regionWords = 4
)

var magics = []struct {
	word  int
	magic []byte
}{
	{8, binary.LittleEndian.AppendUint64(nil, 0x5e14dead14de5ead)},
	{4, binary.LittleEndian.AppendUint32(nil, 0x5e14dead)},
}

// Is says whether bytes have a loader's header somewhere.
func Is(b []byte) bool { return bytes.Contains(b, magics[0].magic) }

// maxRegions bounds the regions of an image: they are segments of the kernel and
// of one program.
const maxRegions = 4096

// maxTries bounds how many places with the magic number are looked at.
const maxTries = 1000

// Parse finds the header and reads it. The error is that of the first place that
// has the magic number, where none is right.
func Parse(name string, b []byte) (*Image, error) {
	var first error
	for _, m := range magics {
		for at, tries := 0, 0; tries < maxTries; tries++ {
			i := bytes.Index(b[at:], m.magic)
			if i < 0 {
				break
			}
			at += i
			img, err := header(name, b, at, m.word)
			if err == nil {
				return img, nil
			}
			if first == nil {
				first = err
			}
			at++
		}
		if first != nil {
			return nil, first
		}
	}
	return nil, fmt.Errorf("%s: no place has the magic number 0x5e14dead14de5ead of a Microkit loader image", name)
}

// header reads what begins at a place.
func header(name string, b []byte, at, word int) (*Image, error) {
	fail := func(field string, index int, format string, args ...any) error {
		return fmt.Errorf("%s: loader header, %s at %#x: %s", name, field, at+index*word, fmt.Sprintf(format, args...))
	}
	rest := b[at:]
	if len(rest) < headerWords*word {
		return nil, fail("magic", 0, "%#x bytes follow, and a header has %#x", len(rest), headerWords*word)
	}
	get := func(i int) uint64 {
		if word == 4 {
			return uint64(binary.LittleEndian.Uint32(rest[i*4:]))
		}
		return binary.LittleEndian.Uint64(rest[i*8:])
	}
	img := &Image{Kind: kindOf(b), Offset: int64(at), Word: word, Size: get(1), KernelEntry: get(2),
		TaskStart: get(3), TaskEnd: get(4), TaskOffset: get(5), TaskEntry: get(6)}
	n := get(7)
	if img.Size > uint64(len(rest)) {
		return nil, fail("size", 1, "%#x reaches beyond the end of the file, %#x bytes behind", img.Size, len(rest))
	}
	if img.TaskStart > img.TaskEnd {
		return nil, fail("ui_p_reg_start", 3, "%#x is behind ui_p_reg_end, %#x", img.TaskStart, img.TaskEnd)
	}
	most := (img.Size - min(img.Size, uint64(headerWords*word))) / uint64(regionWords*word)
	if n > most {
		return nil, fail("num_regions", 7, "%d do not fit in size, %#x", n, img.Size)
	}
	if n > maxRegions {
		return nil, fail("num_regions", 7, "%d are more than the %d that are read", n, maxRegions)
	}
	data := uint64(headerWords*word) + n*uint64(regionWords*word)
	for i := range int(n) {
		w := headerWords + i*regionWords
		r := Region{Load: get(w), Size: get(w + 1), Offset: get(w + 2), Type: get(w + 3)}
		if room := img.Size - data; r.Type != Zero && (r.Offset > room || r.Size > room-r.Offset) {
			return nil, fail(fmt.Sprintf("region[%d], size", i), w+1, "%#x + %#x is beyond the data, %#x", r.Offset, r.Size, room)
		}
		if r.Load+r.Size < r.Load {
			return nil, fail(fmt.Sprintf("region[%d], load_addr", i), w, "%#x + %#x is beyond 64 bits", r.Load, r.Size)
		}
		if r.Type != Zero {
			r.File = int64(uint64(at) + data + r.Offset)
		}
		img.Regions = append(img.Regions, r)
	}
	return img, nil
}

// uimageMagic begins U-Boot's legacy header, in big endian.
const uimageMagic = 0x27051956

func kindOf(b []byte) Kind {
	if bytes.HasPrefix(b, []byte("\x7fELF")) {
		return ELF
	}
	if len(b) >= 64 && binary.BigEndian.Uint32(b) == uimageMagic {
		return UImage
	}
	return Raw
}

// Overlaps returns pairs of regions that are loaded over each other.
func (img *Image) Overlaps() (pairs [][2]int) {
	const most = 20
	for i, a := range img.Regions {
		for j, b := range img.Regions[:i] {
			if a.Load < b.Load+b.Size && b.Load < a.Load+a.Size {
				if pairs = append(pairs, [2]int{j, i}); len(pairs) == most {
					return pairs
				}
			}
		}
	}
	return pairs
}
