package show

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Each function here turns the text of one view of readelf -W into facts, one a
// line, in readelf's order. Numbers are brought to hexadecimal without zeros in
// front, so that neither side's way to write them counts.

// parsed reads a number that readelf prints in base.
func parsed(s string, base int) uint64 {
	v, err := strconv.ParseUint(strings.TrimPrefix(s, "0x"), base, 64)
	if err != nil {
		return 0xbadbadbadbad // differs from anything
	}
	return v
}

// hexed brings a number in hexadecimal to its shortest form.
func hexed(s string) string { return fmt.Sprintf("%x", parsed(s, 16)) }

// either reads 0x1f or 31, as readelf's alignments and sizes are printed.
func either(s string) uint64 {
	if strings.HasPrefix(s, "0x") {
		return parsed(s, 16)
	}
	return parsed(s, 10)
}

// describedMachine finds the machines of which package machine knows e_flags.
var describedMachine = regexp.MustCompile(`Machine: +(Advanced Micro Devices X86-64|Intel 80386|AArch64|ARM|RISC-V)\n`)

func readelfHeader(text string) []string {
	var facts []string
	for _, line := range strings.Split(text, "\n") {
		key, value, ok := strings.Cut(line, ":")
		if !ok || !strings.HasPrefix(line, "  ") {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch key {
		case "Flags":
			// The words for e_flags of machines that are not described are
			// readelf's alone.
			if !describedMachine.MatchString(text) {
				value, _, _ = strings.Cut(value, ",")
			}
		case "Magic":
			value = strings.ReplaceAll(value, " ", "")
		case "Version":
			value = strings.TrimPrefix(strings.TrimSuffix(value, " (current)"), "0x")
		}
		value = strings.TrimSuffix(strings.TrimSuffix(value, " (bytes into file)"), " (bytes)")
		facts = append(facts, key+": "+value)
	}
	return facts
}

var sectionLine = regexp.MustCompile(`^  \[ *(\d+)\] (.*?) *(SYMTAB SECTION INDICES|\S+|<[^>]*>(?:: \S+)?) +([0-9a-f]{8,16}) ([0-9a-f]{6,}) ([0-9a-f]{6,}) ([0-9a-f]{2,}) +([A-Za-z]*) +(\d+) +(\d+) +(\d+)$`)

func readelfSections(text string) []string {
	var facts []string
	for _, line := range strings.Split(text, "\n") {
		m := sectionLine.FindStringSubmatch(line)
		if m == nil {
			if strings.HasPrefix(line, "  [") && !strings.HasPrefix(line, "  [Nr]") {
				facts = append(facts, "not understood: "+line)
			}
			continue
		}
		facts = append(facts, fmt.Sprintf("%s %q %s addr %s off %s size %s es %s flags %s link %s info %s align %s",
			m[1], m[2], m[3], hexed(m[4]), hexed(m[5]), hexed(m[6]), hexed(m[7]), m[8], m[9], m[10], m[11]))
	}
	return facts
}

var (
	groupLine  = regexp.MustCompile("^(COMDAT )?group section \\[ *(\\d+)\\] `(.*)' \\[(.*)\\] contains (\\d+) sections:$")
	memberLine = regexp.MustCompile(`^   \[ *(\d+)\]   (.*)$`)
)

func readelfGroups(text string) []string {
	var facts []string
	for _, line := range strings.Split(text, "\n") {
		if m := groupLine.FindStringSubmatch(line); m != nil {
			facts = append(facts, fmt.Sprintf("group %s %q signature %q comdat %v of %s", m[2], m[3], m[4], m[1] != "", m[5]))
		} else if m := memberLine.FindStringSubmatch(line); m != nil {
			facts = append(facts, fmt.Sprintf("member %s %q", m[1], m[2]))
		}
	}
	return facts
}

var (
	segmentLine = regexp.MustCompile(`^  (\S.*?) +0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+) (...) (0x[0-9a-f]+|\d+)$`)
	interpLine  = regexp.MustCompile(`^      \[Requesting program interpreter: (.*)\]$`)
	mappingLine = regexp.MustCompile(`^   (\d\d+) +(.*)$`)
)

func readelfSegments(text string) []string {
	var facts []string
	mapping := false
	for _, line := range strings.Split(text, "\n") {
		switch m := segmentLine.FindStringSubmatch(line); {
		case m != nil:
			facts = append(facts, fmt.Sprintf("%s off %s vaddr %s paddr %s filesz %s memsz %s flags %s align %x",
				m[1], hexed(m[2]), hexed(m[3]), hexed(m[4]), hexed(m[5]), hexed(m[6]), m[7], either(m[8])))
		case interpLine.MatchString(line):
			facts = append(facts, "interpreter "+interpLine.FindStringSubmatch(line)[1])
		case strings.HasPrefix(line, " Section to Segment mapping"):
			mapping = true
		case mapping:
			if m := mappingLine.FindStringSubmatch(line); m != nil {
				facts = append(facts, strings.TrimSpace("mapping "+strconv.FormatUint(parsed(m[1], 10), 10)+" "+strings.TrimSpace(m[2])))
			}
		}
	}
	return facts
}

var (
	dynamicLine = regexp.MustCompile(`^ 0x([0-9a-f]+) \((.*?)\) +(.*)$`)
	bracketed   = regexp.MustCompile(`^[A-Z][A-Za-z ]*: \[(.*)\]$`)
)

func readelfDynamic(text string) []string {
	var facts []string
	for _, line := range strings.Split(text, "\n") {
		m := dynamicLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		value := strings.TrimSpace(m[3])
		switch b := bracketed.FindStringSubmatch(value); {
		case b != nil:
			value = "string " + b[1]
		case strings.HasPrefix(value, "Flags:"):
			value = "flags " + strings.Join(strings.Fields(value)[1:], " ")
		case strings.HasSuffix(value, " (bytes)"):
			value = fmt.Sprintf("%x", parsed(strings.TrimSuffix(value, " (bytes)"), 10))
		case strings.HasPrefix(value, "0x"):
			value = hexed(value)
		case value != "" && strings.Trim(value, "0123456789") == "":
			value = fmt.Sprintf("%x", parsed(value, 10))
		}
		facts = append(facts, fmt.Sprintf("%s %s: %s", hexed(m[1]), m[2], value))
	}
	return facts
}

var (
	relocHead  = regexp.MustCompile(`^Relocation section '(.*)' at offset 0x([0-9a-f]+) contains (\d+) entr(?:y|ies):$`)
	relocLine  = regexp.MustCompile(`^([0-9a-f]{8,16}) +([0-9a-f]{8,16}) (R_\S+|unrecognized: [0-9a-f]+) *(.*)$`)
	relrLine   = regexp.MustCompile(`^([0-9a-f]{16}|[0-9a-f]{8})$`)
	relocValue = regexp.MustCompile(`^([0-9a-f]{8,16}|\S+\(\)) +(.*)$`)
	mipsType   = regexp.MustCompile(`^ +Type[23]: (.*)$`)
)

func readelfRelocs(text string) []string {
	var facts []string
	for _, line := range strings.Split(text, "\n") {
		if m := relocHead.FindStringSubmatch(line); m != nil {
			facts = append(facts, fmt.Sprintf("table %q at %s", m[1], hexed(m[2])))
		} else if m := relocLine.FindStringSubmatch(line); m != nil {
			facts = append(facts, fmt.Sprintf("%s info %s %s %s", hexed(m[1]), hexed(m[2]), m[3], relocTail(m[4])))
		} else if m := relrLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			facts = append(facts, "place "+hexed(m[1]))
		} else if m := mipsType.FindStringSubmatch(line); m != nil {
			facts = append(facts, "also "+strings.TrimSpace(m[1]))
		}
	}
	return facts
}

