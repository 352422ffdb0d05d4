package capture

import "golang.org/x/sys/unix"

// registered asks which commands of membarrier(2) the process has registered for.
func (t *Target) registered(s *Snapshot) (err error) {
	const getRegistrations = 1 << 9 // MEMBARRIER_CMD_GET_REGISTRATIONS, Linux 6.3
	main := t.threads[0]
	s.Membarrier, err = t.call(main, "membarrier", getRegistrations)
	switch err {
	case nil, unix.ENOSYS:
		return nil
	case unix.EINVAL:
	default:
		return t.fault("membarrier: %w", err)
	}
	// Before that a command tells, by its being permitted. Each has the bit before the
	// one that registers for it.
	const privateExpedited, syncCore, rseq = 1 << 3, 1 << 5, 1 << 7
	for _, command := range []uint64{privateExpedited, syncCore, rseq} {
		if _, err := t.call(main, "membarrier", command); err == nil {
			s.Membarrier |= command << 1
		}
	}
	// Who is registered for the barriers of others cannot be known; it does no harm.
	const query, registerGlobal = 0, 1 << 2
	if known, err := t.call(main, "membarrier", query); err == nil {
		s.Membarrier |= known & registerGlobal
	}
	return nil
}
