package cli

import (
	"bufio"
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// output is standard output: buffered, and with a memory for the first error,
// so that printing need not be checked line by line.
type output struct {
	to  io.Writer
	buf *bufio.Writer
	err error
}

func newOutput(to io.Writer) *output {
	return &output{to: to, buf: bufio.NewWriterSize(to, 1<<16)}
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.buf.Write(p)
	o.note(err)
	return n, err
}

// WriteString is Write for a string, without a copy.
func (o *output) WriteString(s string) (int, error) {
	n, err := o.buf.WriteString(s)
	o.note(err)
	return n, err
}

// flush hands on what was printed so far.
func (o *output) flush() error {
	o.note(o.buf.Flush())
	return o.err
}

func (o *output) note(err error) {
	if o.err == nil {
		o.err = err
	}
}

// closed reports that nobody reads any more. A verb with much to print asks it
// between files.
func (o *output) closed() bool { return errors.Is(o.err, unix.EPIPE) }

// talk is standard error. What is printed there comes after what went to
// standard output before it, also when both are the same terminal or file.
type talk struct {
	out *output
	to  io.Writer
}

func (t talk) Write(p []byte) (int, error) {
	t.out.flush() // the error stays in out
	return t.to.Write(p)
}