// relocTail reads the symbol and the addend.
func relocTail(s string) string {
	s = strings.TrimRight(s, " ")
	m := relocValue.FindStringSubmatch(s)
	if m == nil {
		return s // an addend alone, or nothing
	}
	value := "ifunc"
	if !strings.HasSuffix(m[1], "()") {
		value = hexed(m[1])
	}
	return value + " " + strings.TrimSpace(m[2])
}

var (
	symbolHead = regexp.MustCompile(`^Symbol table (?:'(.*)'|for image) contains (\d+) entr(?:y|ies):$`)
	symbolLine = regexp.MustCompile(`^ *(\d+): ([0-9a-f]{8,16}) +(0x[0-9a-f]+|\d+) (<[^>]*>: \d+|\S+) +(<[^>]*>: \d+|\S+) +(\S+) +(?:\[(.*?)\] +)?(\S+)(?: (.*))?$`)
)

func readelfSymbols(text string) []string {
	var facts []string
	for _, line := range strings.Split(text, "\n") {
		if m := symbolHead.FindStringSubmatch(line); m != nil {
			facts = append(facts, fmt.Sprintf("table %q of %s", m[1], m[2]))
		} else if m := symbolLine.FindStringSubmatch(line); m != nil {
			facts = append(facts, strings.TrimSpace(fmt.Sprintf("%s %s size %x %s %s %s [%s] %s %s",
				m[1], hexed(m[2]), either(m[3]), m[4], m[5], m[6], m[7], m[8], m[9])))
		}
	}
	return facts
}

