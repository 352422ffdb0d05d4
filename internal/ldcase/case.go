package ldcase

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Case is one case, with its variations expanded.
type Case struct {
	File     string // where it is written
	Line     int
	Name     string // GROUP/NAME, or GROUP/NAME[VALUE] of a variation
	Machines []string
	Objects  []string
	Needs    []string // objects that the command line does not name
	Archives []Bundle
	Args     string
	CmdLine  string // instead of all that; "" for none
	Output   string
	Error    *regexp.Regexp
	Warning  *regexp.Regexp
	Want     []string
	Beyond   []string // GNU ld fails, these facts hold for the linker under test
	Dialect  string
	Facts    []string // that tell the dialects apart
	Ignore   *regexp.Regexp
	Differs  []string
	Refuses  *regexp.Regexp // the linker under test refuses what GNU ld links
	Files    []File

	sources map[string]string
}

// File is a file of a case.
type File struct{ Name, Text string }

// Bundle is an archive or a shared object made of objects.
type Bundle struct {
	Kind    string // "archive", "thin", "shared"
	Name    string
	Members []string
}

// Group is the construct that the case is about.
func (c *Case) Group() string { g, _, _ := strings.Cut(c.Name, "/"); return g }

// sharedFile has sources for the cases of all files.
const sharedFile = "sources.case"

// Load reads all case files of a directory, in the order of their names.
func Load(dir string) ([]*Case, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.case"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no case files", dir)
	}
	shared := map[string]string{}
	if b, err := os.ReadFile(filepath.Join(dir, sharedFile)); err == nil {
		for _, it := range split(string(b)) {
			shared[it.name] = it.text()
		}
	}
	var all []*Case
	seen := map[string]bool{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		cases, err := Parse(filepath.Base(name), string(b), shared)
		if err != nil {
			return nil, err
		}
		for _, c := range cases {
			if seen[c.Name] {
				return nil, fmt.Errorf("%s:%d: case %s: there is one of this name already", c.File, c.Line, c.Name)
			}
			seen[c.Name] = true
		}
		all = append(all, cases...)
	}
	return all, nil
}

// item is what stands between two lines that begin with "==".
type item struct {
	line       int
	kind, name string
	body       []string
}

// Parse reads the text of one case file; shared are sources that it may use
// besides its own.
func Parse(name, text string, shared map[string]string) ([]*Case, error) {
	sources := maps.Clone(shared)
	if sources == nil {
		sources = map[string]string{}
	}
	var defaults []string
	var cases []*Case
	for _, it := range split(text) {
		var err error
		switch it.kind {
		case "source":
			sources[it.name] = it.text()
		case "defaults":
			defaults = it.body
		case "case":
			var some []*Case
			some, err = expand(it, defaults)
			cases = append(cases, some...)
		default:
			err = fmt.Errorf("%q is no kind of item", it.kind)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", name, it.line, it.name, err)
		}
	}
	for _, c := range cases {
		c.File, c.sources = name, sources
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", name, c.Line, c.Name, err)
		}
	}
	return cases, nil
}

func (it item) text() string { return strings.Join(it.body, "\n") + "\n" }

func split(text string) []item {
	var items []item
	for i, line := range strings.Split(text, "\n") {
		if rest, ok := strings.CutPrefix(line, "== "); ok {
			kind, name, _ := strings.Cut(strings.TrimSpace(rest), " ")
			items = append(items, item{line: i + 1, kind: kind, name: strings.TrimSpace(name)})
		} else if len(items) > 0 {
			it := &items[len(items)-1]
			it.body = append(it.body, line)
		}
	}
	return items
}

