package plan

import "testing"

func TestParseVersion(t *testing.T) {
	for s, want := range map[string]string{"6.18.44-fc-v669": "6.18", "5.10": "5.10", "6.1-rc3": "6.1", "10.0": "10.0"} {
		if v, err := ParseVersion(s); err != nil || v.String() != want {
			t.Errorf("%q: %v %v, want %s", s, v, err, want)
		}
	}
	for _, s := range []string{"", "6", "x.y", "6.", "-6.1", "5.3", "4.19", "999999.1"} {
		if v, err := ParseVersion(s); err == nil {
			t.Errorf("%q: %v", s, v)
		}
	}
	if (Version{6, 9}).Before(Version{6, 9}) || !(Version{6, 9}).Before(Version{6, 10}) || (Version{7, 0}).Before(Version{6, 10}) {
		t.Error("versions are not ordered")
	}
	last := Oldest
	for _, c := range Changes() {
		if c.Since.Before(last) || Latest.Before(c.Since) || c.What == "" {
			t.Errorf("%+v", c)
		}
		last = c.Since
	}
}
