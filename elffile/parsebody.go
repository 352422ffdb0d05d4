package elffile

// ParseBody is [Parse] for a file that was put together in a Body, such as one
// that [File.Encode] has made: no byte of it is copied, nor need any be in
// memory.
func ParseBody(name string, body *Body) (*File, error) {
	b, _ := body.Bytes(0, 64) // the larger of the two headers
	format, guessed, err := identFormat(name, b)
	if err != nil {
		return nil, err
	}
	f := &File{Name: name, Format: format, Body: body}
	f.Header = decodeHeader(format, b)
	f.HeaderErr = f.checkHeader(guessed)
	f.readProgs()
	return f, nil
}
