package serve

import (
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/run/launch"
)

// FindLinksIn finds where functions of a C library read links, by the names of the
// functions. It looks at those alone: what could jump into them from elsewhere is
// not searched for, as nothing jumps into the middle of another's function. Each of
// the functions must have such a system call.
func FindLinksIn(lib *elffile.File, names ...string) (*Sites, error) {
	m, code := archOf(lib), launch.Lookup(lib.Header.Machine, lib.Class, lib.Data)
	if m == nil || code == nil {
		return nil, lib.HeaderError("e_machine", "%s, %v, %v: the system calls of a C library of this machine are not known",
			elffile.MachineName(lib.Header.Machine), lib.Class, lib.Data)
	}
	fns, err := named(lib, names)
	if err != nil {
		return nil, err
	}
	w := &wanted{calls: slices.DeleteFunc(slices.Clone(code.Calls()), func(c launch.Call) bool { return c.Does != launch.Readlink }), targets: newMarks(fns)}
	s := &Sites{m: m}
	for i, fn := range fns {
		found, err := m.find(lib, fn, w)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: function %s at 0x%x has no system call that reads a link", lib.Name, names[i], fn.at)
		}
		s.List = append(s.List, found...)
	}
	return s, s.moved(lib)
}

// moved notes the instructions that give way.
func (s *Sites) moved(f *elffile.File) (err error) {
	for i := range s.List {
		site := &s.List[i]
		if site.Moved, err = f.BytesAt(site.Vaddr, site.Next-site.Vaddr-s.m.last()); err != nil {
			return err
		}
	}
	return nil
}

// named are functions by the names that the dynamic symbol table has for them.
func named(lib *elffile.File, names []string) ([]function, error) {
	t, err := lib.DynamicSymbolTable()
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, fmt.Errorf("%s: it has no dynamic symbols: functions are not found by name", lib.Name)
	}
	find, err := hashOf(lib)
	if err != nil {
		return nil, err
	}
	var out []function
	for _, name := range names {
		i, ok := find(name)
		if !ok {
			return nil, fmt.Errorf("%s: it defines no function %s", lib.Name, name)
		}
		s := t.At(i)
		b, err := lib.BytesAt(s.Value, s.Size)
		if err != nil {
			return nil, err
		}
		if len(b) < minFunction {
			return nil, fmt.Errorf("%s: function %s has %d bytes: no system call is in it", lib.Name, name, len(b))
		}
		out = append(out, function{s.Value, b})
	}
	return out, nil
}

// minFunction is how many bytes are looked at, whatever the function is.
const minFunction = 16

// hashOf is the look-up of the hash table that the file has.
func hashOf(f *elffile.File) (func(string) (int, bool), error) {
	if h, err := f.GnuHash(); err == nil && h != nil {
		return h.Lookup, nil
	}
	h, err := f.SysvHash()
	if err == nil && h == nil {
		err = fmt.Errorf("%s: it has no hash table: functions are not found by name", f.Name)
	}
	if err != nil {
		return nil, err
	}
	return h.Lookup, nil
}
