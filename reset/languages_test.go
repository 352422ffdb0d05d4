package reset_test

import (
	"runtime"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/reset"
)

// TestRust: a program without the standard library finds its arguments by the stack
// pointer, which comes back, too.
func TestRust(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("count.rs is for x86-64")
	}
	step := []string{"rustc", "-O", "--edition", "2021", "-C", "panic=abort", "-C", "relocation-model=static",
		"-C", "link-arg=-nostartfiles", "-C", "link-arg=-nostdlib", "-C", "link-arg=-static", "count.rs", "-o", "prog"}
	path := samples.MakeFile(t, samples.Recipe{Files: map[string]string{"count.rs": read("count.rs")}, Steps: [][]string{step}, Out: "prog"})
	for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
		out, _ := apply(t, path, reset.Options{Shape: shape})
		fourRounds(t, run(t, "", out), "5 0 1")
	}
}

// TestGo: the runtime has threads, and so its programs are refused. One in which
// nothing of it runs can be said to have none.
func TestGo(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("start_amd64.s is for x86-64")
	}
	files := map[string]string{}
	for _, name := range []string{"go.mod", "main.go", "start_amd64.s"} {
		files[name] = read("gobare/" + name)
	}
	path := samples.MakeFile(t, samples.Recipe{Files: files, Env: []string{"CGO_ENABLED=0", "GOFLAGS="},
		Steps: [][]string{{"go", "build", "-ldflags", "-E main.start", "-o", "prog", "."}}, Out: "prog"})
	if _, err := reset.Apply(open(t, path), reset.Options{}); err == nil || !strings.Contains(err.Error(), "program of Go, whose runtime has several threads from the start on; --os=none says") {
		t.Errorf("a program of Go: %v", err)
	}
	for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
		out, _ := apply(t, path, reset.Options{Shape: shape, OS: reset.NoneOS, Persistent: []string{"main.runs"}})
		fourRounds(t, run(t, "", out), "5 0")
	}
}
