// Summary reads what 'go test -json' prints and tells it shortly: a line for
// each package, the words of each test that failed, and which tests were
// skipped and why. With a file name as argument it adds a line "passed failed
// skipped" with the numbers to that file.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is one line of test2json; see 'go doc test2json' and, for the build's
// events, 'go help buildjson'.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type testID struct{ pkg, test string }

// report gathers what the events say.
type report struct {
	out                     io.Writer
	output                  map[testID][]string
	passed, failed, skipped int
	why                     map[string][]string // reason of a skip -> tests
	bad                     map[string]bool     // packages with a test that failed
}

func main() {
	r := newReport(os.Stdout)
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(2)
	}
	r.printSkips()
	if len(os.Args) > 1 {
		if err := r.append(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, "summary:", err)
			os.Exit(2)
		}
	}
	if r.failed > 0 {
		os.Exit(1)
	}
}

func newReport(out io.Writer) *report {
	return &report{out: out, output: make(map[testID][]string), why: make(map[string][]string), bad: make(map[string]bool)}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		var e event
		switch {
		case line == "":
		case json.Unmarshal([]byte(line), &e) != nil:
			fmt.Fprint(r.out, line) // not of test2json
		default:
			r.take(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) take(e event) {
	id := testID{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.output[id] = append(r.output[id], e.Output)
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "pass", "fail", "skip":
		r.end(id, e)
		delete(r.output, id)
	}
}

// end counts a test, or tells of a package.
func (r *report) end(id testID, e event) {
	switch {
	case e.Test == "":
		r.endPackage(id, e)
	case e.Action == "pass":
		r.passed++
	case e.Action == "skip":
		r.skipped++
		why := reason(r.output[id])
		r.why[why] = append(r.why[why], e.Package+" "+e.Test)
	default:
		r.failed++
		r.bad[e.Package] = true
		fmt.Fprintf(r.out, "%s", strings.Join(r.output[id], ""))
	}
}

func (r *report) endPackage(id testID, e event) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(r.out, "ok    %s  %.1fs\n", e.Package, e.Elapsed)
	case "skip":
		fmt.Fprintf(r.out, "-     %s  no tests\n", e.Package)
	default:
		// A package also fails without a test that does: it does not build,
		// or it ends in the middle.
		if !r.bad[e.Package] {
			r.failed++
		}
		fmt.Fprintf(r.out, "FAIL  %s  %.1fs\n%s", e.Package, e.Elapsed, strings.Join(r.output[id], ""))
	}
}

// reason returns what a skipped test printed, without the frame around it.
func reason(output []string) string {
	var words []string
	for _, l := range output {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "===") || strings.HasPrefix(l, "---") {
			continue
		}
		if file, after, ok := strings.Cut(l, ": "); ok && strings.Contains(file, ".go:") {
			l = after
		}
		words = append(words, l)
	}
	return strings.Join(words, " ")
}

func (r *report) printSkips() {
	reasons := make([]string, 0, len(r.why))
	for why := range r.why {
		reasons = append(reasons, why)
	}
	slices.Sort(reasons)
	for _, why := range reasons {
		tests := r.why[why]
		fmt.Fprintf(r.out, "skip  %d: %s (%s)\n", len(tests), why, tests[0])
	}
}

func (r *report) append(file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, r.passed, r.failed, r.skipped); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
