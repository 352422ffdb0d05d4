// Package own makes of a process, loaded and bound on paper, the image of the
// program as it is when its dynamic linker has finished: every object at its
// address, relocated, thread-local storage laid out, the state of the C library as
// its own start-up code would have left it. What only the new process can do is a
// plan that stage 2 carries out in it (package stage).
//
// The image is an executable without an interpreter, at fixed addresses. Segments
// that nobody writes to are mapped from the files that they are in, unless the
// options ask for a file that needs no other.
//
// A process that is started so differs from one that its dynamic linker started:
//
//   - /proc/self/exe is the image, and so is /proc/PID/auxv; the auxiliary vector on
//     the stack is as ever.
//   - Addresses are those of the image: another start of the same image has the same.
//   - The vDSO is among the objects of glibc and asked for the time if it is the one
//     that the image was made for; else, and with glibc before 2.33, the kernel is.
//   - Functions are bound before the start, also those that are bound when they are
//     first called; LD_BIND_NOT, LD_DEBUG, LD_AUDIT, LD_PROFILE say nothing. A function
//     that nothing defines is an error when it is called.
//   - Resolvers of indirect functions are called when everything else is relocated,
//     those of libraries before those of what needs them.
//   - musl does not get the unused ends of segments for its heap.
//   - What was between segments of an object is mapped, not reserved, in images of so
//     many objects that segments were put together.
package own

import (
	"debug/elf"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/image"
	"elfwright/plan"
	"elfwright/run/memory"
	"elfwright/run/place"
	"elfwright/run/reloc"
	"elfwright/run/stage"
)

// Result is the image, and what was decided on the way.
type Result struct {
	Image   *image.Image
	Libc    Libc
	Layout  *place.Layout
	Memory  *memory.Process
	Relocs  *reloc.Result
	Order   []int     // objects in the order in which they are initialised
	Maps    []Mapping // by address
	Records []stage.Record
	NoLinks error // why the C library reads /proc/self/exe as it is, or nil
}

// Mapping is a segment of an object in the process.
type Mapping struct {
	Object  int
	Program int // index of the program header
	Range   image.Range
	Flags   elf.ProgFlag
	Image   bool // its bytes are in the image, else mapped from the file
	FileOff int64
}

// An UnsupportedError tells that this engine cannot start a program, and why.
// Another one may.
type UnsupportedError struct {
	File string
	Why  string
}

func (e *UnsupportedError) Error() string { return e.File + ": " + e.Why }

// builder is a build in progress.
type builder struct {
	p   *load.Process
	opt Options
	res *Result

	mem   *memory.Process
	arena *memory.Arena
	plan  *stage.Plan
	libc  libc
	tp    uint64

	segments []image.Segment         // of the objects, in the image
	disks    map[*load.Object]string // see disk
	same     map[string]stage.Stat   // what files of an image that is kept are to be
}

// libc is the part of a start that a C library has of its own.
type libc interface {
	// relocation changes options of relocation, which has stage 2's functions already.
	relocation(*reloc.Options)
	// area is how many bytes there are to be below and above the thread pointer, and
	// how it is aligned.
	area(place.TLS) (below, above, align uint64)
	// prepare fills in what the library's own start-up code would have, and adds what
	// is done before the resolvers are called.
	prepare(b *builder) error
	// finish adds what is done after that, until the jump.
	finish(b *builder) error
}

// Build makes the image. The process stays open until it is written: what nobody
// writes to is windows on its files.
func Build(p *load.Process, bound *bind.Result, opt Options) (r *Result, err error) {
	guard := p.Guard(func() error {
		r, err = build(p, bound, opt)
		return nil
	})
	if guard != nil { // a file shrank while it was read
		return nil, guard
	}
	return r, err
}

