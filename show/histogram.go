package show

import "strconv"

// showHistogram prints how long the chains of the hash tables are: a dynamic
// linker walks along one for each name it looks up.
func showHistogram(p *printer) {
	sysv, err := p.f.SysvHash()
	p.warn(err)
	if sysv != nil {
		p.histogram("DT_HASH", "bucket list length", sysv.Buckets.Len(), func(i int) int {
			n := 0
			chain, _ := sysv.Chain(i)
			for range chain {
				n++
			}
			return n
		})
	}
	gnu, err := p.f.GnuHash()
	p.warn(err)
	if gnu != nil {
		p.histogram("DT_GNU_HASH", "`.gnu.hash' bucket list length", gnu.Buckets.Len(), func(i int) int {
			n := 0
			for range gnu.Chain(i) {
				n++
			}
			return n
		})
	}
}

// maxChains bounds the steps of counting: buckets that all lead into one long
// chain would make as many steps as buckets times symbols.
const maxChains = 50_000_000

func (p *printer) histogram(key, words string, buckets int, length func(int) int) {
	var counts []int
	symbols := 0
	for i := range buckets {
		n := length(i)
		for len(counts) <= n {
			counts = append(counts, 0)
		}
		counts[n]++
		if symbols += n; symbols > maxChains {
			p.warnf("hash table of "+key, "", -1, "its %d buckets lead to more than %d chain links; they are not counted further", buckets, maxChains)
			break
		}
	}
	p.table(&histogramHead{key, words, buckets, symbols})
	r := &histogramRow{buckets: buckets, symbols: symbols}
	for n, count := range counts {
		r.length, r.count = n, count
		r.covered += n * count
		p.row(r)
	}
	p.end()
}

type histogramHead struct {
	key, words       string
	buckets, symbols int
}

func (h *histogramHead) text(t *text) {
	t.title("Histogram for "+h.words+" (total of ", "")
	t.count(h.buckets, "bucket", "buckets")
	t.str("):")
	t.nl()
	t.heads(" Length  Number     % of total  Coverage")
}

func (h *histogramHead) json(o *object) {
	o.str("table", h.key)
	o.num("buckets", uint64(h.buckets))
	o.num("symbols", uint64(h.symbols))
}

// histogramRow is how many chains have a length.
type histogramRow struct {
	length, count    int
	covered          int // symbols in chains up to this length
	buckets, symbols int
}

// percent appends n/of in percent with one digit, as wide as "100.0%".
func percent(t *text, n, of int) {
	s := strconv.FormatFloat(100*float64(n)/float64(max(of, 1)), 'f', 1, 64)
	t.right(s, 5)
	t.str("%")
}

func (r *histogramRow) text(t *text) {
	t.dec(uint64(r.length), 7)
	t.str("  ")
	t.left(decString(uint64(r.count)), 10)
	t.str(" (")
	percent(t, r.count, r.buckets)
	t.str(")")
	if r.length > 0 {
		t.str("    ")
		percent(t, r.covered, r.symbols)
	}
	t.nl()
}

func (r *histogramRow) json(o *object) {
	o.num("length", uint64(r.length))
	o.num("count", uint64(r.count))
	o.num("symbols_covered", uint64(r.covered))
}