// expand makes a case of an item, or one of each variation.
func expand(it item, defaults []string) ([]*Case, error) {
	head, files := it.body, []string(nil)
	if i := slices.IndexFunc(head, isFile); i >= 0 {
		head, files = head[:i], head[i:]
	}
	variable, values, err := variation(head)
	if err != nil {
		return nil, err
	}
	var cases []*Case
	for _, v := range values {
		c := &Case{Line: it.line, Name: it.name, Machines: []string{"x86-64", "i386"}}
		if variable != "" {
			c.Name += "[" + v + "]"
		}
		sub := func(s string) string {
			if variable == "" {
				return s
			}
			return strings.ReplaceAll(s, "@"+variable+"@", v)
		}
		for _, line := range slices.Concat(defaults, head) {
			if err := c.set(sub(line)); err != nil {
				return nil, err
			}
		}
		for _, line := range files {
			c.addLine(sub(line))
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func isFile(line string) bool { return line == "--" || strings.HasPrefix(line, "-- ") }

// variation finds "vary: X = a | b"; without one there is a single empty value.
func variation(head []string) (variable string, values []string, err error) {
	for _, line := range head {
		rest, ok := strings.CutPrefix(line, "vary:")
		if !ok {
			continue
		}
		name, list, ok := strings.Cut(rest, "=")
		if !ok || variable != "" {
			return "", nil, fmt.Errorf("vary: want one line \"vary: X = a | b\"")
		}
		variable = strings.TrimSpace(name)
		for v := range strings.SplitSeq(list, " | ") {
			values = append(values, strings.TrimSpace(v))
		}
	}
	if variable == "" {
		values = []string{""}
	}
	return variable, values, nil
}

// set takes one line of keys.
func (c *Case) set(line string) (err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return nil
	}
	key, value, ok := strings.Cut(line, ":")
	if !ok {
		return fmt.Errorf("%q is no \"key: value\"", line)
	}
	value = strings.TrimSpace(value)
	words := strings.Fields(value)
	switch key {
	case "machines":
		c.Machines = words
		if value == "all" {
			c.Machines = MachineNames()
		}
	case "objects":
		c.Objects = words
	case "archive", "thin", "shared":
		if len(words) < 2 {
			return fmt.Errorf("%s: want a name and its members", key)
		}
		c.Archives = append(c.Archives, Bundle{key, words[0], words[1:]})
	case "needs":
		c.Needs = words
	case "args":
		c.Args = value
	case "line":
		c.CmdLine = value
	case "output":
		c.Output = value
	case "error":
		c.Error, err = regexp.Compile("(?i)" + value)
	case "warning":
		c.Warning, err = regexp.Compile("(?i)" + value)
	case "refuses":
		c.Refuses, err = regexp.Compile("(?i)" + value)
	case "ignore":
		c.Ignore, err = regexp.Compile(value)
	case "want":
		c.Want = append(c.Want, words...)
	case "beyond":
		c.Beyond = words
	case "dialect":
		if len(words) < 2 {
			return fmt.Errorf("dialect: want a rule and facts")
		}
		c.Dialect, c.Facts = words[0], words[1:]
	case "differs":
		c.Differs = append(c.Differs, value)
	case "vary":
	default:
		return fmt.Errorf("%q is no key", key)
	}
	return err
}

// addLine takes one line of the files.
func (c *Case) addLine(line string) {
	if isFile(line) {
		name := strings.TrimSpace(line[2:])
		if name == "" {
			name = "t.lds"
		}
		c.Files = append(c.Files, File{Name: name})
		return
	}
	f := &c.Files[len(c.Files)-1]
	f.Text += line + "\n"
}

// check finds names that nothing is behind.
func (c *Case) check() error {
	for _, m := range c.Machines {
		if MachineByName(m) == nil {
			return fmt.Errorf("machine %q is unknown", m)
		}
	}
	for _, o := range c.needs() {
		if _, ok := c.sources[o]; !ok {
			return fmt.Errorf("%s.o: there is no source %s", o, o)
		}
	}
	for _, w := range slices.Concat(c.Want, c.Beyond) {
		if !strings.Contains(w, "=") {
			return fmt.Errorf("want: %q is no FACT=VALUE", w)
		}
	}
	return nil
}

// needs are the names of the sources that the case's command line, archives and
// scripts may ask for: all objects named.
func (c *Case) needs() []string {
	var list []string
	add := func(words []string) {
		for _, w := range words {
			if o, ok := strings.CutSuffix(w, ".o"); ok && !slices.Contains(list, o) && filepath.IsLocal(w) {
				list = append(list, o)
			}
		}
	}
	add(c.Objects)
	add(c.Needs)
	for _, b := range c.Archives {
		add(b.Members)
	}
	for _, w := range strings.Fields(c.CmdLine) {
		w = filepath.Clean(w)
		if _, ok := c.sources[strings.TrimSuffix(w, ".o")]; ok { // others are not there, on purpose
			add([]string{w})
		}
	}
	return list
}

// command is the command line of the case but for -m and -o.
func (c *Case) command() []string {
	if c.CmdLine != "" {
		return strings.Fields(c.CmdLine)
	}
	words := strings.Fields(c.Args)
	if slices.ContainsFunc(c.Files, func(f File) bool { return f.Name == "t.lds" }) {
		words = append(words, "-T", "t.lds")
	}
	return append(words, c.Objects...)
}
