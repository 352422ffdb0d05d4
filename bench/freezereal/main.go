// Freezereal freezes real programs while they work, at random instants, and holds
// what comes out against undisturbed runs: once for the process that goes on, once
// for the one that is thawed. It prints a table, of which docs/freeze-real.md is
// made:
//
//	go run ./bench/freezereal                # all, 50 instants each
//	go run ./bench/freezereal -n 5 -only Node
//
// It makes elfwright and the programs itself; a program whose tools are not here
// is a row that says so. The tools are these packages of Debian 12:
//
//	gcc g++ musl-tools golang cargo librust-tokio-dev python3 python3-numpy nodejs
//	openjdk-17-jdk-headless perl ruby lua5.4 sqlite3 coreutils gzip redis-server vim
package main

import (
	"embed"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed testdata
var sources embed.FS

func main() {
	n := flag.Int("n", 50, "instants at which each program is frozen")
	only := flag.String("only", "", "only programs whose name matches `REGEXP`")
	seed := flag.Uint64("seed", 1, "of the random instants")
	out := flag.String("o", "", "also write the table to `FILE`")
	tool := flag.String("tool", "", "the elfwright to use, instead of one that is built")
	verbose := flag.Bool("v", false, "tell each fault")
	flag.Parse()
	// What this was started with besides 0, 1 and 2 is none of the programs' business.
	unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if err := run(*n, *seed, *only, *out, *tool, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "freezereal:", err)
		os.Exit(1)
	}
}

func run(n int, seed uint64, only, out, tool string, verbose bool) error {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "freezereal")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if tool != "" {
		if tool, err = filepath.Abs(tool); err != nil {
			return err
		}
	} else if tool, err = build(dir); err != nil {
		return err
	}
	var table strings.Builder
	w := io.MultiWriter(os.Stdout, &table)
	fmt.Fprintf(w, "| program | what it does | version | thawed | went on | refused | otherwise |\n|---|---|---|---|---|---|---|\n")
	for i := range programs {
		p := &programs[i]
		if !wanted.MatchString(p.name) {
			continue
		}
		r := &runner{program: p, tool: tool, dir: filepath.Join(dir, fmt.Sprint("p", i)), random: rand.New(rand.NewPCG(seed, uint64(i))), verbose: verbose}
		fmt.Fprintf(w, "| %s | %s | %s |\n", p.name, p.what, r.all(n))
	}
	if out == "" {
		return nil
	}
	return os.WriteFile(out, []byte(table.String()), 0o644)
}

// runner freezes one program again and again.
type runner struct {
	*program
	tool    string
	dir     string // with the sources and what was made of them
	random  *rand.Rand
	verbose bool
	tally
}

// tally is what came of it.
type tally struct {
	thawed, thaws int // right, and tried
	live, lives   int
	refused       int
	faults        map[string]int // without the numbers in them
	first         []string       // faults in the order in which they came
}

// limit is how long any single run may take.
const limit = 60 * time.Second

// all makes the program, runs it undisturbed, freezes it n times, and returns the
// rest of its row.
func (r *runner) all(n int) string {
	if lack := r.missing(); lack != "" {
		return "| | | | not here: " + lack
	}
	if err := r.prepare(); err != nil {
		return "| | | | " + oneLine(err.Error())
	}
	r.faults = make(map[string]int)
	if err := r.how(r, n); err != nil {
		r.fault("%v", err)
	}
	var other []string
	for _, f := range r.first {
		other = append(other, fmt.Sprintf("%d× %s", r.faults[f], oneLine(f)))
	}
	return fmt.Sprintf("%s | %d of %d | %d of %d | %d | %s", r.versionOf(), r.thawed, r.thaws, r.live, r.lives, r.refused, strings.Join(other, "; "))
}

func (r *runner) missing() string {
	for _, t := range r.needs {
		if _, err := exec.LookPath(t); err != nil {
			return t
		}
	}
	return ""
}

// prepare lays the sources down and makes the program.
func (r *runner) prepare() error {
	files, err := fs.Sub(sources, "testdata")
	if err != nil {
		return err
	}
	if err := os.CopyFS(r.dir, files); err != nil {
		return err
	}
	if r.build == "" {
		return nil
	}
	cmd := exec.Command("bash", "-ec", r.build)
	cmd.Dir = r.dir
	if msg, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, msg)
	}
	return nil
}

func (r *runner) versionOf() string {
	if r.version == "" {
		return ""
	}
	msg, _ := exec.Command("bash", "-c", r.version).CombinedOutput()
	return oneLine(strings.TrimSpace(string(msg)))
}

// fault counts a fault; two that differ in numbers and in names of directories
// only are one.
func (r *runner) fault(format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), r.dir+"/", "")
	if r.verbose {
		fmt.Fprintf(os.Stderr, "%s: %s\n", r.name, text)
	}
	kind := numbers.ReplaceAllString(text, "…")
	if _, ok := r.faults[kind]; !ok {
		r.first = append(r.first, kind)
	}
	r.faults[kind]++
}

var numbers = regexp.MustCompile(`\b(0x)?[a-z]?[0-9][0-9a-f]*\b`)

func oneLine(s string) string {
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", "\\|")
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}

// freeze freezes a process. That it was refused is no error.
func (r *runner) freeze(pid int, file string, more ...string) (ok bool) {
	argv := append(append([]string{"freeze", "-o", file}, r.flags...), more...)
	msg, err := exec.Command(r.tool, append(argv, fmt.Sprint(pid))...).CombinedOutput()
	if err == nil {
		return true
	}
	text := strings.TrimPrefix(strings.TrimSpace(string(msg)), "elfwright freeze: ")
	switch {
	case strings.Contains(text, "lets it go on") || strings.Contains(text, "another process"):
		r.refused++
		r.fault("refused: %s", text)
	case strings.Contains(text, "no such process") || strings.Contains(text, "has ended"):
	default:
		r.fault("not frozen: %s", text)
	}
	return false
}

func build(dir string) (string, error) {
	tool := filepath.Join(dir, "elfwright")
	if msg, err := exec.Command("go", "build", "-o", tool, "./cmd/elfwright").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, msg)
	}
	return tool, nil
}
