package show

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The parts of a document that readelf prints too, and what it would say of them.

type jsonDocument struct {
	File           string
	Archive        string
	Header         jsonHead
	Sections       []jsonSection
	Groups         []jsonGroup
	Segments       []jsonSegment
	Dynamic        []jsonDyn
	Relocations    []jsonRelocTable
	Symbols        []jsonSymbolTable
	DynamicSymbols []jsonSymbolTable `json:"dynamic_symbols"`
	Versions       []jsonVersion
	Notes          []jsonNoteTable
	Histogram      []jsonHistTable
	NM             []jsonNMRow
	HexDumps       []jsonDump `json:"hex_dumps"`
	StringDumps    []jsonDump `json:"string_dumps"`
}

type jsonHead struct {
	Ident         string
	ClassName     string `json:"class_name"`
	DataName      string `json:"data_name"`
	IdentVersion  int    `json:"ident_version"`
	OSABIName     string `json:"osabi_name"`
	ABIVersion    int    `json:"abi_version"`
	TypeName      string `json:"type_name"`
	TypeKind      string `json:"type_kind"`
	MachineName   string `json:"machine_name"`
	Machine       int
	Version       int      `json:"version"`
	Entry         string   `json:"entry"`
	Phoff         string   `json:"phoff"`
	Shoff         string   `json:"shoff"`
	Flags         string   `json:"flags"`
	FlagNames     []string `json:"flag_names"`
	Ehsize        int
	Phentsize     int
	Phnum         int
	PhnumMeant    int `json:"phnum_meant"`
	Shentsize     int
	Shnum         int
	ShnumMeant    int `json:"shnum_meant"`
	Shstrndx      int
	ShstrndxMeant int `json:"shstrndx_meant"`
}

// escaped writes a name as readelf does: control characters as ^A.
func escaped(name, bytes string) string {
	if bytes != "" { // not UTF-8
		b, _ := hex.DecodeString(bytes)
		name = string(b)
	}
	var out strings.Builder
	for len(name) > 0 {
		r, n := utf8.DecodeRuneInString(name)
		switch {
		case r == utf8.RuneError && n == 1:
			out.WriteByte('.') // what mbrtowc does not take
		case r < 0x20:
			out.WriteByte('^')
			out.WriteRune(r + 0x40)
		case unicode.IsControl(r):
			out.WriteByte('.')
		default:
			out.WriteString(name[:n])
		}
		name = name[n:]
	}
	return out.String()
}

func jsonHeader(d *jsonDocument) []string {
	h := &d.Header
	extended := func(stored, meant int) string {
		if stored == meant {
			return fmt.Sprint(stored)
		}
		return fmt.Sprintf("%d (%d)", stored, meant)
	}
	typ := h.TypeName
	if h.TypeKind != "" {
		typ += " (" + h.TypeKind + ")"
	}
	flags := strings.Join(append([]string{h.Flags}, h.FlagNames...), ", ")
	return []string{
		"Magic: " + h.Ident, "Class: " + h.ClassName, "Data: " + h.DataName, fmt.Sprint("Version: ", h.IdentVersion),
		"OS/ABI: " + h.OSABIName, fmt.Sprint("ABI Version: ", h.ABIVersion), "Type: " + typ, "Machine: " + h.MachineName,
		fmt.Sprintf("Version: %x", h.Version), "Entry point address: " + h.Entry,
		fmt.Sprint("Start of program headers: ", parsed(h.Phoff, 16)), fmt.Sprint("Start of section headers: ", parsed(h.Shoff, 16)),
		"Flags: " + flags,
		fmt.Sprint("Size of this header: ", h.Ehsize), fmt.Sprint("Size of program headers: ", h.Phentsize),
		"Number of program headers: " + extended(h.Phnum, h.PhnumMeant), fmt.Sprint("Size of section headers: ", h.Shentsize),
		"Number of section headers: " + extended(h.Shnum, h.ShnumMeant),
		"Section header string table index: " + extended(h.Shstrndx, h.ShstrndxMeant),
	}
}

