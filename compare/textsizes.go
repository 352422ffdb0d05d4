package compare

import (
	"fmt"
	"strings"
)

func (t *textWriter) sizes(z *Sizes) {
	t.sizeTable("Size by section", z.Sections, &z.Total)
	t.segments(z)
	t.sizeTable("Size by symbol", z.Symbols, &z.Total)
}

const sizeHead = "      memory      delta |       file      delta | name\n"

func (t *textWriter) sizeTable(title string, list []SizeRow, total *SizeRow) {
	if len(list) == 0 {
		return
	}
	t.title("%s", title)
	t.printf(sizeHead)
	list, more := limit(&t.o, list)
	var mem, file int64
	for i := range list {
		r := &list[i]
		mem += r.Memory.Delta()
		file += r.File.Delta()
		name := t.o.name(r.Name)
		if r.Section != "" && r.Section != r.Name && !strings.HasPrefix(r.Name, "[") {
			name += " in " + printable(r.Section)
		}
		t.sizeRow(r.Memory, r.File, t.sign(r.Change)+" "+name)
	}
	if more > 0 {
		t.printf("  %10s %+10d | %10s %+10d |   and %d more\n", "", total.Memory.Delta()-mem, "", total.File.Delta()-file, more)
	}
	t.sizeRow(total.Memory, total.File, "  total")
}

func (t *textWriter) sizeRow(mem, file SizePair, name string) {
	t.printf("  %10d %+10d | %10d %+10d | %s\n", mem.New, mem.Delta(), file.New, file.Delta(), name)
}

func (t *textWriter) segments(z *Sizes) {
	if len(z.Segments) == 0 {
		return
	}
	t.title("Size by segment")
	t.printf(sizeHead)
	list, more := limit(&t.o, z.Segments)
	for i := range list {
		r := &list[i]
		sign := " "
		if r.Change != "" {
			sign = t.sign(r.Change)
		}
		at := "at " + r.Vaddr.String()
		if r.Paddr != r.Vaddr {
			at += ", loaded at " + r.Paddr.String()
		}
		t.sizeRow(r.Memory, r.File, fmt.Sprintf("%s LOAD %s %s", sign, r.Flags, at))
	}
	t.more(more)
	t.sizeRow(z.Memory, z.Flash, "  all segments")
	if z.Writable.Old > 0 || z.Writable.New > 0 {
		t.printf("  %10d %+10d | %10s %10s |   the writable ones\n", z.Writable.New, z.Writable.Delta(), "", "")
	}
}
