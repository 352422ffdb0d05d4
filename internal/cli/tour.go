package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/internal/term"
)

type tourFlags struct {
	dir   string
	pause bool
	color string
}

func tourVerb() *verb {
	opt := tourFlags{color: "auto"}
	return &verb{
		name:  "tour",
		short: "take a tour over real programs, from a look at one to running a reshaped one",
		usage: []string{"[flags]"},
		no:    "a step did not end as it should",
		long:  `Each step prints the command line that it runs, the result, and what to look at in it. The programs are those of this machine and one that the tour builds with Go; no compiler for C and no binutils are needed.`,
		examples: []example{
			{"the whole tour", "elfwright tour"},
			{"keep its files, to go on from there", "elfwright tour --dir=tour && ls tour"},
		},
		flags: []flag{
			{name: "dir", to: &opt.dir, value: "DIR", files: true, help: "work in DIR and leave the files there; a temporary directory if not given"},
			{name: "pause", to: &opt.pause, help: "wait for Enter after each step"},
			{name: "color", to: &opt.color, words: term.Modes(), bare: "always", help: "colour the output; auto is on a terminal and without NO_COLOR"},
		},
		run: func(c *call) error { return runTour(c, opt) },
	}
}

func runTour(c *call, opt tourFlags) error {
	g, err := newGuide(c, opt)
	if err != nil {
		return err
	}
	defer g.leave()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	return g.walk(ctx, tourSteps(g.system, g.hasGo))
}

// A step is one thing to see.
type step struct {
	title string
	line  string   // the command line, as one would type it; a shell runs it
	show  []string // show only lines with one of these words; nil shows all
	max   int      // show at most so many lines; 0 is tourLines
	look  string   // what to look at in the result
}

// tourLines is how much of a long answer is shown if a step does not say.
const tourLines = 24

// guide runs steps and tells of them.
type guide struct {
	c      *call
	opt    tourFlags
	style  term.Style
	width  int
	dir    string   // where the commands run
	bin    string   // holds elfwright, first in the PATH
	env    []string // of the commands
	system string   // a program of this machine
	hasGo  bool
	failed []int
}

func newGuide(c *call, opt tourFlags) (*guide, error) {
	g := &guide{c: c, opt: opt, style: c.style(opt.color), width: min(c.width(80), maxHelpWidth), dir: opt.dir}
	var err error
	if g.bin, err = os.MkdirTemp("", "elfwright-tour-"); err != nil {
		return nil, err
	}
	if g.dir == "" {
		g.dir = filepath.Join(g.bin, "work")
	}
	if err := g.furnish(); err != nil {
		g.leave()
		return nil, err
	}
	return g, nil
}

// furnish puts elfwright, a program's source and some bytes where the steps
// find them, and looks at what this machine has.
func (g *guide) furnish() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(g.dir, 0o777); err != nil {
		return err
	}
	// A link, so that the command lines can be those that a user would type.
	if err := os.Symlink(self, filepath.Join(g.bin, name)); err != nil {
		return err
	}
	for file, text := range map[string]string{"finder.go": tourFinder, "message.txt": tourMessage} {
		if err := os.WriteFile(filepath.Join(g.dir, file), []byte(text), 0o666); err != nil {
			return err
		}
	}
	g.env = append(os.Environ(), "PATH="+g.bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	_, err = exec.LookPath("go")
	g.hasGo = err == nil
	g.system = self
	if ls, err := exec.LookPath("ls"); err == nil {
		g.system = ls
	}
	return nil
}

// leave removes what the tour made, except in a directory the user named.
func (g *guide) leave() { os.RemoveAll(g.bin) }

// walk goes through the steps. One that fails does not end the tour.
func (g *guide) walk(ctx context.Context, steps []step) error {
	for i, s := range steps {
		fmt.Fprintf(g.c.out, "%s\n", g.style.Bold(fmt.Sprintf("%d/%d  %s", i+1, len(steps), s.title)))
		if err := g.run(ctx, s); err != nil {
			g.failed = append(g.failed, i+1)
			fmt.Fprintf(g.c.out, "  %s\n", g.style.Red(err.Error()))
		}
		fmt.Fprintf(g.c.out, "%s\n\n", fill("  → "+s.look, g.width, 4))
		if err := g.c.out.flush(); err != nil {
			return nil // finish finds it again
		}
		if g.opt.pause && i+1 < len(steps) {
			g.wait(ctx)
		}
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
	}
	if g.failed != nil {
		return faulty(fmt.Errorf("steps that did not end as they should: %v", g.failed))
	}
	if g.opt.dir != "" {
		fmt.Fprintf(g.c.out, "The files of this tour are in %s.\n", g.opt.dir)
	}
	fmt.Fprintln(g.c.out, "More of each verb: elfwright help VERB.")
	return nil
}

// run runs one command line and prints it and its result.
func (g *guide) run(ctx context.Context, s step) error {
	defer g.c.phase(s.line)()
	fmt.Fprintf(g.c.out, "  %s\n", g.style.Cyan("$ "+s.line))
	if err := g.c.out.flush(); err != nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", s.line)
	cmd.Dir, cmd.Env = g.dir, g.env
	result, err := cmd.CombinedOutput()
	for _, l := range abridge(result, s, err != nil) {
		fmt.Fprintf(g.c.out, "  %s %s\n", g.style.Dim("|"), l)
	}
	return err
}

// abridge chooses the lines of a result that are shown, and says how many are
// not. Of a failed command all words may matter.
func abridge(result []byte, s step, failed bool) []string {
	text := strings.TrimRight(string(result), "\n")
	if text == "" {
		return nil
	}
	lines, limit := strings.Split(text, "\n"), s.max
	if limit == 0 {
		limit = tourLines
	}
	var out []string
	for _, l := range lines {
		if len(out) < limit && (failed || s.show == nil || containsAny(l, s.show)) {
			out = append(out, l)
		}
	}
	if n := len(lines) - len(out); n > 0 {
		out = append(out, fmt.Sprintf("… (%d more lines)", n))
	}
	return out
}

func containsAny(line string, words []string) bool {
	for _, w := range words {
		if strings.Contains(line, w) {
			return true
		}
	}
	return false
}

// wait reads standard input up to the end of a line.
func (g *guide) wait(ctx context.Context) {
	fmt.Fprint(g.c.err, g.style.Dim("Enter for the next step "))
	line := make(chan struct{})
	go func() {
		defer close(line)
		b := make([]byte, 1)
		for {
			if n, err := g.c.in.Read(b); err != nil || n == 1 && b[0] == '\n' {
				return
			}
		}
	}()
	select {
	case <-line:
	case <-ctx.Done():
	}
}
