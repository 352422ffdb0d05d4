package ldscript

import "strings"

// MatchGlob says whether a pattern matches a name, as fnmatch does without flags:
// "*" is any bytes, "/" too, "?" one byte, "[a-z]" one of these, "[!a-z]" and
// "[^a-z]" one of the others, and a backslash takes the meaning from what is
// behind it. A bracket that is not closed stands for itself.
func MatchGlob(pattern, name string) bool {
	// Where the last star was, and how many bytes of the name it has taken:
	// enough, for an earlier star need not take more.
	star, taken := -1, 0
	p, n := 0, 0
	for n < len(name) || p < len(pattern) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, taken = p, n
			continue
		}
		if n < len(name) {
			if used := matchOne(pattern[p:], name[n]); used > 0 {
				p += used
				n++
				continue
			}
			if star >= 0 {
				taken++
				p, n = star, taken
				continue
			}
		}
		return false
	}
	return true
}

// matchOne matches a byte with the element that begins the pattern, which is no
// star. It returns the element's length; 0 is for no match.
func matchOne(pattern string, c byte) int {
	if pattern == "" {
		return 0
	}
	switch pattern[0] {
	case '?':
		return 1
	case '[':
		if in, length := matchSet(pattern, c); length > 0 {
			if in {
				return length
			}
			return 0
		}
	case '\\':
		if len(pattern) > 1 && pattern[1] == c {
			return 2
		}
		return 0
	}
	if pattern[0] == c {
		return 1
	}
	return 0
}

// matchSet matches a byte with a bracket expression; its length is 0 if it is
// not closed.
func matchSet(pattern string, c byte) (in bool, length int) {
	i := 1
	not := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if not {
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return in != not, i + 1
		}
		if strings.HasPrefix(pattern[i:], "[:") {
			if n := strings.Index(pattern[i+2:], ":]"); n >= 0 {
				in = in || inClass(pattern[i+2:i+2+n], c)
				i += n + 4
				continue
			}
		}
		if strings.HasPrefix(pattern[i:], "[.") || strings.HasPrefix(pattern[i:], "[=") {
			// A collating symbol or class, of one byte. Another matches nothing.
			if i+4 >= len(pattern) || pattern[i+3] != pattern[i+1] || pattern[i+4] != ']' {
				return false, len(pattern)
			}
			in = in || pattern[i+2] == c
			i += 5
			continue
		}
		var low, high byte
		var ok bool
		if low, i, ok = setByte(pattern, i); !ok {
			return false, 0
		}
		high = low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			if high, i, ok = setByte(pattern, i+1); !ok {
				return false, 0
			}
		}
		in = in || low <= c && c <= high
	}
	return false, 0
}

// setByte reads a byte of a bracket expression, perhaps behind a backslash.
func setByte(pattern string, i int) (c byte, next int, ok bool) {
	if pattern[i] == '\\' {
		i++
	}
	if i >= len(pattern) {
		return 0, i, false
	}
	return pattern[i], i + 1, true
}

func inClass(class string, c byte) bool {
	lower, upper, digit := 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9'
	switch class {
	case "alpha":
		return lower || upper
	case "digit":
		return digit
	case "alnum":
		return lower || upper || digit
	case "lower":
		return lower
	case "upper":
		return upper
	case "xdigit":
		return classes[c]&chHex != 0
	case "space":
		return c == ' ' || '\t' <= c && c <= '\r'
	case "blank":
		return c == ' ' || c == '\t'
	case "punct":
		return '!' <= c && c <= '~' && !lower && !upper && !digit
	case "print":
		return ' ' <= c && c <= '~'
	case "graph":
		return '!' <= c && c <= '~'
	case "cntrl":
		return c < ' ' || c == 0x7f
	}
	return false
}

// IsGlob says whether a pattern is more than a name. A backslash alone does not
// make it one.
func IsGlob(pattern string) bool { return strings.ContainsAny(pattern, wildcards) }

const wildcards = "*?["

// MatchName matches the name of a section or a file as GNU ld does: literally, if
// there is no wildcard, and so are the bytes before the first wildcard and those
// behind the last. Between them a backslash takes the meaning from what is behind
// it.
func MatchName(pattern, name string) bool {
	head, tail, glob := splitGlob(pattern)
	if !glob {
		return pattern == name
	}
	return strings.HasPrefix(name, head) && matchRest(pattern[len(head):], tail, name[len(head):])
}

// matchRest matches what follows the head of a pattern.
func matchRest(pattern, tail, rest string) bool {
	if !strings.HasSuffix(rest, tail) {
		return false
	}
	return len(pattern) == len(tail)+1 && pattern[0] == '*' || MatchGlob(pattern, rest)
}

// splitGlob returns what is before the first and behind the last wildcard.
func splitGlob(pattern string) (head, tail string, glob bool) {
	i := strings.IndexAny(pattern, wildcards)
	if i < 0 {
		return pattern, "", false
	}
	return pattern[:i], pattern[strings.LastIndexAny(pattern, wildcards+"]")+1:], true
}
