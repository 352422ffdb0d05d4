package match

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"path/filepath"

	"elfwright/elffile"
)

// LinkSection is the section that names a file with symbols (gdb manual,
// "Separate Debug Files").
const LinkSection = ".gnu_debuglink"

// Link is what .gnu_debuglink says: the name of a file, without directories, and
// the CRC-32 of its bytes.
type Link struct {
	Name string
	CRC  uint32
}

// Encode returns the section's bytes: the name, its NUL, zeros up to a multiple
// of four, and the sum in the byte order of the file.
func (l Link) Encode(f elffile.Format) []byte {
	b := append([]byte(l.Name), 0)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	sum := make([]byte, 4)
	f.PutU32(sum, l.CRC)
	return append(b, sum...)
}

// ReadLink returns what a file's .gnu_debuglink says; false if it has none.
func ReadLink(f *elffile.File) (Link, bool, error) {
	i := f.SectionByName(LinkSection)
	if i < 0 {
		return Link{}, false, nil
	}
	b, err := f.SectionData(i)
	if err != nil {
		return Link{}, true, err
	}
	end := bytes.IndexByte(b, 0)
	at := (end + 4) &^ 3
	if end < 0 || at+4 > len(b) {
		return Link{}, true, f.SectionError(i, "sh_size", "0x%x bytes are no name with a CRC-32 behind it", len(b))
	}
	return Link{string(b[:end]), f.U32(b[at:])}, true, nil
}

// Sum returns the CRC-32 of all bytes of d, as .gnu_debuglink has it.
func Sum(d elffile.Data) (uint32, error) {
	sum := uint32(0)
	err := elffile.Stream(d, func(b []byte) error {
		sum = crc32.Update(sum, crc32.IEEETable, b)
		return nil
	})
	return sum, err
}

// link holds the image's .gnu_debuglink against the file with symbols as it is.
func (m *matcher) link() {
	l, ok, err := ReadLink(m.img)
	switch {
	case err != nil:
		m.check("debuglink", Unknown, "", "", err.Error())
		return
	case !ok:
		m.check("debuglink", Unknown, "", "", "the image has none")
		return
	}
	sum, err := Sum(m.syms.Body)
	if err != nil {
		m.check("debuglink", No, "", "", err.Error())
		return
	}
	image, symbols := fmt.Sprintf("%s, CRC 0x%08x", l.Name, l.CRC), fmt.Sprintf("%s, CRC 0x%08x", filepath.Base(m.syms.Name), sum)
	switch {
	case sum == l.CRC && l.Name == filepath.Base(m.syms.Name):
		m.check("debuglink", Yes, image, symbols, "")
	case sum == l.CRC:
		m.check("debuglink", Yes, image, symbols, "it names "+l.Name+": a debugger does not find the file by this link under its name here")
	case m.sameLink(l):
		m.check("debuglink", Unknown, image, symbols, "both files name a third one by their links")
	case !SplitOff(m.syms):
		m.check("debuglink", Unknown, image, symbols, "the link is to a file that was split off, and this is a whole program")
	case m.sameID:
		m.check("debuglink", Differs, image, symbols, "another CRC, and the build-id is the same: a debugger does not take the file by this link, but by the build-id")
	default:
		m.check("debuglink", No, image, symbols, fmt.Sprintf("the CRC is 0x%08x in the image, that of the file with symbols 0x%08x", l.CRC, sum))
	}
}

// sameLink says whether the file with symbols has the image's link, too: it was
// split from a program that had been stripped before.
func (m *matcher) sameLink(l Link) bool {
	other, ok, err := ReadLink(m.syms)
	return ok && err == nil && other == l
}
