package write

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"elfwright/link/model"
)

// MapInfo is what a map shows besides the model.
type MapInfo struct {
	Output  string
	Members []Member
	Regions []Region
	Files   []string // all that were opened, in order
	// Pattern says which pattern took a section and where it is written; nil, or an
	// empty answer, for none.
	Pattern func(*model.Section) string
	Segs    []*model.Segment
	Cref    bool // the cross reference table follows
}

// Member is an archive's member that takes part and why.
type Member struct {
	File   string // lib.a(m.o)
	By     string // the object that refers to Symbol, or an option
	Symbol string
}

// Region is a memory region of the script.
type Region struct {
	Name           string
	Attrs          string
	Origin, Length uint64
	Used           uint64
}

// mapper prints a map.
type mapper struct {
	w      *bufio.Writer
	env    *model.Env
	info   *MapInfo
	digits int // of an address
	syms   map[*model.Section][]*model.Symbol
	script map[*model.Output][]*model.Symbol
}

// Map writes the link's map: archive members and why they are there, commons,
// sections that are left out and why, memory, and the layout. The lines of
// sections and symbols have the columns of GNU ld's map, which programs read; the
// words behind them are ours.
func Map(w io.Writer, env *model.Env, info *MapInfo) error {
	m := &mapper{w: bufio.NewWriter(w), env: env, info: info, digits: env.Class / 4}
	m.collect()
	m.members()
	m.discarded()
	m.memory()
	m.layout()
	m.segments()
	m.files()
	if err := m.w.Flush(); err != nil || !info.Cref {
		return err
	}
	return Cref(w, env)
}

func (m *mapper) printf(format string, args ...any) { fmt.Fprintf(m.w, format, args...) }

// collect finds the symbols of each section.
func (m *mapper) collect() {
	m.syms, m.script = map[*model.Section][]*model.Symbol{}, map[*model.Output][]*model.Symbol{}
	for _, o := range m.env.Objects {
		for _, s := range o.Symbols[min(o.Locals, len(o.Symbols)):] {
			if s != nil && s.Obj == o && s.Sec != nil && s.State == model.Defined {
				m.syms[s.Sec] = append(m.syms[s.Sec], s)
			}
		}
	}
	for _, s := range m.env.Table.Some(func(s *model.Symbol) bool { return s.Script && s.State == model.Defined && s.Sec == nil }) {
		m.script[s.Out] = append(m.script[s.Out], s)
	}
	for _, list := range m.script {
		slices.SortStableFunc(list, byAddr)
	}
	for _, list := range m.syms {
		slices.SortStableFunc(list, byAddr)
	}
}

func byAddr(a, b *model.Symbol) int { return cmp.Compare(a.Addr(), b.Addr()) }

func (m *mapper) members() {
	if len(m.info.Members) == 0 {
		return
	}
	m.printf("Archive member included to satisfy reference by file (symbol)\n\n")
	for _, x := range m.info.Members {
		m.printf("%s%s (%s)\n", pad(x.File, 30), x.By, x.Symbol)
	}
	m.printf("\n")
}

// pad fills a name up to a column, or breaks the line where it is too long.
func pad(s string, n int) string {
	if len(s) < n-1 {
		return s + strings.Repeat(" ", n-len(s))
	}
	return s + "\n" + strings.Repeat(" ", n)
}

var whyDropped = map[model.Reason]string{
	model.Duplicate: "a group of the same name came first",
	model.Collected: "nothing refers to it",
	model.Discarded: "/DISCARD/",
	model.Stripped:  "stripped",
	model.Excluded:  "for the linker only",
}

func (m *mapper) discarded() {
	m.printf("Discarded input sections\n\n")
	for _, o := range m.env.Objects {
		for _, s := range o.Sections {
			if s == nil || o.Linker || s.Out != nil && s.Live {
				continue
			}
			m.section(s, 0, uint64(len(s.Data)))
			if why := whyDropped[s.Dropped]; why != "" {
				m.printf(" (%s)", why)
			}
			m.printf("\n")
		}
	}
	m.printf("\n")
}

