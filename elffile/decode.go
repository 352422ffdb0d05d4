package elffile

// DecodeHeader reads what [Header.Encode] writes: b has [Format.EhdrSize] bytes.
func DecodeHeader(f Format, b []byte) Header { return decodeHeader(f, b) }

// DecodeProg reads what [Prog.Encode] writes: b has [Format.PhdrSize] bytes.
func DecodeProg(f Format, b []byte) Prog { return decodeProg(f, b) }

// DecodeSection reads what [Section.Encode] writes: b has [Format.ShdrSize] bytes.
func DecodeSection(f Format, b []byte) Section { return decodeSection(f, b) }
