package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"elfwright/internal/term"
)

// A verb is one command, and a row of the table that parser, help, man page,
// Markdown page and completion are made from. All texts are plain: a blank
// line parts paragraphs, and a line that starts with two spaces stays as it is.
type verb struct {
	name     string
	short    string    // what it does, one sentence in lower case without a full stop
	long     string    // what else there is to know, in whole sentences; may be empty
	usage    []string  // after the verb's own name: "[flags] FILE…"
	examples []example // at least two; a test runs each as it stands
	flags    []flag
	args     args
	no       string // what exit code 1 says; empty where it cannot come
	hidden   bool
	stops    bool // its first argument ends the flags
	raw      bool // its arguments are parsed by the verb itself, all but a --help that stands first
	run      func(*call) error
	children []*verb
}

// An example is a line to paste, and what it does.
type example struct {
	does string
	line string // without a prompt
}

// A flag is one option of a verb.
type flag struct {
	name  string   // long
	short string   // one letter, or empty
	also  []string // other long names with the same meaning
	// to is where the value goes: *bool, *string, *[]string (each use of the
	// flag adds one), *int, or *uint64 (0x10, 16, 4K, 1M, 2G). What it holds
	// before is the default.
	to     any
	value  string   // what to call the value in help: "FILE"
	words  []string // the only values allowed, for a *string
	bare   string   // the value when the flag stands alone; other values then need '='
	help   string   // in lower case without a full stop
	group  string   // the heading that the flag is listed under; empty is "Flags"
	files  bool     // the value names a file
	stops  bool     // a *bool: with it, flags after the first argument are no longer ours
	hidden bool
}

// args says how many arguments a verb takes, and what they are.
type args struct {
	min, max int    // max < 0: any number
	name     string // "FILE"
	words    []string
}

// A call is one use of a verb.
type call struct {
	prog *program
	verb *verb
	args []string

	in  io.Reader
	out *output   // buffered; what it could not write is found at the end
	err io.Writer // the talk; what was printed to out before comes before

	changed func(flag string) bool // whether the command line names the flag
}

// usagef returns an error of usage: exit code 2 and a pointer to --help.
func (c *call) usagef(format string, a ...any) error {
	return usageError{c.prog.path, fmt.Sprintf(format, a...)}
}

// input opens the file that an argument names, and says what to call it; a dash is
// standard input.
func (c *call) input(name string) (as string, in io.ReadCloser, err error) {
	if name == "-" {
		return "standard input", io.NopCloser(c.in), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return name, nil, err
	}
	return name, f, nil
}

// phase starts a phase of --timing; call what it returns at the phase's end.
func (c *call) phase(name string) (done func()) { return c.prog.timing.start(name) }

// style decides on colour for standard output, given what --color says.
func (c *call) style(mode string) term.Style {
	return term.Style{On: term.Colour(mode, c.out.to, c.prog.getenv("NO_COLOR"))}
}

// width returns the columns of standard output, or otherwise.
func (c *call) width(otherwise int) int { return term.Width(c.out.to, otherwise) }

// child finds the verb of that name.
func child(list []*verb, name string) *verb {
	for _, v := range list {
		if v.name == name {
			return v
		}
	}
	return nil
}

// usages returns whole usage lines, the verb's path in front.
func (v *verb) usages(path string) []string {
	list := v.usage
	if list == nil {
		for _, ch := range v.children {
			list = append(list, ch.name+" "+strings.Join(ch.usage, " | "))
		}
	}
	out := make([]string, len(list))
	for i, u := range list {
		out[i] = strings.TrimSpace(path + " " + u)
	}
	return out
}

// groups returns the headings of the visible flags, in order.
func (v *verb) groups() []string {
	var out []string
	for _, f := range v.flags {
		if f.hidden {
			continue
		}
		if n := len(out); n == 0 || out[n-1] != f.heading() {
			out = append(out, f.heading())
		}
	}
	return out
}

func (f flag) heading() string {
	if f.group == "" {
		return "Flags"
	}
	return f.group
}

// spell returns the flag as help writes it: "-x, --hex-dump=NAME".
func (f flag) spell() string {
	names := make([]string, 0, 2+len(f.also))
	if f.short != "" {
		names = append(names, "-"+f.short)
	}
	if f.name != "" {
		names = append(names, "--"+f.name)
	}
	for _, a := range f.also {
		names = append(names, "--"+a)
	}
	s := strings.Join(names, ", ")
	switch value := f.placeholder(); {
	case value == "":
		return s
	case f.bare != "":
		return s + "[=" + value + "]"
	default:
		return s + "=" + value
	}
}

func (f flag) placeholder() string {
	switch {
	case f.value != "":
		return f.value
	case f.words != nil:
		return strings.Join(f.words, "|")
	}
	switch f.to.(type) {
	case *bool:
		return ""
	case *uint64, *int:
		return "N"
	}
	return "WORD"
}
