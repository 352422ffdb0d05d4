package show

import (
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// A mangled name may say with a few bytes "the last type twice", and so double
// its text with every few bytes: neither the length of the text nor the time to
// make it is bounded by a name from outside. The longest name found in the
// libraries of a Debian system has 613 bytes, and 8 KiB of text.
const (
	demangleMaxIn   = 1 << 12
	demangleMaxOut  = 15      // a power of two
	demangleMaxWork = 1 << 15 // bytes read, with those read again
)

// Demangle returns the source's spelling of a C++ name (Itanium C++ ABI,
// chapter 5) or a Rust name (the legacy scheme, and v0 of RFC 2603). What is not
// such a name, is broken, or whose text would grow without measure is returned
// as it is. A symbol version ("_ZdlPv@@GLIBCXX_3.4") stays behind the name.
func Demangle(name string) string {
	if len(name) > demangleMaxIn || !isMangled(name) {
		return name
	}
	base, version := name, ""
	if at := strings.IndexByte(name, '@'); at > 0 {
		base, version = name[:at], name[at:]
	}
	if demangleWork(base) > demangleMaxWork {
		return name
	}
	text, ok := demangleName(base)
	if !ok || len(text) >= 1<<demangleMaxOut {
		return name
	}
	return text + version
}

// isMangled says whether a name begins as one of the schemes' names do.
func isMangled(name string) bool {
	for _, prefix := range [...]string{"_Z", "_R", "___Z", "_GLOBAL_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// demangleWork bounds the bytes the demangler reads. Whether template arguments
// behind a conversion operator ("cv" and a type) belong to the type or to the
// operator is known only at their end, and they are read again in one of the
// cases: each such operator inside another one doubles the work.
func demangleWork(name string) int {
	work := len(name)
	for i := 0; i+2 < len(name) && work <= demangleMaxWork; i++ {
		// Types of one lower case letter but r (restrict) have no arguments.
		if c := name[i+2]; name[i] == 'c' && name[i+1] == 'v' && ('A' <= c && c <= 'Z' || c == 'r') {
			work *= 2
		}
	}
	return work
}

// demangleName asks the library, which panics where a name contradicts itself
// in a way that it did not foresee: such a name is nobody's.
func demangleName(name string) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	text, err := demangle.ToString(name, demangle.MaxLength(demangleMaxOut))
	return text, err == nil
}
