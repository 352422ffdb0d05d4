package bind

// findMusl is gnu_lookup, sysv_lookup and what find_sym2 asks of their answer
// (musl, ldso/dynlink.c): the first symbol of that name whose version is not
// hidden is the object's only chance. Version names and visibility do not count.
func (t *table) findMusl(r *reference, steps *int) (uint32, bool) {
	n := 0
	if t.hash == gnuHash {
		sym, at, ok := t.head(r.gnu)
		for ok {
			c := t.u32(t.chain, at)
			n++
			if (c^r.gnu)>>1 == 0 && t.isMuslCandidate(sym, r) {
				*steps += n
				return sym, t.acceptMusl(sym, r)
			}
			at++
			sym++
			ok = c&1 == 0 && at < t.nchain
		}
	} else {
		for sym := t.sysvAt(t.bkt, r.sysvHash()%t.nbkt); sym != 0 && sym < t.nsyms && sym < t.nchain; sym = t.sysvAt(t.chain, sym) {
			if n++; uint32(n) > t.nchain {
				break
			}
			if t.isMuslCandidate(sym, r) {
				*steps += n
				return sym, t.acceptMusl(sym, r)
			}
		}
	}
	*steps += n
	return 0, false
}

func (t *table) isMuslCandidate(i uint32, r *reference) bool {
	if i >= t.nsyms {
		return false
	}
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
