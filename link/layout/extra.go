package layout

import (
	"debug/elf"
	"fmt"
	"strconv"
	"strings"
)

// extra is a program header on top of those that there are anyway: of
// --add-phdr, in words "TYPE [flags=rw] [sections=.a,.b*] [size=64K] [align=4K]
// [vaddr=…]".
//
//	sections        over these output sections
//	vaddr and size  over a range of addresses that a PT_LOAD has
//	size            an arena of zeros with a PT_LOAD of its own above all
//	                others, or at vaddr
type extra struct {
	text     string
	typ      elf.ProgType
	flags    elf.ProgFlag
	hasFlags bool
	sections []string
	size     uint64
	align    uint64
	vaddr    *uint64
}

func (c *compiler) extras() {
	for _, a := range c.s.opt.AddPhdrs {
		x, err := parseExtra(a.Text)
		if err != nil {
			c.errs = append(c.errs, fmt.Errorf("--add-phdr %q: %w", a.Text, err))
			continue
		}
		c.s.extraList = append(c.s.extraList, x)
	}
}

func parseExtra(text string) (*extra, error) {
	x := &extra{text: text}
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, fmt.Errorf("want a type")
	}
	var err error
	if x.typ, err = extraType(words[0]); err != nil {
		return nil, err
	}
	for _, w := range words[1:] {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			return nil, fmt.Errorf("%q: want one of flags=, sections=, size=, align=, vaddr=", w)
		}
		if err := x.set(key, value); err != nil {
			return nil, err
		}
	}
	return x, x.check()
}

func (x *extra) set(key, value string) (err error) {
	switch key {
	case "flags":
		x.flags, err = extraFlags(value)
		x.hasFlags = true
	case "sections":
		x.sections = strings.Split(value, ",")
	case "size":
		x.size, err = extraNumber(key, value)
	case "align":
		x.align, err = extraNumber(key, value)
		if err == nil && (x.align == 0 || x.align&(x.align-1) != 0) {
			err = fmt.Errorf("align=%s: not a power of two", value)
		}
	case "vaddr":
		var n uint64
		n, err = extraNumber(key, value)
		x.vaddr = &n
	default:
		err = fmt.Errorf("%q: want one of flags=, sections=, size=, align=, vaddr=", key+"=")
	}
	return err
}

func (x *extra) check() error {
	switch {
	case len(x.sections) > 0 && (x.size != 0 || x.vaddr != nil):
		return fmt.Errorf("sections= and size= or vaddr= exclude each other")
	case x.vaddr != nil && x.size == 0:
		return fmt.Errorf("vaddr= without size=")
	case x.typ == elf.PT_LOAD && len(x.sections) == 0 && x.size == 0:
		return fmt.Errorf("PT_LOAD needs sections= or size=")
	}
	return nil
}

func extraType(word string) (elf.ProgType, error) {
	up := strings.ToUpper(word)
	if !strings.HasPrefix(up, "PT_") {
		up = "PT_" + up
	}
	if t, ok := progTypes[up]; ok {
		return t, nil
	}
	n, err := strconv.ParseUint(word, 0, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is neither the name of a type nor a number of 32 bits", word)
	}
	return elf.ProgType(n), nil
}

func extraFlags(word string) (elf.ProgFlag, error) {
	var f elf.ProgFlag
	for _, c := range word {
		switch c {
		case 'r', 'R':
			f |= elf.PF_R
		case 'w', 'W':
			f |= elf.PF_W
		case 'x', 'X', 'e', 'E':
			f |= elf.PF_X
		default:
			n, err := strconv.ParseUint(word, 0, 32)
			if err != nil {
				return 0, fmt.Errorf("flags=%s: want letters of rwx, or a number", word)
			}
			return elf.ProgFlag(n), nil
		}
	}
	return f, nil
}

func extraNumber(key, word string) (uint64, error) {
	shift := 0
	w := word
	switch {
	case strings.HasSuffix(w, "K"), strings.HasSuffix(w, "k"):
		shift = 10
	case strings.HasSuffix(w, "M"), strings.HasSuffix(w, "m"):
		shift = 20
	case strings.HasSuffix(w, "G"), strings.HasSuffix(w, "g"):
		shift = 30
	}
	if shift > 0 {
		w = w[:len(w)-1]
	}
	n, err := strconv.ParseUint(w, 0, 64)
	if err != nil || n<<shift>>shift != n {
		return 0, fmt.Errorf("%s=%s: not a number of 64 bits, possibly with K, M or G", key, word)
	}
	return n << shift, nil
}
