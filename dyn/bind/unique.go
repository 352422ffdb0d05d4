package bind

// uniques are the STB_GNU_UNIQUE symbols of a process: the first definition of a
// name that a relocation reaches is the one for all, whatever the versions (glibc,
// do_lookup_unique in elf/dl-lookup.c).
type uniques struct{ first map[string]hit }

// enter returns what a reference that found the unique definition h is bound to.
// from is the symbol that refers.
func (u *uniques) enter(r *reference, h, from hit) hit {
	old, ok := u.first[string(r.name)]
	switch {
	case ok && r.class != Copy:
		return old
	case ok: // the copy is made of what was found
		return h
	case r.class == Copy: // and from then on it is the one
		u.first[string(r.name)] = from
	default:
		u.first[string(r.name)] = h
	}
	return h
}
