package bind

import (
	"fmt"

	"elfwright/dyn/load"
	"elfwright/elffile"
)

// checkVersions looks for the versions that objects need in the objects they are
// needed from, as _dl_check_map_versions and match_symbol do (glibc,
// elf/dl-version.c). A version is found by its hash and its name.
func checkVersions(p *load.Process, named map[string]*load.Object) ([]VersionFault, error) {
	check := versionCheck{map[*load.Object]map[versionKey]bool{}}
	var list []VersionFault
	var c elffile.Faults
	for _, o := range p.Objects {
		if o.Versions == nil {
			continue
		}
		for i := range o.Versions.Needs {
			n := &o.Versions.Needs[i]
			if i == 0 && n.Version != 1 { // only the first record's is looked at
				c.Add(versionRecord(o, "version need 0", "vn_version", n.Off, n.Version))
				break
			}
			of := named[string(n.File)]
			for j := range n.Aux {
				f, err := check.version(o, of, n, &n.Aux[j])
				c.Add(err)
				if f != nil {
					list = append(list, *f)
				}
			}
		}
	}
	return list, c.Err()
}

// versionCheck keeps the versions that objects define; where there are many, a walk
// over them for each that is needed would take long.
type versionCheck struct {
	defined map[*load.Object]map[versionKey]bool
}

func versionRecord(o *load.Object, what, field string, off int64, v uint16) error {
	return &elffile.Error{File: o.Name, Struct: what, Field: field, Off: off, Msg: fmt.Sprintf("%d is not the version of such records (1)", v)}
}

// objectNames are the names by which a needed version's file is matched to an
// object: what it was opened by and asked for by (_dl_name_match_p), the first
// object of a name winning. DT_SONAME becomes such a name when something asks for
// it, and is one here for an object that nothing asked for by it.
func objectNames(p *load.Process) map[string]*load.Object {
	named := map[string]*load.Object{}
	add := func(name string, o *load.Object) {
		if _, ok := named[name]; !ok && name != "" {
			named[name] = o
		}
	}
	asked := make([][]string, len(p.Objects))
	for _, o := range p.Objects {
		for i := range o.Needs {
			if to := o.Needs[i].To; to != nil && to.Index < len(asked) && p.Objects[to.Index] == to {
				asked[to.Index] = append(asked[to.Index], o.Needs[i].Name)
			}
		}
	}
	for i, o := range p.Objects {
		add(o.Path, o)
		add(o.Asked, o)
		for _, name := range asked[i] {
			add(name, o)
		}
	}
	for _, o := range p.Objects {
		add(o.Soname, o)
	}
	if p.Ld != nil { // it is there before anything asks for it
		add(p.Ld.Path, p.Ld)
		add(p.Ld.Soname, p.Ld)
	}
	return named
}

// version is match_symbol: nil where the version is defined.
func (c *versionCheck) version(by, of *load.Object, n *elffile.VerNeed, a *elffile.VerAux) (*VersionFault, error) {
	f := &VersionFault{By: by, Of: of, File: string(n.File), Version: string(a.Name), Weak: a.Flags&elffile.VerFlagWeak != 0}
	if of == nil {
		return f, nil
	}
	if of.Versions == nil || len(of.Versions.Defs) == 0 {
		f.Warning = true
		return f, nil
	}
	ok, err := c.defines(of, a)
	if ok {
		return nil, nil
	}
	return f, err
}

// defines says whether an object defines a version.
func (c *versionCheck) defines(of *load.Object, a *elffile.VerAux) (bool, error) {
	set, ok := c.defined[of]
	if !ok {
		set = map[versionKey]bool{}
		for i := range of.Versions.Defs {
			d := &of.Versions.Defs[i]
			if d.Version != 1 {
				return false, versionRecord(of, fmt.Sprintf("version definition %d", i), "vd_version", d.Off, d.Version)
			}
			if len(d.Name()) <= longestVersion {
				set[versionKey{d.Hash, string(d.Name())}] = true
			}
		}
		c.defined[of] = set
	}
	return len(a.Name) <= longestVersion && set[versionKey{a.Hash, string(a.Name)}], nil
}
