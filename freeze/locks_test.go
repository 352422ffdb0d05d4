package freeze

import "testing"

func TestParseLock(t *testing.T) {
	for _, c := range []struct {
		line string
		want lock
	}{
		{"lock:\t1: POSIX  ADVISORY  WRITE 77 fe:00:1234 3 6", lock{"POSIX", "ADVISORY", true, 3, 4}},
		{"lock:\t2: OFDLCK ADVISORY  READ -1 fe:00:1234 0 EOF", lock{"OFDLCK", "ADVISORY", false, 0, 0}},
		{"lock:\t1: LEASE  BREAKING  WRITE 77 fe:00:1234 0 EOF", lock{"LEASE", "BREAKING", true, 0, 0}},
	} {
		if l, err := parseLock(c.line); err != nil || l != c.want {
			t.Errorf("%q: %+v, %v", c.line, l, err)
		}
	}
	for _, bad := range []string{"", "lock: 1: POSIX", "lock: 1: POSIX ADVISORY SHUT 7 0:0:0 0 EOF", "lock: 1: POSIX ADVISORY READ 7 0:0:0 -1 EOF", "lock: 1: POSIX ADVISORY READ 7 0:0:0 5 4"} {
		if l, err := parseLock(bad); err == nil {
			t.Errorf("%q is accepted: %+v", bad, l)
		}
	}
}

func FuzzLock(f *testing.F) {
	f.Add("lock:\t1: POSIX  ADVISORY  WRITE 77 fe:00:1234 3 6")
	f.Fuzz(func(t *testing.T, line string) {
		if l, err := parseLock(line); err == nil && l.start+l.size < l.start {
			t.Errorf("%q: %+v", line, l)
		}
	})
}
