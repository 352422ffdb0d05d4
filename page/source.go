package page

import (
	"cmp"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"elfwright/elffile"
)

// Limits of the debug information that is read for the names of source files.
const (
	maxDebug   = 512 << 20 // bytes of a section, uncompressed
	maxUnits   = 200_000
	maxEntries = 1_000_000 // that are read to find variables
	// Where entries do not tell their siblings (clang's), finding variables reads
	// all of them: only up to this size of .debug_info.
	maxVariables = 128 << 20
)

// sources returns the source file of each symbol, as 1 + its place in the
// index's list, or 0: by the compile unit that has its address (DWARF), else
// for local symbols by the STT_FILE symbol before them (gABI, "Symbol Table").
func (b *builder) sources(r *symbolRows) []uint32 {
	out := make([]uint32, len(r.value))
	number := make(map[string]uint32)
	file := func(name string) uint32 {
		n, ok := number[name]
		if !ok {
			b.out.Sources = append(b.out.Sources, text(name))
			n = uint32(len(b.out.Sources))
			number[name] = n
		}
		return n
	}
	units := b.units()
	var current uint32
	for i, value := range r.value {
		bind, typ := elf.SymBind(r.info[i]>>4), elf.SymType(r.info[i]&15)
		if typ == elf.STT_FILE {
			name, _ := elffile.CString(r.names.blob, uint64(r.name[i]))
			current = 0
			if len(name) > 0 {
				current = file(string(name))
			}
			continue
		}
		if (typ != elf.STT_FUNC && typ != elf.STT_OBJECT && typ != elf.STT_NOTYPE) || r.section[i] == 0 {
			continue
		}
		if u := units.at(value); u != nil {
			out[i] = file(u.name)
		} else if bind == elf.STB_LOCAL {
			out[i] = current
		}
	}
	return out
}

// unit is a range of addresses and the source file it was compiled from.
type unit struct {
	low, high uint64
	name      string
}

type unitList []unit

// at returns the unit that has an address, or nil.
func (l unitList) at(a uint64) *unit {
	i, ok := slices.BinarySearchFunc(l, a, func(u unit, a uint64) int { return cmp.Compare(u.low, a) })
	if !ok {
		i--
	}
	if i >= 0 && a < l[i].high {
		return &l[i]
	}
	return nil
}

// units reads the compile units' names and ranges from the debug information.
func (b *builder) units() (list unitList) {
	if b.File.Header.Type == elf.ET_REL {
		return nil // addresses are known after relocation only
	}
	data, part := b.dwarf()
	if data == nil {
		return nil
	}
	// The reader's promise is not ours: what it does with bytes that are wrong in
	// a new way must not end us.
	defer func() {
		if p := recover(); p != nil {
			b.fault(fmt.Errorf("%s: .debug_info: %v", b.File.Name, p))
		}
	}()
	rd := data.Reader()
	v := &variables{Reader: rd, Format: b.File.Format, addrs: part["addr"], left: maxEntries}
	if len(part["info"]) > maxVariables {
		v.left = 0
	}
	for n, off := range unitOffsets(part["info"], b.File.Format) {
		if n == maxUnits {
			break
		}
		rd.Seek(off)
		e, err := rd.Next()
		if err != nil || e == nil || e.Tag != dwarf.TagCompileUnit {
			continue
		}
		name, _ := e.Val(dwarf.AttrName).(string)
		if name == "" {
			continue
		}
		if ranges, err := data.Ranges(e); err == nil {
			for _, r := range ranges {
				if r[0] < r[1] {
					list = append(list, unit{r[0], r[1], name})
				}
			}
		}
		for _, at := range v.of(e) {
			list = append(list, unit{at, at + 1, name})
		}
	}
	slices.SortStableFunc(list, func(a, b unit) int { return cmp.Compare(a.low, b.low) })
	return list
}

// variables finds where the variables of a unit are.
type variables struct {
	*dwarf.Reader
	elffile.Format
	addrs []byte // .debug_addr
	left  int    // entries that may still be read
}

