package proc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"elfwright/image"
)

// Stat is what /proc/PID/stat tells of the memory and of relatives
// (proc_pid_stat(5)).
type Stat struct {
	Comm  string
	State byte
	TTY   int // 7: the number of the controlling terminal; 0: none
	TPGID int // 8: the process group in its foreground
	Flags int // 9: the kernel's PF_ flags

	Parent, Group, Session int // fields 4 to 6
	Terminal, Foreground   int // 7 and 8: the controlling terminal, and the process group in its foreground
	ExitSignal, ExitCode   int // 38 and 52: the code is the wait status of a process that has ended

	StartCode, EndCode image.Addr // fields 26 and 27
	StartStack         image.Addr // 28
	StartData, EndData image.Addr // 45 and 46
	StartBrk           image.Addr // 47
	ArgStart, ArgEnd   image.Addr // 48 and 49
	EnvStart, EnvEnd   image.Addr // 50 and 51
}

// ParseStat reads /proc/PID/stat. The program's name stands in parentheses and
// may hold any byte, parentheses and blanks too: the last one closes it.
func ParseStat(text []byte) (Stat, error) {
	var s Stat
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return s, fmt.Errorf("stat: no program name in parentheses")
	}
	s.Comm = string(text[open+1 : end])
	words := strings.Fields(string(text[end+1:]))
	const first = 3 // the number of the field behind the name
	if len(words) < 52-first || len(words[0]) != 1 {
		return s, fmt.Errorf("stat: %d fields, not 52 or more", len(words)+first-1)
	}
	s.State = words[0][0]
	for field, to := range map[int]*int{7: &s.TTY, 8: &s.TPGID, 9: &s.Flags} {
		v, err := strconv.Atoi(words[field-first])
		if err != nil {
			return s, fmt.Errorf("stat: field %d: %q is not a number", field, words[field-first])
		}
		*to = v
	}
	for _, f := range []struct {
		field int
		to    *image.Addr
	}{
		{26, &s.StartCode}, {27, &s.EndCode}, {28, &s.StartStack}, {45, &s.StartData}, {46, &s.EndData}, {47, &s.StartBrk},
		{48, &s.ArgStart}, {49, &s.ArgEnd}, {50, &s.EnvStart}, {51, &s.EnvEnd},
	} {
		v, err := strconv.ParseUint(words[f.field-first], 10, 64)
		if err != nil {
			return s, fmt.Errorf("stat: field %d: %q is not a number", f.field, words[f.field-first])
		}
		*f.to = image.Addr(v)
	}
	for _, f := range []struct {
		field int
		to    *int
	}{
		{4, &s.Parent}, {5, &s.Group}, {6, &s.Session}, {7, &s.Terminal}, {8, &s.Foreground}, {38, &s.ExitSignal}, {52, &s.ExitCode},
	} {
		v, err := strconv.Atoi(words[f.field-first])
		if err != nil {
			return s, fmt.Errorf("stat: field %d: %q is not a number", f.field, words[f.field-first])
		}
		*f.to = v
	}
	return s, nil
}
