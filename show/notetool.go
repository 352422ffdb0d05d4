package show

import (
	"fmt"
	"strings"

	"elfwright/elffile"
)

// Types of notes of owner "FDO" (systemd, "ELF package metadata" and "ELF
// dlopen metadata").
const (
	noteFDOPackage = 0xcafe1a7e
	noteFDODlopen  = 0x407c0c0a
)

// toolNote decodes the notes of compilers, linkers and packagers.
func (c *noteContext) toolNote(n *elffile.Note) (row, error) {
	r := &fieldReader{Format: c.Format, b: n.Desc}
	switch (noteKey{n.Name, n.Type}) {
	case noteKey{"FDO", noteFDOPackage}, noteKey{"FDO", noteFDODlopen}:
		return metadata{[]byte(cstring(n.Desc))}, nil
	case noteKey{"stapsdt", 3}:
		return probe(r)
	case noteKey{"Go", 4}:
		return facts{textFact("build_id", "Build ID", cstring(n.Desc))}, nil
	case noteKey{"Go", 1}:
		return facts{textFact("packages", "Packages", strings.Join(strings.Fields(cstring(n.Desc)), " "))}, nil
	case noteKey{"Go", 2}:
		return facts{bytesFact("abi_hash", "ABI hash", n.Desc)}, nil
	case noteKey{"Go", 3}:
		return facts{textFact("deps", "Needs", strings.Join(strings.Fields(cstring(n.Desc)), " "))}, nil
	case noteKey{"Linux", 0x100}:
		return facts{textFact("build_salt", "Build salt", cstring(n.Desc))}, nil
	case noteKey{"Linux", 0x101}:
		return oneWord(r, decFact("lto", "LTO", 0))
	case noteKey{"Linux", 0}:
		return kernelVersion(r)
	}
	switch n.Name {
	case "Xen":
		return c.xenNote(n), nil
	}
	return nil, nil
}

// metadata is a note that holds a JSON document; it stays one in our JSON.
type metadata struct{ b []byte }

func (m metadata) text(t *text) {
	t.str("    ")
	t.name(m.b)
	t.nl()
}

func (m metadata) json(o *object) {
	if !o.raw("metadata", m.b) {
		o.name("metadata_text", m.b)
	}
}

// probe is a probe of sys/sdt.h: its address, that of the section
// .stapsdt.base when it was linked, the address of a counter of who listens, and
// three strings.
func probe(r *fieldReader) (row, error) {
	pc, base, semaphore := r.addr(), r.addr(), r.addr()
	provider, name, args := r.str(), r.str(), r.str()
	if r.err != nil {
		return nil, r.err
	}
	return facts{
		textFact("provider", "Provider", provider),
		textFact("name", "Name", name),
		hexFact("pc", "Location", pc),
		hexFact("base", "Base", base),
		hexFact("semaphore", "Semaphore", semaphore),
		textFact("arguments", "Arguments", args),
	}, nil
}

// oneWord is a note of one Word, for the fact given.
func oneWord(r *fieldReader, f fact) (row, error) {
	if f.num = uint64(r.u32()); r.err != nil {
		return nil, r.err
	}
	return facts{f}, nil
}

// kernelVersion is the vDSO's note (Linux, arch/*/vdso/note.S): three numbers in
// one, LINUX_VERSION_CODE.
func kernelVersion(r *fieldReader) (row, error) {
	v := r.u32()
	if r.err != nil {
		return nil, r.err
	}
	return facts{
		hexFact("version_code", "", uint64(v)),
		textFact("version", "Kernel", fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff)),
	}, nil
}

// xenNote decodes what a guest kernel tells Xen (Xen, public/elfnote.h): some
// are strings, the others numbers as wide as the file's addresses, or less.
func (c *noteContext) xenNote(n *elffile.Note) row {
	switch n.Type {
	case 5, 6, 7, 8, 9, 10: // XEN_VERSION GUEST_OS GUEST_VERSION LOADER PAE_MODE FEATURES
		return facts{textFact("value", "Value", cstring(n.Desc))}
	}
	switch len(n.Desc) {
	case 4:
		return facts{hexFact("value", "Value", uint64(c.U32(n.Desc)))}
	case 8:
		return facts{hexFact("value", "Value", c.U64(n.Desc))}
	}
	return nil
}
