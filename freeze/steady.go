package freeze

import (
	"io"

	"elfwright/freeze/capture"
)

// steady is memory of a process without what the kernel writes into it whenever a
// thread goes on: on which processor the thread is (struct rseq of rseq(2): cpu_id_start
// and cpu_id, node_id and mm_cid). It is zero here, for the thaw registers the
// area, and the kernel writes them anew; so a process that stands still is the same
// file each time.
type steady struct {
	target io.ReaderAt
	rseqs  []capture.Rseq
}

func (c *compiler) steady() steady {
	s := steady{target: c.t}
	if c.s.Memory != nil {
		s.target = c.s.Memory
	}
	for i := range c.s.Threads {
		if r := c.s.Threads[i].Rseq; r.Addr != 0 {
			s.rseqs = append(s.rseqs, r)
		}
	}
	return s
}

// ReadAt reads at an address.
func (s *steady) ReadAt(b []byte, addr int64) (int, error) {
	n, err := s.target.ReadAt(b, addr)
	for _, r := range s.rseqs {
		for _, field := range [][2]uint64{{0, 8}, {20, 28}} {
			from, to := r.Addr+field[0], r.Addr+min(field[1], uint64(r.Size))
			from, to = max(from, uint64(addr)), min(to, uint64(addr)+uint64(n))
			if from < to {
				clear(b[from-uint64(addr) : to-uint64(addr)])
			}
		}
	}
	return n, err
}
