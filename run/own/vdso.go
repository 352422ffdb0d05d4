package own

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
)

// atSysinfo is AT_SYSINFO_EHDR, the address of the vDSO.
const atSysinfo = 33

// maxVDSO bounds the vDSO: it has a few pages.
const maxVDSO = 1 << 20

// VDSO reads the vDSO of this process: that of every process of this machine and
// class, until another kernel runs.
func VDSO() ([]byte, error) {
	vector, err := unix.Auxv()
	if err != nil {
		return nil, err
	}
	for _, e := range vector {
		if e[0] == atSysinfo {
			return readVDSO(int64(e[1]))
		}
	}
	return nil, errors.New("the kernel tells of no vDSO")
}

// readVDSO reads as much as is loaded, which comes first and begins with the ELF
// header.
func readVDSO(at int64) ([]byte, error) {
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	page := make([]byte, 0x1000)
	if _, err := mem.ReadAt(page, at); err != nil {
		return nil, err
	}
	// The section headers of ELF64 are behind all else, and are loaded as well.
	if page[elf.EI_CLASS] != byte(elf.ELFCLASS64) || page[elf.EI_DATA] != byte(elf.ELFDATA2LSB) {
		return nil, errors.New("the vDSO is not little-endian ELF64")
	}
	le := binary.LittleEndian
	size := le.Uint64(page[0x28:]) + uint64(le.Uint16(page[0x3a:]))*uint64(le.Uint16(page[0x3c:]))
	if size > maxVDSO {
		return nil, fmt.Errorf("the vDSO says that it has 0x%x bytes, more than 0x%x", size, maxVDSO)
	}
	all := make([]byte, size)
	if _, err := mem.ReadAt(all, at); err != nil {
		return nil, err
	}
	if _, err := elffile.Parse("linux-vdso.so.1", all); err != nil {
		return nil, err
	}
	return all, nil
}
