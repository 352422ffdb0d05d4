package machine

import "fmt"

// Rule is the kind of range that a value must lie in.
type Rule uint8

// The rules, each for a number N of bits.
const (
	Any        Rule = iota // no overflow check: the low bits are taken
	SignedN                // -2^(N-1) <= X < 2^(N-1)
	UnsignedN              // 0 <= X < 2^N
	EitherN                // -2^(N-1) <= X < 2^N: the reader decides the sign
	WrappedN               // -2^N <= X < 2^N: arithmetic modulo 2^N
	MagnitudeN             // -2^N < X < 2^N: the instruction holds |X| and a sign
)

// Check is a relocation type's overflow rule.
type Check struct {
	Rule  Rule
	Bits  uint8
	Align uint8 // X must be a multiple of it; 0 and 1 ask nothing
	// Carry is added to X before its range is checked: RISC-V's high part is
	// rounded, since the low part that is added to it later is signed.
	Carry uint16
	// Test is for what the above cannot say: it returns what is wrong with X,
	// to follow "S + A = 0x1234 ", or nothing.
	Test func(x int64) string
}

// Signed wants X to be a number of n bits in two's complement.
func Signed(n uint8) Check { return Check{Rule: SignedN, Bits: n} }

// Unsigned wants X to be a number of n bits without sign.
func Unsigned(n uint8) Check { return Check{Rule: UnsignedN, Bits: n} }

// Either wants X to be a number of n bits, with or without sign.
func Either(n uint8) Check { return Check{Rule: EitherN, Bits: n} }

// Wrapped wants X to be what arithmetic modulo 2^n makes of two numbers of n
// bits, with or without sign: the loosest rule, and GNU ld's "bitfield".
func Wrapped(n uint8) Check { return Check{Rule: WrappedN, Bits: n} }

// Magnitude wants the absolute value of X to be a number of n bits.
func Magnitude(n uint8) Check { return Check{Rule: MagnitudeN, Bits: n} }

// Aligned adds to a check that X must be a multiple of n.
func (c Check) Aligned(n uint8) Check {
	c.Align = n
	return c
}

// Range gives the least and the greatest value that the rule lets through,
// the carry considered.
func (c Check) Range() (min, max int64) {
	one := int64(1)
	switch c.Rule {
	case SignedN:
		min, max = -one<<(c.Bits-1), one<<(c.Bits-1)-1
	case UnsignedN:
		min, max = 0, one<<c.Bits-1
	case EitherN:
		min, max = -one<<(c.Bits-1), one<<c.Bits-1
	case WrappedN:
		min, max = -one<<c.Bits, one<<c.Bits-1
	case MagnitudeN:
		min, max = -(one<<c.Bits - 1), one<<c.Bits-1
	default:
		return -one << 63, one<<63 - 1
	}
	return min - int64(c.Carry), max - int64(c.Carry)
}

// String says the rule in words: "32 signed bits".
func (c Check) String() string {
	switch c.Rule {
	case SignedN:
		if c.Carry != 0 {
			return fmt.Sprintf("%d signed bits after rounding", c.Bits)
		}
		return fmt.Sprintf("%d signed bits", c.Bits)
	case UnsignedN:
		return fmt.Sprintf("%d unsigned bits", c.Bits)
	case EitherN:
		return fmt.Sprintf("%d bits, signed or unsigned", c.Bits)
	case WrappedN:
		return fmt.Sprintf("%d bits and a borrow", c.Bits)
	case MagnitudeN:
		return fmt.Sprintf("%d bits and a sign", c.Bits)
	}
	return "any value"
}

// fault returns what is wrong with x on a machine with addresses of the given
// number of bits, where a range as wide as an address always holds.
func (c *Check) fault(x int64, bits uint8) string {
	if c.Rule != Any && c.Bits < bits {
		if min, max := c.Range(); x < min || x > max {
			return "does not fit " + c.String()
		}
	}
	if c.Align > 1 && x&int64(c.Align-1) != 0 {
		return fmt.Sprintf("is not a multiple of %d", c.Align)
	}
	if c.Test != nil {
		return c.Test(x)
	}
	return ""
}
