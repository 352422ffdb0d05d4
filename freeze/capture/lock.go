package capture

import "elfwright/image"

// Lock says whether what a process maps later is locked in memory.
type Lock int

// The ways to lock.
const (
	NoLock      Lock = iota
	LockNow          // when it is mapped
	LockOnFault      // when it is touched: MCL_ONFAULT
)

// lockFuture sees by the page that the process has mapped for us whether it locks
// what it maps.
func (t *Target) lockFuture(s *Snapshot) error {
	b, err := t.read("status")
	if err != nil {
		return err
	}
	now, err := ParseStatus(b)
	if err != nil {
		return t.fault("%w", err)
	}
	if now.Locked == s.Status.Locked {
		return nil
	}
	maps, err := t.maps()
	if err != nil {
		return err
	}
	s.LockFuture = LockNow
	for i := range maps {
		if maps[i].Contains(image.Addr(t.scratch)) && maps[i].Has("lf") {
			s.LockFuture = LockOnFault
		}
	}
	return nil
}