// of returns the addresses of the variables that the unit has outside of
// functions, also in namespaces. The reader stands behind the unit's own entry.
func (v *variables) of(unit *dwarf.Entry) (out []uint64) {
	base, _ := unit.Val(dwarf.AttrAddrBase).(int64)
	for depth := 1; depth > 0 && v.left > 0 && unit.Children; v.left-- {
		e, err := v.Next()
		if err != nil || e == nil {
			return out
		}
		switch e.Tag {
		case 0:
			depth--
			continue
		case dwarf.TagNamespace:
			if e.Children {
				depth++
			}
			continue
		case dwarf.TagVariable:
			if loc, ok := e.Val(dwarf.AttrLocation).([]byte); ok {
				if at, ok := v.address(loc, uint64(base)); ok {
					out = append(out, at)
				}
			}
		}
		v.SkipChildren()
	}
	return out
}

// address is that of a variable at a fixed place: DW_OP_addr, or DW_OP_addrx
// with the number of an entry in .debug_addr (DWARF 5, section 2.5.1.1).
func (v *variables) address(loc []byte, base uint64) (uint64, bool) {
	const opAddr, opAddrx = 0x03, 0xa1
	size := uint64(v.AddrSize())
	switch {
	case len(loc) == 1+int(size) && loc[0] == opAddr:
		return v.Addr(loc[1:]), true
	case len(loc) > 1 && loc[0] == opAddrx:
		var n uint64
		for i, c := range loc[1:] {
			if i > 4 {
				return 0, false
			}
			n |= uint64(c&0x7f) << (7 * i)
		}
		if at := base + n*size; base <= uint64(len(v.addrs)) && at+size <= uint64(len(v.addrs)) {
			return v.Addr(v.addrs[at:]), true
		}
	}
	return 0, false
}

// dwarf opens the debug information, and returns its parts too.
func (b *builder) dwarf() (*dwarf.Data, map[string][]byte) {
	part := make(map[string][]byte)
	for i := range b.sections {
		name := b.File.SectionName(i)
		short, ok := strings.CutPrefix(name, ".debug_")
		if !ok {
			short, ok = strings.CutPrefix(name, ".zdebug_")
		}
		switch short {
		case "abbrev", "info", "str", "line", "ranges", "rnglists", "addr", "line_str", "str_offsets":
		default:
			ok = false
		}
		if !ok {
			continue
		}
		data, _, err := b.File.Uncompress(i, maxDebug)
		if err != nil {
			b.fault(err)
			continue
		}
		part[short] = data
	}
	if len(part["info"]) == 0 || len(part["abbrev"]) == 0 {
		return nil, nil
	}
	data, err := dwarf.New(part["abbrev"], nil, nil, part["info"], part["line"], nil, part["ranges"], part["str"])
	for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists"} {
		if err == nil && part[name] != nil {
			err = data.AddSection(".debug_"+name, part[name])
		}
	}
	if err != nil {
		b.fault(fmt.Errorf("%s: debug information: %w", b.File.Name, err))
		return nil, nil
	}
	return data, part
}

// unitOffsets yields where the first entry of each unit is: after the unit's
// header (DWARF 5, section 7.5.1), whose length leads to the next one.
func unitOffsets(info []byte, f elffile.Format) func(yield func(int, dwarf.Offset) bool) {
	return func(yield func(int, dwarf.Offset) bool) {
		n := 0
		for at := uint64(0); at+12 <= uint64(len(info)); n++ {
			size, head, word := uint64(f.U32(info[at:])), uint64(4), uint64(4)
			if size == 0xffffffff {
				size, head, word = f.U64(info[at+4:]), 12, 8
			}
			if size > uint64(len(info))-at-head || size < 8 || at+head+4 > uint64(len(info)) {
				return
			}
			version := f.U16(info[at+head:])
			first := at + head + 2 + word + 1 // version, abbreviations, size of addresses
			if version >= 5 {
				first++ // type of the unit
				switch info[at+head+2] {
				case 4, 5: // DW_UT_skeleton, DW_UT_split_compile
					first += 8
				case 2, 6: // types
					first += 8 + word
				}
			}
			if !yield(n, dwarf.Offset(first)) {
				return
			}
			at += head + size
		}
	}
}
