package capture

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"elfwright/proc"
)

// Attended is the process that is meant by a number: the number of a frozen file
// that was started may be that of a process which only waits for the one that the
// file has become. That is a child of it.
func Attended(pid int) int {
	for range 2 {
		kid, ok := attends(pid)
		if !ok {
			break
		}
		pid = kid
	}
	return pid
}

// attends says whether a process is at a system call of the stub of a frozen file,
// and for which child it waits there.
func attends(pid int) (child int, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid))
	words := strings.Fields(string(b))
	if err != nil || len(words) < 2 {
		return 0, false // it runs
	}
	pc, err := strconv.ParseUint(words[len(words)-1], 0, 64)
	if err != nil {
		return 0, false
	}
	p, err := proc.Open(pid)
	if err != nil {
		return 0, false
	}
	defer p.Close()
	head := make([]byte, 8)
	if _, err := p.ReadAt(head, int64(pc&^(pageSize-1)+pageSize)); err != nil || string(head) != "EWTHAW1\x00" {
		return 0, false
	}
	b, err = os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if _, e := fmt.Sscan(string(b), &child); err != nil || e != nil {
		return 0, false
	}
	return child, true
}
