package proc

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strconv"
	"strings"

	"elfwright/image"
)

// Map is a line of /proc/PID/maps (proc_pid_maps(5)).
type Map struct {
	image.Range
	Prot   elf.ProgFlag
	Shared bool
	Off    uint64
	Dev    string // "fe:00"
	Inode  uint64
	Name   string // the path, "[stack]", or "" for anonymous memory
	// Deleted is set where the kernel says that the path is not there any more.
	Deleted bool
}

// File says whether the mapping is of a file.
func (m *Map) File() bool { return m.Inode != 0 }

// Line prints the mapping without device and inode, which differ from machine to
// machine.
func (m *Map) Line() string {
	share := 'p'
	if m.Shared {
		share = 's'
	}
	return fmt.Sprintf("%08x-%08x %s%c %08x %s", uint64(m.Start), uint64(m.End()), protLetters(m.Prot), share, m.Off, m.Name)
}

func protLetters(f elf.ProgFlag) string {
	b := []byte("---")
	for i, bit := range []elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if f&bit != 0 {
			b[i] = "rwx"[i]
		}
	}
	return string(b)
}

// ParseMaps reads /proc/PID/maps.
func ParseMaps(text []byte) ([]Map, error) {
	var out []Map
	for n, line := range bytes.Split(text, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		m, err := parseMap(string(line))
		if err != nil {
			return out, fmt.Errorf("maps: line %d: %w", n+1, err)
		}
		out = append(out, m)
	}
	return out, nil
}

// parseMap reads one line: the range, the protection, offset, device and inode,
// then the name after blanks.
func parseMap(line string) (Map, error) {
	var m Map
	var words [5]string
	rest := line
	for i := range words {
		var ok bool
		words[i], rest, ok = strings.Cut(rest, " ")
		if !ok && i < 4 {
			return m, fmt.Errorf("%q has %d words, not 5 or more", line, i+1)
		}
	}
	m.Name = unescape(strings.TrimLeft(rest, " "))
	from, to, ok := strings.Cut(words[0], "-")
	start, err1 := strconv.ParseUint(from, 16, 64)
	end, err2 := strconv.ParseUint(to, 16, 64)
	off, err3 := strconv.ParseUint(words[2], 16, 64)
	inode, err4 := strconv.ParseUint(words[4], 10, 64)
	switch {
	case !ok || err1 != nil || err2 != nil || end <= start:
		return m, fmt.Errorf("%q is not a range of addresses", words[0])
	case len(words[1]) != 4:
		return m, fmt.Errorf("%q is not a protection", words[1])
	case err3 != nil:
		return m, fmt.Errorf("%q is not an offset", words[2])
	case err4 != nil:
		return m, fmt.Errorf("%q is not an inode", words[4])
	}
	m.Range = image.MakeRange(image.Addr(start), image.Addr(end))
	for i, bit := range []elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if words[1][i] == "rwx"[i] {
			m.Prot |= bit
		}
	}
	m.Shared = words[1][3] == 's'
	m.Off, m.Dev, m.Inode = off, words[3], inode
	m.Name, m.Deleted = strings.CutSuffix(m.Name, " (deleted)")
	return m, nil
}

// unescape undoes what show_map_vma does to a newline in a name: \012. A
// backslash itself is not escaped there, so that other sequences stay.
func unescape(s string) string { return strings.ReplaceAll(s, `\012`, "\n") }
