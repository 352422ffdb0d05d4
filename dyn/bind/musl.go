package bind

// findMusl is gnu_lookup, sysv_lookup and what find_sym2 asks of their answer
// (musl, ldso/dynlink.c): the first symbol of that name whose version is not
// hidden is the object's only chance. Version names and visibility do not count.
func (t *table) findMusl(r *reference, steps *int) (uint32, bool) {
	w := t.walk(r)
	for {
		sym, ok := w.next()
		if !ok {
			break
		}
		if t.isMuslCandidate(sym, r) {
			*steps += w.steps
			return sym, t.acceptMusl(sym, r)
		}
	}
	*steps += w.steps
	return 0, false
}

func (t *table) isMuslCandidate(i uint32, r *reference) bool {
	if t.versym != nil {
		if _, hidden := t.version(i); hidden {
			return false
		}
	}
	s := t.sym(i)
	return t.isNamed(s.name, r.name)
}

func (t *table) acceptMusl(i uint32, r *reference) bool {
	s := t.sym(i)
	switch {
	case s.shndx == shnUndef && (r.class == PLT || s.typ() == typeTLS):
		return false
	case s.value == 0 && s.typ() != typeTLS:
		return false
	}
	return 1<<s.typ()&muslTypes != 0 && (s.bind() == bindGlobal || s.bind() == bindWeak || s.bind() == bindUnique)
}