func build(p *load.Process, bound *bind.Result, opt Options) (*Result, error) {
	if len(p.Objects) == 0 {
		return nil, errors.New("there is no program to start")
	}
	b := &builder{p: p, opt: opt, res: &Result{}}
	if err := b.check(); err != nil {
		return nil, err
	}
	if err := b.lay(); err != nil {
		return nil, err
	}
	ro := reloc.Options{Libc: p.Libc, TLSDesc: b.plan.TLSDesc(), TLSWeak: b.plan.TLSWeak(), TLSAddr: b.plan.TLSAddr(), Undefined: b.plan.Undefined}
	b.libc.relocation(&ro)
	var err error
	if b.res.Relocs, err = reloc.Apply(b.mem, bound, ro); err != nil {
		return nil, err
	}
	if err := b.steps(); err != nil {
		return nil, err
	}
	b.res.Image = b.image()
	b.res.Records = b.plan.Records
	return b.res, nil
}

// Survey is Build for any machine, without an image: where everything would go, and
// which relocations there are. Of a program that Build would start it says the same.
func Survey(p *load.Process, bound *bind.Result, opt Options) (r *Result, err error) {
	guard := p.Guard(func() error {
		r, err = survey(p, bound, opt)
		return nil
	})
	if guard != nil {
		return nil, guard
	}
	return r, err
}

func survey(p *load.Process, bound *bind.Result, opt Options) (*Result, error) {
	if len(p.Objects) == 0 {
		return nil, errors.New("there is no program to start")
	}
	b := &builder{p: p, opt: opt, res: &Result{}, libc: alone{}}
	switch {
	case p.Libc == load.Musl && b.linker() >= 0:
		b.res.Libc = Musl
	case p.Libc == load.Glibc && isGlibc(p) >= 0:
		b.res.Libc = Glibc
	}
	if err := b.found(); err != nil {
		return nil, err
	}
	if err := b.place(); err != nil {
		return nil, err
	}
	ro := reloc.Options{Libc: p.Libc, Alone: b.res.Libc == None, Undefined: func(string) uint64 { return 0 }}
	var err error
	if b.res.Relocs, err = reloc.Apply(b.mem, bound, ro); err != nil {
		return nil, err
	}
	b.mappings()
	return b.res, nil
}

// check refuses what this engine has no means for.
func (b *builder) check() error {
	o := b.p.Objects[0]
	if stage.CodeOf(o.Header.Machine, o.Class) == nil || o.Big() {
		return &UnsupportedError{o.Name, fmt.Sprintf("no program of machine %v, %v, is started by this engine", o.Header.Machine, o.Class)}
	}
	if err := b.found(); err != nil {
		return err
	}
	return b.choose()
}

// found checks that all objects are there, and for the program's machine.
func (b *builder) found() error {
	o := b.p.Objects[0]
	if prog := b.p.Program(); prog != nil && prog != o {
		return &UnsupportedError{prog.Name, "its own filtees come before it in the order of loading"}
	}
	for i, x := range b.p.Objects {
		if x.Index != i {
			return &UnsupportedError{x.Name, fmt.Sprintf("it is object %d, and says that it is %d", i, x.Index)}
		}
		if x.Header.Machine != o.Header.Machine || x.Format != o.Format {
			return &elffile.Error{File: x.Name, Struct: "ELF header", Field: "e_machine", Off: 18, Msg: fmt.Sprintf("%v, %v: the program is for %v, %v", x.Header.Machine, x.Format, o.Header.Machine, o.Format)}
		}
		for _, n := range x.Needs {
			if n.To == nil && (n.Kind == load.Needed || n.Kind == load.Filter) {
				err := n.Err
				if err == nil {
					err = errors.New("it cannot be found")
				}
				return &elffile.Error{File: x.Name, Off: -1, Msg: "needs " + n.Name, Err: err}
			}
		}
	}
	return nil
}

// choose finds the C library.
func (b *builder) choose() error {
	b.libc = alone{}
	if b.p.Libc == load.Glibc {
		if libc := isGlibc(b.p); libc >= 0 {
			g, err := b.chooseGlibc(libc)
			if err != nil {
				return err
			}
			b.libc, b.res.Libc = g, Glibc
		}
	}
	if ld := b.linker(); b.p.Libc == load.Musl && ld >= 0 {
		m, err := b.chooseMusl(ld)
		if err != nil {
			return err
		}
		b.libc, b.res.Libc = m, Musl
	}
	return nil
}

