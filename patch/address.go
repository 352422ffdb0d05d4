package patch

import (
	"debug/elf"
	"fmt"
	"strconv"
	"strings"
)

// isFact says whether a value is a fact of the image.
func isFact(s string) bool {
	for _, p := range []string{"image.", "segment[", "section["} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// factForms are all facts, for messages.
const factForms = "image.entry, image.start, image.end, image.size, segment[INDEX].start, .end, .size, .filesz, section[NAME].start, .end or .size"

// address is the number that an address or a fact is, and whether it changes
// with the load bias.
func (a *applier) address(g *target, v *Value) (n uint64, moves bool, err error) {
	if v.Kind == Fact {
		n, moves, err = a.fact(v.Text)
		if err != nil {
			return 0, false, fmt.Errorf("%s: %w", g.label, err)
		}
	} else {
		to, err := a.res.resolve(v.Text, "")
		switch {
		case err != nil:
			return 0, false, fmt.Errorf("%s: the value: %w", g.label, err)
		case to.thread:
			return 0, false, refusef(a.img, g.label, "&%s: a thread-local variable has an address for each thread", v.Text)
		case to.bits > 0 && to.bitOff+to.bits > 0:
			return 0, false, refusef(a.img, g.label, "&%s: a bit-field has no address", v.Text)
		}
		n, moves = to.addr, to.sym == nil || to.sym.shndx != uint32(elf.SHN_ABS)
	}
	sum := n + uint64(v.Off)
	if v.Off > 0 && sum < n || v.Off < 0 && sum > n || sum > a.img.MaxAddr() {
		return 0, false, refusef(a.img, g.label, "0x%x%+d is beyond the address space", n, v.Off)
	}
	return sum, moves, nil
}

// fact looks up a fact of the image.
func (a *applier) fact(s string) (n uint64, moves bool, err error) {
	if name, ok := strings.CutPrefix(s, "image."); ok {
		return a.imageFact(name)
	}
	kind, rest, _ := strings.Cut(s, "[")
	inner, what, ok := strings.Cut(rest, "].")
	if !ok {
		return 0, false, fmt.Errorf("%q is no fact; there are %s", s, factForms)
	}
	var start, size, filesz uint64
	if kind == "segment" {
		i, err := strconv.ParseUint(inner, 0, 16)
		if err != nil {
			return 0, false, fmt.Errorf("%q: %q is no index of a program header", s, inner)
		}
		if i >= uint64(len(a.img.Progs)) {
			return 0, false, refusef(a.img, s, "there are %d program headers", len(a.img.Progs))
		}
		p := &a.img.Progs[i]
		start, size, filesz = p.Vaddr, p.Memsz, p.Filesz
	} else {
		g, err := a.res.section(inner)
		if err != nil {
			return 0, false, err
		}
		if g == nil || g.bare >= 0 {
			return 0, false, refusef(a.img, s, "there is no loaded section of this name")
		}
		start, size, filesz = g.addr, g.room, g.room
	}
	switch what {
	case "start":
		return start, true, nil
	case "end":
		return start + size, true, nil
	case "size":
		return size, false, nil
	case "filesz":
		return filesz, false, nil
	}
	return 0, false, fmt.Errorf("%q is no fact; there are %s", s, factForms)
}

func (a *applier) imageFact(name string) (n uint64, moves bool, err error) {
	low, high := ^uint64(0), uint64(0)
	for i := range a.img.Progs {
		if p := &a.img.Progs[i]; p.Type == elf.PT_LOAD {
			low, high = min(low, p.Vaddr), max(high, p.Vaddr+p.Memsz)
		}
	}
	if low > high && name != "entry" {
		return 0, false, refusef(a.img, "image."+name, "there is no PT_LOAD")
	}
	switch name {
	case "entry":
		return a.img.Header.Entry, true, nil
	case "start":
		return low, true, nil
	case "end":
		return high, true, nil
	case "size":
		return high - low, false, nil
	}
	return 0, false, fmt.Errorf("%q is no fact; there are %s", "image."+name, factForms)
}

// moves says whether the image is loaded at an address that is not known before,
// so that an address needs a relocation.
func (a *applier) moves() bool { return a.img.Header.Type == elf.ET_DYN }
