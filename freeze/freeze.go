package freeze

import (
	"errors"
	"os"

	"elfwright/freeze/capture"
)

// Freeze writes a process to a file. The process goes on, undisturbed, unless the
// options say otherwise.
func Freeze(pid int, name string, opt Options) (*Report, error) {
	if opt.Mode == 0 {
		opt.Mode = 0o700
	}
	pid = capture.Attended(pid)
	if opt.Tree {
		return freezeTree(pid, name, opt)
	}
	var report *Report
	err := capture.With(pid, func(t *capture.Target) error {
		s, err := t.Snapshot()
		if err != nil {
			return err
		}
		r, body, err := build(s, t, opt)
		if err != nil {
			return err
		}
		if err := body.WriteFile(name, os.FileMode(opt.Mode)); err != nil {
			return err
		}
		r.Size = body.Size()
		report = r
		if opt.Kill {
			t.Kill()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return report, nil
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
