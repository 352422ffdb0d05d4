package patch

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"elfwright/elffile"
)

// Set asks for one value in one place. Exactly one of Place, Section and Between
// says where.
type Set struct {
	// Place is a variable, a part of one, or an address, as the command line
	// writes it: "name", "file.c:name", "name.member[3]", "name+8", ".data+8",
	// "0x1000".
	Place string
	// Type is what the value is there: "u8" … "u64", "i8" … "i64", "f32", "f64",
	// "bool", "ptr", "str", "chars", "bytes". "": as DWARF says, or the size of
	// the symbol.
	Type string

	Section string    // replace a section
	Between [2]string // replace what is between two symbols or addresses

	Value Value
}

// Value is what to write.
type Value struct {
	Kind Kind
	Int  *big.Int     // Number
	Text string       // Text, Char: its bytes; Word: the name; Float: the digits; Address, Fact: the place
	Data elffile.Data // Bytes
	Off  int64        // Address, Fact: what is added
	List []Value
}

// Kind says which of a Value's fields count.
type Kind int

// The kinds of values.
const (
	Number  Kind = iota // 42, -1, 0x10
	Float               // 1.5, 1e9, inf, nan
	Text                // "text"
	Word                // an enumerator, true, false
	Bytes               // hex:0011, @FILE
	Address             // &name, &name+8
	Fact                // image.entry, segment[2].start
	List                // 1,2,3
)

// Open gives the bytes of a file that a value names.
type Open func(name string) (elffile.Data, error)

// ParseSet reads PLACE[:TYPE]=VALUE.
func ParseSet(s string, open Open) (Set, error) {
	i := outside(s, '=')
	if i <= 0 {
		return Set{}, fmt.Errorf("%q: want PLACE=VALUE or PLACE:TYPE=VALUE", s)
	}
	var out Set
	out.Place, out.Type = cutType(s[:i])
	if err := checkPlace(out.Place); err != nil {
		return out, err
	}
	v, err := ParseValue(s[i+1:], open)
	if err != nil {
		return out, fmt.Errorf("%s: %w", out.Place, err)
	}
	out.Value = v
	return out, nil
}

// checkPlace refuses what no place can be.
func checkPlace(s string) error {
	_, err := parsePlace(s)
	return err
}

// outside returns the index of the first c that is not within braces, or -1.
func outside(s string, c byte) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			depth--
		case c:
			if depth <= 0 {
				return i
			}
		}
	}
	return -1
}

