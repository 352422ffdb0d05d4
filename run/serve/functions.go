package serve

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"

	"elfwright/elffile"
)

// function is a piece of code that begins where a function does.
type function struct {
	at   uint64
	code []byte
}

// functions cuts the executable segments where functions begin. Dynamic linkers
// come without symbols; but .eh_frame_hdr has a table of all functions, sorted
// (LSB, "Exception Frames").
func functions(ld *elffile.File) ([]function, error) {
	starts, err := frameTable(ld)
	if err != nil {
		return nil, err
	}
	if err := checkSegments(ld); err != nil {
		return nil, err
	}
	var out []function
	for i := range ld.Progs {
		p := &ld.Progs[i]
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_X == 0 {
			continue
		}
		data, err := ld.ProgData(i)
		if err != nil {
			return nil, err
		}
		// What comes before the first function is code as well: the PLT, or none.
		cuts := []uint64{p.Vaddr}
		for _, s := range starts {
			if s > p.Vaddr && s-p.Vaddr < uint64(len(data)) && s != cuts[len(cuts)-1] {
				cuts = append(cuts, s)
			}
		}
		cuts = append(cuts, p.Vaddr+uint64(len(data)))
		for k := 1; k < len(cuts); k++ {
			out = append(out, function{cuts[k-1], data[cuts[k-1]-p.Vaddr : cuts[k]-p.Vaddr]})
		}
	}
	return out, nil
}

// maxSegments is how many executable segments are looked at: each may be the whole
// file, and dynamic linkers have one.
const maxSegments = 16

func checkSegments(f *elffile.File) error {
	n := 0
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 {
			if n++; n > maxSegments {
				return f.ProgError(i, "p_flags", "it is the executable segment number %d, and no more than %d are looked at", n, maxSegments)
			}
		}
	}
	return nil
}

// Encodings of the table that GNU ld and the others write (LSB, "DWARF Extensions").
const (
	encUdata4 = 0x03
	encTable  = 0x3b // DW_EH_PE_datarel | DW_EH_PE_sdata4
)

// frameTable reads the addresses in the table of .eh_frame_hdr.
func frameTable(ld *elffile.File) ([]uint64, error) {
	i := slices.IndexFunc(ld.Progs, func(p elffile.Prog) bool { return p.Type == elf.PT_GNU_EH_FRAME })
	if i < 0 {
		return nil, ld.HeaderError("e_phnum", "none of the %d program headers is a PT_GNU_EH_FRAME: where functions begin is not known", len(ld.Progs))
	}
	data, err := ld.ProgData(i)
	if err != nil {
		return nil, err
	}
	if len(data) < 12 || data[0] != 1 || data[2] != encUdata4 || data[3] != encTable {
		return nil, ld.ProgError(i, "p_offset", "the table of functions there has another form than GNU ld gives it")
	}
	n := uint64(binary.LittleEndian.Uint32(data[8:]))
	rows := data[12:]
	if n > uint64(len(rows))/8 {
		return nil, ld.ProgError(i, "p_filesz", "0x%x is too little for the %d functions that the table says it has", len(data), n)
	}
	starts := make([]uint64, 0, n)
	for ; n > 0; n-- {
		starts = append(starts, ld.Progs[i].Vaddr+uint64(int64(int32(binary.LittleEndian.Uint32(rows)))))
		rows = rows[8:]
	}
	slices.Sort(starts)
	return slices.Compact(starts), nil
}

// fault is a place in a dynamic linker that cannot be changed.
func fault(ld *elffile.File, at uint64, why string) error {
	return fmt.Errorf("%s: code at 0x%x: %s: its system calls cannot be answered by others", ld.Name, at, why)
}
