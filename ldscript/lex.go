package ldscript

import (
	"sort"
	"strconv"
	"strings"
)

// A mode is a state of the lexer. What belongs to a name depends on where it
// stands: "-" is part of a section's name and an operator between symbols, "*"
// is part of a pattern and multiplies in an expression. GNU ld's scanner has the
// same states, and so the same surprises: "a/b" is one name in an expression,
// and "x=1" is one name where a statement begins.
type mode uint8

const (
	modeScript  mode = iota // statements of a file and of SECTIONS, MEMORY
	modeExpr                // expressions, and what stands around an output section's braces
	modeWild                // inside an output section: patterns
	modeFiles               // INPUT, GROUP
	modeVersion             // version script, outside of nodes
	modeNode                // inside a node
)

type kind uint8

const (
	tokEOF    kind = iota
	tokWord        // a name, or a keyword
	tokQuoted      // "…", text is what is inside
	tokNumber
	tokLib // -lNAME
	tokOp
	tokBad // no token: an error has been noted, or the parser has given up
)

type token struct {
	kind     kind
	key      bool // a word that is a keyword in the mode it was read in
	text     string
	value    uint64
	off, end int
}

// isName says whether a grammar's NAME can be this token.
func (t token) isName() bool { return t.kind == tokQuoted || t.kind == tokWord && !t.key }

// is says whether the token is this operator or this keyword.
func (t token) is(text string) bool {
	return t.text == text && (t.kind == tokOp || t.kind == tokWord && t.key)
}

// Classes of bytes in names.
const (
	chSymbol1 = 1 << iota // begins a symbol in an expression
	chSymbol              // goes on in one
	chFile1               // begins a name in a script
	chFile                // goes on in one
	chWild                // is in a pattern
	chTag1                // begins the name of a version
	chTag
	chNode1 // begins a symbol or glob of a version
	chNode
	chHex
	chDigit
	chAttr // an attribute of a memory region
)

