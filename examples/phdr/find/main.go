// Find is a Go program that finds a program header of its own, which was added
// after it was built:
//
//	go build -o find .
//	elfwright phdr add --type=0x65770001 --file=main.go find -o find2
//	./find2
package main

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

const message = elf.ProgType(0x65770001)

func main() {
	inFile, err := fromFile()
	if err == nil {
		var inMemory []byte
		if inMemory, err = fromMemory(); err == nil && string(inMemory) != string(inFile) {
			err = fmt.Errorf("memory and file differ")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d bytes:\n%s", len(inFile), inFile)
}

// fromFile reads the header's bytes out of the program's file, which stays open
// to the program under this name even if it was renamed or removed.
func fromFile() ([]byte, error) {
	f, err := elf.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == message {
			return io.ReadAll(p.Open())
		}
	}
	return nil, fmt.Errorf("no header of type 0x%x here: see the first lines of main.go", uint32(message))
}

// Entries of the auxiliary vector (elf.h).
const (
	atPhdr  = 3 // address of the program header table
	atPhnum = 5
)

// fromMemory finds the bytes where the kernel has mapped them: the auxiliary
// vector says where the table is. It reads its own memory as a file, so that it
// needs no unsafe pointer. Addresses and words are those of a 64-bit machine.
func fromMemory() ([]byte, error) {
	auxv, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return nil, err
	}
	value := make(map[uint64]uint64)
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		value[binary.NativeEndian.Uint64(auxv)] = binary.NativeEndian.Uint64(auxv[8:])
	}
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	table := make([]elf.Prog64, value[atPhnum])
	if err := binary.Read(io.NewSectionReader(mem, int64(value[atPhdr]), 1<<20), binary.NativeEndian, table); err != nil {
		return nil, fmt.Errorf("the table at 0x%x: %w", value[atPhdr], err)
	}
	var bias uint64 // of a position independent program; Go writes a PT_PHDR always
	for _, p := range table {
		if elf.ProgType(p.Type) == elf.PT_PHDR {
			bias = value[atPhdr] - p.Vaddr
		}
	}
	for _, p := range table {
		if elf.ProgType(p.Type) == message {
			b := make([]byte, p.Memsz)
			_, err := mem.ReadAt(b, int64(bias+p.Vaddr))
			return b, err
		}
	}
	return nil, fmt.Errorf("no header of type 0x%x in memory", uint32(message))
}