// section prints the columns of an input section, without an end of line.
func (m *mapper) section(s *model.Section, addr, size uint64) {
	m.columns(" "+s.Name, addr, size)
	m.printf(" %s", s.Obj.File)
}

// columns prints a name, an address and a size.
func (m *mapper) columns(name string, addr, size uint64) {
	m.printf("%s0x%0*x %10s", pad(name, 16), m.digits, addr, fmt.Sprintf("%#x", size))
}

func (m *mapper) memory() {
	if len(m.info.Regions) == 0 {
		return
	}
	m.printf("Memory Configuration\n\n%-16s %-18s %-18s %s\n", "Name", "Origin", "Length", "Attributes")
	for _, r := range m.info.Regions {
		line := fmt.Sprintf("%-16s 0x%0*x 0x%0*x %s", r.Name, m.digits, r.Origin, m.digits, r.Length, r.Attrs)
		m.printf("%s\n", strings.TrimRight(line, " "))
	}
	m.printf("\n")
}

func (m *mapper) layout() {
	m.printf("Linker script and memory map\n\n")
	for _, s := range m.script[nil] {
		m.symbol(s)
	}
	for _, out := range m.env.Outputs {
		m.printf("\n")
		m.output(out)
		m.items(out)
	}
	m.printf("\n")
}

// output prints the line of an output section, with where its addresses come from.
func (m *mapper) output(out *model.Output) {
	m.columns(out.Name, out.Addr, out.Size)
	if out.LMA != out.Addr {
		m.printf(" load address 0x%0*x", m.digits, out.LMA)
	}
	m.printf("\n")
	for _, why := range []struct{ what, text string }{
		{"address", out.Why.Addr}, {"load address", out.Why.LMA}, {"segments", out.Why.Phdrs}, {"placed", out.Why.Orphan},
	} {
		if why.text != "" {
			m.printf(" # %s: %s\n", why.what, why.text)
		}
	}
}

// items prints what is in an output section, and the script's symbols where they
// are.
func (m *mapper) items(out *model.Output) {
	script, pattern := m.script[out], ""
	until := func(addr uint64) {
		for len(script) > 0 && script[0].Addr() <= addr {
			m.symbol(script[0])
			script = script[1:]
		}
	}
	end := uint64(0)
	for i := range out.Items {
		it := &out.Items[i]
		if it.Section != nil && (!it.Section.Live || it.Section.Obj.Linker && it.Size == 0) {
			continue
		}
		if it.Off > end && it.Section != nil {
			m.columns(" *fill*", out.Addr+end, it.Off-end)
			m.printf("\n")
		}
		until(out.Addr + it.Off)
		end = max(end, it.Off+it.Size)
		switch s := it.Section; {
		case s != nil:
			if p := m.pattern(s); p != pattern && p != "" {
				m.printf(" %s\n", p)
				pattern = p
			}
			m.section(s, out.Addr+it.Off, it.Size)
			m.printf("\n")
			for _, sym := range m.syms[s] {
				m.symbol(sym)
			}
		case it.Bytes != nil:
			m.columns("", out.Addr+it.Off, it.Size)
			m.printf(" data %x\n", it.Bytes[:min(len(it.Bytes), 16)])
		case it.Size != 0:
			m.columns(" *fill*", out.Addr+it.Off, it.Size)
			m.printf(" %x\n", it.Fill)
		}
	}
	until(^uint64(0))
}

func (m *mapper) pattern(s *model.Section) string {
	if m.info.Pattern == nil {
		return ""
	}
	return m.info.Pattern(s)
}

func (m *mapper) symbol(s *model.Symbol) {
	note := ""
	if s.Script && s.Provide {
		note = " (PROVIDE)"
	}
	m.printf("%16s0x%0*x%16s%s%s\n", "", m.digits, s.Addr(), "", m.env.Report.Name(s.Name), note)
}

