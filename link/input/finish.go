package input

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"elfwright/ldscript"
	"elfwright/link/model"
	"elfwright/machine"
)

// finish gives common symbols a place and reads what is only worth reading of
// sections that are alive.
func (l *loader) finish() {
	for _, o := range l.set.objs {
		l.set.Objects = append(l.set.Objects, o.Object)
	}
	l.excluded()
	l.attributes()
	l.mergeFlags()
	l.commons()
	l.set.required(l.opt, l.table, l.rep)
}

// excluded drops what no output has: SHF_EXCLUDE, and with -S or -s the sections
// of debugging data.
func (l *loader) excluded() {
	for _, o := range l.set.objs {
		for _, s := range o.Sections {
			switch {
			case s == nil || !s.Live:
			case s.Flags&shfExclude != 0 && !l.opt.Relocatable:
				s.Live, s.Dropped = false, model.Excluded
			case l.opt.Strip != model.StripNone && isDebug(s):
				s.Live, s.Dropped = false, model.Stripped
			}
		}
	}
}

// isDebug says whether a section is for debuggers alone, as BFD has it.
func isDebug(s *model.Section) bool {
	if s.Flags&elf.SHF_ALLOC != 0 {
		return false
	}
	for _, p := range []string{".debug", ".zdebug", ".gnu.debuglto_", ".gnu.linkonce.wi.", ".line", ".stab", ".gdb_index"} {
		if strings.HasPrefix(s.Name, p) {
			return true
		}
	}
	return false
}

// commons lays the common symbols of each object into a section of its own,
// which scripts call COMMON.
func (l *loader) commons() {
	if l.opt.NoDefineCommon || l.opt.Relocatable && !l.opt.DefineCommon {
		return
	}
	of := map[*model.Object][]*model.Symbol{}
	for _, s := range l.table.Some(func(s *model.Symbol) bool { return s.State == model.Common }) {
		of[s.Obj] = append(of[s.Obj], s)
	}
	for _, o := range l.set.Objects {
		list := of[o]
		if len(list) == 0 {
			continue
		}
		l.sortCommons(list)
		for _, s := range list {
			sec := l.commonSection(o, s)
			off := (sec.Size + s.Value - 1) &^ (s.Value - 1)
			sec.Align = max(sec.Align, s.Value)
			sec.Size = off + s.Size
			s.State, s.Sec, s.Value = model.Defined, sec, off
		}
	}
}

// sortCommons orders the common symbols of an object: by --sort-common, and else
// as the inputs met them.
func (l *loader) sortCommons(list []*model.Symbol) {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.Value != b.Value {
			switch l.opt.SortCommon {
			case "descending":
				return a.Value > b.Value
			case "ascending":
				return a.Value < b.Value
			}
		}
		return a.Order < b.Order
	})
}

// commonSection is the section for a common symbol: that of the large model, of
// thread-local ones, or the usual one.
func (l *loader) commonSection(o *model.Object, s *model.Symbol) *model.Section {
	name, flags := "COMMON", elf.SHF_ALLOC|elf.SHF_WRITE
	switch {
	case s.Large:
		name, flags = "LARGE_COMMON", flags|shfLarge
	case s.Type == elf.STT_TLS:
		name, flags = ".tcommon", flags|elf.SHF_TLS
	}
	for i := len(o.Sections) - 1; i >= 0; i-- {
		if sec := o.Sections[i]; sec != nil && sec.Common && sec.Name == name {
			return sec
		}
	}
	sec := &model.Section{
		Obj: o, Name: name, Index: int32(len(o.Sections)), Type: elf.SHT_NOBITS, Flags: flags, Align: 1, Live: true, Common: true,
	}
	o.Sections = append(o.Sections, sec)
	return sec
}

// shfLarge is SHF_X86_64_LARGE.
const shfLarge = elf.SectionFlag(0x10000000)