// cutType takes a type off the end of a place: a word of the list after a colon.
func cutType(s string) (place, typ string) {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 || s[i-1] == ':' || strings.HasSuffix(s, "}") {
		return s, ""
	}
	if _, err := parseType(s[i+1:], 8); err != nil {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// ParseValue reads a value as the command line writes it.
func ParseValue(s string, open Open) (Value, error) {
	switch {
	case s == "":
		return Value{}, errors.New("there is no value")
	case s[0] == '"':
		return quoted(s, open)
	case s[0] == '\'':
		return char(s, open)
	case s[0] == '@':
		d, err := open(s[1:])
		return Value{Kind: Bytes, Data: d}, err
	case s[0] == '&':
		return parseAddress(s[1:])
	case strings.HasPrefix(s, "hex:"):
		return parseHex(s[4:])
	}
	if isFact(s) {
		place, off := cutOffset(s)
		return Value{Kind: Fact, Text: place, Off: off}, nil
	}
	if strings.Contains(s, ",") {
		return parseList(s, open)
	}
	return parseScalar(s)
}

// parseList reads values with commas between them.
func parseList(s string, open Open) (Value, error) {
	out := Value{Kind: List}
	parts := splitList(s)
	if len(parts) < 2 {
		return out, fmt.Errorf("%q is no list of values", s)
	}
	for _, part := range parts {
		v, err := ParseValue(strings.TrimSpace(part), open)
		if err != nil {
			return out, err
		}
		out.List = append(out.List, v)
	}
	return out, nil
}

// splitList cuts at commas outside of braces and quotes.
func splitList(s string) []string {
	var parts []string
	depth, quote, start := 0, byte(0), 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			depth = max(depth-1, 0)
		case c == ',' && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// quoted reads "text" with the escapes of C and Go, or a list that begins so.
func quoted(s string, open Open) (Value, error) {
	if parts := splitList(s); len(parts) > 1 {
		return parseList(s, open)
	}
	text, err := strconv.Unquote(s)
	if err != nil {
		return Value{}, fmt.Errorf("%s: want text in double quotes, with escapes such as \\n, \\\" and \\x00", s)
	}
	return Value{Kind: Text, Text: text}, nil
}

// char reads 'A' or '\n'.
func char(s string, open Open) (Value, error) {
	if parts := splitList(s); len(parts) > 1 {
		return parseList(s, open)
	}
	r, _, tail, err := strconv.UnquoteChar(strings.TrimSuffix(s[1:], "'"), '\'')
	if err != nil || tail != "" || len(s) < 3 || s[len(s)-1] != '\'' {
		return Value{}, fmt.Errorf("%s: want one character in single quotes", s)
	}
	return Value{Kind: Number, Int: big.NewInt(int64(r)), Text: s}, nil
}

func parseHex(s string) (Value, error) {
	b, err := hex.DecodeString(strings.NewReplacer("_", "", " ", "", ":", "").Replace(s))
	if err != nil || len(b) == 0 {
		return Value{}, fmt.Errorf("hex:%s: want pairs of hexadecimal digits", s)
	}
	return Value{Kind: Bytes, Data: elffile.Buffer(b)}, nil
}

func parseAddress(s string) (Value, error) {
	place, off := cutOffset(s)
	if _, err := parsePlace(place); err != nil {
		return Value{}, err
	}
	return Value{Kind: Address, Text: place, Off: off}, nil
}

// parseScalar reads a number or a word.
func parseScalar(s string) (Value, error) {
	if n, err := parseInt(s); err == nil {
		return Value{Kind: Number, Int: n, Text: s}, nil
	} else if errors.Is(err, errOctal) {
		return Value{}, err
	}
	if isFloat(s) {
		return Value{Kind: Float, Text: s}, nil
	}
	if isName(s) {
		return Value{Kind: Word, Text: s}, nil
	}
	return Value{}, fmt.Errorf("%q is no number, name of an enumerator, \"text\", 'c', hex:…, @FILE, &NAME or fact such as image.entry", s)
}

func isFloat(s string) bool {
	switch strings.ToLower(strings.TrimLeft(s, "+-")) {
	case "inf", "infinity", "nan":
		return true
	}
	_, err := strconv.ParseFloat(s, 64)
	return (err == nil || errors.Is(err, strconv.ErrRange)) && strings.ContainsAny(s, "0123456789")
}

// isName says whether s can be the name of an enumerator: C's, or with its scope
// in front.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' && i > 0 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= 0x80 {
			continue
		}
		return false
	}
	return s != ""
}

var errOctal = errors.New("a leading zero could mean octal: write 0o…, 0x… or a decimal number")

// parseInt reads a number of any size: decimal, 0x, 0o, 0b, with a sign, with K,
// M or G behind a decimal one.
func parseInt(s string) (*big.Int, error) {
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	if len(s) > 4096 {
		return nil, fmt.Errorf("a number of %d characters is too long", len(s))
	}
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return nil, fmt.Errorf("%q: %w", s, errOctal)
	}
	shift := uint(0)
	if n := len(digits); n > 1 && !strings.HasPrefix(digits, "0") {
		if i := strings.IndexByte("KMG", digits[n-1]); i >= 0 {
			shift, s = uint(10*(i+1)), s[:len(s)-1]
		}
	}
	n, ok := new(big.Int).SetString(s, 0)
	if !ok || digits == "" || strings.ContainsRune("+-", rune(digits[0])) {
		return nil, fmt.Errorf("%q is no number", s)
	}
	return n.Lsh(n, shift), nil
}
