package link

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"strings"

	"elfwright/elffile"
	"elfwright/link/emul"
	"elfwright/link/model"
)

// Emulation is what a link is for: as -m says, or the first object on the command
// line, with -EB or -EL; x86-64 if nobody tells.
func Emulation(opt *model.Options) (*emul.Emulation, error) {
	e := emul.ByName(opt.Emulation)
	if e == nil {
		e = firstInput(opt)
	}
	if e == nil {
		e = emul.For(elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB)
	}
	if !opt.Big && !opt.Little {
		return e, nil
	}
	o := e.Ordered(opt.Big)
	if o == nil {
		return nil, fmt.Errorf("%s has no big-endian form", e.Name)
	}
	return o, nil
}

// firstInput is the emulation of the first input that is an object, or an
// archive with one.
func firstInput(opt *model.Options) *emul.Emulation {
	for _, in := range opt.Inputs {
		if in.Mark != 0 || in.Library || in.Format == "binary" {
			continue
		}
		if e := headOf(in.Name); e != nil {
			return e
		}
	}
	return nil
}

// headBytes is enough for an ELF header.
const headBytes = 64

// headOf reads the ELF header of a file, or of the first member of an archive
// that has one.
func headOf(name string) *emul.Emulation {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, headBytes)
	n, _ := io.ReadFull(f, head)
	head = head[:n]
	if bytes.HasPrefix(head, []byte("!<arch>\n")) {
		return firstMember(f)
	}
	return ofHead(head)
}

func ofHead(head []byte) *emul.Emulation {
	if len(head) < headBytes || !elffile.IsELF(head) {
		return nil
	}
	const eMachine = 18 // offset of e_machine
	machine := uint16(head[eMachine]) | uint16(head[eMachine+1])<<8
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		machine = machine<<8 | machine>>8
	}
	return emul.For(elf.Machine(machine), elf.Class(head[elf.EI_CLASS]), elf.Data(head[elf.EI_DATA]))
}

// firstMember goes from member to member of an archive (ar.h) to the first object.
func firstMember(f *os.File) *emul.Emulation {
	var hdr [60]byte
	head := make([]byte, headBytes)
	for off := int64(8); ; {
		if _, err := f.ReadAt(hdr[:], off); err != nil {
			return nil
		}
		var size int64
		if _, err := fmt.Sscan(strings.TrimSpace(string(hdr[48:58])), &size); err != nil || size < 0 {
			return nil
		}
		if n, _ := f.ReadAt(head, off+60); n == headBytes {
			if e := ofHead(head); e != nil {
				return e
			}
		}
		off += 60 + size + size&1
	}
}
