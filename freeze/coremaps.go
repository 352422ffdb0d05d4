package freeze

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/note"
	"elfwright/image"
	"elfwright/proc"
)

// mappings makes the mappings that are to be made again of those of the core.
func (c *fromCore) mappings() {
	c.out.Maps = nil
	for i := range c.Maps {
		m := c.mapping(i, &c.Maps[i])
		c.contents(&m, &c.Maps[i])
		c.out.Maps = append(c.out.Maps, m)
	}
	c.sharedTwice()
	c.nothingStored()
	c.guesses()
	c.stack()
}

// mapping says what a mapping was, as far as a core tells: protection, and the file
// if there was one.
func (c *fromCore) mapping(i int, m *note.Map) capture.Map {
	out := capture.Map{Map: proc.Map{
		Range: image.Range{Start: image.Addr(m.Start), Size: m.Size}, Prot: elf.ProgFlag(m.Prot), Off: m.Off, Name: m.Name, Deleted: m.Deleted, Dev: "00:00",
	}}
	switch {
	case m.Name == "/dev/zero" && m.Deleted, strings.HasPrefix(m.Name, "/memfd:"):
		// Memory that was shared, perhaps with nobody: a piece of its own for each.
		out.Shared, out.Inode = true, uint64(i)+1
	case m.File != nil && !m.Deleted:
		var st unix.Stat_t
		if c.Check(m) == nil && unix.Stat(c.Where(m), &st) == nil {
			out.Name, out.Inode = c.Where(m), st.Ino
			out.Dev = fmt.Sprintf("%02x:%02x", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)))
		}
	}
	return out
}

// contents finds which pages of a mapping are to be kept, and refuses those that
// are not to be had.
func (c *fromCore) contents(out *capture.Map, m *note.Map) {
	what := fmt.Sprintf("mapping %v %s", out.Range, m.Name)
	switch {
	case out.Kernel():
	case strings.HasPrefix(m.Name, "/SYSV"), out.Shared:
		c.scan(out, m)
	case m.File == nil:
		c.scan(out, m)
		out.Touched = true
	case m.Deleted:
		c.refuse(what, "its file is deleted, and the core does not have all of its pages (coredump_filter)", "")
	case out.Prot&elf.PF_W != 0 && len(m.Stored) == 0 && !c.isModule(m):
		c.refuse(what, "a core does not tell whether what is written there is written to the file, and does not have it", "")
	case c.Check(m) != nil:
		c.refuse(what, fmt.Sprintf("the core does not have all of its pages (coredump_filter), and %v", c.Check(m)), c.moveOption(m))
	default:
		// Pages of the file, some of which may be in the core.
		out.Runs = []image.Range{out.Range}
		out.Touched = len(m.Stored) > 0 && out.Prot&elf.PF_W != 0
		if m.File.BuildID == nil && !c.told(m.Name) {
			c.warn("pages of %s are taken from the file as it is now; the core has nothing to check it by", m.Name)
		}
	}
}

// moveOption is what says where a file is now.
func (c *fromCore) moveOption(m *note.Map) string {
	if m.Name == c.Exe && c.Moved == nil {
		return "--exe"
	}
	return ""
}

// told says whether a file was warned of, and remembers it.
func (c *fromCore) told(name string) bool {
	for i := range c.out.Maps {
		if c.out.Maps[i].Name == name {
			return true
		}
	}
	return false
}

// isModule says whether a mapping is of an ELF file that is mapped as a program or
// a library: what is written to its memory is not written to it.
func (c *fromCore) isModule(m *note.Map) bool {
	mod := c.ModuleAt(m.Start)
	return mod != nil && mod.Name == m.Name
}

// scan finds the pages of what the core has that are not zero.
func (c *fromCore) scan(out *capture.Map, m *note.Map) {
	buf := make([]byte, chunk)
	for _, r := range m.Stored {
		for at := uint64(0); at < r.Size; at += chunk {
			b := buf[:min(chunk, r.Size-at)]
			n, err := c.ReadAt(b, int64(r.Start+at))
			if n < len(b) {
				c.refuse(fmt.Sprintf("mapping %v", out.Range), "the core cannot be read: "+err.Error(), "")
				return
			}
			c.scanPages(out, r.Start+at, b)
		}
	}
}