type jsonSection struct {
	Index                 int
	Name                  string
	NameBytes             string `json:"name_bytes"`
	Type                  string
	TypeName              string `json:"type_name"`
	FlagLetters           string `json:"flag_letters"`
	Addr, Offset          string
	Size, Entsize         uint64
	Link, Info, Addralign uint64
}

func jsonSections(d *jsonDocument) []string {
	var facts []string
	for _, s := range d.Sections {
		if d.Header.OSABIName == "UNIX - System V" {
			// SHF_GNU_RETAIN is a flag of the GNU OSABI. Files of Linux have it
			// without, and there readelf says o, for specific to the system.
			s.FlagLetters = strings.ReplaceAll(s.FlagLetters, "R", "o")
		}
		if strings.HasPrefix(s.TypeName, "LLVM_") { // newer than the readelf here
			s.TypeName = fmt.Sprintf("LOOS+0x%x", parsed(s.Type, 16)-0x60000000)
		}
		facts = append(facts, fmt.Sprintf("%d %q %s addr %s off %s size %x es %x flags %s link %d info %d align %d",
			s.Index, escaped(s.Name, s.NameBytes), s.TypeName, hexed(s.Addr), hexed(s.Offset), s.Size, s.Entsize, s.FlagLetters, s.Link, s.Info, s.Addralign))
	}
	return facts
}

type jsonGroup struct {
	Index     int
	Name      string
	Comdat    bool
	Signature string
	Members   []struct {
		Index int
		Name  string
	}
}

func jsonGroups(d *jsonDocument) []string {
	var facts []string
	for _, g := range d.Groups {
		facts = append(facts, fmt.Sprintf("group %d %q signature %q comdat %v of %d", g.Index, g.Name, g.Signature, g.Comdat, len(g.Members)))
		for _, m := range g.Members {
			facts = append(facts, fmt.Sprintf("member %d %q", m.Index, cutName(m.Name)))
		}
	}
	return facts
}

type jsonSegment struct {
	TypeName             string `json:"type_name"`
	Offset, Vaddr, Paddr string
	Filesz, Memsz, Align uint64
	Flags                string
	Interpreter          *string
	Sections             []struct{ Name string }
}

func jsonSegments(d *jsonDocument) []string {
	var facts []string
	for _, p := range d.Segments {
		flags := []byte("   ")
		for i, bit := range []uint64{4, 2, 1} {
			if parsed(p.Flags, 16)&bit != 0 {
				flags[i] = "RWE"[i]
			}
		}
		// readelf cuts the type to its column: RISCV_ATTRIBUT.
		facts = append(facts, fmt.Sprintf("%s off %s vaddr %s paddr %s filesz %x memsz %x flags %s align %x",
			p.TypeName[:min(len(p.TypeName), 14)], hexed(p.Offset), hexed(p.Vaddr), hexed(p.Paddr), p.Filesz, p.Memsz, flags, p.Align))
		// A file of debug information has a PT_INTERP without bytes.
		if p.Interpreter != nil && *p.Interpreter != "" {
			facts = append(facts, "interpreter "+*p.Interpreter)
		}
	}
	if len(d.Sections) == 0 {
		return facts
	}
	for i, p := range d.Segments {
		line := fmt.Sprint("mapping ", i)
		for _, s := range p.Sections {
			line += " " + s.Name
		}
		facts = append(facts, line)
	}
	return facts
}

type jsonDyn struct {
	Entries []struct {
		Tag       string
		TagName   string `json:"tag_name"`
		Value     string
		String    *string
		ValueName string `json:"value_name"`
		Flags     []string
	}
}

func jsonDynamic(d *jsonDocument) []string {
	var facts []string
	for _, t := range d.Dynamic {
		for _, e := range t.Entries {
			value := hexed(e.Value)
			switch {
			case e.String != nil:
				value = "string " + *e.String
			case e.Flags != nil && e.TagName == "FLAGS":
				value = strings.Join(e.Flags, " ")
			case e.Flags != nil:
				value = strings.TrimSpace("flags " + strings.Join(e.Flags, " "))
			case e.ValueName != "":
				value = e.ValueName
			case e.TagName == "BIND_NOW" && value == "0":
				value = "" // readelf leaves it out
			}
			facts = append(facts, fmt.Sprintf("%s %s: %s", hexed(e.Tag), e.TagName, value))
		}
	}
	return facts
}