func (m *mapper) segments() {
	if len(m.info.Segs) == 0 {
		return
	}
	m.printf("Program headers\n\n")
	for _, s := range m.info.Segs {
		var names []string
		for _, out := range s.Sections {
			names = append(names, out.Name)
		}
		m.printf("%-16s off %#x vaddr 0x%0*x paddr 0x%0*x filesz %#x memsz %#x %s\n", segName(s), s.Off, m.digits, s.Vaddr, m.digits, s.Paddr, s.Filesz, s.Memsz, strings.Join(names, " "))
	}
	m.printf("\n")
}

func segName(s *model.Segment) string {
	if s.Name != "" {
		return s.Name
	}
	return s.Type.String()
}

func (m *mapper) files() {
	for _, f := range m.info.Files {
		m.printf("LOAD %s\n", f)
	}
	m.printf("OUTPUT(%s)\n", m.info.Output)
}

// Cref writes the cross reference table: of each global symbol the object that
// defines it, then those that refer to it.
func Cref(w io.Writer, env *model.Env) error {
	type use struct {
		sym  *model.Symbol
		objs []*model.Object
	}
	var list []*use
	of := map[*model.Symbol]*use{}
	for _, o := range env.Objects {
		if o.Linker {
			continue
		}
		for _, s := range o.Symbols[min(o.Locals, len(o.Symbols)):] {
			if s == nil {
				continue
			}
			u := of[s]
			if u == nil {
				u = &use{sym: s}
				of[s] = u
				list = append(list, u)
			}
			if s.Obj == o && s.State == model.Defined {
				u.objs = append([]*model.Object{o}, u.objs...)
			} else {
				u.objs = append(u.objs, o)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *use) int { return strings.Compare(a.sym.Name, b.sym.Name) })
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "\nCross Reference Table\n\n%-50s%s\n", "Symbol", "File")
	for _, u := range list {
		name := env.Report.Name(u.sym.Name)
		for _, o := range u.objs {
			fmt.Fprintf(b, "%s%s\n", pad(name, 50), o.File)
			name = ""
		}
	}
	return b.Flush()
}

// MemoryUsage writes the table of --print-memory-usage as GNU ld does.
func MemoryUsage(w io.Writer, regions []Region) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "Memory region         Used Size  Region Size  %%age Used\n")
	for _, r := range regions {
		fmt.Fprintf(b, "%16s: %s%s", r.Name, units(r.Used), units(r.Length))
		if r.Length != 0 {
			fmt.Fprintf(b, "%10.2f%%", float64(r.Used)*100/float64(r.Length))
		}
		fmt.Fprintln(b)
	}
	return b.Flush()
}

// units writes a size in the largest unit of which it is a multiple.
func units(n uint64) string {
	switch {
	case n&(1<<30-1) == 0:
		return fmt.Sprintf("%10d GB", n>>30)
	case n&(1<<20-1) == 0:
		return fmt.Sprintf("%10d MB", n>>20)
	case n&(1<<10-1) == 0:
		return fmt.Sprintf("%10d KB", n>>10)
	}
	return fmt.Sprintf("%11d B", n)
}

// Dependencies writes a rule for make: what the output was made from, and an
// empty rule for each input, so that make does not mind when one is gone.
func Dependencies(w io.Writer, out string, files []string) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s:", makeName(out))
	seen := map[string]bool{}
	var once []string
	for _, f := range files {
		if !seen[f] {
			seen[f] = true
			once = append(once, f)
			fmt.Fprintf(b, " \\\n  %s", makeName(f))
		}
	}
	fmt.Fprintln(b)
	for _, f := range once {
		fmt.Fprintf(b, "\n%s:\n", makeName(f))
	}
	return b.Flush()
}

// makeName writes a file's name as make reads it.
func makeName(s string) string {
	return strings.NewReplacer(" ", `\ `, "#", `\#`, "$", "$$", "\t", "\\\t").Replace(s)
}
