package desc

import (
	"fmt"
	"strings"

	"elfwright/internal/near"
)

// A value is what an attribute of the grammar has in one element.
type value struct {
	set  bool // the file has the attribute
	bad  bool // and it is at fault, or missing where it must be
	text string
	num  uint64 // also true, the index of a word, rights, a PCI device
	tick bool   // of a duration
}

// has says whether the file gives an attribute.
func (n *node) has(name string) bool {
	for i := range n.attrs {
		if n.attrs[i].name == name {
			return true
		}
	}
	return false
}

// value returns that of an attribute of the grammar.
func (n *node) value(name string) *value {
	if n != nil && n.el != nil {
		for i := range n.el.attrs {
			if n.el.attrs[i].name == name {
				return &n.values[i]
			}
		}
	}
	return new(value)
}

func (n *node) num(name string) uint64  { return n.value(name).num }
func (n *node) yes(name string) bool    { return n.value(name).num != 0 }
func (n *node) text(name string) string { return n.value(name).text }

// sound says whether none of the attributes is at fault.
func (n *node) sound(names ...string) bool {
	for _, name := range names {
		if n.value(name).bad {
			return false
		}
	}
	return true
}

// a checker holds nodes against the grammar and collects what is wrong.
type checker struct {
	board *Board
	opt   *Options
	top   *node // the root, once it is there
	found Findings
}

func (c *checker) faultf(n *node, rule, format string, args ...any) {
	c.found = append(c.found, Finding{n.pos, Fault, rule, fmt.Sprintf(format, args...)})
}

func (c *checker) warnf(n *node, rule, format string, args ...any) {
	c.found = append(c.found, Finding{n.pos, Warning, rule, fmt.Sprintf(format, args...)})
}

// validate checks an element and all within it.
func (c *checker) validate(n *node, el *element) {
	if el.form != nil {
		el = el.form(n)
	}
	n.el = el
	n.values = make([]value, len(el.attrs))
	for _, a := range n.attrs {
		c.attribute(n, a)
	}
	for i := range el.attrs {
		a, v := &el.attrs[i], &n.values[i]
		switch {
		case v.set:
		case a.req:
			v.bad = true
			c.faultf(n, "attribute", "<%s> has no %s", n.name, a.name)
		default:
			v.num = a.def
		}
	}
	c.children(n, el)
}

// attribute checks one that the file has.
func (c *checker) attribute(n *node, raw rawAttr) {
	var names []string
	for i := range n.el.attrs {
		a := &n.el.attrs[i]
		if a.name != raw.name {
			if a.refuse == "" {
				names = append(names, a.name)
			}
			continue
		}
		v := &n.values[i]
		v.set, v.text = true, raw.text
		if a.refuse != "" {
			v.bad = true
			c.faultf(n, "attribute", "<%s>, %s: %s", n.name, a.name, a.refuse)
			return
		}
		if err := a.parse(v); err != nil {
			v.bad = true
			c.faultf(n, "value", "<%s>, %s: %v", n.name, a.name, err)
		}
		return
	}
	c.faultf(n, "attribute", "<%s> has no attribute %s%s", n.name, raw.name, meant(raw.name, names))
}

// meant suggests a name that is known.
func meant(name string, names []string) string {
	if s, ok := near.Name(name[:min(len(name), 64)], names); ok {
		return fmt.Sprintf(" (did you mean %s?)", s)
	}
	return ""
}

// parse reads the text of a value.
func (a *attribute) parse(v *value) (err error) {
	switch a.kind {
	case kindText:
		if v.text == "" {
			err = fmt.Errorf("it is empty")
		}
	case kindNumber:
		if v.num, err = parseNumber(v.text); err == nil {
			err = a.limit(v.num)
		}
	case kindBool:
		switch v.text {
		case "true":
			v.num = 1
		case "false":
		default:
			err = fmt.Errorf("%s is neither true nor false", quote(v.text))
		}
	case kindWord:
		v.num, err = a.word(v.text)
	case kindPerms, kindIOPerms:
		var p Perms
		p, err = parsePerms(v.text, a.kind == kindIOPerms)
		v.num = uint64(p)
	case kindPCI:
		v.num, err = parsePCI(v.text)
	case kindDuration:
		v.num, v.tick, err = parseDuration(v.text)
	}
	return err
}

func (a *attribute) limit(n uint64) error {
	switch {
	case n < a.min:
		return fmt.Errorf("%s is below %s", a.form(n), a.form(a.min))
	case a.max > 0 && n > a.max:
		return fmt.Errorf("%s is above %s", a.form(n), a.form(a.max))
	}
	return nil
}

// form prints a number as its attribute's limits are thought of.
func (a *attribute) form(n uint64) string {
	if a.max > 1000 {
		return fmt.Sprintf("%#x", n)
	}
	return fmt.Sprint(n)
}

func (a *attribute) word(s string) (uint64, error) {
	for i, w := range a.words {
		if w == s {
			return uint64(i), nil
		}
	}
	return 0, fmt.Errorf("%s is none of %s%s", quote(s), strings.Join(a.words, ", "), meant(s, a.words))
}

// children checks what stands in an element: of which kinds, and how many.
func (c *checker) children(n *node, el *element) {
	counts := make([]int, len(el.kids))
	for _, kid := range n.kids {
		i := el.child(kid.name)
		if i < 0 {
			c.unknownChild(kid, n, el)
			continue
		}
		k := &el.kids[i]
		counts[i]++
		switch {
		case k.refuse != "":
			c.faultf(kid, "element", "<%s>: %s", kid.name, k.refuse)
			continue // what is in it does not matter
		case k.max > 0 && counts[i] == k.max+1:
			c.faultf(kid, "element", "<%s> has more than %s", n.name, count(k.max, kid.name))
		}
		c.validate(kid, k.el)
	}
	for i, k := range el.kids {
		if counts[i] < k.min {
			c.faultf(n, "element", "<%s> has %s, and needs %s", n.name, count(counts[i], k.el.name), count(k.min, ""))
		}
	}
}

// count prints "no <end>", "one <end>", "2 <end>".
func count(n int, name string) string {
	if name != "" {
		name = " <" + name + ">"
	}
	switch n {
	case 0:
		return "no" + name
	case 1:
		return "one" + name
	}
	return fmt.Sprint(n) + name
}

func (e *element) child(name string) int {
	for i := range e.kids {
		if e.kids[i].el.name == name {
			return i
		}
	}
	return -1
}

// unknownChild refuses an element, and says where it would belong.
func (c *checker) unknownChild(kid, n *node, el *element) {
	var names []string
	for _, k := range el.kids {
		names = append(names, k.el.name)
	}
	hint := meant(kid.name, names)
	if len(names) == 0 {
		hint = ", which has no elements in it"
	}
	c.faultf(kid, "element", "<%s> is no element of <%s>%s", kid.name, n.name, hint)
}
