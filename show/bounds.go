package show

import (
	"bytes"

	"elfwright/elffile"
)

// In an honest file a byte belongs to one table or one name. In another one a
// thousand headers may name the same bytes as their table, and every symbol a
// string table without a NUL, so that a megabyte of file becomes terabytes of
// text. What is printed is therefore counted against the size of the file.
const (
	allowance = 8       // times the size of the file, for the tables of a view
	nameAllow = 64      // for its long names: many relocations may name one symbol
	longName  = 4 << 10 // names up to this length are not counted
	maxName   = 1 << 20 // no name is longer
)

// spend counts the bytes of a table that is to be printed, and says whether they
// still go with the size of the file; once they do not, the view ends with a
// fault.
func (p *printer) spend(n uint64) bool {
	limit := allowance*uint64(p.f.Body.Size()) + 1<<20
	if n > limit-min(p.spent, limit) {
		if p.spent <= limit {
			p.warnf("", "", -1, "tables that lie over each other add up to more than %d times the file; the rest of the view %q is not shown", allowance, p.view.key)
		}
		p.spent = limit + 1
		return false
	}
	p.spent += n
	return true
}

// cstring returns the string at an offset of a string table; one that does not
// end, or is longer than all of the file's names could be, is cut.
func (p *printer) cstring(table []byte, off uint64) []byte {
	if off >= uint64(len(table)) {
		return nil
	}
	table = table[off:]
	if len(table) > longName {
		if i := bytes.IndexByte(table[:longName], 0); i >= 0 {
			return table[:i]
		}
		return p.cut(table[:min(len(table), maxName)])
	}
	name, _ := elffile.CString(table, 0)
	return name
}

// cut returns a name up to its NUL, as far as it may be printed.
func (p *printer) cut(name []byte) []byte {
	if len(name) <= longName {
		return name
	}
	limit := nameAllow*uint64(p.f.Body.Size()) + 1<<20
	if p.named > limit {
		return name[:longName]
	}
	if i := bytes.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	if p.named += uint64(len(name)); p.named > limit {
		p.warnf("", "", -1, "names of more than %d bytes add up to more than %d times the file; they are cut", longName, nameAllow)
	}
	return name
}
