package capture

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Segment is a segment of System V shared memory (shmctl(2)).
type Segment struct {
	ID, Key  int
	Size     uint64
	Mode     uint32 // with segmentRemoved
	UID, GID int
	Attached int // how often
}

// Removed says whether the segment goes when nobody has it attached any more.
func (s *Segment) Removed() bool {
	const dest = 0o1000 // SHM_DEST
	return s.Mode&dest != 0
}

// SysV says whether a mapping is of System V shared memory; its inode is then the
// number of the segment.
func (m *Map) SysV() bool { return m.Shared && strings.HasPrefix(m.Name, "/SYSV") }

// segments asks the process for the segments that it has attached: they are of its
// namespace, which need not be ours.
func (t *Target) segments(s *Snapshot) error {
	const ipcStat, semInfo, msgInfo, infoSize = 2, 19, 12, 40
	const size = 112 // struct shmid64_ds
	o := binary.LittleEndian
	for i := range s.Maps {
		m := &s.Maps[i]
		if !m.SysV() || slices.ContainsFunc(s.Segments, func(g Segment) bool { return g.ID == int(m.Inode) }) {
			continue
		}
		b, err := t.answer(t.threads[0], size, 2, "shmctl", m.Inode, ipcStat, 0)
		if err != nil {
			return t.fault("shared memory %d: shmctl: %w", m.Inode, err)
		}
		s.Segments = append(s.Segments, Segment{
			ID: int(m.Inode), Key: int(int32(o.Uint32(b))), UID: int(o.Uint32(b[4:])), GID: int(o.Uint32(b[8:])), Mode: o.Uint32(b[20:]),
			Size: o.Uint64(b[48:]), Attached: int(o.Uint64(b[88:])),
		})
	}
	if len(s.Segments) == 0 {
		return nil
	}
	// struct seminfo and msginfo: how many there are.
	b, err := t.answer(t.threads[0], infoSize, 3, "semctl", 0, 0, semInfo, 0)
	if err != nil {
		return t.fault("SEM_INFO: %w", err)
	}
	s.SysV[0] = int(o.Uint32(b[28:])) // semusz
	if b, err = t.answer(t.threads[0], infoSize, 2, "msgctl", 0, msgInfo, 0); err != nil {
		return t.fault("MSG_INFO: %w", err)
	}
	s.SysV[1] = int(o.Uint32(b)) // msgpool
	return nil
}
