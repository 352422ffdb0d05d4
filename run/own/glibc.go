package own

import (
	"debug/elf"
	"encoding/hex"
	"fmt"

	"elfwright/dyn/load"
	"elfwright/run/glibc"
	"elfwright/run/place"
	"elfwright/run/reloc"
)

// gnu is a program of glibc.
type gnu struct {
	row   *glibc.Row
	state *glibc.State
	ld    int
	libc  int
}

// chooseGlibc finds the row for the process's glibc.
func (b *builder) chooseGlibc(libc int) (*gnu, error) {
	o := b.p.Objects[0]
	ld := b.linker()
	if ld < 0 {
		return nil, &UnsupportedError{o.Name, "its glibc is not loaded together with the dynamic linker that it names"}
	}
	if o.Header.Machine != elf.EM_X86_64 {
		return nil, &UnsupportedError{o.Name, "programs of glibc are started by this engine on x86-64 alone"}
	}
	row := b.opt.Row
	if id := hex.EncodeToString(b.p.Ld.BuildID()); row != nil && row.BuildID != id {
		return nil, &UnsupportedError{o.Name, fmt.Sprintf("the row is of build-id %s, and %s has %s", row.BuildID, b.p.Ld.Name, id)}
	}
	if row == nil {
		var err error
		if row, err = glibc.Find(b.p.Ld.File); err != nil {
			return nil, err
		}
	}
	if row == nil {
		e := &glibc.UnknownError{File: b.p.Ld.Name, BuildID: b.p.Ld.BuildID()}
		return nil, &UnsupportedError{o.Name, e.Error()}
	}
	return &gnu{row: row, ld: ld, libc: libc}, nil
}

func (g *gnu) relocation(*reloc.Options) {}

func (g *gnu) area(t place.TLS) (below, above, align uint64) { return g.row.Area(t) }

func (g *gnu) state0(b *builder) *glibc.State {
	s := &glibc.State{Row: g.row, Memory: b.mem, Ld: g.ld, Libc: g.libc, Order: b.res.Order, TP: b.tp, Arena: b.arena, Plan: b.plan,
		LibraryPath: b.opt.LibraryPath, VDSO: b.opt.VDSO, Stack: uint64(b.stackFlags())}
	for i, o := range b.p.Objects {
		n := glibc.Name{Path: b.name(o), Asked: o.Asked, Dev: o.ID.Dev, Ino: o.ID.Ino}
		if i == 0 {
			// dlopen never takes the program for the file that it is in.
			n.Dev, n.Ino = 0, 0
		}
		n.Origin = b.origin(o)
		s.Names = append(s.Names, n)
	}
	return s
}

func (g *gnu) prepare(b *builder) error {
	g.state = g.state0(b)
	if err := g.state.Before(); err != nil {
		return err
	}
	g.state.Thread()
	return nil
}

func (g *gnu) finish(b *builder) error {
	if err := g.state.After(); err != nil {
		return err
	}
	b.protect()
	g.state.Start()
	return nil
}

// isGlibc finds libc.so.6 among the objects, or -1.
func isGlibc(p *load.Process) int {
	for i, o := range p.Objects {
		if o.Soname == "libc.so.6" && i > 0 {
			return i
		}
	}
	return -1
}
