package elftest

import "debug/elf"

// Versym is the table of symbol versions, one for each symbol, the null symbol
// included (Solaris Linker and Libraries Guide, Versioning; used by GNU).
type Versym []uint16

// Encode returns the table.
func (c Versym) Encode(e *Env) []byte {
	w := e.Writer()
	for _, v := range c {
		w.U16(v)
	}
	return w.B
}

func (c Versym) wants(*Env) wants {
	return wants{typ: elf.SHT_GNU_VERSYM, link: ".dynsym", align: 2, entsize: 2}
}

// VersionDef is a version a file defines; the names after the first are its
// parents.
type VersionDef struct {
	Index uint16
	Flags uint16 // VER_FLG_BASE is 1, VER_FLG_WEAK is 2
	Names []string
}

// Verdef is the table of versions that a file defines.
type Verdef []VersionDef

// Sizes of the records of the version tables, the same in both classes.
const (
	verdefSize, verdauxSize  = 20, 8
	verneedSize, vernauxSize = 16, 16
)

// Encode returns the table.
func (c Verdef) Encode(e *Env) []byte {
	w := e.Writer()
	for i, d := range c {
		next := uint32(verdefSize + len(d.Names)*verdauxSize)
		if i+1 == len(c) {
			next = 0
		}
		w.U16(1) // VER_DEF_CURRENT
		w.U16(d.Flags)
		w.U16(d.Index)
		w.U16(uint16(len(d.Names)))
		var hash uint32
		if len(d.Names) > 0 {
			hash = SysVHashOf(d.Names[0])
		}
		w.U32(hash)
		w.U32(verdefSize)
		w.U32(next)
		for j, n := range d.Names {
			w.U32(e.Str(n))
			w.U32(chainNext(j, len(d.Names), verdauxSize))
		}
	}
	return w.B
}

// chainNext is the distance to the next record, 0 for the last.
func chainNext(i, n int, size uint32) uint32 {
	if i+1 == n {
		return 0
	}
	return size
}

func (c Verdef) wants(*Env) wants {
	return wants{typ: elf.SHT_GNU_VERDEF, link: ".dynstr", align: 4, info: uint32(len(c))}
}

// VersionNeed is a library and the versions needed from it.
type VersionNeed struct {
	File     string
	Versions []NeededVersion
}

// NeededVersion is one version needed; Index is what Versym refers to.
type NeededVersion struct {
	Name  string
	Flags uint16
	Index uint16
}

// Verneed is the table of versions that a file needs.
type Verneed []VersionNeed

// Encode returns the table.
func (c Verneed) Encode(e *Env) []byte {
	w := e.Writer()
	for i, n := range c {
		next := uint32(verneedSize + len(n.Versions)*vernauxSize)
		if i+1 == len(c) {
			next = 0
		}
		w.U16(1) // VER_NEED_CURRENT
		w.U16(uint16(len(n.Versions)))
		w.U32(e.Str(n.File))
		w.U32(verneedSize)
		w.U32(next)
		for j, v := range n.Versions {
			w.U32(SysVHashOf(v.Name))
			w.U16(v.Flags)
			w.U16(v.Index)
			w.U32(e.Str(v.Name))
			w.U32(chainNext(j, len(n.Versions), vernauxSize))
		}
	}
	return w.B
}

func (c Verneed) wants(*Env) wants {
	return wants{typ: elf.SHT_GNU_VERNEED, link: ".dynstr", align: 4, info: uint32(len(c))}
}
