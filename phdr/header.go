package phdr

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/elffile"
	"elfwright/image"
)

// Header asks for a program header. Its fields take effect in this order: what
// it names (Range, or Data, or memory alone), then where that goes, then how
// the header describes it.
type Header struct {
	Type elf.ProgType

	// Range names addresses that a PT_LOAD of the file has already. Without it
	// and without Data and Memsz the header names nothing (PT_GNU_STACK).
	Range *image.Range
	// Data are bytes to load. A header that is not PT_LOAD gets them inside a
	// PT_LOAD, so that the program finds them in its memory.
	Data elffile.Data
	// Memsz is the size in memory: bytes after Data are zero. 0: that of Data.
	Memsz uint64

	Vaddr image.Addr // of Data and memory; 0: chosen
	Paddr image.Addr // 0: as far from Vaddr as in the PT_LOAD below
	Align uint64     // 0: a page for PT_LOAD, 16 for Data, 4 for PT_NOTE

	// Base is an offset in Data that is to be a multiple of BaseAlign, in the file
	// and in memory: what is in front of it grows downwards. 0: no such offset.
	Base, BaseAlign uint64
	// Alone asks for a PT_LOAD that has nothing but Data, so that [Detach] can take
	// it out again. Where there is no room for one, Data ends the PT_LOAD.
	Alone bool
	// Unloaded puts Data behind all that is loaded. The program finds it in its
	// file only, and tools that move sections move it.
	Unloaded bool

	// Flags are p_flags. 0: readable, and writable too for memory without Data;
	// for a Range those of its PT_LOAD.
	Flags elf.ProgFlag

	// Section names the section that covers Data or memory, without which GNU
	// strip would clear the bytes and eu-strip cut them off. "": chosen.
	Section string
	// SectionType is the type of that section where Data is Unloaded. 0:
	// SHT_PROGBITS.
	SectionType elf.SectionType
}

// Overlay says what becomes of bytes at the end of a file that no header names,
// such as an archive that the program looks for from its own end.
type Overlay string

// What to do with an overlay.
const (
	OverlayRefuse Overlay = ""     // refuse to edit the file
	OverlayStay   Overlay = "stay" // leave it at its offset; new bytes follow it
	OverlayMove   Overlay = "move" // keep it last; its offset changes
)

// Options say how to edit. The zero value is careful.
type Options struct {
	PageSize  uint64 // largest page of the machine; 0: as its psABI says
	Technique string // the only technique to use; "": the first that applies
	Overlay   Overlay
	Force     bool // also edit an interpreter, and headers that a program needs
	Compact   bool // Remove: close the gap in place of leaving PT_NULL entries
	Strict    bool // take warnings for refusals
}

// Result is an edited file, not yet written, and what was done to get there.
type Result struct {
	Body   *elffile.Body
	Report *Report
}

// Refusal is the answer no: what was asked for is well formed, and this file
// does not allow it.
type Refusal struct {
	File   string
	Reason string
	Tried  []Attempt // techniques that do not apply, where those were the reason
}

// Error prints the reason, and below it each technique that was tried.
func (r *Refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", r.File, r.Reason)
	for _, a := range r.Tried {
		fmt.Fprintf(&b, "\n%s: %s", a.Technique, a.Reason)
	}
	return b.String()
}

// No says that this error is the answer no.
func (r *Refusal) No() bool { return true }

func refusef(f *elffile.File, format string, args ...any) error {
	return &Refusal{File: f.Name, Reason: fmt.Sprintf(format, args...)}
}

// A request is a Header on its way to become a program header.
type request struct {
	Header
	index int          // in the caller's list, for messages
	prog  elffile.Prog // as it will be in the table
	seg   *segment     // the PT_LOAD that it is or that has its bytes; nil: none is made
	part  *part        // its bytes in seg; nil: memory alone, or an existing range
	zeros uint64       // address of its memory in a PT_LOAD that grew; 0: not there
}

// errorf makes an error about what was asked for.
func (q *request) errorf(format string, args ...any) error {
	return fmt.Errorf("header %d (%s): %s", q.index, progName(q.Type), fmt.Sprintf(format, args...))
}

