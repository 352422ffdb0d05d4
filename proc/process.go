package proc

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"elfwright/elffile"
	"elfwright/image"
)

// Process is a living process, by its folder in /proc.
type Process struct {
	PID int
	dir string
	mem *os.File
}

// Open takes hold of a process. Reading its memory needs the right to trace it
// (ptrace(2), access mode checks).
func Open(pid int) (*Process, error) {
	p := &Process{PID: pid, dir: "/proc/" + strconv.Itoa(pid)}
	if _, err := os.Stat(p.dir); err != nil {
		return nil, fmt.Errorf("process %d: there is none", pid)
	}
	return p, nil
}

// Close lets go of the process.
func (p *Process) Close() error {
	if p.mem == nil {
		return nil
	}
	return p.mem.Close()
}

func (p *Process) read(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", p.PID, err)
	}
	return b, nil
}

// Maps reads the mappings.
func (p *Process) Maps() ([]Map, error) {
	b, err := p.read("maps")
	if err != nil {
		return nil, err
	}
	return ParseMaps(b)
}

// Stat reads where code, data, heap and stack are.
func (p *Process) Stat() (Stat, error) {
	b, err := p.read("stat")
	if err != nil {
		return Stat{}, err
	}
	return ParseStat(b)
}

// Auxv reads the auxiliary vector that the process was started with.
func (p *Process) Auxv(f elffile.Format) ([]Aux, error) {
	b, err := p.read("auxv")
	if err != nil {
		return nil, err
	}
	return ParseAuxv(f, b)
}

// Exe returns the path of the program, and one that opens the program itself,
// also where the path has another file by now.
func (p *Process) Exe() (path, open string, err error) {
	open = filepath.Join(p.dir, "exe")
	path, err = os.Readlink(open)
	if err != nil {
		return "", "", fmt.Errorf("process %d: %w", p.PID, err)
	}
	return path, open, nil
}

// Root returns a path of the process's own view of the file system, as seen
// from here.
func (p *Process) Root(path string) string { return filepath.Join(p.dir, "root", path) }

// MapFile returns a path that opens the very file behind a mapping, whatever
// its name has become; it needs more rights than the name does.
func (p *Process) MapFile(r image.Range) string {
	return filepath.Join(p.dir, "map_files", fmt.Sprintf("%x-%x", uint64(r.Start), uint64(r.End())))
}

// ReadAt reads memory: off is an address.
func (p *Process) ReadAt(b []byte, off int64) (int, error) {
	if p.mem == nil {
		f, err := os.Open(filepath.Join(p.dir, "mem"))
		if err != nil {
			return 0, fmt.Errorf("process %d: %w", p.PID, err)
		}
		p.mem = f
	}
	return p.mem.ReadAt(b, off)
}

var _ io.ReaderAt = (*Process)(nil)

// Memory reads a range of memory. What cannot be read ends it, with an error.
func (p *Process) Memory(r image.Range) ([]byte, error) {
	const most = 1 << 30
	if r.Size > most {
		return nil, fmt.Errorf("process %d: %v is more than is read at once", p.PID, r)
	}
	b := make([]byte, r.Size)
	n, err := p.ReadAt(b, int64(r.Start))
	if err != nil {
		return b[:n], fmt.Errorf("process %d: memory at %v: %w", p.PID, r.Start+image.Addr(n), err)
	}
	return b, nil
}