// required reports the symbols of --require-defined that nobody defines.
func (s *Set) required(opt *model.Options, table *model.Table, rep *model.Report) {
	for _, n := range opt.RequireDefined {
		if x := table.Get(n); x == nil || x.State == model.Undefined {
			rep.Error(fmt.Errorf("--require-defined: %s is not defined", n))
		}
	}
}

// ReadLive reads relocations and unpacks compressed sections, in parallel, of
// what is alive.
func (s *Set) ReadLive(m *machine.Machine, opt *model.Options, rep *model.Report) {
	errs := make([]error, len(s.objs))
	model.Each(opt.Workers(), len(s.objs), func(i int) {
		o := s.objs[i]
		errs[i] = guard(o.File, func() error {
			o.unpack()
			o.readRelocs(m)
			return errors.Join(o.faults...)
		})
	})
	for _, err := range errs {
		if err != nil {
			rep.Error(err)
		}
	}
}

// unpack expands compressed sections.
func (o *object) unpack() {
	for _, s := range o.packed {
		if !s.Live {
			continue
		}
		b, h, err := o.elf.Uncompress(int(s.Index), maxUnpacked)
		if err != nil {
			o.failed(err)
			continue
		}
		s.Data, s.Size, s.Flags = b, uint64(len(b)), s.Flags&^elf.SHF_COMPRESSED
		if h.Addralign > 1 {
			s.Align = h.Addralign
		}
		if strings.HasPrefix(s.Name, ".zdebug") {
			s.Name = "." + s.Name[2:]
		}
	}
}

// readRelocs decodes the relocations of all live sections.
func (o *object) readRelocs(m *machine.Machine) {
	for _, i := range o.rels {
		if s := o.section(o.heads[i].Info); s != nil && s.Live {
			s.Relocs = o.relocs(int(i), s, m)
		}
	}
}

func (o *object) relocs(i int, s *model.Section, m *machine.Machine) []model.Reloc {
	t, err := o.elf.RelocTable(i)
	if err != nil {
		o.failed(err)
		return nil
	}
	n := t.Len()
	list := make([]model.Reloc, n)
	order := m.CodeOrder(o.Order)
	if s.Flags&elf.SHF_EXECINSTR == 0 {
		order = o.Order
	}
	for k := range list {
		r := t.At(k)
		if r.Off > uint64(len(s.Data)) {
			o.fault(i, "", "relocation %d: r_offset 0x%x is outside of section %d (%s), which has 0x%x bytes", k, r.Off, s.Index, s.Name, len(s.Data))
			return nil
		}
		list[k] = model.Reloc{Off: r.Off, Addend: r.Addend, Sym: r.Sym, Type: r.Type}
		if t.HasAddend {
			continue
		}
		row := m.Relocs.Lookup(r.Type)
		if row == nil || row.Width() == 0 {
			continue // the target says what is wrong with it
		}
		a, err := row.Addend(s.Data[r.Off:], order)
		if err != nil {
			o.fault(i, "", "relocation %d at 0x%x of section %d (%s): %v", k, r.Off, s.Index, s.Name, err)
			return nil
		}
		list[k].Addend = a
	}
	return list
}

// justSymbols makes an object of a file's symbols: absolute values.
func (l *loader) justSymbols(it *item) (*object, error) {
	o, err := parseSymbols(it.path, it.data)
	if err != nil {
		return nil, err
	}
	l.intern(o)
	return o, errors.Join(o.faults...)
}

// binary makes an object of any file: its bytes as .data, and symbols that name
// its start, end and size, after its name as it was given.
func (l *loader) binary(it *item) *object {
	o := &object{Object: &model.Object{File: it.path, Path: it.path}}
	if f := l.files.first; f != nil {
		o.Class, o.Machine = f.class, f.machine
		o.Order = binary.ByteOrder(binary.LittleEndian)
		if f.order == elf.ELFDATA2MSB {
			o.Order = binary.BigEndian
		}
	}
	data := &model.Section{
		Obj: o.Object, Name: ".data", Index: 1, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE,
		Align: 1, Size: uint64(len(it.data)), Data: it.data, Live: true,
	}
	o.Sections = []*model.Section{nil, data}
	o.made = []made{
		{"_binary_" + mangle(it.in.Name) + "_start", data, 0},
		{"_binary_" + mangle(it.in.Name) + "_end", data, data.Size},
		{"_binary_" + mangle(it.in.Name) + "_size", nil, data.Size},
	}
	o.Locals = 1
	o.Symbols = []*model.Symbol{nil}
	return o
}

