// Package saved opens processes that lie in files: in one that elfwright froze, or
// in an ELF core. Both become a [Process]: what the note of a frozen file tells,
// and memory that can be read by address. From there it finds which files were
// mapped, the symbols in them, and who called whom.
package saved

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/freeze/core"
	"elfwright/freeze/note"
	"elfwright/machine"
)

// Process is a process in a file. Of a core much of the note is not known, and
// zero.
type Process struct {
	*note.Process
	Machine *machine.Machine
	Core    *core.Core // nil: the process is frozen
	// Moved says where files are now that were mapped by other names.
	Moved map[string]string
	// Guessed are files of which a core does not tell how they were mapped.
	Guessed []string

	states  [][]byte // extended state of each thread
	pieces  []piece  // by address
	files   map[string]*file
	modules []*Module
	// storedOnly keeps from reading files that nobody has checked.
	storedOnly bool
}

// piece is memory that is in the file.
type piece struct {
	start uint64
	data  elffile.Data
}

func (p *piece) end() uint64 { return p.start + uint64(p.data.Size()) }

// Open opens the processes in a file; a file that is neither frozen nor a core has
// none. The machine is that of the file.
func Open(f *elffile.File, m *machine.Machine) ([]*Process, error) {
	if f.Header.Type == elf.ET_CORE {
		c, err := core.Read(f, m)
		if err != nil {
			return nil, err
		}
		p, err := fromCore(c, m)
		if err != nil {
			return nil, err
		}
		return []*Process{p}, nil
	}
	notes, err := note.Read(f)
	if err != nil {
		return nil, err
	}
	if len(notes) > 0 && (m == nil || m.Status == nil) {
		return nil, &elffile.Error{File: f.Name, Struct: "ELF header", Field: "e_machine", Off: 18, Msg: fmt.Sprintf("frozen processes of %s are not read", elffile.MachineName(f.Header.Machine))}
	}
	var out []*Process
	for _, n := range notes {
		p, err := fromNote(f, n, m)
		if err != nil {
			return out, err
		}
		out = append(out, p)
	}
	return out, nil
}

func fromNote(f *elffile.File, n *note.Process, m *machine.Machine) (*Process, error) {
	p := &Process{Process: n, Machine: m, files: make(map[string]*file)}
	for i := range n.Maps {
		s := &n.Maps[i]
		for _, r := range s.Stored {
			p.pieces = append(p.pieces, piece{r.Start, f.Body.Window(r.At, int64(r.Size))})
		}
		if s.Name == vdsoName && n.VDSO.Size > 0 && n.VDSO.Size <= s.Size {
			b, err := f.BytesAt(n.VDSO.Start, n.VDSO.Size)
			if err != nil {
				return nil, err
			}
			p.pieces = append(p.pieces, piece{s.Start, elffile.Buffer(b)})
		}
	}
	want := m.Status.FPValid - m.Status.Regs
	for i := range n.Threads {
		t := &n.Threads[i]
		if len(t.Regs) != want {
			return nil, &elffile.Error{File: f.Name, Struct: "note of a frozen process", Field: fmt.Sprintf("Threads[%d].Regs", i), Off: -1, Msg: fmt.Sprintf("%d bytes are not the %d of %s", len(t.Regs), want, m.Name)}
		}
		var state []byte
		if t.State.Size > 0 {
			b, err := f.BytesAt(t.State.Start, t.State.Size)
			if err != nil {
				return nil, err
			}
			state = asPtrace(m, b)
		}
		p.states = append(p.states, state)
	}
	return p, nil
}

const vdsoName = "[vdso]"

// asPtrace makes of extended state in a signal frame what ptrace gives, and cores
// have. On x86-64 a frame has marks in the bytes that software may use
// (sigcontext.h, struct _fpx_sw_bytes), which ptrace has XCR0 in.
func asPtrace(m *machine.Machine, b []byte) []byte {
	const soft, features, end = 464, 8, 512
	if m.ELF == elf.EM_AARCH64 {
		return simd(b)
	}
	if m.ELF != elf.EM_X86_64 || len(b) < end {
		return b
	}
	out := bytes.Clone(b)
	clear(out[soft:end])
	copy(out[soft:], b[soft+features:soft+features+8])
	return out
}

// simd makes of the records of an AArch64 frame what NT_FPREGSET has, struct
// user_fpsimd_state: the vectors first. The record of them is the first one.
func simd(records []byte) []byte {
	const head, status, vectors, size = 8, 8, 512, 528
	if len(records) < head+status+vectors {
		return nil
	}
	out := make([]byte, 0, size)
	out = append(out, records[head+status:head+status+vectors]...)
	return append(out, records[head:head+status]...)[:size]
}

