package elffile

import "strconv"

// Hex is a number that may need more than 53 bits, as addresses do: in JSON it is
// a string, "0x1000", so that no reader rounds it. It has no String method, so
// that %x prints the number.
type Hex uint64

// MarshalText gives JSON its string.
func (h Hex) MarshalText() ([]byte, error) {
	return strconv.AppendUint([]byte("0x"), uint64(h), 16), nil
}

// UnmarshalText reads what MarshalText writes.
func (h *Hex) UnmarshalText(b []byte) error {
	v, err := strconv.ParseUint(string(b), 0, 64)
	*h = Hex(v)
	return err
}
