package flat

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"elfwright/elffile"
)

// Contents is what a flat file says.
type Contents struct {
	File     string
	Format   Format
	Runs     []Run   // ascending, none beside another
	Entry    *uint64 // of the start record; nil: there is none
	Family   uint32  // of UF2 blocks; 0: they say none
	Warnings []Warning
}

// Run is bytes at consecutive addresses.
type Run struct {
	Addr uint64
	Data elffile.Data
}

// ReadOptions say what a flat file does not.
type ReadOptions struct {
	Format Format
	Base   uint64 // address of the first byte of Bin
	Width  int    // bytes of a word of VMem; 0: 1
	Big    bool   // the highest byte of a word of VMem comes first
	Family uint32 // of the UF2 blocks to take; 0: all are of one
}

// LineError is a fault in a line of a flat file.
type LineError struct {
	File      string
	Line, Col int // from 1 on
	Msg       string
}

func (e *LineError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
}

// Read reads a flat file. A raw binary is a window on d; the bytes of the other
// formats are in memory, less than half of the file.
func Read(name string, d elffile.Data, opt ReadOptions) (*Contents, error) {
	c := &Contents{File: name, Format: opt.Format, Warnings: []Warning{}}
	if d.Size() == 0 {
		return nil, &Refusal{name, "the file is empty"}
	}
	r := &reader{Contents: c, opt: opt, data: elffile.Unmap(d)}
	read := map[Format]func() error{IHex: r.ihex, SRec: r.srec, UF2: r.uf2, VMem: r.vmem}[opt.Format]
	if opt.Format == Bin {
		read = func() error { return r.binary(d) }
	}
	if read == nil {
		return nil, fmt.Errorf("%q is no format; want one of %q", opt.Format, Formats())
	}
	if err := read(); err != nil {
		return nil, err
	}
	if opt.Format != Bin {
		if err := r.join(); err != nil {
			return nil, err
		}
	}
	if len(c.Runs) == 0 {
		return nil, &Refusal{name, "there are no bytes in it"}
	}
	return c, nil
}

// A reader is a flat file being read.
type reader struct {
	*Contents
	opt  ReadOptions
	data elffile.Data
	open []*openRun
}

func (r *reader) binary(d elffile.Data) error {
	if last := r.opt.Base + uint64(d.Size()) - 1; last < r.opt.Base {
		return &Refusal{r.File, fmt.Sprintf("0x%x bytes from 0x%x on are beyond the address space", d.Size(), r.opt.Base)}
	}
	r.Runs = []Run{{r.opt.Base, d}}
	return nil
}

// An openRun grows by what comes next to it.
type openRun struct {
	addr  uint64
	size  uint64
	place string // where in the file it begins, for errors
	body  elffile.Body
	tail  []byte // not in body yet
}

const (
	// runChunk is how many bytes become one window.
	runChunk = 64 << 10
	// maxRecordBytes is the most that is added at a time: the data of a UF2 block.
	maxRecordBytes = uf2Data
	// maxOpen bounds the memory for a file of bytes that are each by themselves.
	maxOpen = 1 << 20
	// maxRuns is how many program headers are written. Linux takes 64 KiB of them,
	// 1170 of 64 bits (load_elf_phdrs).
	maxRuns = 8192
)

// add takes bytes; place is called for a run that begins with them.
func (r *reader) add(addr uint64, b []byte, place func() string) error {
	if len(b) == 0 {
		return nil
	}
	if addr+uint64(len(b))-1 < addr {
		return &Refusal{r.File, place() + ": the bytes reach beyond the address space"}
	}
	var run *openRun
	if k := len(r.open) - 1; k >= 0 && r.open[k].addr+r.open[k].size == addr && addr != 0 {
		run = r.open[k]
	} else {
		if len(r.open) == maxOpen {
			return &Refusal{r.File, fmt.Sprintf("%s: more than %d runs of bytes", place(), maxOpen)}
		}
		run = &openRun{addr: addr, place: place()}
		r.open = append(r.open, run)
	}
	if len(run.tail) == 0 && run.size > 0 { // as large as the ones before
		run.tail = make([]byte, 0, runChunk+maxRecordBytes)
	}
	run.tail = append(run.tail, b...)
	run.size += uint64(len(b))
	if len(run.tail) >= runChunk {
		run.flush()
	}
	return nil
}

func (o *openRun) flush() {
	if len(o.tail) > 0 {
		o.body.Put(o.body.Size(), elffile.Buffer(slices.Clip(o.tail)))
		o.tail = nil
	}
}

// last is the address of the last byte.
func (o *openRun) last() uint64 { return o.addr + o.size - 1 }