type jsonRelocTable struct {
	Section *int
	Name    string
	Kind    string
	Offset  string
	Count   int
	Symbols int
	Entries []struct {
		Offset, Info  string
		Type          uint64
		TypeName      string `json:"type_name"`
		Type1Name     string `json:"type1_name"`
		Type2Name     string `json:"type2_name"`
		Type3Name     string `json:"type3_name"`
		Symbol        uint64
		SymbolValue   *string `json:"symbol_value"`
		SymbolName    string  `json:"symbol_name"`
		NameBytes     string  `json:"symbol_name_bytes"`
		SymbolVersion string  `json:"symbol_version"`
		VersionHidden bool    `json:"symbol_version_hidden"`
		VersionNeeded bool    `json:"symbol_version_needed"`
		Addend        *string
	}
}

func jsonRelocs(d *jsonDocument) []string {
	var facts []string
	for _, t := range d.Relocations {
		if t.Section == nil || t.Count == 0 {
			continue // of the dynamic section alone (readelf -D), or empty
		}
		facts = append(facts, fmt.Sprintf("table %q at %s", cutName(t.Name), hexed(t.Offset)))
		for _, e := range t.Entries {
			if t.Kind == "RELR" {
				facts = append(facts, "place "+hexed(e.Offset))
				continue
			}
			name := e.TypeName
			if e.Type1Name != "" {
				name = e.Type1Name
			}
			if name == "" {
				name = fmt.Sprintf("unrecognized: %x", e.Type)
			}
			line := fmt.Sprintf("%s info %s %s ", hexed(e.Offset), hexed(e.Info), name)
			if e.SymbolValue != nil {
				value := hexed(*e.SymbolValue)
				if d.isIfunc(t.Symbols, e.Symbol) {
					value = "ifunc" // readelf names the function instead
				}
				line += value + " " + escaped(e.SymbolName, e.NameBytes) + versionSuffix(e.SymbolVersion, e.VersionHidden, e.VersionNeeded)
			}
			facts = append(facts, line+jsonAddend(e.Addend, e.SymbolValue != nil))
			if e.Type1Name != "" {
				facts = append(facts, "also "+e.Type2Name, "also "+e.Type3Name)
			}
		}
	}
	return facts
}

// isIfunc says whether a symbol is an STT_GNU_IFUNC.
func (d *jsonDocument) isIfunc(section int, symbol uint64) bool {
	for _, t := range slices.Concat(d.Symbols, d.DynamicSymbols) {
		if t.Section != nil && *t.Section == section {
			return symbol < uint64(len(t.Entries)) && t.Entries[symbol].TypeName == "IFUNC"
		}
	}
	return false
}

// cutName cuts the name of a section as readelf does wherever it is not in a
// table of its own: at 256 bytes, its buffer.
func cutName(name string) string { return name[:min(len(name), 256)] }

// versionSuffix writes a symbol's version.
func versionSuffix(version string, hidden, needed bool) string {
	switch {
	case version == "":
		return ""
	case hidden || needed:
		return "@" + version
	}
	return "@@" + version
}

// jsonAddend writes an addend as readelf does, behind a symbol or alone.
func jsonAddend(addend *string, symbol bool) string {
	if addend == nil {
		return ""
	}
	sign, digits := " + ", *addend
	if d, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = " - ", d
	}
	if !symbol {
		return strings.TrimPrefix(strings.ReplaceAll(sign, " ", ""), "+") + hexed(digits)
	}
	return sign + hexed(digits)
}

type jsonSymbolTable struct {
	Section *int
	Name    string
	Count   int
	Entries []struct {
		Index         int
		Value         string
		Size          uint64
		TypeName      string `json:"type_name"`
		BindName      string `json:"bind_name"`
		Visibility    string
		OtherName     string `json:"other_name"`
		Section       int
		SectionName   string `json:"section_name"`
		Name          string
		NameBytes     string `json:"name_bytes"`
		VersionIndex  int    `json:"version_index"`
		Version       string
		VersionHidden bool `json:"version_hidden"`
		VersionNeeded bool `json:"version_needed"`
	}
}