// State is the extended state of thread i, as ptrace gives it; nil where it is not
// known.
func (p *Process) State(i int) []byte { return p.states[i] }

// Close closes the files that were opened for what was not stored.
func (p *Process) Close() {
	for _, f := range p.files {
		f.close()
	}
	for _, m := range p.modules {
		m.file.close()
	}
	clear(p.files)
}

// Map finds the mapping of an address.
func (p *Process) Map(addr uint64) *note.Map {
	i := sort.Search(len(p.Maps), func(i int) bool { m := &p.Maps[i]; return m.Start+m.Size > addr })
	if i == len(p.Maps) || p.Maps[i].Start > addr {
		return nil
	}
	return &p.Maps[i]
}

// ReadAt reads memory: what was stored, zeros, and pages of files that are still
// there, and the same.
func (p *Process) ReadAt(b []byte, addr int64) (int, error) {
	done := 0
	for done < len(b) {
		at := uint64(addr) + uint64(done)
		m := p.Map(at)
		if m == nil {
			return done, fmt.Errorf("0x%x is not mapped: %w", at, io.ErrUnexpectedEOF)
		}
		n, err := p.read(b[done:][:min(uint64(len(b)-done), m.Start+m.Size-at)], at, m)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// read reads the beginning of b, which lies in a mapping.
func (p *Process) read(b []byte, at uint64, m *note.Map) (int, error) {
	i := sort.Search(len(p.pieces), func(i int) bool { return p.pieces[i].end() > at })
	if i < len(p.pieces) && p.pieces[i].start <= at {
		s := &p.pieces[i]
		n, err := s.data.ReadAt(b[:min(uint64(len(b)), s.end()-at)], int64(at-s.start))
		if n > 0 {
			err = nil
		}
		return n, err
	}
	if i < len(p.pieces) {
		b = b[:min(uint64(len(b)), p.pieces[i].start-at)]
	}
	switch {
	case m.File != nil && p.storedOnly:
		return 0, fmt.Errorf("0x%x is not stored", at)
	case m.File != nil:
		f := p.file(m)
		if f.err != nil {
			return 0, f.err
		}
		return f.read(b, int64(at-m.Start+m.Off))
	case strings.HasPrefix(m.Name, "[v"):
		return 0, fmt.Errorf("0x%x is the kernel's (%s), and not stored", at, m.Name)
	}
	clear(b)
	return len(b), nil
}

// Check says what keeps pages of a mapping from being read that are not stored: the
// file is not there, or another.
func (p *Process) Check(m *note.Map) error { return p.file(m).err }

// Where is the path of the file of a mapping now.
func (p *Process) Where(m *note.Map) string { return p.where(m.Name) }

// file is a file that was mapped, as it is now.
type file struct {
	f   *os.File
	err error
}

// read reads a part of the file; a page behind its end has zeros.
func (f *file) read(b []byte, off int64) (int, error) {
	n, err := f.f.ReadAt(b, off)
	if err == io.EOF {
		clear(b[n:])
		return len(b), nil
	}
	return n, err
}

func (f *file) close() {
	if f != nil && f.f != nil {
		f.f.Close()
		f.f = nil
	}
}

// file opens the file of a mapping, and makes sure that it is the one that was
// mapped: by its build ID, or its size where there is none.
func (p *Process) file(m *note.Map) *file {
	if f, ok := p.files[m.Name]; ok {
		return f
	}
	f := &file{}
	f.f, f.err = openSame(p.where(m.Name), m.File)
	p.files[m.Name] = f
	return f
}

// where is the path of a file now.
func (p *Process) where(name string) string {
	if now, ok := p.Moved[name]; ok {
		return now
	}
	return name
}

func openSame(name string, want *note.File) (*os.File, error) {
	// O_NONBLOCK: a pipe without writer is refused, not waited for.
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := same(f, name, want); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func same(f *os.File, name string, want *note.File) error {
	st, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s: not a regular file", name)
	case want.Size != 0 && st.Size() != want.Size:
		return fmt.Errorf("%s: has 0x%x bytes; the one that was mapped had 0x%x", name, st.Size(), want.Size)
	case want.BuildID == nil:
		return nil
	}
	if id := buildIDOf(name); !bytes.Equal(id, want.BuildID) {
		return fmt.Errorf("%s: has build ID %x; the one that was mapped had %x", name, id, want.BuildID)
	}
	return nil
}

func buildIDOf(name string) []byte {
	e, err := elffile.Open(name)
	if err != nil {
		return nil
	}
	defer e.Close()
	return bytes.Clone(e.BuildID())
}
