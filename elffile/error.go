package elffile

import (
	"errors"
	"fmt"
	"io"
)

// Error is a fault in an ELF file, with its place: the file as the user named
// it, the structure ("program header 2"), its field ("p_offset"), the field's
// offset in the file, and what is wrong, with the value and the limit.
type Error struct {
	File   string // as the user named it
	Struct string // "program header 2", or "" for the whole file
	Field  string // "p_offset", or "" for the whole structure
	Off    int64  // of the field in the file; negative if it has none
	Msg    string
	Err    error // cause, or nil
}

// Error prints "file: structure, field at offset: what is wrong".
func (e *Error) Error() string {
	b := make([]byte, 0, 96)
	if e.File != "" {
		b = append(b, e.File...)
		b = append(b, ": "...)
	}
	if e.Struct != "" {
		b = append(b, e.Struct...)
		if e.Field != "" {
			b = append(b, ", "...)
			b = append(b, e.Field...)
		}
		if e.Off >= 0 {
			b = fmt.Appendf(b, " at 0x%x", e.Off)
		}
		b = append(b, ": "...)
	}
	b = append(b, e.Msg...)
	if e.Err != nil {
		if e.Msg != "" {
			b = append(b, ": "...)
		}
		b = append(b, e.Err.Error()...)
	}
	return string(b)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// fault makes an Error of this file.
func (f *File) fault(structure, field string, off int64, format string, args ...any) *Error {
	return &Error{File: f.Name, Struct: structure, Field: field, Off: off, Msg: fmt.Sprintf(format, args...)}
}

// maxFaults bounds how many faults of one kind are collected: a table of a
// million broken entries is one broken table.
const maxFaults = 20

// Faults collects errors, the first twenty, and says how many more there were.
type Faults struct {
	list []error
	more int
}

// Add adds an error; nil is none.
func (c *Faults) Add(err error) {
	if err != nil && !c.Full() {
		c.list = append(c.list, err)
	}
}

// Full says that further faults are counted, not kept: making them can cost more
// than it is worth.
func (c *Faults) Full() bool {
	if len(c.list) < maxFaults {
		return false
	}
	c.more++
	return true
}

// Err is all of them, or nil.
func (c *Faults) Err() error {
	if c.more > 0 {
		more := &Error{Off: -1, Msg: fmt.Sprintf("and %d more such faults", c.more)}
		if e, ok := errors.AsType[*Error](c.list[0]); ok {
			more.File = e.File
		}
		return errors.Join(append(c.list[:len(c.list):len(c.list)], more)...)
	}
	return errors.Join(c.list...)
}

// says is the same place with another message.
func (e *Error) says(format string, args ...any) *Error {
	c := *e
	c.Msg = fmt.Sprintf(format, args...)
	return &c
}

// because is the error for bytes that [Body.Bytes] did not give: e, which says
// that the file ends before them, unless they are there and reading them failed.
func (e *Error) because(err error) *Error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return e
	}
	c := *e
	c.Msg, c.Err = "read", err
	return &c
}

// Leaves takes apart what errors.Join has put together, at any depth: the faults
// of a view, one by one. An error that has words of its own around several
// causes stays whole. Of nil there are none.
func Leaves(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	// fmt.Errorf with several %w has words of its own around the causes.
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	var list []error
	for _, e := range joined.Unwrap() {
		list = append(list, Leaves(e)...)
	}
	return list
}