func jsonSymbols(d *jsonDocument, tables []jsonSymbolTable) []string {
	var facts []string
	for _, t := range tables {
		if t.Section == nil {
			continue // by the dynamic section alone: readelf -D
		}
		facts = append(facts, fmt.Sprintf("table %q of %d", t.Name, t.Count))
		for _, s := range t.Entries {
			section := fmt.Sprint(s.Section)
			if s.Section == 0 || s.Section >= 0xff00 && !strings.HasPrefix(s.SectionName, ".") {
				section = s.SectionName
			}
			name := escaped(s.Name, s.NameBytes) + versionSuffix(s.Version, s.VersionHidden, s.VersionNeeded)
			if s.Version != "" && s.VersionNeeded {
				name += fmt.Sprintf(" (%d)", s.VersionIndex)
			}
			if d.Header.OSABIName == "UNIX - System V" {
				// As with SHF_GNU_RETAIN.
				if s.BindName == "UNIQUE" {
					s.BindName = "<OS specific>: 10"
				}
				if s.TypeName == "IFUNC" {
					s.TypeName = "<OS specific>: 10"
				}
			}
			facts = append(facts, strings.TrimSpace(fmt.Sprintf("%d %s size %x %s %s %s [%s] %s %s",
				s.Index, hexed(s.Value), s.Size, s.TypeName, s.BindName, s.Visibility, s.OtherName, section, name)))
		}
	}
	return facts
}

type jsonVersion struct {
	Kind         string
	Section      *int
	Name         string
	Offset, Addr string
	Link         int
	Count        int
	Entries      []struct {
		Symbol    int
		Index     int
		Hidden    bool
		Name      string
		Offset    string
		Version   int
		FlagNames string `json:"flag_names"`
		Names     []string
		File      string
		Versions  []struct {
			Offset    string
			Name      string
			FlagNames string `json:"flag_names"`
			Index     int
		}
	}
}

func jsonVersions(d *jsonDocument) []string {
	var facts []string
	add := func(format string, args ...any) { facts = append(facts, fmt.Sprintf(format, args...)) }
	for _, t := range d.Versions {
		if t.Section == nil {
			continue
		}
		add("%s %q of %d", t.Kind, t.Name, t.Count)
		add("addr %s offset %s link %d", hexed(t.Addr), hexed(t.Offset), t.Link)
		base := parsed(t.Offset, 16)
		for _, e := range t.Entries {
			switch t.Kind {
			case "symbols":
				add("symbol %d version %x%s %s", e.Symbol, e.Index, map[bool]string{true: "h"}[e.Hidden], e.Name)
			case "definitions":
				name := ""
				if len(e.Names) > 0 {
					name = e.Names[0]
				}
				add("definition %x rev %d flags %s index %d names %d %s", parsed(e.Offset, 16)-base, e.Version, e.FlagNames, e.Index, len(e.Names), name)
				for i, n := range e.Names {
					if i > 0 {
						add("parent %s", n)
					}
				}
			case "needs":
				add("need %x version %d file %s of %d", parsed(e.Offset, 16)-base, e.Version, e.File, len(e.Versions))
				for _, v := range e.Versions {
					add("of it %x %s flags %s index %d", parsed(v.Offset, 16)-base, v.Name, v.FlagNames, v.Index)
				}
			}
		}
	}
	return facts
}

type jsonNoteTable struct {
	Entries []struct {
		Owner      string
		TypeName   string `json:"type_name"`
		Size       uint64
		BuildID    *string `json:"build_id"`
		OSName     *string `json:"os_name"`
		ABI        *string
		Version    any
		Provider   *string
		Name       string
		PC         string
		Base       string
		Semaphore  string
		Arguments  string
		Metadata   json.RawMessage
		Properties []struct {
			Type       string
			TypeName   string `json:"type_name"`
			Value      string
			ValueNames []string `json:"value_names"`
			Data       string
		}
	}
}

