package capture

import (
	"bytes"
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

// clocks reads timers, and the signals that wait. Timers run on while the process
// stands still: one that expires between the two would be seen neither running nor
// by its signal, or by both. So they are read until no signal of a timer has come
// meanwhile.
func (t *Target) clocks(s *Snapshot) error {
	const tries = 100
	for range tries {
		before, err := t.waiting(s)
		if err != nil {
			return err
		}
		if err := t.intervalTimers(s); err != nil {
			return err
		}
		if err := t.timers(s); err != nil {
			return err
		}
		after, err := t.waiting(s)
		if err != nil {
			return err
		}
		if slices.EqualFunc(before, after, func(a, b Siginfo) bool { return bytes.Equal(a, b) }) {
			return nil
		}
	}
	return t.fault("its timers expire all the time")
}

// waiting reads the signals that wait, and returns those of timers.
func (t *Target) waiting(s *Snapshot) (out []Siginfo, err error) {
	if s.Pending, err = pending(t.PID, true); err != nil {
		return nil, t.fault("pending signals: %w", err)
	}
	all := s.Pending
	for i, th := range t.threads {
		if s.Threads[i].Pending, err = pending(th.tid, false); err != nil {
			return nil, t.fault("thread %d: pending signals: %w", th.tid, err)
		}
		all = append(all[:len(all):len(all)], s.Threads[i].Pending...)
	}
	for _, info := range all {
		const code, timer, kernel = 8, -2, 0x80 // si_code: SI_TIMER, SI_KERNEL
		switch signal := unix.Signal(info.Signal()); int32(binary.LittleEndian.Uint32(info[code:])) {
		case timer:
			out = append(out, info)
		case kernel:
			if signal == unix.SIGALRM || signal == unix.SIGVTALRM || signal == unix.SIGPROF {
				out = append(out, info)
			}
		}
	}
	return out, nil
}
