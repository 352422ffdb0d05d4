// Package lines finds the line of the source that a place in an object comes
// from, for messages. It reads the line tables of that one object, when somebody
// asks: a link without errors never does.
//
// In an object the tables are not yet relocated. They are relocated here, on a
// copy, to addresses that nobody else sees.
//
// Source: DWARF 5, section 6.2, and 7.4 of its forms.
package lines

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"sort"
	"strings"

	"elfwright/link/model"
	"elfwright/machine"
)

// Finder finds lines in objects, and keeps what it has read.
type Finder struct {
	machine *machine.Machine
	objects map[*model.Object]*tables
}

// New makes a finder for objects of a machine.
func New(m *machine.Machine) *Finder {
	return &Finder{machine: m, objects: map[*model.Object]*tables{}}
}

// Line returns "file.c:12" for a byte of a section, or "" if the object does not
// say.
func (f *Finder) Line(s *model.Section, off uint64) string {
	if s.Obj == nil || s.Synth != nil {
		return ""
	}
	t := f.objects[s.Obj]
	if t == nil {
		t = f.read(s.Obj)
		f.objects[s.Obj] = t
	}
	return t.line(s.Index, off)
}

// tables are an object's lines, by addresses that only this package gives: its
// loaded sections one after the other.
type tables struct {
	base map[int32]uint64 // of the section with this index
	rows []row
}

// row is a line that begins at an address.
type row struct {
	addr uint64
	file string
	line int
	end  bool
}

func (t *tables) line(section int32, off uint64) string {
	base, ok := t.base[section]
	if !ok {
		return ""
	}
	addr := base + off
	i := sort.Search(len(t.rows), func(i int) bool { return t.rows[i].addr > addr })
	if i == 0 || t.rows[i-1].addr < base || t.rows[i-1].end || t.rows[i-1].line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", t.rows[i-1].file, t.rows[i-1].line)
}

// place gives every loaded section its address. There is room between two, so
// that the end of one is not the start of another.
func (t *tables) place(o *model.Object) {
	next := uint64(16)
	for _, s := range o.Sections {
		if s != nil && s.Flags&elf.SHF_ALLOC != 0 {
			t.base[s.Index] = next
			next += (uint64(len(s.Data)) + 31) &^ 15
		}
	}
}

// read collects the line tables of an object. What is broken in them leaves lines
// out: they only say more about an error that has been found already.
func (f *Finder) read(o *model.Object) *tables {
	t := &tables{base: map[int32]uint64{}}
	t.place(o)
	d, err := f.data(o, t)
	if err != nil {
		return t
	}
	r := d.Reader()
	for {
		e, err := r.Next()
		if err != nil || e == nil {
			break
		}
		if e.Tag == dwarf.TagCompileUnit {
			t.unit(d, e)
		}
		r.SkipChildren()
	}
	sort.SliceStable(t.rows, func(i, j int) bool {
		a, b := &t.rows[i], &t.rows[j]
		return a.addr < b.addr || a.addr == b.addr && a.end && !b.end
	})
	return t
}

func (t *tables) unit(d *dwarf.Data, e *dwarf.Entry) {
	lr, err := d.LineReader(e)
	if err != nil || lr == nil {
		return
	}
	var le dwarf.LineEntry
	for lr.Next(&le) == nil {
		name := ""
		if le.File != nil {
			name = le.File.Name
		}
		t.rows = append(t.rows, row{le.Address, name, le.Line, le.EndSequence})
	}
}

// data is the object's DWARF, relocated.
func (f *Finder) data(o *model.Object, t *tables) (*dwarf.Data, error) {
	sections := map[string][]byte{}
	for _, s := range o.Sections {
		if s == nil {
			continue
		}
		if name, ok := strings.CutPrefix(s.Name, ".debug_"); ok && sections[name] == nil {
			sections[name] = f.relocated(o, s, t)
		}
	}
	d, err := dwarf.New(sections["abbrev"], nil, nil, sections["info"], sections["line"], nil, sections["ranges"], sections["str"])
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists", "loclists"} {
		if b := sections[name]; b != nil {
			if err := d.AddSection(".debug_"+name, b); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

// relocated is a copy of a section of debugging data with its relocations
// applied.
func (f *Finder) relocated(o *model.Object, s *model.Section, t *tables) []byte {
	b := append([]byte(nil), s.Data...)
	for i := range s.Relocs {
		r := &s.Relocs[i]
		m := f.machine.Relocs.Lookup(r.Type)
		sym := s.Symbol(r)
		if m == nil || sym == nil || r.Off >= uint64(len(b)) || !m.Static() {
			continue
		}
		v := machine.Values{S: sym.Value, A: r.Addend, P: r.Off}
		if sym.Sec != nil {
			v.S += t.base[sym.Sec.Index]
		}
		if m.Apply(b[r.Off:], o.Order, &v) != nil {
			continue // what does not fit here fits nowhere: a line is missing
		}
	}
	return b
}
