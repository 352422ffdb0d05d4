package linktest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link"
	"elfwright/link/options"
)

// Args gives the words with which a compiler calls the linker for a source, but
// for its plugin and the output.
func Args(t testing.TB, cc []string, source string, libs ...string) (args []string) {
	t.Helper()
	samples.Need(t, cc[0])
	obj := filepath.Join(t.TempDir(), "program.o")
	run := func(more ...string) string {
		msg, err := exec.Command(cc[0], append(cc[1:len(cc):len(cc)], more...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cc[0], err, msg)
		}
		return string(msg)
	}
	run("-c", "-o", obj, source)
	_, line, _ := strings.Cut(run(append([]string{"-###", "-o", "OUT", obj}, libs...)...), "/collect2 ")
	line, _, _ = strings.Cut(line, "\n")
	words := strings.Fields(line)
	for i := 0; i < len(words); i++ {
		w := strings.Trim(words[i], `"`)
		switch {
		case w == "-plugin" || w == "-o":
			i++
		case !strings.HasPrefix(w, "-plugin-opt"):
			args = append(args, w)
		}
	}
	return args
}

// Ours links by the linker under test and returns the file.
func Ours(t testing.TB, args []string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "ours")
	opt, _, err := options.Parse(append(args[:len(args):len(args)], "-o", out), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := link.Link(opt, link.Host{}); err != nil {
		t.Fatal(err)
	}
	return out
}
