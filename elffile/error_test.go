package elffile

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestLeaves(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	worded := fmt.Errorf("both %w and %w", a, b)
	for _, test := range []struct {
		err  error
		want []error
	}{
		{nil, nil},
		{a, []error{a}},
		{errors.Join(a, errors.Join(b, c)), []error{a, b, c}},
		{errors.Join(worded, c), []error{worded, c}},
	} {
		if got := Leaves(test.err); !slices.Equal(got, test.want) {
			t.Errorf("Leaves(%v) = %v, want %v", test.err, got, test.want)
		}
	}
}