// nameless are the types that describe no bytes and no memory.
func nameless(t elf.ProgType) bool { return t == elf.PT_GNU_STACK || t == elf.PT_PHDR }

// newRequests checks what was asked for, as far as that needs no technique.
func newRequests(d *draft, headers []Header) ([]*request, error) {
	if len(headers) == 0 {
		return nil, fmt.Errorf("%s: no program header to add", d.Name)
	}
	var out []*request
	for i, h := range headers {
		q := &request{Header: h, index: i}
		if err := q.check(d); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		out = append(out, q)
	}
	return out, nil
}

func (q *request) check(d *draft) error {
	if q.Data != nil {
		if q.Data.Size() == 0 {
			return q.errorf("there are no bytes to load")
		}
		q.Memsz = max(q.Memsz, uint64(q.Data.Size()))
	}
	switch {
	case q.Type == elf.PT_NULL:
		return q.errorf("PT_NULL is an unused entry")
	case q.Align&(q.Align-1) != 0:
		return q.errorf("alignment 0x%x is not a power of two", q.Align)
	case q.BaseAlign&(q.BaseAlign-1) != 0:
		return q.errorf("alignment 0x%x is not a power of two", q.BaseAlign)
	case (q.Unloaded || q.Alone || q.BaseAlign != 0) && (q.Data == nil || q.Type == elf.PT_LOAD || q.Vaddr != 0):
		return q.errorf("this is for bytes that go wherever there is room")
	case q.Range != nil && (q.Data != nil || q.Memsz != 0 || q.Vaddr != 0):
		return q.errorf("names a range that exists, and asks for new memory as well")
	case q.Range != nil && q.Type == elf.PT_LOAD:
		return q.errorf("%v is loaded by another PT_LOAD", *q.Range)
	case q.Range == nil && q.Memsz == 0 && !nameless(q.Type):
		return q.errorf("needs bytes, a memory size, or a range")
	case nameless(q.Type) && (q.Data != nil || q.Range != nil):
		return q.errorf("describes no bytes")
	}
	if err := q.checkOnce(d); err != nil {
		return err
	}
	if q.Range != nil {
		return q.checkRange(d)
	}
	return q.checkFit(d)
}

// checkOnce refuses a second header of a type that may be there once.
func (q *request) checkOnce(d *draft) error {
	switch q.Type {
	case elf.PT_PHDR, elf.PT_INTERP, elf.PT_DYNAMIC, elf.PT_TLS, elf.PT_GNU_STACK, elf.PT_GNU_RELRO, elf.PT_GNU_EH_FRAME:
		if i := progIndex(d.Progs, q.Type); i >= 0 {
			return q.errorf("program header %d is of this type already, and there may be only one", i)
		}
	}
	return nil
}

// checkRange finds the PT_LOAD of a range.
func (q *request) checkRange(d *draft) error {
	if q.Range.Empty() || !q.Range.Valid() {
		return q.errorf("the range %v is empty", *q.Range)
	}
	i := d.loadAt(*q.Range)
	if i < 0 {
		return q.errorf("the range %v is within no PT_LOAD", *q.Range)
	}
	if q.Flags == 0 {
		q.Flags = d.Progs[i].Flags
	}
	return nil
}

// checkFit fills in defaults of new bytes and memory.
func (q *request) checkFit(d *draft) error {
	if q.Flags == 0 {
		q.Flags = elf.PF_R
		if q.Data == nil {
			q.Flags |= elf.PF_W
		}
	}
	if q.Align == 0 {
		switch q.Type {
		case elf.PT_LOAD:
			q.Align = d.page
		case elf.PT_NOTE:
			q.Align = 4
		case elf.PT_PHDR:
			q.Align = uint64(d.AddrSize())
		default:
			q.Align = 16
		}
	}
	if end, ok := q.Vaddr.Add(q.Memsz); !ok || uint64(end) > d.MaxAddr() {
		return q.errorf("0x%x bytes at %v are beyond the address space", q.Memsz, q.Vaddr)
	}
	return nil
}