func jsonNotes(d *jsonDocument) []string {
	var facts []string
	add := func(format string, args ...any) { facts = append(facts, fmt.Sprintf(format, args...)) }
	for _, t := range d.Notes {
		for _, n := range t.Entries {
			owner, name := n.Owner, n.TypeName
			if strings.HasPrefix(owner, "GA") && len(owner) > 3 {
				owner = owner[:3] // readelf prints the attribute in words
			}
			add("note %q size %x %s", owner, n.Size, name)
			switch {
			case n.OSName != nil:
				add("OS: %s", *n.OSName)
				add("ABI: %s", *n.ABI)
			case n.BuildID != nil && n.Owner == "GNU":
				add("Build ID: %s", *n.BuildID)
			case n.Provider != nil:
				add("Provider: %s", *n.Provider)
				add("Name: %s", n.Name)
				add("location %s base %s semaphore %s", hexed(n.PC), hexed(n.Base), hexed(n.Semaphore))
				add("Arguments: %s", strings.TrimSpace(n.Arguments))
			case n.TypeName == "NT_FDO_PACKAGING_METADATA":
				add("Packaging Metadata: %s", n.Metadata)
			case n.TypeName == "NT_GNU_GOLD_VERSION":
				add("Version: %v", n.Version)
			}
			for _, p := range n.Properties {
				add("property %s", propertyLine(p.TypeName, p.Value, p.Data, p.ValueNames))
			}
		}
	}
	return facts
}

// propertyLine writes a property as readelf does.
func propertyLine(name, value, data string, names []string) string {
	if strings.HasPrefix(name, "0x") {
		return "type " + name + " " + value + data
	}
	for i := range propKinds {
		if propKinds[i].name == name {
			name = propKinds[i].label
		}
	}
	switch {
	case len(names) > 0:
		return name + ": " + strings.Join(names, ", ")
	case value != "":
		return name + ": " + value
	}
	return name
}

type jsonHistTable struct {
	Table            string
	Buckets, Symbols int
	Entries          []struct {
		Length, Count int
	}
}

func jsonHistogram(d *jsonDocument) []string {
	var facts []string
	for _, t := range d.Histogram {
		if t.Symbols == 0 && t.Table == "DT_GNU_HASH" {
			continue // readelf prints nothing of such a table without symbols
		}
		facts = append(facts, fmt.Sprint("buckets ", t.Buckets))
		for _, e := range t.Entries {
			facts = append(facts, fmt.Sprintf("length %d in %d", e.Length, e.Count))
		}
	}
	return facts
}

type jsonNMRow struct {
	Value     string
	Size      uint64
	Name      string
	NameBytes string `json:"name_bytes"`
	Class     string
}

func jsonNM(d *jsonDocument) []string {
	var facts []string
	for _, s := range d.NM {
		value := hexed(s.Value)
		switch s.Class {
		case "U", "w", "v":
			value = "-"
		case "C", "c":
			value = fmt.Sprintf("%x", s.Size) // where st_value is the alignment
		}
		facts = append(facts, fmt.Sprintf("%s %s %s", escaped(s.Name, s.NameBytes), s.Class, value))
	}
	return facts
}

type jsonDump struct {
	Name    string
	Entries []struct {
		Addr, Offset string
		Bytes        string
		String       string
		StringBytes  string `json:"string_bytes"`
	}
}

func jsonDumps(d *jsonDocument) []string {
	var facts []string
	for _, x := range d.HexDumps {
		var all strings.Builder
		for _, e := range x.Entries {
			all.WriteString(e.Bytes)
		}
		if len(x.Entries) > 0 {
			facts = append(facts, fmt.Sprintf("bytes of %s at %s: %s", x.Name, hexed(x.Entries[0].Addr), all.String()))
		}
	}
	for _, x := range d.StringDumps {
		for _, e := range x.Entries {
			facts = append(facts, fmt.Sprintf("string of %s at %s: %s", x.Name, hexed(e.Offset), escaped(e.String, e.StringBytes)))
		}
	}
	return facts
}
