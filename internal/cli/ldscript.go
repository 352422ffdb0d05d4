package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"elfwright/ldscript"
)

// ldscriptFlags are what the command lines of ldscript's verbs say.
type ldscriptFlags struct {
	search                    []string
	dialect                   string
	strict, json, write, list bool
}

func ldscriptVerb() *verb {
	return &verb{
		name:     "ldscript",
		short:    "check linker scripts, print them in one style, and explain what they do with sections",
		children: []*verb{ldscriptCheckVerb(), ldscriptFmtVerb(), ldscriptExplainVerb()},
		long:     `The language is that of GNU ld: what it takes is taken, and what it refuses is refused, with the line, a mark at the place, and what is wanted there. Of newer versions there are REVERSE, ASCIZ, LINKER_VERSION and the operator ^, of lld OVERWRITE_SECTIONS. Not taken are MRI scripts and GROUP within SECTIONS.`,
		examples: []example{
			{"what is there to say of a script of binutils", "elfwright ldscript check /usr/lib/x86_64-linux-gnu/ldscripts/elf_x86_64.x"},
			{"the same script in one style", "elfwright ldscript fmt /usr/lib/x86_64-linux-gnu/ldscripts/elf_x86_64.x"},
		},
	}
}

func ldscriptCheckVerb() *verb {
	opt := &ldscriptFlags{dialect: "gnu"}
	return &verb{
		name:  "check",
		short: "find what is wrong in linker scripts, or looks so, without linking",
		usage: []string{"[flags] SCRIPT…"},
		args:  args{min: 1, max: -1, name: "SCRIPT"},
		no:    "a script has errors; with --strict, also if there are warnings",
		long: `Each finding has its place, a level and the name of a rule. An error cannot link, or not as it is written; a warning is seldom meant; a note is of something that GNU ld and lld do differently, or that may well be meant. These are the rules:

` + ruleTable(ldscript.Checks),
		flags: []flag{
			opt.searchFlag(), opt.dialectFlag(),
			{name: "strict", to: &opt.strict, help: "warnings are errors"},
			{name: "json", to: &opt.json, help: "print the answer as one JSON document"},
		},
		examples: []example{
			{"a script of binutils", "elfwright ldscript check /usr/lib/x86_64-linux-gnu/ldscripts/elf_x86_64.x"},
			{"for a program that asks", "elfwright ldscript check --json /usr/lib/x86_64-linux-gnu/ldscripts/elf_x86_64.x"},
		},
		run: func(c *call) error { return runLdscriptCheck(c, opt) },
	}
}

func ldscriptFmtVerb() *verb {
	opt := &ldscriptFlags{dialect: "gnu"}
	return &verb{
		name:  "fmt",
		short: "print linker scripts in one style",
		usage: []string{"[flags] SCRIPT…"},
		args:  args{min: 1, max: -1, name: "SCRIPT"},
		no:    "with --list, a script is not in that style",
		long:  `One statement a line, tabs, spaces around operators. Comments and empty lines stay, and an output section that stands on one line stays there. The result means the same: it is read again and compared before it is printed.`,
		flags: []flag{
			opt.searchFlag(), opt.dialectFlag(),
			{name: "write", short: "w", to: &opt.write, help: "write each script back to its file, if that changes it"},
			{name: "list", short: "l", to: &opt.list, help: "print the names of the scripts that would change, not the scripts"},
		},
		examples: []example{
			{"a script of binutils", "elfwright ldscript fmt /usr/lib/x86_64-linux-gnu/ldscripts/elf_x86_64.x"},
			{"once it is in that style, there is nothing to do", "elfwright ldscript fmt /usr/lib/x86_64-linux-gnu/ldscripts/elf_x86_64.x >my.lds && elfwright ldscript fmt -l my.lds"},
		},
		run: func(c *call) error { return runLdscriptFmt(c, opt) },
	}
}

func (o *ldscriptFlags) searchFlag() flag {
	return flag{name: "library-path", short: "L", to: &o.search, value: "DIR", files: true, help: "look for files of INCLUDE here too; may be given again"}
}

func (o *ldscriptFlags) dialectFlag() flag {
	return flag{name: "dialect", to: &o.dialect, words: []string{"gnu", "lld"}, help: "whose language: lld also takes commas and = without spaces, and lone semicolons"}
}

// parse reads a script; a dash is standard input.
func (o *ldscriptFlags) parse(c *call, name string) (*ldscript.Script, error) {
	name, in, err := c.input(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := ldscript.ReadText(name, in)
	if err != nil {
		return nil, err
	}
	defer c.phase("parse")()
	return ldscript.Parse(name, text, o.options())
}

func (o *ldscriptFlags) options() ldscript.Options {
	return ldscript.Options{Open: ldscript.OpenIn(o.search), LLD: o.dialect == "lld"}
}

func runLdscriptCheck(c *call, o *ldscriptFlags) error {
	var all []ldscript.Finding
	for _, name := range c.args {
		s, err := o.parse(c, name)
		var faults ldscript.Errors
		switch {
		case errors.As(err, &faults):
			all = append(all, faults.Findings()...)
		case err != nil:
			return err
		default:
			all = append(all, ldscript.Check(s)...)
		}
	}
	if o.json {
		if err := ldscript.WriteJSON(c.out, all); err != nil {
			return err
		}
	} else {
		for _, f := range all {
			fmt.Fprintf(c.out, "%v\n%s", f, f.Pos.Excerpt())
		}
	}
	for _, f := range all {
		if f.Level == ldscript.Fault || o.strict && f.Level == ldscript.Warning {
			return errNo
		}
	}
	return nil
}

func runLdscriptFmt(c *call, o *ldscriptFlags) error {
	changed := false
	for _, name := range c.args {
		s, err := o.parse(c, name)
		if err != nil {
			return excerpts(err)
		}
		text, err := ldscript.FormatSafe(s, o.options())
		if err != nil {
			return err
		}
		differs := !bytes.Equal(text, s.Source.Text)
		changed = changed || differs
		if o.list && differs {
			fmt.Fprintln(c.out, name)
		}
		switch {
		case o.write && name == "-":
			return c.usagef("flag --write: standard input is no file to write to")
		case o.write && differs:
			err = c.create(name, func(w io.Writer) error { _, err := w.Write(text); return err })
		case !o.write && !o.list:
			_, err = c.out.Write(text)
		}
		if err != nil {
			return err
		}
	}
	if o.list && !o.write && changed {
		return errNo
	}
	return nil
}

// excerpts puts below each error of a script the line that it is in.
func excerpts(err error) error {
	var faults ldscript.Errors
	if !errors.As(err, &faults) {
		return err
	}
	var list []error
	for _, f := range faults {
		list = append(list, fmt.Errorf("%w\n%s", f, strings.TrimSuffix(f.Excerpt(), "\n")))
	}
	return errors.Join(list...)
}
