package deps

import (
	"fmt"

	"elfwright/dyn/load"
)

// Why says in a few words by which rule a file was looked for at its place.
func Why(t load.Try) string {
	switch t.Rule {
	case load.RuleRpath:
		return in("rpath", t)
	case load.RuleRunpath:
		return in("runpath", t)
	}
	return t.Rule.String() + hwcaps(t)
}

// in tells of a list of an object, with the element as it is written there.
func in(list string, t load.Try) string {
	if t.Of == nil {
		return list + hwcaps(t)
	}
	return fmt.Sprintf("%s of %s: %s%s", list, base(t.Of), t.Dir, hwcaps(t))
}

func hwcaps(t load.Try) string {
	if t.HWCaps == "" {
		return ""
	}
	return ", " + t.HWCaps
}