var classes = func() (c [256]uint16) {
	add := func(class uint16, set string) {
		for i := range len(set) {
			c[set[i]] |= class
		}
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	const digits = "0123456789"
	add(chSymbol1, letters+`.\$`)
	add(chSymbol, letters+digits+`/.\$~`)
	add(chFile1, letters+`/.\$~`)
	add(chFile, letters+digits+`/.\$~-+:[],=`)
	add(chWild, letters+digits+`/.\$~-+:[],=?*^!`)
	add(chTag1, letters+`.$`)
	add(chTag, letters+digits+`.`)
	add(chNode1, letters+`*?.$[]-!^\`)
	add(chNode, letters+digits+`*?.$[]-!^\`)
	add(chHex, digits+"abcdefABCDEF")
	add(chDigit, digits)
	add(chAttr, "aAiIlLrRwWxX!")
	return c
}()

// A lexer reads the tokens of one source.
type lexer struct {
	src   *Source
	text  string
	lines []int // offsets at which lines begin
	off   int   // of the next token, or of the space before it
	lld   bool
	// comment is told of every comment, once.
	comment func(off, end int)
	seen    int // comments before this offset are known
}

func newLexer(src *Source, lld bool) *lexer {
	l := &lexer{src: src, text: string(src.Text), lld: lld, lines: []int{0}}
	for i := range len(l.text) {
		if l.text[i] == '\n' {
			l.lines = append(l.lines, i+1)
		}
	}
	src.lines = l.lines
	return l
}

func (l *lexer) pos(off int) Pos {
	line := sort.SearchInts(l.lines, off+1) // the lines that begin at or before off
	return Pos{File: l.src, Line: line, Col: off - l.lines[line-1] + 1}
}

// next reads the token at l.off in the mode.
func (l *lexer) next(m mode) token {
	if bad, ok := l.space(m); !ok {
		return bad
	}
	if l.off >= len(l.text) {
		return token{kind: tokEOF, off: l.off, end: l.off}
	}
	t := l.scan(m)
	t.off = l.off
	switch {
	case t.kind == tokBad && t.end == 0:
		t.end = t.off + 1
	case t.end == 0:
		t.end = t.off + len(t.text)
	}
	l.off = t.end
	return t
}

// space skips white space and comments. A comment without an end is a bad token.
func (l *lexer) space(m mode) (token, bool) {
	for l.off < len(l.text) {
		c := l.text[l.off]
		rest := l.text[l.off:]
		end := 0
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			l.off++
			continue
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				t := token{kind: tokBad, text: "the comment has no end", off: l.off, end: len(l.text)}
				l.off = len(l.text)
				return t, false
			}
			end = l.off + n + 4
		case c == '#' && m != modeFiles:
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			end = l.off + n
		default:
			return token{}, true
		}
		if l.off >= l.seen {
			l.seen = end
			if l.comment != nil {
				l.comment(l.off, end)
			}
		}
		l.off = end
	}
	return token{}, true
}

// scan reads the token at l.off, where neither space nor a comment is. The
// longest token wins, and among equals the order is number, operator, keyword,
// name.
func (l *lexer) scan(m mode) token {
	rest := l.text[l.off:]
	if rest[0] == '"' && m != modeVersion {
		return l.quoted(rest)
	}
	if m == modeVersion || m == modeNode {
		return l.scanVersion(rest, m)
	}
	number := scanNumber(rest, m)
	word := l.word(rest, m)
	op := scanOp(rest, m)
	switch {
	case number.end > 0 && number.end >= max(len(word), len(op)):
		number.text = rest[:number.end]
		number.end = 0
		return number
	case op != "" && len(op) >= len(word):
		return token{kind: tokOp, text: op}
	case word != "" && m == modeFiles && strings.HasPrefix(word, "-l"):
		return token{kind: tokLib, text: word}
	case word != "":
		return token{kind: tokWord, text: word, key: isKeyword(word, m)}
	}
	return badByte(rest)
}

func badByte(rest string) token {
	return token{kind: tokBad, text: "unexpected " + quoteByte(rest[0]), end: 0}
}

func quoteByte(c byte) string {
	if c < ' ' || c > '~' {
		return "byte 0x" + strconv.FormatUint(uint64(c), 16)
	}
	return `"` + string(rune(c)) + `"`
}

func (l *lexer) quoted(rest string) token {
	n := strings.IndexByte(rest[1:], '"')
	if n < 0 {
		return token{kind: tokBad, text: "the quoted name has no end", end: len(l.text)}
	}
	return token{kind: tokQuoted, text: rest[1 : n+1], end: l.off + n + 2}
}

// word returns the name that rest begins with.
func (l *lexer) word(rest string, m mode) string {
	switch m {
	case modeExpr:
		if strings.HasPrefix(rest, "/DISCARD/") {
			return "/DISCARD/"
		}
		return run(rest, chSymbol1, chSymbol)
	case modeWild:
		return l.cut(run(rest, chWild, chWild))
	case modeFiles:
		switch {
		case strings.HasPrefix(rest, "-l") && len(run(rest[2:], chFile, chFile)) > 0:
			return trimComma(rest[:2+len(run(rest[2:], chFile, chFile))])
		case rest[0] == '=' && len(run(rest[1:], chFile1, chFile)) > 0:
			return trimComma(rest[:1+len(run(rest[1:], chFile1, chFile))])
		}
		return trimComma(run(rest, chFile1, chFile))
	}
	return l.cut(run(rest, chFile1, chFile))
}

// cut ends a name at a comma or "=" where the dialect has these for separators.
func (l *lexer) cut(name string) string {
	if !l.lld {
		return name
	}
	if i := strings.IndexByte(name, ','); i >= 0 {
		name = name[:i]
	}
	if i := strings.IndexByte(name, '='); i > 0 {
		if strings.IndexByte("+-*/", name[i-1]) >= 0 {
			i--
		}
		name = name[:i]
	}
	return name
}

// trimComma ends a file's name at its first comma. GNU ld takes the comma for a
// part of the name, and then does not find the file.
func trimComma(name string) string {
	if i := strings.IndexByte(name, ','); i > 0 {
		return name[:i]
	}
	return name
}

// run returns the longest prefix whose first byte is of one class and whose
// others are of another.
func run(s string, first, others uint16) string {
	if s == "" || classes[s[0]]&first == 0 {
		return ""
	}
	i := 1
	for i < len(s) && classes[s[i]]&others != 0 {
		i++
	}
	return s[:i]
}

// operators by mode, longer ones before their prefixes.
var operators = [...][]string{
	modeScript: {"<<=", ">>=", "+=", "-=", "*=", "/=", "&=", "|=", "^=", ">", ",", "~", "!", "+", "-", "=", "}", "{", ")", "(", ":", ";"},
	modeExpr: {"<<=", ">>=", "||", "==", "!=", ">=", "<=", "<<", ">>", "+=", "-=", "*=", "/=", "&=", "|=", "^=", "&&",
		">", ",", "&", "|", "~", "!", "?", "*", "+", "-", "/", "%", "<", "^", "=", "}", "{", ")", "(", ":", ";"},
	modeWild:  {"<<=", ">>=", "+=", "-=", "*=", "/=", "&=", "|=", "^=", "]", "[", "&", "=", "}", "{", ")", "(", ";"},
	modeFiles: {",", ")", "("},
}

func scanOp(rest string, m mode) string {
	for _, op := range operators[m] {
		if rest[0] == op[0] && strings.HasPrefix(rest, op) {
			return op
		}
	}
	if m == modeWild && rest[0] == ',' {
		return "," // a word, unless the dialect cuts words at commas
	}
	return ""
}

// scanVersion reads a token of a version script.
func (l *lexer) scanVersion(rest string, m mode) token {
	switch c := rest[0]; {
	case c == '{' || c == '}' || c == ';' || c == ':' || c == ',':
		return token{kind: tokOp, text: rest[:1]}
	case m == modeVersion:
		if tag := run(rest, chTag1, chTag); tag != "" {
			return token{kind: tokWord, text: tag}
		}
	case classes[c]&chNode1 != 0:
		i := 1
		for i < len(rest) {
			switch {
			case classes[rest[i]]&chNode != 0:
				i++
				continue
			case strings.HasPrefix(rest[i:], "::"):
				i += 2
				continue
			}
			break
		}
		word := rest[:i]
		return token{kind: tokWord, text: word, key: word == "global" || word == "local" || word == "extern"}
	}
	return badByte(rest)
}
