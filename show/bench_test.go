package show

import (
	"debug/elf"
	"io"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
)

// benchFile is a shared library's tables: rows that repeat are as good as others
// to measure what a row costs.
func benchFile(b *testing.B) *printer {
	f, err := elffile.Parse("bench", elftest.Shared(elftest.Kinds()[0]).Bytes())
	if err != nil {
		b.Fatal(err)
	}
	return newPrinter(io.Discard, f, new(Options))
}

func benchRows(b *testing.B, json bool, row func(p *printer) (func(i int), row)) {
	p := benchFile(b)
	if json {
		p.opt.JSON = true
		p = newPrinter(io.Discard, p.f, p.opt)
	}
	read, r := row(p)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		read(i)
		p.row(r)
		i++
	}
}

func symbolRows(p *printer) (func(int), row) {
	t := p.dynamicSymbols()
	r := newSymbolRow(t)
	return func(i int) { r.read(i % t.Len()) }, r
}

func relocRows(p *printer) (func(int), row) {
	tables := p.relocTables()
	t := &relocTable{RelocTable: tables[0], p: p, types: p.relocTypes()}
	t.symbols = p.relocSymbols(tables[0])
	r := newRelocRow(t)
	return func(i int) { r.read(t.At(i % t.Len())) }, r
}

func sectionRows(p *printer) (func(int), row) {
	r := &sectionRow{m: elf.EM_X86_64, wide: 16, nameWidth: 20, typ: "PROGBITS", flags: "AX"}
	s := p.f.Sections()
	return func(i int) { r.Section, r.index, r.name = &s[i%len(s)], i, p.sectionName(i%len(s)) }, r
}

func BenchmarkSymbolText(b *testing.B)  { benchRows(b, false, symbolRows) }
func BenchmarkSymbolJSON(b *testing.B)  { benchRows(b, true, symbolRows) }
func BenchmarkRelocText(b *testing.B)   { benchRows(b, false, relocRows) }
func BenchmarkRelocJSON(b *testing.B)   { benchRows(b, true, relocRows) }
func BenchmarkSectionText(b *testing.B) { benchRows(b, false, sectionRows) }

// No row allocates.
func TestRowsDoNotAllocate(t *testing.T) {
	f, err := elffile.Parse("x", elftest.Shared(elftest.Kinds()[0]).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, rows := range map[string]func(*printer) (func(int), row){"symbols": symbolRows, "relocations": relocRows, "sections": sectionRows} {
		for _, json := range []bool{false, true} {
			p := newPrinter(io.Discard, f, &Options{JSON: json})
			if json && name == "sections" {
				continue // their flags are named, and they are few
			}
			read, r := rows(p)
			i := 0
			if n := testing.AllocsPerRun(1000, func() { read(i); p.row(r); i++ }); n != 0 {
				t.Errorf("%s, JSON %v: %v allocations a row", name, json, n)
			}
		}
	}
}
