package cli

import (
	"bytes"
	"context"
	"go/format"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestAbridge(t *testing.T) {
	const text = "a\nb one\nc\nd one\ne two\n\n"
	for _, tc := range []struct {
		s      step
		failed bool
		want   []string
	}{
		{step{}, false, []string{"a", "b one", "c", "d one", "e two"}},
		{step{max: 2}, false, []string{"a", "b one", "… (3 more lines)"}},
		{step{show: []string{"one"}}, false, []string{"b one", "d one", "… (3 more lines)"}},
		{step{show: []string{"one", "two"}, max: 1}, false, []string{"b one", "… (4 more lines)"}},
		{step{show: []string{"one"}}, true, []string{"a", "b one", "c", "d one", "e two"}},
	} {
		if got := abridge([]byte(text), tc.s, tc.failed); !slices.Equal(got, tc.want) {
			t.Errorf("%+v: %q, want %q", tc.s, got, tc.want)
		}
	}
	if got := abridge(nil, step{}, false); got != nil {
		t.Errorf("nothing became %q", got)
	}
}

func TestGuide(t *testing.T) {
	var out, talk bytes.Buffer
	p := newProgram(Streams{In: strings.NewReader("\n"), Out: &out, Err: &talk})
	c := &call{prog: p, in: p.in, out: p.out, err: p.err}
	dir := t.TempDir()
	g, err := newGuide(c, tourFlags{dir: dir, pause: true})
	if err != nil {
		t.Fatal(err)
	}
	defer g.leave()
	err = g.walk(t.Context(), []step{
		{title: "fine", line: "cat message.txt", look: "look here"},
		{title: "not", line: "echo oh; exit 3", look: "look there"},
	})
	if exitCode(err) != exitNo || err.Error() != "steps that did not end as they should: [2]" {
		t.Errorf("exit code %d: %v", exitCode(err), err)
	}
	p.out.flush()
	want := `1/2  fine
  $ cat message.txt
  | ` + tourMessage + `  → look here

2/2  not
  $ echo oh; exit 3
  | oh
  exit status 3
  → look there

`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if got := strings.Count(talk.String(), "Enter"); got != 1 {
		t.Errorf("asked %d times, want once", got)
	}
}

// TestTourOnNothing: a pause at the end of standard input does not hang.
func TestTourOnNothing(t *testing.T) {
	p := newProgram(Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	(&guide{c: &call{prog: p, in: p.in, out: p.out, err: p.err}}).wait(t.Context())
}

// TestTourInterrupted: an end from outside is seen at the next step.
func TestTourInterrupted(t *testing.T) {
	p := newProgram(Streams{Out: io.Discard, Err: io.Discard})
	g, err := newGuide(&call{prog: p, out: p.out, err: p.err}, tourFlags{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.walk(ctx, []step{{line: "sleep 100"}, {line: "touch b"}}); err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v", err)
	}
	g.leave()
	if _, err := os.Stat(g.dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", g.dir, err)
	}
}

func TestFinderIsFormatted(t *testing.T) {
	got, err := format.Source([]byte(tourFinder))
	if err != nil || string(got) != tourFinder {
		t.Errorf("tour/finder.go.txt is not as gofmt writes it: %v", err)
	}
}
