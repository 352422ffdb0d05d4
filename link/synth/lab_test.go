package synth_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link/model"
	"elfwright/link/synth"
	"elfwright/link/write"
	"elfwright/machine/all"
)

// A small linker for the tests of this package: it reads objects with the
// standard library, puts sections one behind the other by kind, and carries out
// relocations by the machine's table.

// tools are the triples of the machines.
var tools = map[string]string{"x86-64": "", "i386": "i686-linux-gnu-", "aarch64": "aarch64-linux-gnu-", "arm": "arm-linux-gnueabihf-", "riscv64": "riscv64-linux-gnu-"}

// build compiles sources, name → text, and returns the objects' names in order.
func build(t testing.TB, triple, flags string, files map[string]string) (dir string, objs []string) {
	t.Helper()
	samples.Need(t, triple+"gcc", triple+"ld")
	dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		obj := strings.TrimSuffix(strings.TrimSuffix(name, ".c"), ".s") + ".o"
		run(t, dir, triple+"gcc", append(strings.Fields(flags), "-c", name, "-o", obj)...)
		objs = append(objs, obj)
	}
	sort.Strings(objs)
	return dir, objs
}

func run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "LC_ALL=C")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// lab is a link.
type lab struct {
	t    testing.TB
	env  *model.Env
	set  *synth.Set
	segs []*model.Segment
	// edges, if set, gives script symbols their values once addresses are known.
	edges func()
}

func newLab(t testing.TB, dir string, objs []string, opt *model.Options) *lab {
	t.Helper()
	l := &lab{t: t, env: &model.Env{Opt: opt, Table: model.NewTable(), Report: &model.Report{}}}
	for _, name := range objs {
		l.load(filepath.Join(dir, name), name)
	}
	for _, s := range l.env.Table.Sorted() {
		s.Exported = opt.Shared && s.Defined() && s.Vis == elf.STV_DEFAULT
		s.Preempt = opt.Shared && s.Vis == elf.STV_DEFAULT && (!s.Defined() || !opt.Symbolic)
	}
	return l
}

