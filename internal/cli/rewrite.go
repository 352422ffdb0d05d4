package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	"elfwright/elffile"
)

// rewrite is what verbs have in common that make one file of another: where it
// goes, and how it is told of.
type rewrite struct {
	output       string
	dryRun, json bool
	plain        bool // the result is no program: whoever may read the file may read it, no more

	data []io.Closer // files that new bytes come from
}

// A report tells what was done to a file. As JSON it is what encoding/json makes
// of it.
type report interface{ WriteText(io.Writer) error }

// A refusal is an error that is the answer no: what was asked for is well formed,
// and this file does not allow it. The exit code is 1 then.
type refusal interface {
	error
	No() bool
}

func (o *rewrite) dryRunFlag() flag {
	return flag{name: "dry-run", to: &o.dryRun, help: "report what would be done, and write nothing"}
}

func (o *rewrite) jsonFlag(each string) flag {
	return flag{name: "json", to: &o.json, help: strings.TrimSpace("print the answer as one JSON document " + each)}
}

func (o *rewrite) outputFlag() flag {
	return flag{name: "output", short: "o", to: &o.output, value: "OUT", files: true, help: "where to write; may be FILE itself, or a dash"}
}

// run opens a file, lets do make another of it, and writes and reports that.
func (o *rewrite) run(c *call, name string, do func(f *elffile.File) (*elffile.Body, report, error)) error {
	if err := o.checkOutput(c); err != nil {
		return err
	}
	defer o.closeData()
	f, err := elffile.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Guard(func() error {
		done := c.phase("edit")
		body, r, err := do(f)
		done()
		mode := f.Mode()
		if o.plain {
			mode &= 0o666
		}
		return o.finish(c, body, r, mode, err)
	})
}

// convert is run for a program that is made of something else.
func (o *rewrite) convert(c *call, name string, do func(name string, d elffile.Data) (*elffile.Body, report, error)) error {
	if err := o.checkOutput(c); err != nil {
		return err
	}
	defer o.closeData()
	d, err := o.openInput(c, name)
	if err != nil {
		return err
	}
	done := c.phase("read")
	body, r, err := do(name, d)
	done()
	return o.finish(c, body, r, 0o755, err)
}

func (o *rewrite) checkOutput(c *call) error {
	if o.output == "" && !o.dryRun {
		return c.usagef("where to? name a file with -o, or say --dry-run")
	}
	return nil
}

// finish writes and reports a result, or the error instead of it.
func (o *rewrite) finish(c *call, body *elffile.Body, r report, mode os.FileMode, err error) error {
	if err != nil {
		return answer(err)
	}
	if !o.dryRun {
		done := c.phase("write")
		err := o.write(c, body, mode)
		done()
		if err != nil {
			return err
		}
	}
	return o.report(c, r)
}

// answer makes a refusal the answer no.
func answer(err error) error {
	if no, ok := errors.AsType[refusal](err); ok && no.No() {
		return faulty(err)
	}
	return err
}

func (o *rewrite) write(c *call, body *elffile.Body, mode os.FileMode) error {
	if o.output == "-" {
		_, err := body.WriteTo(c.out)
		return err
	}
	return body.WriteFile(o.output, mode)
}

// report prints what was done; where the file itself goes to standard output, to
// standard error.
func (o *rewrite) report(c *call, r report) error {
	to := io.Writer(c.out)
	if o.output == "-" && !o.dryRun {
		to = c.err
	}
	if o.json {
		return writeJSON(to, r)
	}
	return r.WriteText(to)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// openData maps a file until the result is written, or reads one that cannot be
// mapped.
func (o *rewrite) openData(name string) (elffile.Data, error) {
	if m, err := elffile.Map(name); err == nil {
		o.data = append(o.data, m)
		return m.Data(), nil
	}
	b, err := os.ReadFile(name)
	return elffile.Buffer(b), err
}

// openInput is openData for the input itself, which may be standard input.
func (o *rewrite) openInput(c *call, name string) (elffile.Data, error) {
	if name != "-" {
		return o.openData(name)
	}
	b, err := io.ReadAll(c.in)
	return elffile.Buffer(b), err
}

func (o *rewrite) closeData() {
	for _, d := range o.data {
		d.Close()
	}
}
