package load

import "strings"

// tokens are the values of the dynamic string tokens; "" is one without value.
type tokens struct {
	origin, lib, platform string

	secure  bool
	trusted []string // directories in which $ORIGIN may lead in a secure start; nil: anywhere
}

// expand replaces $ORIGIN, $LIB and $PLATFORM, with or without braces
// (_dl_dst_substitute of glibc). Other dollars stay. It fails where a token has
// no value: then glibc forgets the whole string.
func (t *tokens) expand(s string) (string, bool) {
	if strings.IndexByte(s, '$') < 0 {
		return s, true
	}
	expanded, ok := t.substitute(s)
	if ok && t.secure && !t.secureOrigin(s, expanded) {
		return "", false
	}
	return expanded, ok
}

func (t *tokens) substitute(s string) (string, bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			b.WriteString(s)
			return b.String(), true
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		value, n := t.at(s)
		switch {
		case n == 0:
			b.WriteByte('$')
		case value == "":
			return "", false
		}
		b.WriteString(value)
		s = s[n:]
	}
}

// at finds the token that s begins with, after its dollar, and its length.
func (t *tokens) at(s string) (value string, n int) {
	for _, x := range []struct{ name, value string }{{"ORIGIN", t.origin}, {"PLATFORM", t.platform}, {"LIB", t.lib}} {
		if n := tokenLen(s, x.name); n > 0 {
			return x.value, n
		}
	}
	return "", 0
}

// tokenLen is is_dst of glibc.
func tokenLen(s, name string) int {
	rest, curly := strings.CutPrefix(s, "{")
	rest, ok := strings.CutPrefix(rest, name)
	switch {
	case !ok || curly && !strings.HasPrefix(rest, "}") || !curly && rest != "" && isWord(rest[0]):
		return 0
	case curly:
		return len(name) + 2
	}
	return len(name)
}

func isWord(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
}

// hasToken says whether there is any token in a string (_dl_dst_count).
func hasToken(s string) bool {
	t := tokens{}
	for {
		_, rest, ok := strings.Cut(s, "$")
		if !ok {
			return false
		}
		if _, n := t.at(rest); n > 0 {
			return true
		}
		s = rest
	}
}
