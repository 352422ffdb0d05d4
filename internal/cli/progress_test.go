package cli

import (
	"bytes"
	"testing"
	"time"
)

// TestProgress tells nothing in the first second, then now and then.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	at := time.Unix(1000, 0)
	p := &progress{to: &out, what: "file", now: func() time.Time { return at }}
	for _, c := range []struct {
		after       time.Duration
		done, total uint64
		want        string
	}{
		{0, 0, 4 << 30, ""},
		{999 * time.Millisecond, 1 << 30, 4 << 30, ""},
		{time.Millisecond, 1 << 30, 4 << 30, "file: 25 % of 4.0G, 1.0G/s, 3s left\n"},
		{100 * time.Millisecond, 1 << 30, 4 << 30, ""},
		{1900 * time.Millisecond, 3 << 30, 4 << 30, "file: 75 % of 4.0G, 1.0G/s, 1s left\n"},
		{0, 0, 1 << 20, ""}, // other work
		{2 * time.Second, 0, 1 << 20, "file: 0 % of 1.0M, 0/s\n"},
	} {
		at = at.Add(c.after)
		out.Reset()
		p.tell(c.done, c.total)
		if out.String() != c.want {
			t.Errorf("%d of %d: %q, want %q", c.done, c.total, out.String(), c.want)
		}
	}
	p.end()

	out.Reset()
	p.terminal = true
	at = at.Add(time.Second)
	p.tell(1<<19, 1<<20)
	at = at.Add(time.Second)
	p.tell(1<<20, 1<<20)
	p.end()
	const want = "\rfile: 50 % of 1.0M, 171K/s, 3s left\rfile: 100 % of 1.0M, 256K/s, 0s left\r                                    \r"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	var none *progress
	none.end()
}
