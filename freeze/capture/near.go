package capture

import (
	"fmt"
	"os"
	"strings"
)

// near looks for what the process has open together with its parent or its
// children: a pipe that was made before fork is one's and the other's.
func (t *Target) near(s *Snapshot) {
	ours := make(map[string]bool)
	for i := range s.Descriptors {
		if d := &s.Descriptors[i]; d.N > 2 && (strings.HasPrefix(d.Link, "pipe:") || strings.HasPrefix(d.Link, "socket:")) {
			ours[d.Link] = true
		}
	}
	if len(ours) == 0 {
		return
	}
	s.Near = make(map[string]int)
	for _, pid := range append([]int{s.Status.PPID}, s.Children...) {
		dir := fmt.Sprintf("/proc/%d/fd", pid)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // it has ended, or is none of ours
		}
		for _, e := range entries {
			if link, err := os.Readlink(dir + "/" + e.Name()); err == nil && ours[link] {
				s.Near[link] = pid
			}
		}
	}
}