// made is a symbol of an object that has no symbol table.
type made struct {
	name  string
	sec   *model.Section
	value uint64
}

// defineMade defines the symbols of a binary input.
func (l *loader) defineMade(o *object) {
	for _, m := range o.made {
		s := l.meet(m.name)
		o.Symbols = append(o.Symbols, s)
		if s.State == model.Defined && !s.Weak() {
			if !l.opt.AllowMultiple && !s.Script {
				l.rep.Error(&DuplicateError{s, o.Object, m.sec, m.value})
			}
			continue
		}
		s.State, s.Obj, s.Sec, s.Value, s.Bind, s.Type = model.Defined, o.Object, m.sec, m.value, elf.STB_GLOBAL, elf.STT_NOTYPE
	}
}

// mangle makes a part of a symbol's name of a file's name.
func mangle(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

// Exports decides which symbols other objects see, and which of them may be bound
// elsewhere: in a shared object all that are not hidden and that no version script
// makes local; in an executable what -E and the lists of exported symbols say.
func (s *Set) Exports(opt *model.Options, table *model.Table, versions *ldscript.VersionSet, nodes *ldscript.Version, dynamic []ldscript.VersionPattern) {
	if !opt.Shared && !opt.PIE && !opt.ExportDynamic && len(opt.ExportSymbols) == 0 {
		return
	}
	for _, x := range table.Some(func(x *model.Symbol) bool { return x.Order != 0 }) {
		export(opt, x, versions, nodes, dynamic)
	}
}

func export(opt *model.Options, x *model.Symbol, versions *ldscript.VersionSet, nodes *ldscript.Version, dynamic []ldscript.VersionPattern) {
	if x.Vis == elf.STV_HIDDEN || x.Vis == elf.STV_INTERNAL || excludedLib(opt, x) {
		if x.Vis == elf.STV_DEFAULT {
			x.Vis = elf.STV_HIDDEN
		}
		return
	}
	if x.State == model.Undefined {
		x.Preempt = opt.Shared
		return
	}
	if versions != nil {
		if m, ok := versions.Match(x.Name); ok {
			if m.Local {
				x.Hidden = true
				return
			}
			if x.Version == "" && nodes != nil && m.Node < len(nodes.Nodes) {
				x.Version, x.Default = nodes.Nodes[m.Node].Name, true
			}
		}
	}
	listed := len(dynamic) > 0 && matches(dynamic, x.Name)
	x.Exported = opt.Shared || opt.ExportDynamic || listed
	if !x.Exported {
		return
	}
	x.Preempt = opt.Shared && x.Vis == elf.STV_DEFAULT && !x.Absolute() &&
		!opt.Symbolic && !(opt.SymbolicFunctions && x.Type == elf.STT_FUNC)
	if opt.Shared && len(opt.DynamicLists) > 0 {
		x.Preempt = x.Vis == elf.STV_DEFAULT && listed
	}
}

func matches(list []ldscript.VersionPattern, name string) bool {
	_, ok := ldscript.MatchList(list, name, nil)
	return ok
}

// excludedLib says whether --exclude-libs names the archive that a symbol is
// from.
func excludedLib(opt *model.Options, x *model.Symbol) bool {
	if x.Obj == nil || x.Obj.Archive == "" {
		return false
	}
	for _, n := range opt.ExcludeLibs {
		if n == "ALL" || n == filepath.Base(x.Obj.Archive) {
			return true
		}
	}
	return false
}
