package capture

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/proc"
)

// Status is what /proc/PID/status tells (proc_pid_status(5)).
type Status struct {
	State      string
	TGID, PPID int
	Tracer     int
	UIDs       [4]int // real, effective, saved, file system
	GIDs       [4]int
	Groups     []int
	Umask      int
	Caught     uint64
	Ignored    uint64
	NoNewPrivs bool
	Seccomp    int
	Threads    int
	CapEff     uint64
	CapPrm     uint64
	CapInh     uint64
	CapBnd     uint64
	CapAmb     uint64
	NSpid      []int // its number in each namespace from ours to its own
	NSpgid     []int // and those of its process group and session; 0: not of that namespace
	NSsid      []int
	Locked     string // VmLck
	Bypass     string // Speculation_Store_Bypass
	Branches   string // SpeculationIndirectBranch
	Features   string // x86_Thread_features: shadow stacks
}

// ParseStatus reads the text.
func ParseStatus(text []byte) (Status, error) {
	s := Status{Umask: -1}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return s, fmt.Errorf("status: %q has no colon", line)
		}
		if err := s.field(key, strings.TrimSpace(value)); err != nil {
			return s, fmt.Errorf("status: %s: %w", key, err)
		}
	}
	return s, nil
}

func (s *Status) field(key, value string) (err error) {
	numbers := map[string]*int{"Tgid": &s.TGID, "PPid": &s.PPID, "TracerPid": &s.Tracer, "Seccomp": &s.Seccomp, "Threads": &s.Threads}
	hex := map[string]*uint64{"SigCgt": &s.Caught, "SigIgn": &s.Ignored, "CapEff": &s.CapEff, "CapPrm": &s.CapPrm, "CapInh": &s.CapInh, "CapBnd": &s.CapBnd, "CapAmb": &s.CapAmb}
	if to := numbers[key]; to != nil {
		*to, err = strconv.Atoi(value)
		return err
	}
	if to := hex[key]; to != nil {
		*to, err = strconv.ParseUint(value, 16, 64)
		return err
	}
	switch key {
	case "State":
		s.State = value
	case "Umask":
		n, err := strconv.ParseUint(value, 8, 16)
		s.Umask = int(n)
		return err
	case "NoNewPrivs":
		s.NoNewPrivs = value != "0"
	case "Uid":
		return four(&s.UIDs, value)
	case "Gid":
		return four(&s.GIDs, value)
	case "Groups":
		s.Groups, err = ints(value)
	case "VmLck":
		s.Locked = value
	case "Speculation_Store_Bypass":
		s.Bypass = value
	case "SpeculationIndirectBranch":
		s.Branches = value
	case "x86_Thread_features":
		s.Features = value
	case "NSpid":
		s.NSpid, err = ints(value)
	case "NSpgid":
		s.NSpgid, err = ints(value)
	case "NSsid":
		s.NSsid, err = ints(value)
	}
	return err
}

func four(to *[4]int, value string) error {
	n, err := ints(value)
	if err == nil && len(n) != 4 {
		err = fmt.Errorf("%q is not four numbers", value)
	}
	copy(to[:], n)
	return err
}

func ints(value string) ([]int, error) {
	var out []int
	for w := range strings.FieldsSeq(value) {
		n, err := strconv.Atoi(w)
		if err != nil {
			return out, fmt.Errorf("%q is not a number", w)
		}
		out = append(out, n)
	}
	return out, nil
}

// last is the number in the namespace of the process itself.
func last(numbers []int) int {
	if len(numbers) == 0 {
		return 0
	}
	return numbers[len(numbers)-1]
}

// OwnStatus is that of this process.
func OwnStatus() (Status, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return Status{}, err
	}
	return ParseStatus(b)
}

// checkTarget refuses what cannot be stopped, or not be understood.
func checkTarget(p *proc.Process) error {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	if err != nil {
		return fmt.Errorf("process %d: %w", p.PID, err)
	}
	s, err := ParseStatus(b)
	switch {
	case err != nil:
		return fmt.Errorf("process %d: %w", p.PID, err)
	case p.PID == os.Getpid():
		return fmt.Errorf("process %d: is this one", p.PID)
	case s.TGID != p.PID:
		return fmt.Errorf("process %d: is a thread of process %d", p.PID, s.TGID)
	case strings.HasPrefix(s.State, "Z") && s.Threads <= 1:
		return fmt.Errorf("process %d: has ended (State: %s)", p.PID, s.State)
	case s.Tracer != 0:
		return fmt.Errorf("process %d: is traced by process %d", p.PID, s.Tracer)
	}
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.PID))
	if errors.Is(err, unix.ENOENT) {
		return noProgram(p.PID, &s)
	}
	if err != nil {
		return fmt.Errorf("process %d: %w", p.PID, err)
	}
	return checkClass(p.PID, path)
}

// noProgram says why a process has none: its memory is gone, or it never had any.
func noProgram(pid int, s *Status) error {
	const kthreadd = 2 // the parent of all others
	switch {
	case pid == kthreadd || s.PPID == kthreadd:
		return fmt.Errorf("process %d: is the kernel's own, it has no program", pid)
	case s.Threads > 1:
		return fmt.Errorf("process %d: its first thread has ended while others go on; such a process cannot be frozen", pid)
	}
	return fmt.Errorf("process %d: has ended (State: %s)", pid, s.State)
}

// checkClass refuses the programs of other machines.
func checkClass(pid int, path string) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	defer f.Close()
	head := make([]byte, 20)
	if _, err := f.ReadAt(head, 0); err != nil {
		return fmt.Errorf("process %d: %s: %w", pid, path, err)
	}
	const le64 = 2
	if class, machine := head[4], uint16(head[18])|uint16(head[19])<<8; class != le64 || machine != uint16(abi.Machine.ELF) {
		return fmt.Errorf("process %d: %s: e_machine %d, class %d: only %s processes can be frozen so far", pid, path, machine, class, abi.Machine.Name)
	}
	return nil
}
