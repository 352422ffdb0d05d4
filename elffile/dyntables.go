package elffile

import (
	"debug/elf"
	"errors"
)

// DynTables are the tables that a dynamic section names, all of them read at once:
// each of the views that a File gives reads the dynamic section anew, and the hash
// tables to count the symbols.
type DynTables struct {
	Symbols  *SymbolTable // nil without DT_SYMTAB
	Gnu      *GnuHash     // nil where there is none
	Sysv     *SysvHash    // nil where there is none
	Versions *Versions    // never nil
	Relocs   []*RelocTable
}

// Tables reads the tables that PT_DYNAMIC names; a dynamic section that was found
// by its section header has none. What is damaged is left out, or is there as far
// as it could be read, and the error, which joins one for each such part, says
// what and where.
func (d *Dynamic) Tables() (*DynTables, error) {
	t := &DynTables{Versions: &Versions{SymbolsOff: -1, NeedsOff: -1, DefsOff: -1}}
	f := d.f
	if f == nil || d.Prog < 0 {
		return t, nil
	}
	var errs [5]error
	h := &hashes{f: f, d: d}
	symbols, err := f.symbolsBy(d, h)
	if errs[0] = err; d.has(elf.DT_SYMTAB) {
		t.Symbols = symbols
	}
	if t.Gnu, errs[1] = h.gnu(); t.Gnu != nil {
		t.Gnu.symbols = symbols
	}
	if t.Sysv, errs[2] = h.sysv(); t.Sysv != nil {
		t.Sysv.symbols = symbols
	}
	t.Versions.file, t.Versions.format = f.Name, f.Format
	errs[3] = f.versionsByDynamic(t.Versions, d, symbols)
	t.Relocs, errs[4] = f.relocTables(d)
	return t, errors.Join(errs[:]...)
}

func (d *Dynamic) has(tag elf.DynTag) bool {
	_, ok := d.Entry(tag)
	return ok
}

// hashes are the hash tables of a dynamic section, each read when it is first
// asked for.
type hashes struct {
	f *File
	d *Dynamic

	readSysv, readGnu bool
	sysvHash          *SysvHash
	gnuHash           *GnuHash
	sysvErr, gnuErr   error
}

func (h *hashes) sysv() (*SysvHash, error) {
	if !h.readSysv {
		h.readSysv = true
		h.sysvHash, h.sysvErr = h.f.sysvHash(h.d)
	}
	return h.sysvHash, h.sysvErr
}

func (h *hashes) gnu() (*GnuHash, error) {
	if !h.readGnu {
		h.readGnu = true
		h.gnuHash, h.gnuErr = h.f.gnuHash(h.d)
	}
	return h.gnuHash, h.gnuErr
}
