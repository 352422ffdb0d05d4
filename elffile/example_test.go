package elffile_test

import (
	"fmt"
	"log"

	"elfwright/elffile"
	"elfwright/internal/elftest"
)

// A file's headers are read when it is opened. Changing one and encoding the file
// changes those bytes and no others.
func Example() {
	k := elftest.Kinds()[2] // 64 bits, big endian, AArch64
	f, err := elffile.Parse("hello", elftest.ExecSections(k).Bytes())
	if err != nil {
		log.Fatal(err)
	}
	m := f.Header.Machine
	fmt.Println(elffile.TypeName(f.Header.Type), elffile.MachineName(m), "entry", fmt.Sprintf("0x%x", f.Header.Entry))
	for _, p := range f.Progs {
		fmt.Printf("%-10s 0x%06x %s 0x%x bytes\n", elffile.ProgTypeName(m, p.Type), p.Vaddr, elffile.ProgFlagLetters(p.Flags), p.Memsz)
	}

	f.Progs[3].Type = 0x65770001
	fmt.Println(elffile.ProgTypeName(m, f.Progs[3].Type), f.Encode().Size() == f.Body.Size())
	// Output:
	// EXEC (Executable file) AArch64 entry 0x400170
	// PHDR       0x400040 R   0x118 bytes
	// LOAD       0x400000 R E 0x17c bytes
	// LOAD       0x600000 RW  0x2008 bytes
	// NOTE       0x400158 R   0x18 bytes
	// GNU_STACK  0x000000 RW  0x0 bytes
	// ELFWRIGHT+0x1 true
}

// Tables are windows: a symbol is decoded when it is asked for, and its name is a
// piece of the file.
func ExampleFile_DynamicSymbolTable() {
	d := elftest.Shared(elftest.Kinds()[1]) // 32 bits, little endian
	d.NoSectionHeaders = true
	f, err := elffile.Parse("libelftest.so", d.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	t, err := f.DynamicSymbolTable()
	if err != nil {
		log.Fatal(err)
	}
	v, err := f.Versions()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Len(), "symbols, counted by", t.CountBy)
	s := t.At(1)
	index, _ := v.Symbol(1)
	fmt.Printf("%s@%s of %s\n", t.Name(s), v.Name(index), v.File(index))
	// Output:
	// 6 symbols, counted by DT_HASH
	// puts@GLIBC_2.2.5 of libc.so.6
}
