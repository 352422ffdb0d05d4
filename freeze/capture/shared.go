package capture

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"elfwright/image"
	"elfwright/proc"
)

// shared finds the pages of shared memory that has no name. The page tables of the
// process do not tell: what only another process has written, or what was given back
// with MADV_DONTNEED, is in none of them. mincore(2) tells what is in memory; what is
// swapped out nobody tells, so that all is read where there is swap.
func (t *Target) shared(s *Snapshot) error {
	swap := t.swaps()
	for i := range s.Maps {
		m := &s.Maps[i]
		switch {
		case !m.Anonymous() && !m.SysV():
		case swap || m.Nameless: // mincore tells nothing of what is on a disk
			m.Runs = []image.Range{m.Range}
		default:
			if err := t.inCore(m); err != nil {
				return err
			}
		}
	}
	if t.inTree {
		return nil // one look does for all
	}
	return outside(map[int]bool{t.PID: true}, s)
}

// swaps says whether memory can be swapped out here.
func (t *Target) swaps() bool {
	b, err := os.ReadFile("/proc/swaps")
	return err != nil || bytes.Count(b, []byte("\n")) > 1 // the first line is a heading
}

// inCore asks which pages of a mapping are in memory.
func (t *Target) inCore(m *Map) error {
	m.Runs = nil
	most := pageSize // answers of a byte each
	for at := uint64(m.Start); at < uint64(m.End()); at += most * pageSize {
		size := min(uint64(m.End())-at, most*pageSize)
		b, err := t.answer(t.threads[0], (size+pageSize-1)/pageSize, 2, "mincore", at, size, 0)
		if err != nil {
			return t.fault("mincore of %v: %w", m.Range, err)
		}
		for i := 0; i < len(b); {
			n := 1
			for i+n < len(b) && b[i+n]&1 == b[i]&1 {
				n++
			}
			if b[i]&1 != 0 {
				from := image.Addr(at + uint64(i)*pageSize)
				m.page(image.Range{Start: from, Size: uint64(n) * pageSize}, pageIsPresent)
			}
			i += n
		}
	}
	return nil
}

// outside finds other processes, besides those of the snapshots, that have the shared
// memory of these.
func outside(own map[int]bool, snaps ...*Snapshot) error {
	type file struct {
		dev string
		ino uint64
	}
	ours := make(map[file][]*Map)
	for _, s := range snaps {
		for i := range s.Maps {
			if m := &s.Maps[i]; m.Anonymous() {
				ours[file{m.Dev, m.Inode}] = append(ours[file{m.Dev, m.Inode}], m)
			}
		}
	}
	if len(ours) == 0 {
		return nil
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || own[pid] {
			continue
		}
		b, err := os.ReadFile(dir + "/maps")
		if err != nil {
			continue // it has ended, or is none of ours
		}
		list, err := proc.ParseMaps(b)
		if err != nil {
			return fmt.Errorf("process %d: %w", pid, err)
		}
		for i := range list {
			for _, m := range ours[file{list[i].Dev, list[i].Inode}] {
				m.Others = append(m.Others, pid)
			}
		}
	}
	return nil
}
