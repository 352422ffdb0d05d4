package deps

import (
	"fmt"

	"elfwright/dyn/load"
)

// Why says in a few words by which rule a file was looked for at its place.
func Why(t load.Try) string {
	switch t.Rule {
	case load.RuleProgram:
		return "the program"
	case load.RulePath:
		return "a path"
	case load.RuleLoaded:
		return "already loaded"
	case load.RuleInterp:
		return "the interpreter"
	case load.RuleRpath:
		return in("rpath", t)
	case load.RuleRunpath:
		return in("runpath", t)
	case load.RuleLibraryPath:
		return "library path" + hwcaps(t)
	case load.RuleCache:
		return "ld.so.cache" + hwcaps(t)
	case load.RuleDefault:
		return "system directory" + hwcaps(t)
	case load.RuleMuslPath:
		return "path of musl"
	case load.RuleConf:
		return "ld.so.conf" + hwcaps(t)
	}
	return "unknown rule"
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
