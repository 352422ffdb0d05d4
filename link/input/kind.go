package input

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"elfwright/elffile"
)

// kind is what a file is.
type kind uint8

const (
	isObject kind = iota
	isArchive
	isText   // taken for a linker script
	isBinary // --format binary
	isShared
	isProgram // ET_EXEC
	isOther
)

// kindOf tells what a file is by its first bytes. what is for messages, where it
// is nothing that can be linked.
func kindOf(b []byte) (k kind, what string) {
	switch {
	case elffile.IsArchive(b):
		return isArchive, ""
	case elffile.IsELF(b):
		return elfKind(b)
	}
	for _, m := range foreign {
		if bytes.HasPrefix(b, []byte(m.magic)) {
			return isOther, m.what
		}
	}
	if what := coff(b); what != "" {
		return isOther, what
	}
	if len(b) > 0 && isPlain(b[:min(len(b), 4096)]) {
		return isText, ""
	}
	if len(b) == 0 {
		return isOther, "an empty file"
	}
	return isOther, fmt.Sprintf("no ELF file, archive or linker script: it begins with %q", b[:min(len(b), 8)])
}

func elfKind(b []byte) (kind, string) {
	if len(b) < 20 {
		return isObject, "" // the reader tells what is wrong
	}
	var order binary.ByteOrder = binary.LittleEndian
	if elf.Data(b[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	switch t := elf.Type(order.Uint16(b[16:])); t {
	case elf.ET_REL:
		return isObject, ""
	case elf.ET_DYN:
		return isShared, ""
	case elf.ET_EXEC:
		return isProgram, ""
	default:
		return isOther, "an ELF file of type " + elffile.TypeName(t) + "; only relocatable objects are linked"
	}
}

// foreign are formats that are told apart to say what a file is.
var foreign = []struct{ magic, what string }{
	{"BC\xc0\xde", "LLVM bitcode; compile it without -flto, or to an object first"},
	{"\xde\xc0\x17\x0b", "LLVM bitcode in a wrapper; compile it without -flto, or to an object first"},
	{"\xcf\xfa\xed\xfe", "a Mach-O file"},
	{"\xce\xfa\xed\xfe", "a Mach-O file"},
	{"\xfe\xed\xfa\xcf", "a Mach-O file"},
	{"\xfe\xed\xfa\xce", "a Mach-O file"},
	{"\xca\xfe\xba\xbe", "a universal Mach-O file, or Java bytecode"},
	{"\x00asm", "a WebAssembly module"},
	{"MZ", "a DOS or PE program"},
	{"\x00\x00\xff\xff", "a COFF object with large section numbers, or an import library's member"},
	{"go object ", "an object of the Go compiler, which only Go's own linker reads"},
	{"<bigaf>\n", "an archive of AIX"},
	{"!<preload>", "an object of an older Go compiler"},
	{"rust", "metadata of rustc"},
	{"\x1f\x8b", "compressed by gzip"},
	{"\x28\xb5\x2f\xfd", "compressed by zstd"},
}

// coff recognises COFF objects of the machines that matter here: they have no
// magic but their machine's number, so more of the header has to fit.
func coff(b []byte) string {
	if len(b) < 20 {
		return ""
	}
	names := map[uint16]string{0x14c: "i386", 0x8664: "x86-64", 0xaa64: "AArch64", 0x1c0: "Arm", 0x1c4: "Arm", 0x5032: "RISC-V", 0x5064: "RISC-V"}
	name := names[binary.LittleEndian.Uint16(b)]
	if name == "" || binary.LittleEndian.Uint16(b[16:]) != 0 && binary.LittleEndian.Uint16(b[16:]) > 256 {
		return ""
	}
	if n := binary.LittleEndian.Uint16(b[2:]); n == 0 || 20+40*int(n) > len(b) {
		return ""
	}
	return "a COFF object for " + name
}

// isPlain says whether bytes are text.
func isPlain(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' && r != '\f' && r != '\v' {
			return false
		}
		if r == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax {
			return false
		}
		b = b[n:]
	}
	return true
}
