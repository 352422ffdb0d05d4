package ldscript

import "strings"

// quoteIn returns the name as it is written in the mode: in quotes if it would
// not be read as one name without, in one of the dialects.
func quoteIn(m mode, name string) string {
	if name != "" && !strings.Contains(name, ",") && (m == modeFiles || !strings.Contains(name, "=")) {
		l := &lexer{src: &Source{}, text: name}
		t := l.next(m)
		if (t.kind == tokWord && !t.key || t.kind == tokLib) && t.off == 0 && t.end == len(name) && t.text == name {
			return name
		}
	}
	return `"` + name + `"`
}
