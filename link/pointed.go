package link

import (
	"errors"
	"fmt"

	"elfwright/ldscript"
)

// pointed shows faults of scripts with the line that each is in, and says of those
// of syntax that they are: the words that people search for.
func pointed(err error) error {
	switch err := err.(type) {
	case ldscript.Errors:
		list := make([]error, len(err))
		for i, e := range err {
			list[i] = &pointedError{e}
		}
		return errors.Join(list...)
	case *ldscript.Error:
		return &pointedError{err}
	case interface{ Unwrap() []error }:
		list := err.Unwrap()
		more := make([]error, len(list))
		for i, e := range list {
			more[i] = pointed(e)
		}
		return errors.Join(more...)
	}
	return err
}

type pointedError struct{ err *ldscript.Error }

func (p *pointedError) Unwrap() error { return p.err }

func (p *pointedError) Error() string {
	e := p.err
	what := ""
	if e.Syntax {
		what = "syntax error: "
	}
	if e.Context != "" {
		what += e.Context + ": "
	}
	text := e.Excerpt()
	if n := len(text); n > 0 {
		text = "\n" + text[:n-1]
	}
	return fmt.Sprintf("%v: %s%s%s", e.Pos, what, e.Msg, text)
}
