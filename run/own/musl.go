package own

import (
	"encoding/hex"
	"fmt"

	"elfwright/run/musl"
	"elfwright/run/place"
	"elfwright/run/reloc"
)

// small is a program of musl.
type small struct {
	row   *musl.Row
	state *musl.State
	ld    int
}

// chooseMusl finds the row for the process's musl.
func (b *builder) chooseMusl(ld int) (*small, error) {
	row := b.opt.Musl
	if id := hex.EncodeToString(b.p.Ld.BuildID()); row != nil && row.BuildID != id {
		return nil, &UnsupportedError{b.p.Objects[0].Name, fmt.Sprintf("the row is of build-id %s, and %s has %s", row.BuildID, b.p.Ld.Name, id)}
	}
	if row == nil {
		row = musl.Find(b.p.Ld.File)
	}
	if row == nil || row.Machine != b.p.Ld.Header.Machine {
		return nil, &UnsupportedError{b.p.Objects[0].Name, b.p.Ld.Name + ": where this build of musl keeps its state is not known"}
	}
	return &small{row: row, ld: ld}, nil
}

func (s *small) relocation(*reloc.Options) {}

// area is none: musl's own functions lay out the storage of the first thread.
func (s *small) area(place.TLS) (below, above, align uint64) { return 0, 0, 16 }

func (s *small) prepare(b *builder) error {
	s.state = &musl.State{Row: s.row, Memory: b.mem, Ld: s.ld, Order: b.res.Order, Arena: b.arena, Plan: b.plan, LibraryPath: b.opt.LibraryPath}
	for _, o := range b.p.Objects {
		s.state.Paths = append(s.state.Paths, b.name(o))
		s.state.Names = append(s.state.Names, o.Asked)
		s.state.Origins = append(s.state.Origins, b.origin(o))
	}
	return s.state.Before()
}

func (s *small) finish(b *builder) error {
	size, align := s.row.Size(b.mem)
	if err := s.state.After(b.arena.Alloc(size, max(align, 64))); err != nil {
		return err
	}
	b.protect()
	s.state.Start()
	return nil
}
