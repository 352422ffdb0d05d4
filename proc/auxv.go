package proc

import (
	"errors"

	"elfwright/elffile"
)

// Aux is an entry of the auxiliary vector (getauxval(3)).
type Aux struct{ Tag, Value uint64 }

// maxAuxv bounds the entries of a vector: the kernel keeps far fewer
// (AT_VECTOR_SIZE).
const maxAuxv = 256

// ParseAuxv reads an auxiliary vector in the format of a program, up to AT_NULL
// and with it.
func ParseAuxv(f elffile.Format, b []byte) ([]Aux, error) {
	var out []Aux
	word := f.AddrSize()
	for len(b) >= 2*word && len(out) < maxAuxv {
		a := Aux{f.Addr(b), f.Addr(b[word:])}
		b = b[2*word:]
		out = append(out, a)
		if a.Tag == 0 {
			return out, nil
		}
	}
	return out, errors.New("auxv: no AT_NULL")
}