// join sorts the runs, and makes one of those that touch. What is said twice must
// be the same.
func (r *reader) join() error {
	slices.SortStableFunc(r.open, func(a, b *openRun) int {
		if a.addr < b.addr {
			return -1
		}
		return int(min(a.addr-b.addr, 1))
	})
	var top *openRun
	for _, o := range r.open {
		o.flush()
		if top == nil || o.addr > top.last() && o.addr-top.last() > 1 {
			if len(r.Runs) == maxRuns {
				return &Refusal{r.File, fmt.Sprintf("more than %d separate runs of bytes, which would each need a program header", maxRuns)}
			}
			r.Runs = append(r.Runs, Run{o.addr, &o.body})
			top = o
			continue
		}
		if err := r.merge(top, o); err != nil {
			return err
		}
	}
	return nil
}

// merge appends what o has behind top to it.
func (r *reader) merge(top, o *openRun) error {
	from := o.addr - top.addr
	shared := min(top.size-from, o.size)
	at := int64(-1)
	err := elffile.Diff(top.body.Window(int64(from), int64(shared)), o.body.Window(0, int64(shared)), func(pos, _ int64) bool {
		at = pos
		return false
	})
	if err != nil {
		return err
	}
	if at >= 0 {
		return &Refusal{r.File, fmt.Sprintf("%s: the byte at 0x%x is given a second time, and differs from the one of %s", o.place, o.addr+uint64(at), top.place)}
	}
	if o.size > shared {
		top.body.Put(int64(top.size), o.body.Window(int64(shared), int64(o.size-shared)))
		top.size += o.size - shared
	}
	return nil
}

// setEntry takes a start address.
func (r *reader) setEntry(entry uint64, fault func(string) error) error {
	if r.Entry != nil && *r.Entry != entry {
		return fault(fmt.Sprintf("a second start address 0x%x; the first one is 0x%x", entry, *r.Entry))
	}
	r.Entry = &entry
	return nil
}

// records are the lines of a file.
type records struct {
	file string
	in   *bufio.Reader
	line int
	text []byte // without its end
}

// maxRecord is longer than any record: 255 bytes as digits, and a little.
const maxRecord = 1 << 10

func (r *reader) records() *records {
	return &records{file: r.File, in: bufio.NewReaderSize(io.NewSectionReader(r.data, 0, r.data.Size()), 64<<10)}
}

// next reads the next line that is not empty; false at the end of the file.
func (l *records) next() (bool, error) {
	for {
		text, err := l.in.ReadSlice('\n')
		if len(text) > 0 {
			l.line++
		}
		if errors.Is(err, bufio.ErrBufferFull) || len(text) > maxRecord {
			return false, l.fault(maxRecord, "the line is longer than any record (%d bytes)", maxRecord)
		}
		if err != nil && err != io.EOF {
			return false, fmt.Errorf("%s: line %d: %w", l.file, l.line, err)
		}
		if l.text = bytes.TrimRight(text, " \t\r\n"); len(l.text) > 0 {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
	}
}

// fault makes an error about the byte at an index of the line.
func (l *records) fault(at int, format string, args ...any) error {
	return &LineError{l.file, l.line, at + 1, fmt.Sprintf(format, args...)}
}

// cut makes an error about what is missing at the end of the file.
func (l *records) cut(what string) error {
	return &LineError{l.file, l.line + 1, 1, "the file ends without " + what}
}

func (l *records) place() string { return fmt.Sprintf("line %d", l.line) }

// end says that nothing may follow the record that ends a file.
func (l *records) end() error {
	last := l.line
	more, err := l.next()
	if err != nil || !more {
		return err
	}
	return l.fault(0, "%s is after the record that ends the file, line %d", quote(l.text), last)
}

// bytes decodes the digits of the line from an index on into buf.
func (l *records) bytes(at int, buf []byte) ([]byte, error) {
	text := l.text[at:]
	if len(text)%2 != 0 {
		return nil, l.fault(len(l.text)-1, "a byte of one digit: %d digits", len(text))
	}
	buf = buf[:0]
	for i := 0; i < len(text); i += 2 {
		hi, lo := unhex[text[i]], unhex[text[i+1]]
		if hi|lo > 15 {
			if hi <= 15 {
				i++
			}
			return nil, l.fault(at+i, "%s is no hexadecimal digit", quote(text[i:i+1]))
		}
		buf = append(buf, hi<<4|lo)
	}
	return buf, nil
}

// unhex is the value of each digit; 0xff for what is none.
var unhex = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range 10 {
		t['0'+i] = byte(i)
	}
	for i := range 6 {
		t['A'+i], t['a'+i] = byte(10+i), byte(10+i)
	}
	return t
}()

// quote shows a few bytes of a file.
func quote(b []byte) string {
	const most = 16
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}

func sumOf(b []byte) (sum byte) {
	for _, c := range b {
		sum += c
	}
	return sum
}
