package link_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/cli"
	"elfwright/internal/ldcase"
	"elfwright/internal/samples"
)

// asLinker, in the environment, makes the test's program the linker.
const asLinker = "ELFWRIGHT_AS_LINKER"

func TestMain(m *testing.M) {
	if os.Getenv(asLinker) == "" {
		os.Exit(m.Run())
	}
	args := append([]string{"link"}, os.Args[1:]...)
	os.Exit(cli.Main(args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Environ: os.Environ}))
}

// command is the linker as a command.
func command(t *testing.T) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{"/usr/bin/env", asLinker + "=1", self}
}

var tools = []string{"as", "ld", "ar", "aarch64-linux-gnu-as", "aarch64-linux-gnu-ld", "arm-linux-gnueabihf-as", "arm-linux-gnueabihf-ld",
	"riscv64-linux-gnu-as", "riscv64-linux-gnu-ld"}

// sweep: each case for every machine that it is for, not for the first alone.
func sweep() bool { return os.Getenv("ELFWRIGHT_SWEEP") != "" }

func corpus(t *testing.T) []*ldcase.Case {
	t.Helper()
	cases, err := ldcase.Load("../testdata/ldscript")
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// faulty are cases in which the linker does not yet do as GNU ld does; all variants
// of the first kind, single ones of the second. They are not run: this is a list
// of faults, to become shorter.
var faulty = map[string]bool{
	"fill/width[=$ff]":            true, // "$ff" is a symbol for us
	"gc/roots[--defsym=x=unused]": true, // what --defsym names is a root for us
	"gc/script-symbol-is-root":    true, // what an expression names is a root for us
	"glob/set[.text.\\a]":         true, // a backslash in a name
	"group/link-order-discarded":  true, // no error
	"order/circle":                true, // is to be refused
	"order/grows-by-itself":       true, // a size that its own address changes
	"order/no-list":               true, // a file without a list of sections
	"fill/width-dialect":          true, // ld.lld's patterns begin with the section
	"phdr/before-first":           true, // of ld.lld: an orphan's segment
	"symbol/redefines-common":     true, // keeps type and size
}

func isFaulty(c *ldcase.Case) bool {
	name, _, _ := strings.Cut(c.Name, "[")
	return faulty[name] || faulty[strings.ReplaceAll(c.Name, " ", "_")]
}

// TestCorpus: the linker makes of every case what GNU ld makes of it.
func TestCorpus(t *testing.T) {
	samples.Need(t, tools...)
	cases := slices.DeleteFunc(corpus(t), isFaulty)
	ldcase.Run(t, cases, ldcase.Command(command(t)...), sweep())
}

// TestDialect: where lld means otherwise, --dialect=lld means what it means.
func TestDialect(t *testing.T) {
	samples.Need(t, append(tools, "ld.lld-14")...)
	ldcase.RunDialect(t, slices.DeleteFunc(corpus(t), isFaulty), ldcase.Command("ld.lld-14"), ldcase.Command(command(t)...))
}

// TestPrograms: what compilers make is linked, and runs.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles some programs")
	}
	ldcase.RunPrograms(t, command(t), sweep())
}