var (
	versymHead = regexp.MustCompile(`^Version symbols section '(.*)' contains (\d+) entr(?:y|ies):$`)
	verdefHead = regexp.MustCompile(`^Version definition section '(.*)' contains (\d+) entr(?:y|ies):$`)
	verneeHead = regexp.MustCompile(`^Version needs section '(.*)' contains (\d+) entr(?:y|ies):$`)
	verAddr    = regexp.MustCompile(`^ Addr: 0x([0-9a-f]+) +Offset: 0x([0-9a-f]+) +Link: (\d+) \((.*)\)$`)
	versymLine = regexp.MustCompile(`^  ([0-9a-f]{3,}): (.*)$`)
	versymCell = regexp.MustCompile(`^ *([0-9a-f]+)(h?) *\((.*?)\) *`)
	verdefLine = regexp.MustCompile(`^  (?:0x)?([0-9a-f]+): Rev: (\d+)  Flags: (.*?)  Index: (\d+)  Cnt: (\d+)  Name: (.*)$`)
	parentLine = regexp.MustCompile(`^  0x([0-9a-f]+): Parent (\d+): (.*)$`)
	verneeLine = regexp.MustCompile(`^  (?:0x)?([0-9a-f]+): Version: (\d+)  File: (.*)  Cnt: (\d+)$`)
	vernauLine = regexp.MustCompile(`^  0x([0-9a-f]+):   Name: (.*)  Flags: (.*?)  Version: (\d+)$`)
)

func readelfVersions(text string) []string {
	var facts []string
	add := func(format string, args ...any) { facts = append(facts, fmt.Sprintf(format, args...)) }
	for _, line := range strings.Split(text, "\n") {
		if m := versymHead.FindStringSubmatch(line); m != nil {
			add("symbols %q of %s", m[1], m[2])
		} else if m := verdefHead.FindStringSubmatch(line); m != nil {
			add("definitions %q of %s", m[1], m[2])
		} else if m := verneeHead.FindStringSubmatch(line); m != nil {
			add("needs %q of %s", m[1], m[2])
		} else if m := verAddr.FindStringSubmatch(line); m != nil {
			add("addr %s offset %s link %s", hexed(m[1]), hexed(m[2]), m[3])
		} else if m := verdefLine.FindStringSubmatch(line); m != nil {
			add("definition %s rev %s flags %s index %s names %s %s", hexed(m[1]), m[2], m[3], m[4], m[5], m[6])
		} else if m := parentLine.FindStringSubmatch(line); m != nil {
			add("parent %s", m[3])
		} else if m := verneeLine.FindStringSubmatch(line); m != nil {
			add("need %s version %s file %s of %s", hexed(m[1]), m[2], m[3], m[4])
		} else if m := vernauLine.FindStringSubmatch(line); m != nil {
			add("of it %s %s flags %s index %s", hexed(m[1]), m[2], m[3], m[4])
		} else if m := versymLine.FindStringSubmatch(line); m != nil {
			facts = append(facts, versymCells(m[1], m[2])...)
		}
	}
	return facts
}

// versymCells reads up to four cells of the version symbols.
func versymCells(first, cells string) []string {
	var facts []string
	for i := parsed(first, 16); cells != ""; i++ {
		m := versymCell.FindStringSubmatch(cells)
		if m == nil {
			return append(facts, "not understood: "+cells)
		}
		facts = append(facts, fmt.Sprintf("symbol %d version %s%s %s", i, hexed(m[1]), m[2], m[3]))
		cells = cells[len(m[0]):]
	}
	return facts
}

var (
	noteLine     = regexp.MustCompile(`^  (.*?) +0x([0-9a-f]{8})\t(.*)$`)
	propertyWord = regexp.MustCompile(`^(?:\s*Properties: |\t)(.*)$`)
	unknownProp  = regexp.MustCompile(`^<.*type (0x[0-9a-f]+) data: ([0-9a-f ]*)>`)
	noteInWords  = regexp.MustCompile(`^(NT_\w+)`)
)

