package bind

import (
	"fmt"

	"elfwright/elffile"
)

// A version name is a small number here, so that comparing two of them costs
// nothing: equal numbers are equal hashes and names. 0 is none.
type version struct {
	id     int32
	hidden bool  // of a needed version: bit 15 of vna_other
	need   int32 // index in Versions.Needs of the file it is needed from; -1: defined here
}

type versionKey struct {
	hash uint32
	name string
}

// versionNames numbers the version names of a process.
type versionNames struct {
	ids   map[versionKey]int32
	names []string // by number
}

func newVersionNames() *versionNames {
	return &versionNames{ids: map[versionKey]int32{}, names: []string{""}}
}

// id numbers a version. A version whose hash is 0 is none for glibc, whatever its
// name (check_match in elf/dl-lookup.c, resolve_map in elf/dl-reloc.c).
func (v *versionNames) id(hash uint32, name []byte) int32 {
	if hash == 0 {
		return 0
	}
	if id, ok := v.ids[versionKey{hash, string(name)}]; ok {
		return id
	}
	id := int32(len(v.names))
	key := versionKey{hash, string(name)}
	v.ids[key] = id
	v.names = append(v.names, key.name)
	return id
}

// longestVersion bounds the names that are looked at: many entries may share one.
const longestVersion = 4096

// setVersions makes the table from version indices to names, as
// _dl_check_map_versions does (glibc, elf/dl-version.c): what is needed first,
// what is defined over it, the base version not at all. The highest index is that
// of the needs that count: in trace mode those of a missing library do not, and
// names beyond the highest are forgotten.
func (t *table) setVersions(names *versionNames, counts func(file string) bool) error {
	v := t.obj.Versions
	high := t.highest(counts)
	if high <= 0 {
		t.versym = nil
		return nil
	}
	t.versions = make([]version, high+1)
	for i := range t.versions {
		t.versions[i].need = -1
	}
	var c elffile.Faults
	for i := range v.Needs {
		for j := range v.Needs[i].Aux {
			a := &v.Needs[i].Aux[j]
			if len(a.Name) > longestVersion {
				c.Add(t.versionError("needed version", a.Off, len(a.Name)))
				continue
			}
			if int(a.Index&0x7fff) > high {
				continue
			}
			t.versions[a.Index&0x7fff] = version{names.id(a.Hash, a.Name), a.Index&0x8000 != 0, int32(i)}
		}
	}
	for i := range v.Defs {
		d := &v.Defs[i]
		if d.Flags&elffile.VerFlagBase != 0 {
			continue
		}
		if len(d.Name()) > longestVersion {
			c.Add(t.versionError("version definition", d.Off, len(d.Name())))
			continue
		}
		e := &t.versions[d.Index&0x7fff]
		e.id, e.need = names.id(d.Hash, d.Name()), -1
	}
	if high == t.highest(func(string) bool { return true }) {
		c.Add(t.checkVersym())
	}
	return c.Err()
}

// highest is the highest version index that counts.
func (t *table) highest(counts func(file string) bool) int {
	high := -1
	if t.obj.Versions == nil {
		return high
	}
	for i := range t.obj.Versions.Needs {
		n := &t.obj.Versions.Needs[i]
		if !counts(string(n.File)) {
			continue
		}
		for j := range n.Aux {
			high = max(high, int(n.Aux[j].Index&0x7fff))
		}
	}
	for i := range t.obj.Versions.Defs {
		high = max(high, int(t.obj.Versions.Defs[i].Index&0x7fff))
	}
	return high
}

func (t *table) versionError(what string, off int64, n int) error {
	return &elffile.Error{File: t.obj.Name, Struct: what, Field: "name", Off: off,
		Msg: fmt.Sprintf("its %d bytes are more than the %d of a name", n, longestVersion)}
}

// checkVersym finds version indices that nothing gives a meaning; a dynamic linker
// reads beyond its table there.
func (t *table) checkVersym() error {
	limit := uint16(len(t.versions))
	for i := range len(t.versym) / 2 {
		if x := t.u16(t.versym[2*i:]) & 0x7fff; x >= limit && x > 1 {
			return &elffile.Error{File: t.obj.Name, Struct: fmt.Sprintf("version of symbol %d", i), Off: t.obj.Versions.SymbolsOff + int64(2*i),
				Msg: fmt.Sprintf("index %d is beyond the highest version, %d", x, limit-1)}
		}
	}
	return nil
}

// versionOf is the version that a reference of the object by symbol i asks for.
func (t *table) versionOf(i uint32) version {
	if t.versym == nil {
		return version{need: -1}
	}
	x, _ := t.version(i)
	if int(x) >= len(t.versions) {
		return version{need: -1}
	}
	return t.versions[x]
}
