package layout

import (
	"fmt"

	"elfwright/ldscript"
)

// maxRounds is how often the list is walked before it counts as unsettled. What
// settles does so in two or three rounds; each further one lets a value travel
// one assignment further towards the start of the script.
const maxRounds = 40

// settle walks until nothing moves: first addresses and symbols, then the number
// of program headers, on which they may depend.
func (s *Script) settle() error {
	if s.headers == 0 {
		s.headers = s.estimateHeaders()
	}
	for try := 0; ; try++ {
		if err := s.settleAddresses(); err != nil {
			return err
		}
		s.outputs()
		s.faults = s.faults[:0]
		segs, err := s.mapSegments()
		if err == nil {
			err = s.finalFaults()
		}
		if err != nil {
			return err
		}
		s.segments = segs
		n := len(segs)
		if n == s.headers || !s.cmds.UsesSizeofHeaders && try > 0 {
			s.headers = n
			return nil
		}
		// The larger number is kept once it goes back and forth: the table
		// then has unused entries.
		if try > 6 && n < s.headers {
			return nil
		}
		s.headers = n
	}
}

func (s *Script) settleAddresses() error {
	for i := 0; ; i++ {
		s.moved = ""
		before := s.snapshot()
		s.sized()
		s.final()
		s.compare(before)
		if s.moved == "" {
			break
		}
		if i == maxRounds {
			if err := s.circle(); err != nil {
				return err
			}
			return fmt.Errorf("%s does not settle: after %d rounds it still has another value each time", s.moved, i)
		}
	}
	if err := s.finalFaults(); err != nil {
		return err
	}
	return s.circle()
}

// finalFaults are the faults of the last round, in the order of the script.
func (s *Script) finalFaults() error {
	if len(s.faults) == 0 {
		return nil
	}
	var list []error
	seen := map[string]bool{}
	for _, err := range s.faults {
		if u, ok := err.(*ldscript.Unknown); ok {
			err = fault(u.Pos, "", "%s is not defined", u.What)
		}
		if text := err.Error(); !seen[text] {
			seen[text] = true
			list = append(list, err)
		}
	}
	return joined(list)
}

// point is what a round has made of an output section.
type point struct{ addr, lma, size uint64 }

// snapshot notes where everything is.
func (s *Script) snapshot() []point {
	list := s.points[:0]
	for _, o := range s.order {
		list = append(list, point{o.out.Addr, o.out.LMA, o.out.Size})
	}
	for _, a := range s.assigns {
		a.before, a.hadValue = a.last, a.ok
	}
	for _, d := range s.datas {
		d.before = d.value
	}
	s.points = list
	return list
}

// compare notes the first thing that is not where it was.
func (s *Script) compare(before []point) {
	for _, a := range s.assigns {
		if a.ok != a.hadValue || a.last != a.before {
			s.moves("symbol " + a.Name)
		}
	}
	for i, o := range s.order {
		if before[i] != (point{o.out.Addr, o.out.LMA, o.out.Size}) {
			s.moves("section " + o.name)
		}
	}
	for _, d := range s.datas {
		if d.value != d.before {
			s.moves(d.kind + " at " + d.pos.String())
		}
	}
}

func (s *Script) moves(what string) {
	if s.moved == "" {
		s.moved = what
	}
}
