package bind

// walker goes along the chain of a hash table in which a name must be.
type walker struct {
	t     *table
	hash  uint32 // DT_GNU_HASH: what its words are compared with
	sym   uint32 // the next symbol
	at    uint32 // DT_GNU_HASH: its word in the chains
	more  bool
	steps int
}

// walk begins a walk; the Bloom filter was asked before.
func (t *table) walk(r *reference) walker {
	w := walker{t: t}
	switch t.hash {
	case gnuHash:
		w.hash = r.gnu
		w.sym, w.at, w.more = t.head(r.gnu)
	case sysvHash:
		w.sym = t.sysvAt(t.bkt, r.sysvHash()%t.nbkt)
		w.more = true
	}
	return w
}

// next returns the next symbol that may have the name. DT_HASH says so of every
// symbol of the chain; one that runs in a circle ends after as many steps as there
// are symbols.
func (w *walker) next() (uint32, bool) {
	t := w.t
	if t.hash == sysvHash {
		sym := w.sym
		if !w.more || sym == 0 || sym >= t.nsyms || sym >= t.nchain || w.steps >= int(t.nchain) {
			return 0, false
		}
		w.steps++
		w.sym = t.sysvAt(t.chain, sym)
		return sym, true
	}
	for w.more {
		c, sym := t.u32(t.chain, w.at), w.sym
		w.steps++
		w.at++
		w.sym++
		w.more = c&1 == 0 && w.at < t.nchain
		if (c^w.hash)>>1 == 0 && sym < t.nsyms {
			return sym, true
		}
	}
	return 0, false
}
