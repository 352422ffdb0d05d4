package ldscript

import (
	"fmt"
	"strings"
)

// lineWidth is where lists of patterns are broken.
const lineWidth = 100

// line1 returns a statement that needs no braces.
func (p *printer) line1(s Stmt, m mode) string {
	quote := func(name string) string { return quoteIn(m, name) }
	switch s := s.(type) {
	case *Assign:
		return p.assign(s, m) + ";"
	case *Assert:
		if m == modeWild {
			return p.assert(s) + ";"
		}
		return p.assert(s)
	case *Include:
		return "INCLUDE " + quote(s.File)
	case *Entry:
		return "ENTRY(" + quote(s.Symbol) + ")"
	case *InputSpec:
		return p.inputSpec(s)
	case *Data:
		return s.Kind + "(" + p.expr(s.X) + ")"
	case *Text:
		return `ASCIZ "` + s.Value + `"`
	case *FillStmt:
		return "FILL(" + p.expr(s.Fill.X) + ")"
	case *Constructors:
		if s.Sorted {
			return "SORT(CONSTRUCTORS)"
		}
		return "CONSTRUCTORS"
	case *LinkerVersion:
		return "LINKER_VERSION"
	}
	return commandLine(s)
}

// commandLine returns a command that stands in a file only.
func commandLine(s Stmt) string {
	switch s := s.(type) {
	case *Extern:
		return "EXTERN(" + quoteAll(modeExpr, s.Symbols) + ")"
	case *Output:
		return "OUTPUT(" + quoteIn(modeScript, s.File) + ")"
	case *OutputFormat:
		if s.Big == "" && s.Little == "" {
			return `OUTPUT_FORMAT("` + s.Default + `")`
		}
		return fmt.Sprintf(`OUTPUT_FORMAT("%s", "%s", "%s")`, s.Default, s.Big, s.Little)
	case *OutputArch:
		return "OUTPUT_ARCH(" + quoteIn(modeScript, s.Arch) + ")"
	case *Target:
		return "TARGET(" + quoteIn(modeScript, s.Format) + ")"
	case *SearchDir:
		return `SEARCH_DIR("` + s.Dir + `")`
	case *Startup:
		return "STARTUP(" + quoteIn(modeScript, s.File) + ")"
	case *Input:
		return inputLine(s)
	case *RegionAlias:
		return fmt.Sprintf(`REGION_ALIAS("%s", "%s")`, s.Alias, s.Region)
	case *NoCrossRefs:
		word := "NOCROSSREFS("
		if s.To {
			word = "NOCROSSREFS_TO("
		}
		return word + quoteAll(modeScript, s.Sections) + ")"
	case *Insert:
		word := "INSERT AFTER "
		if s.Before {
			word = "INSERT BEFORE "
		}
		return word + quoteIn(modeScript, s.Anchor) + ";"
	case *Flag:
		return flagLine(s)
	}
	panic(fmt.Sprintf("no way to print a %T", s))
}

func flagLine(s *Flag) string {
	switch s.Word {
	case "MAP", "LD_FEATURE":
		return s.Word + `("` + s.Arg + `")`
	case "HLL", "SYSLIB":
		return s.Word + "(" + s.Arg + ")"
	}
	return s.Word
}

func quoteAll(m mode, list []string) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = quoteIn(m, n)
	}
	return strings.Join(out, " ")
}

func inputLine(s *Input) string {
	var b strings.Builder
	b.WriteString("INPUT(")
	if s.Group {
		b.Reset()
		b.WriteString("GROUP(")
	}
	for i, f := range s.Files {
		began := f.AsNeeded && (i == 0 || !s.Files[i-1].AsNeeded)
		if i > 0 {
			b.WriteByte(' ')
		}
		if began {
			b.WriteString("AS_NEEDED(")
		}
		b.WriteString(quoteIn(modeFiles, f.Name))
		if f.AsNeeded && (i+1 == len(s.Files) || !s.Files[i+1].AsNeeded) {
			b.WriteByte(')')
		}
	}
	b.WriteByte(')')
	return b.String()
}

func (p *printer) assign(s *Assign, m mode) string {
	text := quoteIn(m, s.Name) + " " + string(s.Op) + " " + p.expr(s.X)
	switch {
	case s.Provide && s.Hidden:
		return "PROVIDE_HIDDEN(" + text + ")"
	case s.Provide:
		return "PROVIDE(" + text + ")"
	case s.Hidden:
		return "HIDDEN(" + text + ")"
	}
	return text
}

func (p *printer) assert(s *Assert) string {
	return "ASSERT(" + p.expr(s.X) + `, "` + s.Message + `")`
}

// inputSpec returns an input section description; a long one has line breaks.
func (p *printer) inputSpec(s *InputSpec) string {
	var w wrapper
	w.indent = p.indent
	if s.Keep {
		w.add("KEEP(")
	}
	if len(s.Flags) > 0 {
		w.add("INPUT_SECTION_FLAGS(")
		for i, f := range s.Flags {
			if i > 0 {
				w.add(" & ")
			}
			if f.Not {
				f.Name = "!" + f.Name
			}
			w.add(quoteIn(modeWild, f.Name))
		}
		w.add(") ")
	}
	w.add(fileSpec(s))
	for i, pattern := range s.Patterns {
		if i == 0 {
			w.add("(")
		} else {
			w.space()
		}
		w.add(patternText(pattern))
	}
	if len(s.Patterns) > 0 {
		w.add(")")
	}
	if s.Keep {
		w.add(")")
	}
	return w.b.String()
}

// wrapper breaks a line where it becomes too long.
type wrapper struct {
	b      strings.Builder
	indent int
	col    int
	broke  bool // a space is due
}

func (w *wrapper) space() { w.broke = true }

func (w *wrapper) add(s string) {
	if w.broke {
		if w.col+1+len(s) > lineWidth-8*w.indent {
			w.b.WriteString("\n" + strings.Repeat("\t", w.indent+1))
			w.col = 8
		} else {
			w.b.WriteByte(' ')
			w.col++
		}
		w.broke = false
	}
	w.b.WriteString(s)
	w.col += len(s)
}

// fileSpec returns the file part. Where it is sorted, EXCLUDE_FILE stands within.
func fileSpec(s *InputSpec) string {
	text := excludeText(s.ExcludeFiles) + fileText(s.File)
	order := s.File.Sort
	if s.File.Reverse {
		text = "REVERSE(" + text + ")"
	}
	if order != Unsorted {
		text = order.String() + "(" + text + ")"
	}
	return text
}

func fileText(f FilePattern) string {
	name := f.Member
	if f.Archive != "" || f.Colon {
		name = f.Archive + ":" + f.Member
	}
	return quoteIn(modeWild, name)
}

func excludeText(list []FilePattern) string {
	if len(list) == 0 {
		return ""
	}
	names := make([]string, len(list))
	for i, f := range list {
		names[i] = fileText(f)
	}
	return "EXCLUDE_FILE(" + strings.Join(names, " ") + ") "
}

func patternText(s SectionPattern) string {
	text := excludeText(s.Exclude) + quoteIn(modeWild, s.Name)
	if s.Reverse {
		text = "REVERSE(" + text + ")"
	}
	for i := len(s.Sorts) - 1; i >= 0; i-- {
		text = s.Sorts[i].String() + "(" + text + ")"
	}
	return text
}

// String is the word for the order.
func (s Sort) String() string {
	return [...]string{"unsorted", "SORT_BY_NAME", "SORT_BY_ALIGNMENT", "SORT_BY_INIT_PRIORITY", "SORT_NONE"}[s]
}
