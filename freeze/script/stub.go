package script

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"elfwright/machine"
)

// hole is what stands in each thaw.S where the address of the script belongs.
const hole = 0x7777777777777777

// Stub is the code that carries out the script at an address.
func Stub(m *machine.Machine, script uint64) ([]byte, error) {
	if m.Thaw == nil {
		return nil, fmt.Errorf("%s: no thaw stub yet", m.Name)
	}
	code := bytes.Clone(m.Thaw)
	at := bytes.Index(code, binary.LittleEndian.AppendUint64(nil, hole))
	binary.LittleEndian.PutUint64(code[at:], script)
	return code, nil
}
