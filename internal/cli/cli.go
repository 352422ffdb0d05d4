// Package cli is the command line of elfwright.
//
// A verb is described once, in a table of verbs and flags; from it come the
// parser, the help, the man pages, the Markdown pages and the shell
// completion. What a verb does is a function of one call: flags to options,
// one call into the package of that name, print. No verb touches a byte.
//
// A new verb is a file here with a function that returns its *verb, and a line
// in verbs.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
)

// Streams are what the command line has of the world, so that a test can give
// it another. Getenv may be nil for an empty environment.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Environ  func() []string // the same in whole, for programs that are started; may be nil, too
	Last     bool            // the process ends after this command line
}

// The exit codes of every verb.
const (
	exitDone  = 0 // done
	exitNo    = 1 // the answer is no, or an input had faults
	exitError = 2 // wrong usage, or an error
)

// maxErrors is how many errors of one run are shown.
const maxErrors = 20

// verbTable has the verbs in the order help lists them. Most command lines need one of
// them alone, and to make them all takes as long as many a verb.
var verbTable = []struct {
	name string
	make func() *verb
}{
	{"show", showVerb},
	{"phdr", phdrVerb},
	{"embed", embedVerb},
	{"shift", shiftVerb},
	{"split", splitVerb},
	{"join", joinVerb},
	{"match", matchVerb},
	{"flatten", flattenVerb},
	{"link", linkVerb},
	{"ldscript", ldscriptVerb},
	{"patch", patchVerb},
	{"deps", depsVerb},
	{"reset", resetVerb},
	{"sdf", sdfVerb},
	{"explain", explainVerb},
	{"mount", mountVerb},
	{"run", runVerb},
	{"freeze", freezeVerb},
	{"tour", tourVerb},
	{"help", helpVerb},
	{"version", versionVerb},
	{"completion", completionVerb},
	{"docs", docsVerb},
	{mountHelper, mountHelperVerb},
}

// verbs makes all of them.
func verbs() []*verb {
	var list []*verb
	for _, row := range verbTable {
		list = append(list, row.make())
	}
	return list
}

// verbOf makes the one of a name, nil if there is none.
func verbOf(name string) *verb {
	for _, row := range verbTable {
		if row.name == name {
			return row.make()
		}
	}
	return nil
}

// Main runs one command line, without the program's name, and returns the exit
// code.
func Main(args []string, s Streams) int {
	// With a receiver for SIGPIPE a write to a closed pipe fails with EPIPE, so
	// that open temporary files are cleaned up; without one it would kill us.
	// A handler, unlike SIG_IGN, is not inherited by the programs we start.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, unix.SIGPIPE)
	defer signal.Stop(pipe)

	p := newProgram(s)
	err := p.execute(args)
	if e := p.finish(); e != nil && err == nil {
		err = e
	}
	if p.out.closed() {
		// Whoever reads has enough: that is no error of ours. The verb's own
		// answer still counts when it got as far as giving one.
		if errors.Is(err, errNo) {
			return exitNo
		}
		return exitDone
	}
	p.report(err)
	return exitCode(err)
}

// errNo ends a verb that has printed its answer, and the answer is no.
var errNo = errors.New("no")

// faults wraps what was wrong with the inputs of a verb that has otherwise
// done its work: it is printed, and the exit code is 1.
type faults struct{ error }

func (f faults) Unwrap() error   { return f.error }
func (faults) Is(err error) bool { return err == errNo }

// faulty makes err, if it is one, a fault of the inputs.
func faulty(err error) error {
	if err == nil {
		return nil
	}
	return faults{err}
}

// exited ends a verb that has run a program whose exit code is ours, or could
// not run it.
type exited struct {
	code  int
	error // or nil
}

func (e exited) Unwrap() error { return e.error }

// usageError is a fault of the command line itself.
type usageError struct {
	path string // "elfwright show"
	msg  string
}

func (e usageError) Error() string {
	return fmt.Sprintf("%s; see '%s --help'", e.msg, e.path)
}

func exitCode(err error) int {
	if e, ok := err.(exited); ok {
		return e.code
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errNo):
		return exitNo
	}
	return exitError
}

// report prints err to standard error, a line for each error joined in it.
func (p *program) report(err error) {
	if e, ok := err.(exited); ok {
		err = e.error
	}
	if err == nil || err == errNo {
		return
	}
	lines := leaves(err)
	for i, e := range lines {
		if i == maxErrors {
			fmt.Fprintf(p.err, "%s: %d more errors are not shown\n", p.path, len(lines)-i)
			return
		}
		fmt.Fprintf(p.err, "%s: %s\n", p.path, strings.ReplaceAll(e.Error(), "\n", "\n  "))
	}
}

// leaves are the single errors in err, those of inputs too.
func leaves(err error) []error {
	if f, ok := err.(faults); ok {
		return leaves(f.error)
	}
	var out []error
	for _, e := range elffile.Leaves(err) {
		if f, ok := e.(faults); ok {
			out = append(out, leaves(f.error)...)
			continue
		}
		out = append(out, e)
	}
	return out
}