// lay decides where everything goes: the objects, behind them the process's own
// state, behind that stage 2. So the break, which the kernel puts behind the last
// segment, has room.
func (b *builder) lay() error {
	if err := b.place(); err != nil {
		return err
	}
	l := b.res.Layout
	const apart = 1 << 16
	below, above, align := b.libc.area(l.TLS)
	room := (below + above + align + l.TLS.Size + 4*l.TLS.Align + 1<<20 + uint64(len(b.p.Objects))<<16 + apart) &^ (apart - 1)
	at := (uint64(l.Hull.End()) + 2*apart) &^ (apart - 1)
	b.arena = &memory.Arena{At: at, Limit: room}
	o := b.p.Objects[0]
	b.plan = stage.New(stage.CodeOf(o.Header.Machine, o.Class), at+room+apart)
	return nil
}

// place gives the objects their addresses and their memory.
func (b *builder) place() error {
	b.res.Order = order(b.p)
	l, err := place.Lay(b.p, place.Options{Base: b.opt.Base, TLS: place.TLSRules{Gaps: b.p.Libc == load.Glibc}})
	if err != nil {
		return err
	}
	b.res.Layout = l
	if b.mem, err = memory.New(l); err != nil {
		return err
	}
	b.res.Memory = b.mem
	return nil
}

// steps makes the plan, in the order in which a dynamic linker goes.
func (b *builder) steps() error {
	b.kept()
	b.links()
	if err := b.serve(); err != nil {
		return err
	}
	b.maps()
	b.threadStorage()
	b.auxiliary()
	if err := b.libc.prepare(b); err != nil {
		return err
	}
	if b.opt.StopMain {
		if err := b.stopMain(); err != nil {
			return err
		}
	}
	// Data is copied before the resolvers are called, for those that look at it, and
	// again where a resolver's result is part of it.
	for _, c := range b.res.Relocs.Copies {
		b.plan.Do(stage.Copy, c.Dst, c.Src, c.Size)
	}
	b.resolve()
	for _, c := range b.res.Relocs.Copies {
		for _, r := range b.res.Relocs.Resolve {
			if r.Place >= c.Src && r.Place-c.Src < c.Size {
				b.plan.Do(stage.Copy, c.Dst, c.Src, c.Size)
				break
			}
		}
	}
	// Beyond this point nothing is written into an object.
	b.segments = merge(b.inImage(), maxSegments)
	if err := b.libc.finish(b); err != nil {
		return err
	}
	if last := len(b.plan.Records) - 1; b.opt.Stop { // before the jump
		b.plan.Records = slices.Insert(b.plan.Records, last, stage.Record{Op: stage.Stop})
	}
	return b.arena.Err()
}

// resolve calls resolvers: those of libraries before those of what needs them, as
// resolvers look at what their libraries have found out about the processor.
func (b *builder) resolve() {
	by := make([][]reloc.Resolve, len(b.p.Objects))
	for _, r := range b.res.Relocs.Resolve {
		by[r.Of] = append(by[r.Of], r)
	}
	for _, i := range b.resolvers() {
		for _, r := range by[i] {
			b.plan.Do(stage.Resolve, r.Place, r.Resolver, r.Addend)
		}
	}
}

// protect makes read-only what is not written any more.
func (b *builder) protect() {
	for i := range b.mem.Objects {
		o := &b.mem.Objects[i]
		for x := range o.Segments {
			s := &o.Segments[x]
			if !b.mapped(o, s) && s.Flags != b.flagsOf(o.At(s.Start)) {
				b.plan.Do(stage.Protect, o.At(s.Start), s.End-s.Start, plan.MmapProt(s.Flags))
			}
		}
		if r, ok := o.Relro(b.res.Layout.Page); ok {
			b.plan.Do(stage.Protect, uint64(r.Start), r.Size, unix.PROT_READ)
		}
	}
}

// flagsOf are those of the image's segment that has an address.
func (b *builder) flagsOf(at uint64) elf.ProgFlag {
	for i := range b.segments {
		if b.segments[i].Range().Contains(image.Addr(at)) {
			return b.segments[i].Flags
		}
	}
	return 0
}
