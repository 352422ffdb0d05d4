package memory

import (
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

// Err is what went wrong first.
func (a *Arena) Err() error { return a.err }
