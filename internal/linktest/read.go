package linktest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"elfwright/link/model"
	"elfwright/machine"
)

// member is a file that the linker read: an object, or one of an archive.
type member struct {
	name string // as the map has it: "a.o", "lib.a(x.o)"
	data []byte
}

// members reads an object or all members of an archive.
func members(file string) []member {
	data, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	const magic = "!<arch>\n"
	if !bytes.HasPrefix(data, []byte(magic)) {
		return []member{{file, data}}
	}
	var all []member
	var long string
	for rest := data[len(magic):]; len(rest) >= 60; {
		name := strings.TrimRight(string(rest[:16]), " ")
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		if err != nil {
			panic(err)
		}
		body := rest[60 : 60+size]
		rest = rest[min(len(rest), 60+size+size&1):]
		switch {
		case name == "/" || name == "/SYM64/":
			continue
		case name == "//":
			long = string(body)
			continue
		case name[0] == '/':
			n, _ := strconv.Atoi(name[1:])
			name, _, _ = strings.Cut(long[n:], "/\n")
		default:
			name = strings.TrimSuffix(name, "/")
		}
		all = append(all, member{fmt.Sprintf("%s(%s)", file, name), bytes.Clone(body)})
	}
	return all
}

// object makes a model of an object file. Global symbols come from the table.
func object(m member, mach *machine.Machine, table *model.Table) *model.Object {
	f, err := elf.NewFile(bytes.NewReader(m.data))
	if err != nil {
		panic(fmt.Errorf("%s: %w", m.name, err))
	}
	o := &model.Object{File: m.name, Class: f.Class, Order: f.ByteOrder, Machine: f.Machine}
	o.Flags = f.ByteOrder.Uint32(m.data[0x30:])
	if f.Class == elf.ELFCLASS32 {
		o.Flags = f.ByteOrder.Uint32(m.data[0x24:])
	}
	o.Sections = make([]*model.Section, len(f.Sections))
	for i, s := range f.Sections {
		switch s.Type {
		case elf.SHT_NULL, elf.SHT_SYMTAB, elf.SHT_STRTAB, elf.SHT_RELA, elf.SHT_REL, elf.SHT_GROUP:
			continue
		}
		sec := &model.Section{Obj: o, Name: s.Name, Index: int32(i), Type: s.Type, Flags: s.Flags,
			Align: max(s.Addralign, 1), Entsize: s.Entsize, Size: s.Size}
		if s.Type != elf.SHT_NOBITS {
			if sec.Data, err = s.Data(); err != nil {
				panic(err)
			}
		}
		o.Sections[i] = sec
	}
	symbols(f, o, table)
	for _, s := range f.Sections {
		if (s.Type == elf.SHT_RELA || s.Type == elf.SHT_REL) && o.Sections[s.Info] != nil {
			relocs(s, o.Sections[s.Info], mach)
		}
	}
	return o
}

func symbols(f *elf.File, o *model.Object, table *model.Table) {
	syms, err := f.Symbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		panic(err)
	}
	o.Symbols = make([]*model.Symbol, 1, len(syms)+1)
	for _, s := range syms {
		bind, local := elf.ST_BIND(s.Info), elf.ST_BIND(s.Info) == elf.STB_LOCAL
		var sym *model.Symbol
		if local {
			sym = &model.Symbol{Name: s.Name, Local: true}
			o.Locals = len(o.Symbols) + 1
		} else {
			sym = table.Intern(s.Name)
		}
		o.Symbols = append(o.Symbols, sym)
		if v := elf.ST_VISIBILITY(s.Other); v != elf.STV_DEFAULT {
			sym.Vis = v
		}
		defined := s.Section != elf.SHN_UNDEF && s.Section != elf.SHN_COMMON
		if sym.Obj != nil && !defined {
			continue
		}
		if sym.State == model.Defined && (bind == elf.STB_WEAK || sym.Sec != nil && inGroup(sym.Sec)) {
			continue
		}
		sym.Bind, sym.Obj, sym.Other = bind, o, s.Other&^3
		if !defined {
			continue
		}
		sym.State, sym.Type, sym.Value, sym.Size = model.Defined, elf.ST_TYPE(s.Info), s.Value, s.Size
		if s.Section < elf.SHN_LORESERVE {
			sym.Sec = o.Sections[s.Section]
		}
	}
}

func inGroup(s *model.Section) bool { return s.Flags&elf.SHF_GROUP != 0 }

func relocs(s *elf.Section, to *model.Section, mach *machine.Machine) {
	d, err := s.Data()
	if err != nil {
		panic(err)
	}
	order := to.Obj.Order
	for ; len(d) >= int(s.Entsize); d = d[s.Entsize:] {
		r := reloc(d, order, mach.WordSize(), s.Type == elf.SHT_RELA)
		if s.Type == elf.SHT_REL {
			if row := mach.Relocs.Lookup(r.Type); row != nil {
				if r.Addend, err = row.Addend(to.Data[r.Off:], mach.CodeOrder(order)); err != nil {
					panic(err)
				}
			}
		}
		to.Relocs = append(to.Relocs, r)
	}
}

func reloc(d []byte, order binary.ByteOrder, word int, rela bool) model.Reloc {
	var r model.Reloc
	info := get(order, d[word:], word)
	r.Off, r.Sym, r.Type = get(order, d, word), uint32(info>>32), uint32(info)
	if word == 4 {
		r.Sym, r.Type = uint32(info>>8), uint32(info&0xff)
	}
	if rela {
		r.Addend = int64(get(order, d[2*word:], word))
		if word == 4 {
			r.Addend = int64(int32(r.Addend))
		}
	}
	return r
}

func get(o binary.ByteOrder, b []byte, word int) uint64 {
	if word == 4 {
		return uint64(o.Uint32(b))
	}
	return o.Uint64(b)
}
