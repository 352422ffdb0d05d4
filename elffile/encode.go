package elffile

// Encode returns the symbol's bytes in format f (gABI, "Symbol Table").
func (s Symbol) Encode(f Format) []byte {
	b := make([]byte, f.SymSize())
	e := encoder{f, b}
	e.u32(s.Name)
	if f.Is64() { // the classes differ in the order of the fields
		e.b[0], e.b[1] = s.Info, s.Other
		e.b = e.b[2:]
		e.u16(s.Shndx)
		e.addr(s.Value)
		e.addr(s.Size)
		return b
	}
	e.addr(s.Value)
	e.addr(s.Size)
	e.b[0], e.b[1] = s.Info, s.Other
	e.b = e.b[2:]
	e.u16(s.Shndx)
	return b
}
