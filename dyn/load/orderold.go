package load

// sortedOld is _dl_sort_maps_original, the one way until 2.34, then that of
// GLIBC_TUNABLES=glibc.rtld.dynamic_sort=1: each object in turn goes behind the
// last one that needs it, until nothing moves or it has moved too often. In large
// circles that takes time with the cube of their size, hours with thousands of
// libraries; where it is too much, the order is that of 2.35.
func (p *Process) sortedOld() []*Object {
	program := p.Program()
	order := make([]*Object, 1, len(p.Objects))
	order[0] = program
	for _, o := range p.Objects {
		if o != program {
			order = append(order, o)
		}
	}
	s := &oldSort{maps: order[1:], place: make([]int, len(p.Objects)), seen: make([]uint16, len(order)), users: make([][]*Object, len(p.Objects))}
	s.index()
	if !s.run() {
		return p.sortedDFS()
	}
	return order
}

// oldSort is the sort under way.
type oldSort struct {
	maps  []*Object
	place []int    // of each object in maps, by its index in the process
	seen  []uint16 // how often the one at a place was looked at
	users [][]*Object
}

// index notes who needs whom; an object that is searched through for each step
// would make it cubic.
func (s *oldSort) index() {
	for i, o := range s.maps {
		s.place[o.Index] = i
	}
	for _, o := range s.maps {
		for i := range o.Needs {
			if to := o.Needs[i].To; to != nil && to.Index >= 0 && to != o {
				s.users[to.Index] = append(s.users[to.Index], o)
			}
		}
	}
}

// lastUser is the last place behind i of an object that needs the one at i.
func (s *oldSort) lastUser(i int) int {
	last := -1
	for _, u := range s.users[s.maps[i].Index] {
		last = max(last, s.place[u.Index])
	}
	if last <= i {
		return -1
	}
	return last
}

// maxMoves is how many places may be shifted: less than a second.
const maxMoves = 1 << 24

// run sorts; false means that it gave up.
func (s *oldSort) run() bool {
	n, moves := len(s.maps), 0
	for i := 0; n > 1; {
		s.seen[i]++
		k := s.lastUser(i)
		if k >= 0 {
			if moves += k - i; moves > maxMoves {
				return false
			}
			s.move(i, k)
			if int(s.seen[i+1]) <= n-i {
				seen := s.seen[i]
				copy(s.seen[i:k], s.seen[i+1:k+1])
				s.seen[k] = seen
				continue
			}
		}
		if i++; i == n {
			break
		}
		clear(s.seen[i:n])
	}
	return true
}

// move puts the object at i to place k; those between move up.
func (s *oldSort) move(i, k int) {
	o := s.maps[i]
	copy(s.maps[i:k], s.maps[i+1:k+1])
	s.maps[k] = o
	for j := i; j <= k; j++ {
		s.place[s.maps[j].Index] = j
	}
}