func (c *fromCore) scanPages(out *capture.Map, start uint64, b []byte) {
	for i := 0; i < len(b); i += page {
		p := b[i:min(i+page, len(b))]
		if len(p) == page && isZero(p) {
			continue
		}
		out.Keep(image.Range{Start: image.Addr(start) + image.Addr(i), Size: page})
	}
}

// sharedTwice refuses shared memory that may be mapped at two places: a core does
// not tell which pieces are the same.
func (c *fromCore) sharedTwice() {
	maps := c.out.Maps
	for i := range maps {
		for j := range i {
			a, b := &maps[i], &maps[j]
			if !a.Shared || !b.Shared || a.Name != b.Name || a.Off >= b.Off+b.Size || b.Off >= a.Off+a.Size || len(a.Runs) == 0 || len(b.Runs) == 0 {
				continue
			}
			if c.sameBytes(a, b) {
				c.refuse(fmt.Sprintf("mappings %v and %v of %s", b.Range, a.Range, a.Name), "have the same contents: they may be the same memory, which a core does not tell", "")
			}
		}
	}
}

// sameBytes compares the pages that both have of a file.
func (c *fromCore) sameBytes(a, b *capture.Map) bool {
	// Behind the last page that is not zero nothing differs.
	last := func(m *capture.Map) uint64 { return m.Off + uint64(m.Runs[len(m.Runs)-1].End()-m.Start) }
	from, to := max(a.Off, b.Off), min(a.Off+a.Size, b.Off+b.Size, max(last(a), last(b)))
	x, y := make([]byte, chunk), make([]byte, chunk)
	for at := from; at < to; at += chunk {
		n := min(chunk, to-at)
		got1, _ := c.ReadAt(x[:n], int64(uint64(a.Start)+at-a.Off))
		got2, _ := c.ReadAt(y[:n], int64(uint64(b.Start)+at-b.Off))
		if !bytes.Equal(x[:got1], y[:got2]) {
			return false
		}
	}
	return true
}

// guesses tells of protections that are not in the core.
func (c *fromCore) guesses() {
	for _, name := range c.Guessed {
		c.warn("how %s was mapped is not in the core; it is mapped for reading, privately", name)
	}
	if c.Core.GDB {
		c.warn("gcore does not tell memory without any protection (guard pages) from memory that can be read; it can be read")
	}
}

// nothingStored tells of memory that may have been left out.
func (c *fromCore) nothingStored() {
	n, size := 0, uint64(0)
	for i := range c.Maps {
		m := &c.Maps[i]
		if m.Name == "" && len(m.Stored) == 0 && elf.ProgFlag(m.Prot)&elf.PF_W != 0 {
			n++
			size += m.Size
		}
		if m.Name == "" && len(m.Stored) == 0 && elf.ProgFlag(m.Prot)&elf.PF_X != 0 {
			c.refuse(fmt.Sprintf("mapping [0x%x, 0x%x)", m.Start, m.Start+m.Size), "is code, and the core neither has it nor names a file (NT_FILE)", "")
		}
	}
	if n > 0 {
		c.warn("%d writable mappings (0x%x bytes) have nothing in the core: nobody wrote to them, or they were left out (MADV_DONTDUMP, coredump_filter); they are zeros", n, size)
	}
}

// stack marks the stack of the first thread, which grows by itself: the mapping
// with the strings that the kernel put there.
func (c *fromCore) stack() {
	const atRandom, atExecfn = 25, 31
	for _, tag := range []uint64{atExecfn, atRandom} {
		at, ok := c.Aux(tag)
		for i := range c.out.Maps {
			if m := &c.out.Maps[i]; ok && m.Contains(image.Addr(at)) && m.Name == "" {
				m.Name, m.Flags = "[stack]", []string{"gd"}
				return
			}
		}
	}
	c.refuse("the stack", "is not in the core (AT_EXECFN, AT_RANDOM)", "")
}
