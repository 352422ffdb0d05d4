package desc

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseNumber reads a number: decimal, or hexadecimal after a lower-case 0x.
// Underscores may stand anywhere, and a plus before the digits.
func parseNumber(s string) (uint64, error) {
	digits := strings.ReplaceAll(s, "_", "")
	base := 10
	if rest, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base = rest, 16
	}
	digits = strings.TrimPrefix(digits, "+")
	if digits == "" {
		return 0, fmt.Errorf("%s is no number: it has no digits", quote(s))
	}
	n, err := parseDigits(digits, uint64(base))
	switch {
	case err == errTooLarge:
		return 0, fmt.Errorf("%s is above 64 bits", quote(s))
	case err != nil && strings.HasPrefix(digits, "-"):
		return 0, fmt.Errorf("%s is negative, and must be 0 or more", quote(s))
	case err != nil && base == 10 && strings.HasPrefix(s, "+0x"):
		return 0, fmt.Errorf("%s is no number: a plus stands behind 0x, not before it", quote(s))
	case err != nil && (strings.HasPrefix(digits, "0X") || base == 10 && strings.HasPrefix(digits, "0x")):
		return 0, fmt.Errorf("%s is no number: hexadecimal begins with a lower-case 0x", quote(s))
	case err != nil:
		return 0, fmt.Errorf("%s is no number such as 4096, 0x1000 or 0x20_0000", quote(s))
	}
	return n, nil
}

type digitError string

func (e digitError) Error() string { return string(e) }

const (
	errNoDigit  = digitError("no digit")
	errTooLarge = digitError("above 64 bits")
)

func parseDigits(s string, base uint64) (n uint64, err error) {
	for i := range len(s) {
		c, d := s[i]|0x20, uint64(0)
		switch {
		case s[i] >= '0' && s[i] <= '9':
			d = uint64(s[i] - '0')
		case base == 16 && c >= 'a' && c <= 'f':
			d = uint64(c-'a') + 10
		default:
			return 0, errNoDigit
		}
		if n > (math.MaxUint64-d)/base {
			err = errTooLarge
		}
		n = n*base + d
	}
	return n, err
}

// quote is a value as the file has it, cut where it is long.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}

// Perms are the rights of a mapping.
type Perms uint8

// The rights.
const (
	Read Perms = 1 << iota
	Write
	Execute
)

// String prints "rw".
func (p Perms) String() string {
	s := ""
	for i, c := range "rwx" {
		if p&(1<<i) != 0 {
			s += string(c)
		}
	}
	return s
}

// parsePerms reads rights; io are those of a device, which may write only.
func parsePerms(s string, io bool) (Perms, error) {
	letters := "rwx"
	if io {
		letters = "rw"
	}
	var p Perms
	for _, c := range s {
		i := strings.IndexRune(letters, c)
		if i < 0 {
			return 0, fmt.Errorf("%s: %q is none of the rights %s", quote(s), c, strings.Join(strings.Split(letters, ""), ", "))
		}
		p |= 1 << i
	}
	switch {
	case p == 0:
		return 0, fmt.Errorf("no right is given; leave the attribute out for rw")
	case p&Read == 0 && !io && p&Execute == 0:
		return 0, fmt.Errorf("%s: the kernel maps nothing that can be written and not read", quote(s))
	}
	return p, nil
}

// parsePCI reads bus:device.function, all hexadecimal, as one number: 8, 5 and 3
// bits.
func parsePCI(s string) (uint64, error) {
	bus, rest, ok := strings.Cut(s, ":")
	dev, fn, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return 0, fmt.Errorf("%s is no PCI device such as 00:1f.3", quote(s))
	}
	var out uint64
	for _, part := range []struct {
		what, text string
		max        uint64
		bits       int
	}{{"bus", bus, 255, 8}, {"device", dev, 31, 5}, {"function", fn, 7, 3}} {
		n, err := parseDigits(strings.TrimSpace(part.text), 16)
		switch {
		case err == errNoDigit || part.text == "":
			return 0, fmt.Errorf("%s: the %s is no hexadecimal number", quote(s), part.what)
		case err != nil || n > part.max:
			return 0, fmt.Errorf("%s: the %s is above %#x", quote(s), part.what, part.max)
		}
		out = out<<part.bits | n
	}
	return out, nil
}

// pciString is the inverse of parsePCI.
func pciString(n uint64) string {
	return fmt.Sprintf("%02x:%02x.%x", n>>8&0xff, n>>3&0x1f, n&7)
}

// parseDuration reads "1000 us" or "10 ticks".
func parseDuration(s string) (n uint64, ticks bool, err error) {
	digits, unit, ok := strings.Cut(s, " ")
	if !ok || unit != "us" && unit != "ticks" {
		return 0, false, fmt.Errorf("%s is no duration such as \"1000 us\" or \"10 ticks\"", quote(s))
	}
	n, err = parseNumber(digits)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: a duration is above zero", quote(s))
	}
	return n, unit == "ticks", err
}
