package freeze

import (
	"errors"
	"os"
	"time"

	"elfwright/freeze/capture"
)

// frozenMode lets nobody else read what was in the memory.
const frozenMode = 0o700

// Freeze writes a process to a file. The process goes on, undisturbed, unless the
// options say otherwise.
func Freeze(pid int, name string, opt Options) (report *Report, err error) {
	if opt.Mode == 0 {
		opt.Mode = frozenMode
	}
	if opt.Tree && opt.Snapshot {
		return nil, errors.New("a snapshot is of one process, not of a tree")
	}
	pid = capture.Attended(pid)
	if opt.Kill && opt.Snapshot {
		return nil, errors.New("a process that is killed when the file is there needs no snapshot")
	}
	plain := name
	if opt.Compress {
		if plain, err = beside(name); err != nil {
			return nil, err
		}
		defer os.Remove(plain)
	}
	z := &compressed{plain, name, &opt}
	var target stopped
	done := func(t stopped, r *Report, err error) error {
		if target, report = t, r; err != nil {
			return err
		}
		if opt.Kill {
			if opt.Compress { // there must be the file before the process is gone
				report.Size, err = z.finish()
			}
			t.Kill()
		}
		return err
	}
	if opt.Tree {
		err = capture.WithTree(pid, func(t *capture.Tree) error {
			r, err := writeTree(t, plain, opt)
			return done(t, r, err)
		})
	} else {
		err = capture.With(pid, func(t *capture.Target) error {
			r, err := write(t, plain, opt)
			return done(t, r, err)
		})
	}
	if err == nil && opt.Compress && !opt.Kill {
		report.Size, err = z.finish()
	}
	if err != nil {
		return nil, err
	}
	report.Stopped = target.Stopped()
	return report, nil
}

// stopped is a process, or a tree of them.
type stopped interface {
	Kill()
	Stopped() time.Duration
}

func write(t *capture.Target, name string, opt Options) (*Report, error) {
	s, err := t.Snapshot()
	if err != nil {
		return nil, err
	}
	r, body, err := build(s, t, opt)
	if err != nil {
		return nil, err
	}
	if err := body.WriteFile(name, os.FileMode(opt.Mode)); err != nil {
		return nil, err
	}
	r.Size = body.Size()
	return r, nil
}

// Refused is what a thawed process could not have again.
type Refused struct {
	What   string // the resource: "descriptor 5, socket:[1234]"
	Why    string
	Option string // that lets it go on; may be empty
}

// Error tells it.
func (r *Refused) Error() string {
	s := r.What + ": " + r.Why
	if r.Option != "" {
		s += "; " + r.Option + " lets it go on"
	}
	return s
}

// refusals collects.
type refusals struct{ list []error }

func (r *refusals) add(what, why, option string) {
	r.list = append(r.list, &Refused{what, why, option})
}

func (r *refusals) err() error { return errors.Join(r.list...) }
