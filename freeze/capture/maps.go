package capture

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"elfwright/image"
	"elfwright/proc"
)

// Names of mappings that the kernel gives.
const (
	vdsoName     = "[vdso]"
	vvarPrefix   = "[vvar"
	vsyscallName = "[vsyscall]"
	stackName    = "[stack]"
)

// Map is a mapping with what /proc/PID/smaps tells of it, and what of it has to
// be kept.
type Map struct {
	proc.Map
	Flags []string // VmFlags, proc_pid_smaps(5)
	Key   int      // of pkey_mprotect(2)
	// Runs are the pages that have content. Pages in no run read as zeros, or
	// as the file that is mapped where Touched is not set.
	Runs  []image.Range
	Guard []image.Range // MADV_GUARD_INSTALL
	// Touched is set on a private mapping of a file of which a page was written.
	Touched bool
	Policy  Policy // mbind(2)
	Others  []int  // processes that have the same shared memory
	// Nameless is set on a shared mapping of a file that is deleted: what is in it
	// is only there.
	Nameless bool
}

// Exec says whether code can run there.
func (m *Map) Exec() bool { return m.Prot&elf.PF_X != 0 }

// Has says whether the kernel gives the mapping a flag: "gd".
func (m *Map) Has(flag string) bool { return slices.Contains(m.Flags, flag) }

// Kernel says whether the mapping is the kernel's own, and which.
func (m *Map) Kernel() bool {
	return m.Name == vdsoName || strings.HasPrefix(m.Name, vvarPrefix) || m.Name == vsyscallName
}

// ParseSmaps reads /proc/PID/smaps: the lines of maps, each followed by lines
// "Name: value".
func ParseSmaps(text []byte) ([]Map, error) {
	var out []Map
	for n, line := range bytes.Split(text, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		if c := line[0]; c >= 'A' && c <= 'Z' {
			if len(out) > 0 {
				out[len(out)-1].detail(line)
			}
			continue
		}
		maps, err := proc.ParseMaps(line)
		if err != nil || len(maps) != 1 {
			return out, fmt.Errorf("smaps: line %d: %w", n+1, err)
		}
		out = append(out, Map{Map: maps[0]})
	}
	return out, nil
}

// detail reads one of the lines about a mapping.
func (m *Map) detail(line []byte) {
	if rest, ok := bytes.CutPrefix(line, []byte("VmFlags:")); ok {
		m.Flags = strings.Fields(string(rest))
	}
	if rest, ok := bytes.CutPrefix(line, []byte("ProtectionKey:")); ok {
		m.Key, _ = strconv.Atoi(strings.TrimSpace(string(rest)))
	}
}

func (t *Target) maps() ([]Map, error) {
	b, err := t.read("smaps")
	if err != nil {
		return nil, err
	}
	maps, err := ParseSmaps(b)
	if err != nil {
		return nil, t.fault("%w", err)
	}
	for i := range maps {
		if m := &maps[i]; m.Shared && m.File() && m.Deleted && !m.Anonymous() && !m.SysV() && strings.HasPrefix(m.Name, "/") {
			t.otherName(m)
		}
	}
	return maps, nil
}

// otherName looks for the file of a mapping under another name in the same
// directory: sem_open(3) makes one with a name that does not last.
func (t *Target) otherName(m *Map) {
	dir := filepath.Dir(m.Name)
	entries, _ := os.ReadDir(t.path("root" + dir))
	for _, e := range entries {
		var st unix.Stat_t
		if err := unix.Lstat(t.path("root"+filepath.Join(dir, e.Name())), &st); err != nil || st.Ino != m.Inode {
			continue
		}
		if fmt.Sprintf("%02x:%02x", unix.Major(st.Dev), unix.Minor(st.Dev)) == m.Dev {
			m.Name, m.Deleted = filepath.Join(dir, e.Name()), false
			return
		}
	}
	m.Nameless = true
}

func (t *Target) path(name string) string {
	return filepath.Join("/proc", strconv.Itoa(t.PID), name)
}

func (t *Target) read(name string) ([]byte, error) {
	b, err := os.ReadFile(t.path(name))
	if err != nil {
		return nil, t.fault("%w", err)
	}
	return b, nil
}

// Categories of pages (include/uapi/linux/fs.h).
const (
	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
	pageIsZero    = 1 << 5
	pageIsGuard   = 1 << 8 // Linux 6.15

	pagemapScan = 0xc0606610 // PAGEMAP_SCAN
)

// A scanner asks which pages of a process there are (PAGEMAP_SCAN, Linux 6.7).
type scanner struct {
	f     *os.File
	guard uint64 // pageIsGuard where the kernel knows it
	file  uint64 // pageIsFile where it matters: the kernel has to look at each page for it
	vec   []pageRegion
}

type pageRegion struct{ start, end, categories uint64 }

// scanArg is struct pm_scan_arg.
type scanArg struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages uint64
	inverted, categoryMask, categoryAnyOf, returnMask       uint64
}

