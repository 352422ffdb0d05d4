package link

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"elfwright/ldscript"
	"elfwright/link/emul"
	"elfwright/link/input"
	"elfwright/link/layout"
	"elfwright/link/model"
	"elfwright/link/synth"
	"elfwright/link/write"
)

// linkage is what one pass leaves for the next. The passes of this package take
// from it what the packages below need; they do not see it.
type linkage struct {
	opt         *model.Options
	emul        *emul.Emulation
	trees       []*ldscript.Script // of -T
	implicit    []layout.Implicit  // among the inputs
	standard    *ldscript.Script   // the default script
	script      *layout.Script
	files       *input.Files
	inputs      *input.Set
	own         *synth.Set
	env         *model.Env
	segs        []*model.Segment
	out         string // written
	entrySymbol string // of ENTRY
	notes       []string
	demangle    func(string) string // see Host
}

func newLinkage(opt *model.Options, host Host) *linkage {
	report := &model.Report{}
	if opt.Demangle == nil || *opt.Demangle {
		report.Demangle = host.Demangle
	}
	return &linkage{opt: opt, demangle: host.Demangle, env: &model.Env{Opt: opt, Table: model.NewTable(), Report: report}}
}

// scan looks at the relocations of all live sections, from several goroutines.
func (l *linkage) scan() error {
	if l.opt.Relocatable {
		return nil
	}
	var todo []*model.Section
	for _, o := range l.env.Objects {
		for _, s := range o.Sections {
			if s != nil && s.Live && s.Out != nil && s.Flags&elf.SHF_ALLOC != 0 && len(s.Relocs) > 0 {
				todo = append(todo, s)
			}
		}
	}
	model.Each(l.opt.Workers(), len(todo), func(i int) { l.env.Target.Scan(l.env, todo[i]) })
	return nil
}

func (l *linkage) merge() error {
	if !l.opt.Relocatable {
		l.own.Merge()
	}
	l.own.EhFrame()
	return nil
}

func (l *linkage) size() error {
	l.own.Size()
	return nil
}

// passLimit is how often addresses are assigned anew before what still moves is
// an error. Each round but the first few only grows.
const passLimit = 40

// assign gives addresses until nothing moves: thunks, relaxation and tables whose
// size depends on addresses change sizes, which changes addresses.
func (l *linkage) assign() error {
	for pass := range passLimit {
		if err := l.script.Assign(l.env); err != nil {
			return err
		}
		l.bounds()
		if l.opt.Relocatable {
			return nil
		}
		moved := l.env.Target.Relax(l.env, pass)
		if l.own.Resize() {
			moved = true
		}
		if !moved || l.env.Report.Failed() {
			return nil
		}
	}
	return fmt.Errorf("sizes and addresses still change after %d rounds", passLimit)
}

// bounds tells relocations what they need to know of the whole: the TLS segment,
// the global pointer.
func (l *linkage) bounds() {
	e := l.env
	e.TLSStart, e.TLSSize, e.TLSAlign = 0, 0, 1
	first := true
	for _, o := range e.Outputs {
		if o.Flags&elf.SHF_TLS == 0 || o.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		if first {
			e.TLSStart, first = o.Addr, false
		}
		e.TLSSize = max(e.TLSSize, o.Addr+o.Size-e.TLSStart)
		e.TLSAlign = max(e.TLSAlign, o.Align)
	}
	if gp := e.Table.Get("__global_pointer$"); gp != nil && gp.Defined() {
		e.GP = gp.Addr()
	}
}

func (l *linkage) finish() error {
	segs, err := l.script.Finish(l.env)
	if err != nil {
		return err
	}
	l.segs = segs
	l.own.Finish(segs)
	l.warnSegments()
	return l.entry()
}

// entry finds where the program starts: -e, ENTRY, start, the first byte of
// .text, 0 (ld manual, "Entry Point").
func (l *linkage) entry() error {
	name, asked := l.opt.Entry, l.opt.Entry != ""
	if !asked {
		name = l.script.Commands().Entry
	}
	if l.opt.Relocatable && !asked {
		return nil
	}
	named := name != ""
	if !named {
		name = "start"
	}
	if s := l.env.Table.Get(name); s != nil && s.Defined() && !s.Gone() {
		l.env.Entry = s.Addr()
		if s.Thumb {
			l.env.Entry |= 1
		}
		return nil
	}
	if x, err := strconv.ParseUint(name, 0, 64); err == nil {
		l.env.Entry = x
		return nil
	}
	if l.opt.Shared && !asked || l.opt.Relocatable {
		return nil
	}
	warn := func(so string) {
		if asked || l.script.Commands().Entry != "" { // start is nobody's word
			l.env.Report.Warn(fmt.Errorf("the entry symbol %s is not defined; %s", name, so))
		}
	}
	if addr, ok := l.script.Address(".text"); ok {
		l.env.Entry = addr
		warn(fmt.Sprintf("the program starts at %#x, the first byte of .text", addr))
		return nil
	}
	warn("e_entry is 0")
	return nil
}

// write makes the file, in the format that is asked for.
func (l *linkage) write() error {
	name := l.opt.Output
	if name == "" {
		name = "a.out"
	}
	err := l.writeAs(name)
	if err == nil {
		l.out = name
	}
	if errors.Is(err, write.ErrNothing) {
		return nil // the Report tells why
	}
	return err
}

func byteOrder(d elf.Data) binary.ByteOrder {
	if d == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}