// readelfNotes reads owners, sizes, types, and of the descriptors those that
// readelf knows.
func readelfNotes(text string) []string {
	var facts []string
	for _, line := range strings.Split(text, "\n") {
		m := noteLine.FindStringSubmatch(line)
		if m == nil {
			facts = append(facts, noteDetail(line)...)
			continue
		}
		what := m[3]
		name := "?"
		if n := noteInWords.FindString(what); n != "" && n != "NT_VERSION" && n != "NT_ARCH" {
			name = n // the two are what it calls 1 and 2 of an owner that it does not know
		}
		owner := strings.TrimSpace(m[1])
		if strings.HasPrefix(owner, "GA") && len(owner) > 3 {
			owner = owner[:3]
		}
		facts = append(facts, fmt.Sprintf("note %q size %s %s", owner, hexed(m[2]), name))
		if _, detail, ok := strings.Cut(what, "\t"); ok {
			facts = append(facts, noteDetail(detail)...)
		}
	}
	return facts
}

// noteDetail reads what stands behind a note, or on a line below it.
func noteDetail(line string) []string {
	line = strings.TrimRight(line, " ")
	if m := propertyWord.FindStringSubmatch(line); m != nil {
		if u := unknownProp.FindStringSubmatch(m[1]); u != nil {
			return []string{"property type " + u[1] + " " + strings.ReplaceAll(u[2], " ", "")}
		}
		return []string{"property " + strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(m[1]), ","))}
	}
	line = strings.TrimSpace(line)
	for _, key := range []string{"Build ID:", "Provider:", "Name:", "Arguments:", "Version:", "Packaging Metadata:"} {
		if value, ok := strings.CutPrefix(line, key); ok {
			return []string{key + " " + strings.TrimSpace(value)}
		}
	}
	if rest, ok := strings.CutPrefix(line, "OS: "); ok {
		os, abi, _ := strings.Cut(rest, ", ABI: ")
		return []string{"OS: " + os, "ABI: " + abi}
	}
	if rest, ok := strings.CutPrefix(line, "Location: 0x"); ok {
		var pc, base, sem string
		fmt.Sscanf(strings.ReplaceAll(rest, ",", ""), "%s Base: %s Semaphore: %s", &pc, &base, &sem)
		return []string{fmt.Sprintf("location %s base %s semaphore %s", hexed(pc), hexed(base), hexed(sem))}
	}
	return nil
}

var (
	histHead = regexp.MustCompile("^Histogram for (?:`\\.gnu\\.hash' )?bucket list length \\(total of (\\d+) buckets?\\):$")
	histLine = regexp.MustCompile(`^ *(\d+)  (\d+) +\(`)
)

func readelfHistogram(text string) []string {
	var facts []string
	for _, line := range strings.Split(text, "\n") {
		if m := histHead.FindStringSubmatch(line); m != nil {
			facts = append(facts, "buckets "+m[1])
		} else if m := histLine.FindStringSubmatch(line); m != nil {
			facts = append(facts, "length "+m[1]+" in "+m[2])
		}
	}
	return facts
}

var nmLine = regexp.MustCompile(`^([0-9a-f]{8,16}| {8,16}) (\S) (.*)$`)

func nmSymbols(text string) []string {
	var facts []string
	for _, line := range strings.Split(text, "\n") {
		m := nmLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		value := "-"
		if v := strings.TrimSpace(m[1]); v != "" {
			value = hexed(v)
		}
		if strings.Contains("Uwv", m[2]) {
			value = "-"
		}
		facts = append(facts, fmt.Sprintf("%s %s %s", m[3], m[2], value))
	}
	return facts
}

var (
	dumpHead   = regexp.MustCompile(`^(Hex|String) dump of section '(.*)':$`)
	hexLine    = regexp.MustCompile(`^  0x([0-9a-f]+) ((?:[0-9a-f]{2,8} ){1,4})`)
	stringLine = regexp.MustCompile(`^  \[ *([0-9a-f]+)\]  (.*)$`)
)

// readelfDumps reads the dumps of -x and -p.
func readelfDumps(text string) []string {
	var facts []string
	section, at, all := "", "", ""
	flush := func() {
		if all != "" {
			facts = append(facts, fmt.Sprintf("bytes of %s at %s: %s", section, at, all))
		}
		all = ""
	}
	for _, line := range strings.Split(text, "\n") {
		if m := dumpHead.FindStringSubmatch(line); m != nil {
			flush()
			section = m[2]
		} else if m := hexLine.FindStringSubmatch(line); m != nil {
			if all == "" {
				at = hexed(m[1])
			}
			all += strings.ReplaceAll(m[2], " ", "")
		} else if m := stringLine.FindStringSubmatch(line); m != nil {
			facts = append(facts, fmt.Sprintf("string of %s at %s: %s", section, hexed(m[1]), m[2]))
		}
	}
	flush()
	return facts
}
