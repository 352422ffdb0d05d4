package ldcase_test

import (
	"os"
	"strings"
	"testing"

	"elfwright/internal/ldcase"
	"elfwright/internal/samples"
)

const corpus = "../../testdata/ldscript"

// tools are the machines' assemblers and linkers.
var tools = []string{"as", "ld", "ar", "aarch64-linux-gnu-as", "aarch64-linux-gnu-ld", "arm-linux-gnueabihf-as", "arm-linux-gnueabihf-ld",
	"riscv64-linux-gnu-as", "riscv64-linux-gnu-ld"}

// under is the linker that ELFWRIGHT_LD names, a command with arguments: to try
// another one on the corpus.
func under() ldcase.Linker {
	words := strings.Fields(os.Getenv("ELFWRIGHT_LD"))
	if len(words) == 0 {
		return nil
	}
	return ldcase.Command(words...)
}

func load(t *testing.T) []*ldcase.Case {
	t.Helper()
	cases, err := ldcase.Load(corpus)
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestCorpus: GNU ld does what the cases say.
func TestCorpus(t *testing.T) {
	samples.Need(t, tools...)
	ldcase.Run(t, load(t), under())
}

// TestDialect: where lld means otherwise, it does.
func TestDialect(t *testing.T) {
	samples.Need(t, append(tools, "ld.lld-14")...)
	ldcase.RunDialect(t, load(t), ldcase.Command("ld.lld-14"), under())
}

// TestPrograms: what the compilers of all machines make, linked and run.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles some forty programs")
	}
	ldcase.RunPrograms(t, strings.Fields(os.Getenv("ELFWRIGHT_LD")))
}
