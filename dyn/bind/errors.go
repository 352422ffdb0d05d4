package bind

import (
	"errors"
	"fmt"

	"elfwright/elffile"
)

// maxFaults bounds how many faults of one object are kept: a table of a million
// broken entries is one broken table.
const maxFaults = 20

// faults collects errors up to maxFaults and counts the rest.
type faults struct {
	list []error
	more int
}

func (c *faults) add(err error) {
	switch {
	case err == nil:
	case len(c.list) < maxFaults:
		c.list = append(c.list, err)
	default:
		c.more++
	}
}

// full says that a further fault is only counted: making it can cost more than it
// is worth.
func (c *faults) full() bool {
	if len(c.list) < maxFaults {
		return false
	}
	c.more++
	return true
}

func (c *faults) err() error {
	if c.more == 0 {
		return errors.Join(c.list...)
	}
	more := &elffile.Error{Off: -1, Msg: fmt.Sprintf("and %d more such faults", c.more)}
	if e, ok := errors.AsType[*elffile.Error](c.list[0]); ok {
		more.File = e.File
	}
	return errors.Join(append(c.list[:len(c.list):len(c.list)], more)...)
}
