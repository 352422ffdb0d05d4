package show

import (
	"fmt"
)

// auxvForm says how the value of an entry is printed.
type auxvForm uint8

const (
	auxvHex auxvForm = iota
	auxvDec
)

type auxvType struct {
	name string
	form auxvForm
}

// auxvTypes are the entries of the auxiliary vector (Linux,
// include/uapi/linux/auxvec.h and the asm/auxvec.h of all machines).
var auxvTypes = map[uint64]auxvType{
	0: {"AT_NULL", auxvHex}, 1: {"AT_IGNORE", auxvHex}, 2: {"AT_EXECFD", auxvDec}, 3: {"AT_PHDR", auxvHex},
	4: {"AT_PHENT", auxvDec}, 5: {"AT_PHNUM", auxvDec}, 6: {"AT_PAGESZ", auxvDec}, 7: {"AT_BASE", auxvHex},
	8: {"AT_FLAGS", auxvHex}, 9: {"AT_ENTRY", auxvHex}, 10: {"AT_NOTELF", auxvDec}, 11: {"AT_UID", auxvDec},
	12: {"AT_EUID", auxvDec}, 13: {"AT_GID", auxvDec}, 14: {"AT_EGID", auxvDec}, 15: {"AT_PLATFORM", auxvHex},
	16: {"AT_HWCAP", auxvHex}, 17: {"AT_CLKTCK", auxvDec}, 18: {"AT_FPUCW", auxvHex}, 19: {"AT_DCACHEBSIZE", auxvDec},
	20: {"AT_ICACHEBSIZE", auxvDec}, 21: {"AT_UCACHEBSIZE", auxvDec}, 22: {"AT_IGNOREPPC", auxvHex},
	23: {"AT_SECURE", auxvDec}, 24: {"AT_BASE_PLATFORM", auxvHex}, 25: {"AT_RANDOM", auxvHex}, 26: {"AT_HWCAP2", auxvHex},
	27: {"AT_RSEQ_FEATURE_SIZE", auxvDec}, 28: {"AT_RSEQ_ALIGN", auxvDec}, 29: {"AT_HWCAP3", auxvHex}, 30: {"AT_HWCAP4", auxvHex},
	31: {"AT_EXECFN", auxvHex}, 32: {"AT_SYSINFO", auxvHex}, 33: {"AT_SYSINFO_EHDR", auxvHex},
	34: {"AT_L1I_CACHESHAPE", auxvHex}, 35: {"AT_L1D_CACHESHAPE", auxvHex}, 36: {"AT_L2_CACHESHAPE", auxvHex}, 37: {"AT_L3_CACHESHAPE", auxvHex},
	40: {"AT_L1I_CACHESIZE", auxvDec}, 41: {"AT_L1I_CACHEGEOMETRY", auxvHex}, 42: {"AT_L1D_CACHESIZE", auxvDec}, 43: {"AT_L1D_CACHEGEOMETRY", auxvHex},
	44: {"AT_L2_CACHESIZE", auxvDec}, 45: {"AT_L2_CACHEGEOMETRY", auxvHex}, 46: {"AT_L3_CACHESIZE", auxvDec}, 47: {"AT_L3_CACHEGEOMETRY", auxvHex},
	48: {"AT_ADI_BLKSZ", auxvDec}, 49: {"AT_ADI_NBITS", auxvDec}, 50: {"AT_ADI_UEONADI", auxvDec}, 51: {"AT_MINSIGSTKSZ", auxvDec},
}

// auxv is the auxiliary vector, from its start to AT_NULL.
type auxv []auxvEntry

type auxvEntry struct {
	typ, value uint64
	kind       auxvType
}

func (c *noteContext) auxv(r *fieldReader) (row, error) {
	list := make(auxv, 0, r.left()/(2*c.AddrSize()))
	for r.left() >= 2*c.AddrSize() {
		e := auxvEntry{typ: r.addr(), value: r.addr()}
		kind, ok := auxvTypes[e.typ]
		if !ok {
			kind.name = fmt.Sprintf("0x%x", e.typ)
		}
		e.kind = kind
		list = append(list, e)
		if e.typ == 0 {
			break
		}
	}
	if n := len(list); n == 0 || list[n-1].typ != 0 {
		return list, fmt.Errorf("no AT_NULL in %d bytes", len(r.b))
	}
	return list, nil
}

func (l auxv) text(t *text) {
	for i := range l {
		e := &l[i]
		t.str("    ")
		t.left(e.kind.name, 20)
		t.str(" ")
		if e.kind.form == auxvDec {
			t.dec(e.value, 0)
		} else {
			t.zx(e.value)
		}
		t.nl()
	}
}

func (l auxv) json(o *object) {
	o.list("auxv")
	for i := range l {
		e := &l[i]
		o.open("")
		o.num("type", e.typ)
		o.str("type_name", e.kind.name)
		o.hex("value", e.value)
		o.close()
	}
	o.endList()
}

// fileTable is NT_FILE (Linux, fs/binfmt_elf.c, fill_files_note): a count, the
// page size, three numbers for each mapping, then their names.
type fileTable struct {
	pageSize uint64
	files    []fileEntry
	wide     int
}

type fileEntry struct {
	start, end, page uint64
	name             string
}

func mappedFiles(r *fieldReader) (row, error) {
	count, pageSize := r.addr(), r.addr()
	l := &fileTable{pageSize: pageSize, wide: 2 * r.AddrSize()}
	entry := uint64(3*r.AddrSize() + 1) // and the NUL of its name
	if r.err == nil && count > uint64(r.left())/entry {
		return l, fmt.Errorf("%d mappings need at least 0x%x bytes, and there are 0x%x", count, count*entry, r.left())
	}
	if r.err != nil {
		return nil, r.err
	}
	l.files = make([]fileEntry, count)
	for i := range l.files {
		e := &l.files[i]
		e.start, e.end, e.page = r.addr(), r.addr(), r.addr()
	}
	for i := range l.files {
		l.files[i].name = r.str()
	}
	return l, r.err
}

func (l *fileTable) text(t *text) {
	t.str("    Page size: ")
	t.dec(l.pageSize, 0)
	t.nl()
	t.str("    ")
	t.left("Start", l.wide+3)
	t.left("End", l.wide+3)
	t.str("Page  Name")
	t.nl()
	for i := range l.files {
		e := &l.files[i]
		t.str("    0x")
		t.hex(e.start, l.wide)
		t.str(" 0x")
		t.hex(e.end, l.wide)
		t.str(" 0x")
		t.hex(e.page, 1)
		t.column(4 + 2*(l.wide+3) + 6)
		t.names(e.name)
		t.nl()
	}
}

func (l *fileTable) json(o *object) {
	o.num("page_size", l.pageSize)
	o.list("files")
	for i := range l.files {
		e := &l.files[i]
		o.open("")
		o.hex("start", e.start)
		o.hex("end", e.end)
		o.num("page", e.page)
		o.names("name", e.name)
		o.close()
	}
	o.endList()
}