func (l *lab) load(path, name string) {
	f, err := elf.Open(path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	e := l.env
	if e.Target == nil {
		m := all.Lookup(f.Machine, f.Class)
		e.Target, e.Class, e.Order, e.Code = &rowTarget{m: m}, 8*m.WordSize(), f.ByteOrder, f.ByteOrder
	}
	o := &model.Object{File: name, Path: path, Rank: int32(len(e.Objects)), Class: f.Class, Order: f.ByteOrder, Machine: f.Machine,
		Sections: make([]*model.Section, len(f.Sections))}
	for i, s := range f.Sections {
		switch s.Type {
		case elf.SHT_NULL, elf.SHT_SYMTAB, elf.SHT_STRTAB, elf.SHT_REL, elf.SHT_RELA, elf.SHT_GROUP:
			continue
		}
		sec := &model.Section{Obj: o, Name: s.Name, Index: int32(i), Type: s.Type, Flags: s.Flags, Align: max(s.Addralign, 1),
			Entsize: s.Entsize, Info: s.Info, Size: s.Size, Live: true}
		if s.Type != elf.SHT_NOBITS {
			sec.Data, _ = s.Data()
		}
		if strings.HasSuffix(s.Name, ".attributes") && o.Rank != 0 {
			continue // that of the first object is good enough
		}
		o.Sections[i] = sec
	}
	for i, s := range f.Sections {
		if sec := o.Sections[i]; sec != nil && s.Flags&elf.SHF_LINK_ORDER != 0 {
			sec.LinkTo = o.Sections[s.Link]
		}
	}
	l.symbols(f, o)
	l.relocs(f, o)
	e.Objects = append(e.Objects, o)
}

func (l *lab) symbols(f *elf.File, o *model.Object) {
	syms, _ := f.Symbols()
	o.Symbols = []*model.Symbol{nil}
	for _, x := range syms {
		s := &model.Symbol{Local: true}
		local := elf.ST_BIND(x.Info) == elf.STB_LOCAL
		if local {
			o.Locals = len(o.Symbols) + 1
		} else {
			s = l.env.Table.Intern(x.Name)
		}
		o.Symbols = append(o.Symbols, s)
		s.Used = true
		if x.Section == elf.SHN_UNDEF {
			if s.Obj == nil {
				s.Obj, s.Bind = o, elf.ST_BIND(x.Info)
			}
			continue
		}
		if s.State == model.Defined {
			continue
		}
		s.Name, s.State, s.Obj = x.Name, model.Defined, o
		s.Bind, s.Type, s.Vis, s.Value, s.Size = elf.ST_BIND(x.Info), elf.ST_TYPE(x.Info), elf.ST_VISIBILITY(x.Other), x.Value, x.Size
		if x.Section < elf.SHN_LORESERVE {
			s.Sec = o.Sections[x.Section]
		}
		if o.Machine == elf.EM_ARM && s.Type == elf.STT_FUNC && s.Value&1 != 0 {
			s.Thumb, s.Value = true, s.Value&^1
		}
	}
	o.Locals = max(o.Locals, 1)
}

func (l *lab) relocs(f *elf.File, o *model.Object) {
	table := l.env.Target.Machine().Relocs
	for _, s := range f.Sections {
		if s.Type != elf.SHT_REL && s.Type != elf.SHT_RELA {
			continue
		}
		sec := o.Sections[s.Info]
		b, _ := s.Data()
		for len(b) > 0 {
			var r model.Reloc
			if f.Class == elf.ELFCLASS64 {
				info := f.ByteOrder.Uint64(b[8:])
				r = model.Reloc{Off: f.ByteOrder.Uint64(b), Sym: uint32(info >> 32), Type: uint32(info), Addend: int64(f.ByteOrder.Uint64(b[16:]))}
				b = b[24:]
			} else {
				info := f.ByteOrder.Uint32(b[4:])
				r = model.Reloc{Off: uint64(f.ByteOrder.Uint32(b)), Sym: info >> 8, Type: info & 0xff}
				r.Addend, _ = table.Lookup(r.Type).Addend(sec.Data[r.Off:], f.ByteOrder)
				b = b[8:]
			}
			sec.Relocs = append(sec.Relocs, r)
		}
	}
}

// rank orders output sections: read-only, code, data, the rest.
func rank(s *model.Section) int {
	switch {
	case s.Flags&elf.SHF_ALLOC == 0:
		return 9
	case s.Flags&elf.SHF_EXECINSTR != 0:
		return 1
	case s.Flags&elf.SHF_WRITE == 0:
		return 0
	case s.Flags&elf.SHF_TLS != 0 && s.Type != elf.SHT_NOBITS:
		return 2
	case s.Flags&elf.SHF_TLS != 0:
		return 3
	case s.Type == elf.SHT_NOBITS:
		return 5
	}
	return 4
}

// outName joins what GNU ld's default script joins.
func outName(s *model.Section) string {
	for _, p := range []string{".text", ".rodata", ".data.rel.ro", ".data", ".bss", ".ARM.exidx", ".ARM.extab", ".tdata"} {
		if s.Name == p || strings.HasPrefix(s.Name, p+".") {
			return p
		}
	}
	switch {
	case strings.HasPrefix(s.Name, ".rela.plt"), s.Name == ".rela.iplt":
		return ".rela.plt"
	case strings.HasPrefix(s.Name, ".rel.plt"), s.Name == ".rel.iplt":
		return ".rel.plt"
	case s.Name == ".igot.plt":
		return ".got.plt"
	case s.Name == ".iplt":
		return ".plt"
	case s.Type == elf.SHT_RELA:
		return ".rela.dyn"
	case s.Type == elf.SHT_REL:
		return ".rel.dyn"
	}
	return s.Name
}

func (l *lab) match() {
	e := l.env
	e.Objects = append(e.Objects, l.set.Object)
	byName := map[string]*model.Output{}
	ranks := map[*model.Output]int{}
	for _, o := range e.Objects {
		for _, s := range o.Sections {
			if s == nil || !s.Live {
				continue
			}
			name := outName(s)
			out := byName[name]
			if out == nil {
				out = &model.Output{Name: name, Type: s.Type, Align: 1, Entsize: s.Entsize}
				byName[name] = out
				ranks[out] = rank(s)
				e.Outputs = append(e.Outputs, out)
			}
			out.Flags |= s.Flags
			out.Align = max(out.Align, s.Align)
			s.Out = out
			out.Items = append(out.Items, model.Item{Section: s})
		}
	}
	sort.SliceStable(e.Outputs, func(i, j int) bool { return ranks[e.Outputs[i]] < ranks[e.Outputs[j]] })
}

func (l *lab) assign() {
	e := l.env
	base := uint64(0x400000)
	if e.PIC() {
		base = 0
	}
	pos, r := base+0x1000, -1
	e.TLSSize, e.TLSAlign = 0, 1
	for _, out := range e.Outputs {
		if out.Items == nil {
			continue
		}
		if k := rank(&model.Section{Flags: out.Flags, Type: out.Type}); k != r {
			if r < 2 || k == 9 {
				pos = (pos + 0x1fff) &^ 0xfff
			}
			r = k
		}
		if out.Flags&elf.SHF_ALLOC == 0 {
			pos = 0
		}
		pos = (pos + out.Align - 1) &^ (out.Align - 1)
		out.Addr, out.Size = pos, 0
		for i := range out.Items {
			s := out.Items[i].Section
			if !s.Live {
				s.Out = nil
				out.Items[i].Size = 0
				continue
			}
			out.Size = (out.Size + s.Align - 1) &^ (s.Align - 1)
			s.Off = out.Size
			out.Items[i].Off, out.Items[i].Size = s.Off, s.Size
			out.Size += s.Size
		}
		out.LMA, out.FileOff = out.Addr, int64(out.Addr-base)
		pos += out.Size
		if out.Flags&elf.SHF_TLS != 0 {
			if e.TLSSize == 0 {
				e.TLSStart = out.Addr
			}
			e.TLSSize, e.TLSAlign = out.Addr+out.Size-e.TLSStart, max(e.TLSAlign, out.Align)
		}
	}
}

// link carries out the passes and returns the file.
func (l *lab) link() []byte {
	l.t.Helper()
	e := l.env
	l.set = synth.Create(e)
	l.match()
	l.set.Merge()
	l.set.EhFrame()
	for _, o := range e.Objects {
		for _, s := range o.Sections {
			if s != nil && s.Live {
				e.Target.Scan(e, s)
			}
		}
	}
	l.set.Size()
	outs := e.Outputs[:0]
	for _, out := range e.Outputs {
		live := false
		for i := range out.Items {
			live = live || out.Items[i].Section.Live
		}
		if live {
			outs = append(outs, out)
		}
	}
	e.Outputs = outs
	for l.assign(); l.set.Resize(); {
		l.assign()
	}
	if l.edges != nil {
		l.edges()
	}
	l.segments()
	l.set.Finish(l.segs)
	if sym := e.Table.Get("_start"); sym != nil {
		e.Entry = sym.Addr()
	}
	b, err := write.Bytes(e, l.segs)
	if err != nil {
		l.t.Fatal(err, e.Report.Errors())
	}
	return b
}

func (l *lab) segments() {
	e := l.env
	add := func(typ elf.ProgType, f elf.ProgFlag, out *model.Output, align uint64) {
		n := out.Size
		if out.Type == elf.SHT_NOBITS {
			n = 0
		}
		l.segs = append(l.segs, &model.Segment{Type: typ, Flags: f, Off: uint64(out.FileOff), Vaddr: out.Addr, Paddr: out.Addr, Filesz: n, Memsz: out.Size, Align: align, Sections: []*model.Output{out}})
	}
	flags := func(out *model.Output) (f elf.ProgFlag) {
		f = elf.PF_R
		if out.Flags&elf.SHF_WRITE != 0 {
			f |= elf.PF_W
		}
		if out.Flags&elf.SHF_EXECINSTR != 0 {
			f |= elf.PF_X
		}
		return f
	}
	for _, out := range e.Outputs { // runs of one kind make a segment
		if out.Flags&elf.SHF_ALLOC == 0 || out.Flags&elf.SHF_TLS != 0 && out.Type == elf.SHT_NOBITS {
			continue
		}
		f := flags(out)
		if n := len(l.segs); n != 0 && l.segs[n-1].Flags == f {
			s := l.segs[n-1]
			s.Memsz = out.Addr + out.Size - s.Vaddr
			if out.Type != elf.SHT_NOBITS {
				s.Filesz = s.Memsz
			}
			s.Sections = append(s.Sections, out)
			continue
		}
		add(elf.PT_LOAD, f, out, 0x1000)
	}
	for _, out := range e.Outputs {
		switch out.Name {
		case ".dynamic":
			add(elf.PT_DYNAMIC, flags(out), out, 8)
		case ".eh_frame_hdr":
			add(elf.PT_GNU_EH_FRAME, elf.PF_R, out, 4)
		case ".interp":
			add(elf.PT_INTERP, elf.PF_R, out, 1)
		case ".ARM.exidx":
			add(elf.ProgType(0x70000001), elf.PF_R, out, 4)
		}
	}
	if e.TLSSize != 0 {
		for _, out := range e.Outputs {
			if out.Flags&elf.SHF_TLS != 0 {
				add(elf.PT_TLS, elf.PF_R, out, e.TLSAlign)
				s := l.segs[len(l.segs)-1]
				s.Memsz = e.TLSSize
				break
			}
		}
	}
}
