package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"elfwright/internal/term"
	"elfwright/picture"
)

// progress is a line that tells how far something is that lasts over a second: on
// a terminal the line is written over again and taken away in the end, else each
// is a line of its own.
type progress struct {
	to       io.Writer
	terminal bool
	what     string // the file that is written
	now      func() time.Time
	began    time.Time
	done     uint64    // when it was asked last
	told     time.Time // when it was told last
	width    int       // of the line that is there
}

const (
	firstProgress = time.Second
	nextProgress  = 200 * time.Millisecond
	nextLine      = 2 * time.Second // where it is no terminal
)

// newProgress returns nil where nothing is to be told: standard error is no
// terminal, and nobody insists.
func (c *call) newProgress(what string, insist bool) *progress {
	terminal := term.IsTerminal(c.prog.err.to)
	if !terminal && !insist {
		return nil
	}
	return &progress{to: c.err, terminal: terminal, what: what, now: time.Now}
}

// tell is told how much is done; it tells the user now and then.
func (p *progress) tell(done, total uint64) {
	now := p.now()
	if p.began.IsZero() || done < p.done {
		p.began = now // of the next piece of work
	}
	p.done = done
	next := nextProgress
	if !p.terminal {
		next = nextLine
	}
	if now.Sub(p.began) < firstProgress || now.Sub(p.told) < next || total == 0 {
		return
	}
	p.told = now
	rate := float64(done) / now.Sub(p.began).Seconds()
	line := fmt.Sprintf("%s: %d %% of %s, %s/s", p.what, done*100/total, picture.Size(total), picture.Size(uint64(rate)))
	if rate > 0 && done <= total {
		left := time.Duration(float64(total-done) / rate * float64(time.Second))
		line += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	if !p.terminal {
		fmt.Fprintln(p.to, line)
		return
	}
	fmt.Fprint(p.to, "\r", line, strings.Repeat(" ", max(0, p.width-len(line))))
	p.width = len(line)
}

// end takes the line away.
func (p *progress) end() {
	if p != nil && p.width > 0 {
		fmt.Fprint(p.to, "\r", strings.Repeat(" ", p.width), "\r")
		p.width = 0
	}
}
