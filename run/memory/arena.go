package memory

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// Arena is memory of the process that no object has: thread-local storage, state of
// a C library. It is little-endian, as all machines are that programs are started
// on here.
type Arena struct {
	At    uint64 // its address
	Limit uint64 // how large it may become
	Bytes []byte
	err   error
}

// Alloc takes n zero bytes, aligned, and returns their address.
func (a *Arena) Alloc(n, align uint64) uint64 {
	align = max(align, 16)
	at := (a.At + uint64(len(a.Bytes)) + align - 1) &^ (align - 1)
	if end := at - a.At + n; n > a.Limit || end > a.Limit {
		if a.err == nil {
			a.err = fmt.Errorf("the process's own state is more than 0x%x bytes", a.Limit)
		}
		return a.At // nothing is written after the first error
	} else if more := int(end) - len(a.Bytes); more > 0 {
		a.Bytes = append(a.Bytes, make([]byte, more)...)
	}
	return at
}

// Text is a string, ended by NUL.
func (a *Arena) Text(s string) uint64 {
	at := a.Alloc(uint64(len(s))+1, 1)
	a.Put(at, []byte(s))
	return at
}

// Put writes bytes at an address.
func (a *Arena) Put(at uint64, b []byte) {
	if a.err == nil {
		copy(a.Bytes[at-a.At:], b)
	}
}

// Word writes a word of n bytes at an address.
func (a *Arena) Word(at, v uint64, n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	a.Put(at, b[:n])
}

// Headers is where an object's program header table is in memory; a copy in the arena
// where no segment has it.
func (a *Arena) Headers(o *Object) uint64 {
	size := uint64(len(o.Progs) * o.PhdrSize())
	for i := range o.Progs {
		p := &o.Progs[i]
		if off := o.Header.Phoff; p.Type == elf.PT_LOAD && off >= p.Off && off-p.Off+size <= p.Filesz {
			return o.At(p.Vaddr + off - p.Off)
		}
	}
	at := a.Alloc(size, 16)
	if table, err := o.Body.Bytes(o.Header.Phoff, size); err == nil {
		a.Put(at, table)
	}
	return at
}

// Of gives n bytes at an address of a process, in the arena or in an object, to be
// written to.
func (a *Arena) Of(p *Process, at, n uint64) ([]byte, error) {
	if off := at - a.At; at >= a.At && off+n <= uint64(len(a.Bytes)) {
		return a.Bytes[off : off+n], nil
	}
	for i := range p.Objects {
		o := &p.Objects[i]
		if at-uint64(o.Hull.Start) < o.Hull.Size {
			b, err := o.Write(at-o.Base, n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", o.Name, err)
			}
			return b, nil
		}
	}
	return nil, fmt.Errorf("0x%x is nowhere in the process", at)
}

// Err is what went wrong first.
func (a *Arena) Err() error { return a.err }
