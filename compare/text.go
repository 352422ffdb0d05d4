package compare

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Output says how a report is written.
type Output struct {
	// Limit is how many lines of each table are written; 0: all.
	Limit int
	// Demangle gives the source's spelling of a symbol's name; nil: as it is.
	Demangle func(string) string
	// Colour writes the escape sequences of a terminal.
	Colour bool
}

// name is a symbol's name as it is printed: nothing in it moves the cursor.
func (o *Output) name(s string) string {
	if o.Demangle != nil {
		s = o.Demangle(s)
	}
	return printable(s)
}

// printable escapes what cannot be printed.
func printable(s string) string {
	ok := true
	for _, r := range s {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			ok = false
			break
		}
	}
	if ok {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// textWriter keeps the first error.
type textWriter struct {
	w   io.Writer
	o   Output
	err error
}

func (t *textWriter) printf(format string, a ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format, a...)
	}
}

// Escape sequences (ECMA-48, select graphic rendition).
const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

func (t *textWriter) colour(code, s string) string {
	if !t.o.Colour {
		return s
	}
	return code + s + plain
}

func (t *textWriter) title(format string, a ...any) {
	t.printf("\n%s\n", t.colour(bold, fmt.Sprintf(format, a...)))
}

// sign is the mark in front of a line.
func (t *textWriter) sign(c Change) string {
	switch c {
	case Added:
		return t.colour(green, "+")
	case Removed:
		return t.colour(red, "-")
	case Moved:
		return t.colour(yellow, ">")
	}
	return t.colour(yellow, "~")
}

// WriteText writes the report for people: first what changed, then where the
// size went. Of files that are the same it writes nothing.
func (r *Report) WriteText(w io.Writer, o Output) error {
	if r.Same {
		return nil
	}
	t := &textWriter{w: w, o: o}
	t.printf("%s\n", t.colour(red, fmt.Sprintf("--- %s  %s, %d bytes", printable(r.Old.Name), r.Old.Kind, r.Old.Size)))
	t.printf("%s\n", t.colour(green, fmt.Sprintf("+++ %s  %s, %d bytes", printable(r.New.Name), r.New.Kind, r.New.Size)))
	if len(r.Header) > 0 {
		t.title("ELF header")
		for i := range r.Header {
			t.printf("  ~ %s\n", t.field(&r.Header[i]))
		}
	}
	t.entries("Program headers", r.Segments, true)
	t.entries("Sections", r.Sections, true)
	t.entries("Dynamic section", r.Dynamic, false)
	t.entries("Notes", r.Notes, false)
	t.entries("Symbol versions", r.Versions, false)
	t.relocs(r.Relocs)
	t.entries("Symbol tables", r.Symbols.Tables, false)
	t.entries("Dynamic symbols", r.Exports, false)
	t.symbols(&r.Symbols)
	t.entries("Source files", r.Symbols.Sources, false)
	t.content(r.Content)
	t.sizes(&r.Sizes)
	return t.err
}

// limit cuts a list and says how many were left out.
func limit[T any](o *Output, list []T) (shown []T, more int) {
	if o.Limit > 0 && len(list) > o.Limit {
		return list[:o.Limit], len(list) - o.Limit
	}
	return list, 0
}

func (t *textWriter) more(n int) {
	if n > 0 {
		t.printf("    ... and %d more\n", n)
	}
}

func (t *textWriter) field(f *Field) string {
	switch {
	case f.Old == nil:
		return f.Name + " " + printable(f.New.String())
	case f.New == nil:
		return f.Name + " " + printable(f.Old.String())
	}
	return f.Name + " " + quoteEmpty(f.Old) + " -> " + quoteEmpty(f.New)
}

func quoteEmpty(v *Value) string {
	if s := printable(v.String()); s != "" {
		return s
	}
	return "none"
}

// entries writes a list of headers or entries; index says whether their place
// in the table is worth a mention.
func (t *textWriter) entries(title string, list []Entry, index bool) {
	if len(list) == 0 {
		return
	}
	t.title("%s", title)
	list, more := limit(&t.o, list)
	for i := range list {
		e := &list[i]
		t.printf("  %s ", t.sign(e.Change))
		if index {
			t.printf("%-7s", e.where())
		}
		t.printf("%s", t.o.name(e.Name))
		words := e.words(t)
		if len(words) > 0 {
			t.printf(": %s", strings.Join(words, ", "))
		}
		t.printf("\n")
	}
	t.more(more)
}

// words say what happened to an entry.
func (e *Entry) words(t *textWriter) []string {
	words := make([]string, 0, len(e.Fields)+1)
	for k := range e.Fields {
		words = append(words, t.field(&e.Fields[k]))
	}
	switch {
	case e.Change == Moved && len(words) > 0:
		words = []string{printable(e.Fields[0].New.String()) + " moved in the order"}
	case e.Change == Moved:
		words = []string{"moved in the order"}
	}
	if e.Bytes != nil {
		words = append(words, e.Bytes.String())
	}
	return words
}

// where is an entry's index: "3", or "3>4".
func (e *Entry) where() string {
	switch {
	case e.Old == nil && e.New == nil:
		return ""
	case e.Old == nil:
		return strconv.Itoa(*e.New)
	case e.New == nil:
		return strconv.Itoa(*e.Old)
	case *e.Old != *e.New:
		return strconv.Itoa(*e.Old) + ">" + strconv.Itoa(*e.New)
	}
	return strconv.Itoa(*e.New)
}

