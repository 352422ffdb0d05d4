package split_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/match"
	"elfwright/split"
)

// debugged are programs that a debugger can look at here.
var debugged = []string{"x86-64-pie", "x86-64-no-build-id", "x86-64-static", "x86-64-nopie", "x86-64-static-pie", "x86-64-c++", "x86-64-lld-pie", "x86-64-musl-pie"}

// TestGDB: gdb finds the symbols of an image by itself, by .gnu_debuglink beside
// it and by the build-id elsewhere, and stops by name and by line.
func TestGDB(t *testing.T) {
	samples.Need(t, "gdb")
	for i, name := range debugged {
		if testing.Short() && i > 0 || !sweep() && i > 2 { // gdb takes its time
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := samples.Find(t, name).Build(t)
			s := splitTo(t, path, split.Minimal)
			want := stops(t, path)
			if want == "" {
				t.Skip("gdb may not trace here")
			}
			if got := stops(t, s.img); got != want {
				t.Errorf("by .gnu_debuglink gdb says\n%s\nof the program\n%s", got, want)
			}
			bare := splitTo(t, path, split.None)
			if got := stops(t, bare.img, "symbol-file "+bare.syms); got != want {
				t.Errorf("of an image without section headers, told symbol-file, gdb says\n%s\nof the program\n%s", got, want)
			}
			id := hex.EncodeToString(match.BuildID(open(t, path)))
			if id == "" {
				return
			}
			root := t.TempDir()
			place := filepath.Join(root, ".build-id", id[:2], id[2:]+".debug")
			os.MkdirAll(filepath.Dir(place), 0o755)
			if err := os.Rename(s.syms, place); err != nil {
				t.Fatal(err)
			}
			if got := stops(t, s.img, "set debug-file-directory "+root, "file "+s.img); got != want {
				t.Errorf("by the build-id gdb says\n%s\nof the program\n%s", got, want)
			}
		})
	}
}

// stops runs a program under gdb up to a breakpoint by name, and one by line, and
// returns what it tells there: functions, files and lines, a symbol's section.
func stops(t *testing.T, path string, first ...string) string {
	t.Helper()
	args := []string{"-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "set startup-with-shell off"}
	for _, c := range append(first, "break main", "run go", "bt 1", "info symbol main", "next", "info line", "continue") {
		args = append(args, "-ex", c)
	}
	cmd := exec.Command("gdb", append(args, path)...)
	cmd.Env = append(os.Environ(), "SAMPLE_ENV=present", "LC_ALL=C")
	out, _ := cmd.CombinedOutput()
	if strings.Contains(string(out), "ptrace: Operation not permitted") {
		return ""
	}
	var told strings.Builder
	for line := range strings.Lines(string(out)) {
		w := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "#"):
			told.WriteString(w[1] + " " + w[len(w)-1] + "\n")
		case strings.Contains(line, "in section"):
			told.WriteString(strings.Join(w[:4], " ") + "\n")
		case strings.HasPrefix(line, "Line "):
			told.WriteString(strings.Join(w[:4], " ") + "\n")
		}
	}
	if told.Len() < 20 {
		t.Errorf("gdb says of %s only\n%s", path, out)
	}
	return told.String()
}
