package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const name = "elfwright"

const about = "look inside programs and make new ones from them"

// program is one run of the command line.
type program struct {
	in     io.Reader
	out    *output
	err    talk
	getenv func(string) string
	env    func() []string
	last   bool

	top  func() *verb // the program itself, the verbs its children
	root *cobra.Command
	path string // "elfwright show", as soon as it is known

	profiles profiles
	timed    bool
	timing   *timing
}

func newProgram(s Streams) *program {
	p := &program{in: s.In, out: newOutput(s.Out), getenv: s.Getenv, env: s.Environ, last: s.Last, path: name}
	p.err = talk{p.out, s.Err}
	if p.getenv == nil {
		p.getenv = func(string) string { return "" }
	}
	p.top = sync.OnceValue(topVerb)
	return p
}

// parser makes the verbs commands of cobra: all of them, or the one that the
// command line begins with, for making flags takes longer than many a verb.
func (p *program) parser(args []string) {
	top := rootVerb()
	if len(args) > 0 && args[0] != "completion" {
		if v := verbOf(args[0]); v != nil {
			top.children = []*verb{v}
		}
	}
	if top.children == nil {
		top = p.top()
	}
	p.root = p.command(top)
	p.root.CompletionOptions.DisableDefaultCmd = true
	p.root.SetHelpCommand(&cobra.Command{Hidden: true}) // ours is in the table
	p.root.SetIn(p.in)
	p.root.SetOut(p.out)
	p.root.SetErr(p.err)

	everywhere := p.root.PersistentFlags()
	everywhere.Bool("help", false, "print this help")
	bind(everywhere, p.globalFlags())
}

// environ is the environment for programs that are started.
func (p *program) environ() []string {
	if p.env == nil {
		return nil
	}
	return p.env()
}

// topVerb is the program with all its verbs.
func topVerb() *verb {
	v := rootVerb()
	v.children = verbs()
	return v
}

// rootVerb is the program as a row of the table, for its help and man page.
func rootVerb() *verb {
	return &verb{
		name:  name,
		short: about,
		usage: []string{"VERB [flags] FILE…"},
		long: `The answer goes to standard output, the talk to standard error. A dash in place of a file name is standard input or output.

'elfwright help VERB' tells more of a verb, as does 'elfwright VERB --help'.`,
		examples: []example{
			{"a guided tour, on programs that are here", "elfwright tour"},
			{"what a program is made of", "elfwright show -h -l /bin/ls"},
		},
	}
}

// globalFlags are understood by every verb.
func (p *program) globalFlags() []flag {
	return []flag{
		{name: "cpuprofile", to: &p.profiles.cpu, value: "FILE", files: true, hidden: true, help: "write a CPU profile to FILE"},
		{name: "memprofile", to: &p.profiles.mem, value: "FILE", files: true, hidden: true, help: "write a heap profile to FILE"},
		{name: "timing", to: &p.timed, hidden: true, help: "print how long each phase took to standard error"},
	}
}

// command makes v and its children commands of cobra.
func (p *program) command(v *verb) *cobra.Command {
	cmd := &cobra.Command{
		Use:           v.name,
		Short:         v.short,
		Hidden:        v.hidden,
		Args:          cobra.ArbitraryArgs, // refused in our words, below
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	bind(cmd.Flags(), v.flags)
	if v.args.words != nil {
		cmd.ValidArgs = v.args.words
	}
	if v.name == "help" {
		cmd.ValidArgsFunction = p.completeVerbs
	}
	cmd.DisableFlagParsing = v.raw
	cmd.Flags().SetInterspersed(!v.stops)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if v.raw && len(args) > 0 && args[0] == "--help" {
			return cmd.Help()
		}
		return p.call(v, cmd.CommandPath(), cmd.Flags().Changed, args)
	}
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		writeHelp(p.out, v, cmd.CommandPath(), p.helpWidth())
	})
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if errors.Is(err, pflag.ErrHelp) {
			return err // an unknown -h: cobra prints the help
		}
		p.path = cmd.CommandPath()
		if args := cmd.Flags().Args(); v.children != nil && len(args) > 0 {
			return p.unknownVerb(v, args[0])
		}
		return usageError{p.path, flagFault(err, v)}
	})
	for _, ch := range v.children {
		cmd.AddCommand(p.command(ch))
	}
	return cmd
}

// execute parses the command line and runs its verb.
func (p *program) execute(args []string) error {
	if len(args) == 1 && args[0] == "--version" { // what people try first
		args = []string{"version"}
	}
	if v := p.rawVerb(args); v != nil {
		return p.call(v, name+" "+v.name, func(string) bool { return false }, args[1:])
	}
	p.parser(args)
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		p.completeAll(p.root, p.top())
	}
	p.root.SetArgs(append([]string{}, args...)) // nil would mean os.Args
	return p.root.Execute()
}

// rawVerb is the verb that a command line begins with, if that one parses the rest
// itself: the flags of all others are not needed then, which take as long to make
// as a small file takes to link.
func (p *program) rawVerb(args []string) *verb {
	if len(args) == 0 || len(args) > 1 && args[1] == "--help" {
		return nil
	}
	if v := verbOf(args[0]); v != nil && v.raw {
		return v
	}
	return nil
}

// call runs one verb.
func (p *program) call(v *verb, path string, changed func(flag string) bool, args []string) error {
	p.path = path
	if v.children != nil {
		if len(args) > 0 {
			return p.unknownVerb(v, args[0])
		}
		return usageError{p.path, "which verb? " + orList(visible(v.children))}
	}
	if err := v.args.check(p.path, args); err != nil {
		return err
	}
	if p.timed {
		p.timing = newTiming()
	}
	if err := p.profiles.start(); err != nil {
		return err
	}
	return v.run(&call{
		prog: p, verb: v, args: args, in: p.in, out: p.out, err: p.err,
		changed: changed,
	})
}

// finish ends what execute began, and returns the first error of that.
func (p *program) finish() error {
	err := p.out.flush()
	if err != nil {
		err = fmt.Errorf("standard output: %w", err)
	}
	p.timing.print(p.err)
	return errors.Join(err, p.profiles.stop())
}

func (p *program) unknownVerb(v *verb, arg string) error {
	names := visible(v.children)
	return usageError{p.path, fmt.Sprintf("unknown verb %q%s", arg, didYouMean(arg, names))}
}

func visible(list []*verb) []string {
	var out []string
	for _, v := range list {
		if !v.hidden {
			out = append(out, v.name)
		}
	}
	return out
}

// check refuses too few and too many arguments.
func (a args) check(path string, got []string) error {
	switch n := len(got); {
	case n < a.min && a.max == 1:
		return usageError{path, "needs a " + a.name}
	case n < a.min:
		return usageError{path, fmt.Sprintf("needs at least %d %s", a.min, a.name)}
	case a.max == 0 && n > 0:
		return usageError{path, fmt.Sprintf("takes no arguments, but got %q", strings.Join(got, " "))}
	case a.max > 0 && n > a.max:
		return usageError{path, fmt.Sprintf("takes %d %s, but got %d: %s", a.max, a.name, n, strings.Join(got, " "))}
	}
	if a.words == nil {
		return nil
	}
	for _, arg := range got {
		if err := (&word{new(string), a.words}).Set(arg); err != nil {
			return usageError{path, fmt.Sprintf("%q: %v", arg, err)}
		}
	}
	return nil
}
