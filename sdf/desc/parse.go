package desc

// Options say how to read a description.
type Options struct {
	// Length returns the size of a file that a region is filled with; nil: such
	// files are not looked at, and the sizes they give stay unknown.
	Length func(path string) (int64, error)
}

// Parse reads and checks a description. The system is nil where the file is not
// well-formed XML or has no system; with findings that are Faulty it has what
// could be read, and is for no use but to be looked at.
func Parse(name string, text []byte, board Board, opt Options) (*System, Findings) {
	c := &checker{board: &board, opt: &opt}
	src := newSource(name, text)
	root := readTree(src, &c.found)
	var s *System
	switch {
	case root == nil:
	case root.name != "system":
		c.faultf(root, "element", "<%s> is the root element; a system description's is <system>", root.name)
	default:
		c.top = root
		c.validate(root, grammar(&board))
		b := &builder{checker: c, sys: &System{Source: src, Board: board, root: root}}
		b.build(root)
		s = b.sys
		c.rules(s)
	}
	c.found.sort()
	return s, c.found
}
