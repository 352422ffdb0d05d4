package link_test

import (
	"os"
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

// TestCorpus: the linker makes of every case what GNU ld makes of it.
func TestCorpus(t *testing.T) {
	samples.Need(t, tools...)
	cases := corpus(t)
	ldcase.Run(t, cases, ldcase.Command(command(t)...), sweep())
}

// TestDialect: where lld means otherwise, --dialect=lld means what it means.
func TestDialect(t *testing.T) {
	samples.Need(t, append(tools, "ld.lld-14")...)
	ldcase.RunDialect(t, corpus(t), ldcase.Command("ld.lld-14"), ldcase.Command(command(t)...))
}

// TestPrograms: what compilers make is linked, and runs.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles some programs")
	}
	ldcase.RunPrograms(t, command(t), sweep())
}