// String says how bytes differ.
func (b *Bytes) String() string {
	var s string
	switch {
	case b.Differing > 0:
		s = plural(uint64(b.Differing), "byte differs", "bytes differ") + ", the first at +" + b.First.String()
	case b.OldSize != b.NewSize:
		s = fmt.Sprintf("%d bytes became %d", b.OldSize, b.NewSize)
		if uint64(b.First) < uint64(min(b.OldSize, b.NewSize)) {
			s += ", different from +" + b.First.String() + " on"
		}
	}
	if b.References > 0 {
		s += ", " + plural(uint64(b.References), "reference", "references") + " to what moved"
	}
	return s
}

func plural(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatUint(n, 10) + " " + many
}

func (t *textWriter) relocs(list []Count) {
	if len(list) == 0 {
		return
	}
	t.title("Relocations")
	list, more := limit(&t.o, list)
	for _, c := range list {
		sign := Changed
		switch {
		case c.Old == 0:
			sign = Added
		case c.New == 0:
			sign = Removed
		}
		t.printf("  %s %s: %d -> %d (%+d)\n", t.sign(sign), printable(c.Name), c.Old, c.New, int64(c.New-c.Old))
	}
	t.more(more)
}

// summary counts what happened to symbols: "3 added, 1 resized".
func (s *Symbols) summary() string {
	var words []string
	for _, x := range []struct {
		change Change
		word   string
	}{
		{Added, "added"}, {Removed, "removed"}, {Resized, "with another size"}, {Changed, "with other bytes"}, {Relocated, "with other relocations"},
		{Attributes, "with other attributes"}, {Renamed, "renamed"}, {References, "that only refer to what moved"}, {Moved, "that only moved"},
	} {
		if n := s.Counts[x.change]; n > 0 {
			words = append(words, strconv.Itoa(n)+" "+x.word)
		}
	}
	return strings.Join(words, ", ")
}

func (t *textWriter) symbols(s *Symbols) {
	if len(s.Counts) == 0 {
		return
	}
	t.title("Symbols (%s): %s", s.Table, s.summary())
	list, more := limit(&t.o, s.Changes)
	for i := range list {
		x := &list[i]
		t.printf("  %s ", t.sign(x.Change))
		if x.OldName != "" {
			t.printf("%s -> ", t.o.name(x.OldName))
		}
		t.printf("%s", t.o.name(x.Name))
		if words := x.words(t); len(words) > 0 {
			t.printf(": %s", strings.Join(words, ", "))
		}
		t.printf("\n")
	}
	t.more(more)
}

// words say what happened to a symbol.
func (s *Symbol) words(t *textWriter) []string {
	words := []string{printable(s.Section)}
	if s.Source != "" {
		words[0] += " of " + printable(s.Source)
	}
	switch {
	case s.Change == Added || s.Change == Removed:
		if n := s.OldSize + s.NewSize; n > 0 {
			words = append(words, plural(uint64(n), "byte", "bytes"))
		}
	case s.OldSize != s.NewSize:
		words = append(words, fmt.Sprintf("%d -> %d bytes (%+d)", s.OldSize, s.NewSize, s.Delta()))
	case s.Bytes != nil:
		words = append(words, s.Bytes.String())
	}
	if s.Change == Relocated {
		words = append(words, "other relocations")
	}
	for i := range s.Fields {
		words = append(words, t.field(&s.Fields[i]))
	}
	return words
}

// maxTextRanges is how many ranges of a unit text has.
const maxTextRanges = 4

func (t *textWriter) content(list []Unit) {
	if len(list) == 0 {
		return
	}
	t.title("Bytes that differ")
	list, more := limit(&t.o, list)
	for i := range list {
		u := &list[i]
		t.printf("  %s %s\n", t.sign(u.change()), u.title(&t.o))
		ranges := u.Bytes.Ranges
		for k := range ranges[:min(len(ranges), maxTextRanges)] {
			g := &ranges[k]
			t.printf("      %s  %s -> %s\n", u.place(g), t.colour(red, g.Old), t.colour(green, g.New))
		}
		if n := uint64(u.Bytes.NoRanges) + uint64(len(ranges)); n > maxTextRanges {
			t.printf("      ... and %d more places\n", n-maxTextRanges)
		}
	}
	t.more(more)
}

func (u *Unit) change() Change {
	switch {
	case u.Bytes.OldSize == 0:
		return Added
	case u.Bytes.NewSize == 0:
		return Removed
	}
	return Changed
}

// title says whose bytes they are and how they differ.
func (u *Unit) title(o *Output) string {
	s := printable(u.Area)
	switch {
	case u.Symbol != "" && u.After:
		s += ", after " + o.name(u.Symbol)
	case u.Symbol != "":
		s = o.name(u.Symbol) + " in " + s
	case u.After:
		s += ", before its first symbol"
	}
	switch u.change() {
	case Added, Removed:
		return s + ": " + plural(uint64(u.Bytes.OldSize+u.Bytes.NewSize), "byte", "bytes")
	}
	return s + ": " + u.Bytes.String()
}

// place says where a range is: offset, address or file offset.
func (u *Unit) place(g *Range) string {
	s := "+" + (u.Base + g.Off).String()
	switch {
	case u.NewAddr != nil:
		s += " at " + (*u.NewAddr + g.Off).String()
	case u.NewOff != nil:
		s += " at file offset " + (*u.NewOff + g.Off).String()
	}
	return s
}
