package elffile

import (
	"slices"
	"testing"

	"elfwright/internal/elftest"
)

func TestGroup(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		f := parseDesc(t, elftest.Object(k))
		flags, sig, members, err := f.Group(1)
		if err != nil || flags != GroupComdat || sig != "foo" || !slices.Equal(members, []uint32{4, 5}) {
			t.Errorf("%d %q %d, %v", flags, sig, members, err)
		}
		// A nameless section symbol lends the section's name.
		d := elftest.Object(k)
		d.Set = map[string]uint64{"shdr[1].sh_info": 2}
		if _, sig, _, err := parseDesc(t, d).Group(1); err != nil || sig != ".text.foo" {
			t.Errorf("signature %q, %v", sig, err)
		}
	})
}

func TestGroupFaults(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, tc := range []struct {
			field   string
			v       uint64
			members int
			words   []string
		}{
			{"shdr[1].sh_size", 0, 0, []string{"section header 1 (.group)", "sh_size", "is not one or more words"}},
			{"shdr[1].sh_size", 10, 1, []string{"0xa is not one or more words"}},
			{"shdr[1].sh_size", 1 << 30, -1, []string{"past the end of the file"}},
			{"shdr[1].sh_info", 1000, 2, []string{"sh_info", "1000 is not the index of a symbol; section 11 has 10"}},
			{"shdr[1].sh_link", 3, 2, []string{"sh_link", "3 is not the index of a symbol table"}},
			{"shdr[1].sh_link", 0xffffffff, 2, []string{"sh_link", "4294967295 is not"}},
			{"shdr[1].sh_type", 1, 0, []string{"PROGBITS is not a section group"}},
			{".group[1]", 1, 2, []string{"member 0 is section 1, which can not be one"}},
			{".group[1]", 0xffffffff, 2, []string{"member 0 is section 4294967295"}},
		} {
			d := elftest.Object(k)
			d.Set = map[string]uint64{tc.field: tc.v}
			_, _, members, err := parseDesc(t, d).Group(1)
			wantError(t, err, tc.words...)
			if tc.members >= 0 && len(members) != tc.members {
				t.Errorf("%s = %d: members %d", tc.field, tc.v, members)
			}
		}
	})
}