func (t *Target) scanner() (*scanner, error) {
	f, err := os.Open(t.path("pagemap"))
	if err != nil {
		return nil, t.fault("%w", err)
	}
	s := &scanner{f: f, guard: pageIsGuard, vec: make([]pageRegion, 1024)}
	if _, err := s.once(0, pageSize); err == unix.EINVAL || t.blind {
		s.guard = 0
	}
	return s, nil
}

func (s *scanner) close() { s.f.Close() }

func (s *scanner) once(start, end uint64) (scanArg, error) {
	const stored = pageIsPresent | pageIsSwapped
	arg := scanArg{
		size: uint64(unsafe.Sizeof(scanArg{})), start: start, end: end, vec: uint64(uintptr(unsafe.Pointer(&s.vec[0]))), vecLen: uint64(len(s.vec)),
		inverted: pageIsZero, categoryMask: pageIsZero, categoryAnyOf: stored | s.guard, returnMask: s.file | s.guard | stored,
	}
	n, _, e := unix.Syscall(unix.SYS_IOCTL, s.f.Fd(), pagemapScan, uintptr(unsafe.Pointer(&arg)))
	if e != 0 {
		return arg, e
	}
	arg.vecLen = uint64(n)
	return arg, nil
}

// scan calls yield with each run of pages that are there.
func (s *scanner) scan(r image.Range, yield func(r image.Range, categories uint64)) error {
	for at := uint64(r.Start); at < uint64(r.End()); {
		arg, err := s.once(at, uint64(r.End()))
		if err != nil {
			return err
		}
		for _, p := range s.vec[:arg.vecLen] {
			yield(image.MakeRange(image.Addr(p.start), image.Addr(p.end)), p.categories)
		}
		if arg.walkEnd <= at {
			return fmt.Errorf("PAGEMAP_SCAN: stopped at 0x%x", at)
		}
		at = arg.walkEnd
	}
	return nil
}

// pages finds what has to be kept of each mapping.
func (t *Target) pages(maps []Map) error {
	s, err := t.scanner()
	if err != nil {
		return err
	}
	defer s.close()
	for i := range maps {
		m := &maps[i]
		if m.Kernel() {
			continue
		}
		s.file = 0
		if m.File() {
			s.file = pageIsFile
		}
		page := m.page
		if s.guard == 0 && !m.Shared && !m.File() {
			page = func(r image.Range, categories uint64) { t.tryPages(m, r, categories) }
		}
		err := s.scan(m.Range, page)
		if err == unix.ENOTTY || err == unix.EINVAL {
			err = t.oldPages(m)
		}
		if err != nil {
			return t.fault("pagemap of %v: %w", m.Range, err)
		}
		if m.File() && !m.Shared {
			m.Runs = []image.Range{m.Range} // pages of the file that nobody has read yet, too
		}
	}
	return nil
}

// nearBy is a hole that is cheaper to keep than to leave out.
const nearBy = 64 << 10

// page notes a run of pages of the mapping.
func (m *Map) page(r image.Range, categories uint64) {
	switch {
	case categories&pageIsGuard != 0:
		if n := len(m.Guard); n > 0 && m.Guard[n-1].End() == r.Start {
			m.Guard[n-1].Size += r.Size
		} else {
			m.Guard = append(m.Guard, r)
		}
		return
	case m.Shared && m.File() && !m.Anonymous() && !m.SysV():
		return
	}
	if categories&pageIsFile == 0 {
		m.Touched = true
	}
	if n := len(m.Runs); n > 0 && uint64(r.Start-m.Runs[n-1].End()) <= nearBy {
		m.Runs[n-1] = image.MakeRange(m.Runs[n-1].Start, r.End())
		return
	}
	m.Runs = append(m.Runs, r)
}

// tryPages tells guard pages from others where the kernel does not (6.13 and 6.14):
// they look as if they were swapped out, but cannot be read.
func (t *Target) tryPages(m *Map, r image.Range, categories uint64) {
	if categories&pageIsPresent != 0 {
		m.page(r, categories)
		return
	}
	b := make([]byte, 1)
	for at := r.Start; at < r.End(); at += image.Addr(pageSize) {
		one := image.Range{Start: at, Size: pageSize}
		if _, err := t.ReadAt(b, int64(at)); err != nil {
			m.page(one, pageIsGuard)
		} else {
			m.page(one, categories)
		}
	}
}

// oldPages asks kernels before 6.7, which do not tell a zero page from another.
func (t *Target) oldPages(m *Map) error {
	private, err := t.Private(m.Range)
	if err != nil {
		return err
	}
	for _, r := range private {
		m.page(r, pageIsPresent)
	}
	if m.Shared {
		m.Runs = []image.Range{m.Range}
	}
	return nil
}

// Anonymous says whether a shared mapping is of memory without a name in the
// file system: shared by fork and nobody else, or a memfd.
func (m *Map) Anonymous() bool {
	return m.Shared && (m.Nameless || m.Name == "/dev/zero" && m.Deleted || strings.HasPrefix(m.Name, "/memfd:") || strings.HasPrefix(m.Name, "[anon_shmem:"))
}

// Keep notes pages that have content, after those that were noted before.
func (m *Map) Keep(r image.Range) { m.page(r, pageIsPresent) }
