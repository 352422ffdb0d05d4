// Package options is the command line of ld: a table of every option that GNU
// ld 2.40 has, and what becomes of it here. An option is carried out, or
// accepted and ignored with the reason why that is right, or refused with the
// reason why it is not; one that is not in the table is an error. The page
// docs/link-options.md is made from the same table.
//
// Source: the manual of GNU ld 2.40, chapter "Invocation".
package options

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"elfwright/internal/near"
	"elfwright/link/model"
)

// Asked is what a command line wants besides a link.
type Asked struct {
	Version    bool // --version: and nothing else
	Banner     bool // -v, -V: and go on
	Emulations bool // -V
	Help       bool
	Script     bool // --verbose: print the script
	Format     bool // --print-output-format
	Sysroot    bool // --print-sysroot
	Timing     bool // --timing
}

// Option is a row of the table.
type Option struct {
	Names  []string // with dashes: "-o", "--output"
	Arg    Arg
	Holder string // what the argument is, for the docs: "FILE"
	Fate   Fate
	What   string // what it does, or why it is ignored or refused
	set    func(p *parser, arg string) error
}

// Arg says whether an option has an argument.
type Arg uint8

// The kinds of arguments.
const (
	None     Arg = iota
	Required     // --opt=X, --opt X, -oX, -o X
	Optional     // --opt, --opt=X
)

// Fate is what becomes of an option.
type Fate uint8

// The fates.
const (
	Done Fate = iota
	Ignored
	Refused
)

func (f Fate) String() string { return [...]string{"done", "ignored", "refused"}[f] }

// Error is a fault in a command line.
type Error struct {
	Option string
	Msg    string
}

func (e *Error) Error() string { return e.Option + ": " + e.Msg }

// Parse reads a command line without the program's name. read gives the text of
// a response file, @FILE; one that cannot be read stands for itself.
func Parse(args []string, read func(name string) ([]byte, error)) (*model.Options, Asked, error) {
	p := &parser{opt: &model.Options{}, read: read}
	args, err := p.expand(args, 0)
	if err != nil {
		return nil, p.asked, err
	}
	p.args = args
	var errs []error
	for len(p.args) > 0 {
		if err := p.next(); err != nil {
			errs = append(errs, err)
		}
	}
	if p.groups != 0 {
		errs = append(errs, &Error{"--start-group", "has no --end-group"})
	}
	return p.opt, p.asked, errors.Join(errs...)
}

// parser goes from left to right: some options change how later files are read.
type parser struct {
	args  []string
	opt   *model.Options
	asked Asked
	read  func(string) ([]byte, error)

	state  model.Input // what the next file gets
	stack  []model.Input
	groups int // open
	group  int // number of the last group
}

// next takes one option or file with its arguments.
func (p *parser) next() error {
	arg := p.args[0]
	p.args = p.args[1:]
	if arg == "" || arg == "-" || arg[0] != '-' {
		p.file(arg)
		return nil
	}
	o, name, value, has := find(arg)
	if o == nil {
		return unknown(arg)
	}
	if o.Arg == Required && !has {
		if len(p.args) == 0 {
			return &Error{name, "needs an argument: " + o.Holder}
		}
		value, p.args = p.args[0], p.args[1:]
	}
	if o.Fate == Refused {
		return &Error{name, "not supported: " + o.What}
	}
	if o.set == nil {
		return nil
	}
	if err := o.set(p, value); err != nil {
		return &Error{name, err.Error()}
	}
	return nil
}

// file takes an input.
func (p *parser) file(name string) {
	in := p.state
	in.Name = name
	p.opt.Inputs = append(p.opt.Inputs, in)
}

// mark notes the place of an option among the inputs.
func (p *parser) mark(name string, m model.Mark) {
	in := p.state
	in.Name, in.Mark = name, m
	p.opt.Inputs = append(p.opt.Inputs, in)
}

// find looks an argument up: the option, its name as written, and its value if
// that is joined to it. A long name may have one dash or two; but one that begins
// with "o" has two, since -oFILE is the output. After two dashes it may be cut
// short while it is clear.
func find(arg string) (o *Option, name, value string, has bool) {
	if len(arg) == 2 {
		return index().short[arg[1]], arg, "", false
	}
	name, value, has = strings.Cut(arg, "=")
	double := strings.HasPrefix(arg, "--")
	if long := strings.TrimLeft(name, "-"); double || arg[1] != 'o' {
		if o := index().long[long]; o != nil && (o.Arg != None || !has) {
			return o, name, value, has
		}
	}
	if !double {
		if o := index().short[arg[1]]; o != nil && o.Arg != None {
			return o, arg[:2], arg[2:], true
		}
		return nil, name, "", false
	}
	if o := abbreviated(name[2:]); o != nil && (o.Arg != None || !has) {
		return o, name, value, has
	}
	return nil, name, "", false
}

// index finds the options of the table: those of one letter, and those of more
// without their dashes.
var index = sync.OnceValue(makeIndex)

type optionIndex struct {
	short [256]*Option
	long  map[string]*Option
}

func makeIndex() *optionIndex {
	x := &optionIndex{long: map[string]*Option{}}
	table := table()
	for i := range table {
		for _, name := range table[i].Names {
			if len(name) == 2 {
				x.short[name[1]] = &table[i]
			} else {
				x.long[strings.TrimLeft(name, "-")] = &table[i]
			}
		}
	}
	return x
}

// abbreviated finds the one option whose long name begins so.
func abbreviated(start string) *Option {
	var found *Option
	for name, o := range index().long {
		if !strings.HasPrefix(name, start) || o == found {
			continue
		}
		if found != nil {
			return nil
		}
		found = o
	}
	return found
}

func unknown(arg string) error {
	name, _, _ := strings.Cut(arg, "=")
	var names []string
	for _, o := range table() {
		names = append(names, o.Names...)
	}
	msg := "no such option"
	if like, ok := near.Name(name, names); ok {
		msg += "; perhaps " + like + " was meant"
	}
	return &Error{name, msg}
}

// expand puts the words of response files in the place of @FILE.
func (p *parser) expand(args []string, depth int) ([]string, error) {
	var out []string
	for _, a := range args {
		name, ok := strings.CutPrefix(a, "@")
		if !ok || name == "" {
			out = append(out, a)
			continue
		}
		text, err := p.read(name)
		if err != nil { // as the GNU tools: then it is a file of that name
			out = append(out, a)
			continue
		}
		if depth == 50 {
			return nil, fmt.Errorf("@%s: response files nest deeper than 50", name)
		}
		words, err := split(text)
		if err != nil {
			return nil, fmt.Errorf("@%s: %w", name, err)
		}
		words, err = p.expand(words, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, words...)
	}
	return out, nil
}

// split cuts a response file into words: separated by white space, quoted by '
// or ", a backslash takes the next character as it is.
func split(text []byte) ([]string, error) {
	var words []string
	var word []byte
	var quote byte
	in := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			word, in = append(word, text[i]), true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word = append(word, c)
		case c == '\'' || c == '"':
			quote, in = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			if in {
				words, word, in = append(words, string(word)), nil, false
			}
		default:
			word, in = append(word, c), true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	}
	if in {
		words = append(words, string(word))
	}
	return words, nil
}
