package ldcase

import (
	"fmt"
	"regexp"
	"strings"
)

// Diff compares two summaries, fact by fact: "want" is the first's, "got" the
// second's. Lines that ignore matches are left out; it may be nil.
func Diff(want, got *Summary, ignore *regexp.Regexp) []string {
	w, g := keyed(want.Lines(), ignore), keyed(got.Lines(), ignore)
	var diff []string
	for _, k := range w.order {
		switch text, ok := g.text[k]; {
		case !ok:
			diff = append(diff, "missing: "+w.text[k])
		case text != w.text[k]:
			diff = append(diff, fmt.Sprintf("want: %s\n    got:  %s", w.text[k], text))
		}
	}
	for _, k := range g.order {
		if _, ok := w.text[k]; !ok {
			diff = append(diff, "extra: "+g.text[k])
		}
	}
	if diff == nil {
		diff = orderDiff(w.order, g.order)
	}
	return diff
}

// orderDiff finds sections that stand in another order.
func orderDiff(w, g []string) []string {
	for i := range w {
		if w[i] != g[i] {
			return []string{fmt.Sprintf("order: want %s, got %s", w[i], g[i])}
		}
	}
	return nil
}

type lines struct {
	order []string
	text  map[string]string
}

// keyed files lines under what they are about: their first two words, and how
// often those came before.
func keyed(list []string, ignore *regexp.Regexp) lines {
	l := lines{text: map[string]string{}}
	count := map[string]int{}
	for _, line := range list {
		if ignore != nil && ignore.MatchString(line) {
			continue
		}
		words := strings.SplitN(line, " ", 4)
		key := words[0] + " " + words[1]
		switch words[0] {
		case "reloc":
			key += " " + words[2]
		case "file":
			key = "file"
		}
		count[key]++
		if n := count[key]; n > 1 {
			key = fmt.Sprintf("%s #%d", key, n)
		}
		l.order = append(l.order, key)
		l.text[key] = line
	}
	return l
}

// Compare says what is different in two results of a case: the second is that
// of the linker under test.
func (c *Case) Compare(gnu, ours *Result) []string {
	if c.Refuses != nil {
		if ours.Err != nil && c.Refuses.MatchString(ours.Said+ours.Err.Error()) {
			return nil
		}
		return []string{fmt.Sprintf("want the linker under test to refuse with %q; said: %s", c.Refuses, strings.TrimSpace(ours.Said))}
	}
	if c.Beyond != nil {
		if ours.Err != nil {
			return []string{fmt.Sprintf("refused (%v): %s", ours.Err, strings.TrimSpace(ours.Said))}
		}
		return facts(ours.Summary, c.Beyond)
	}
	if fault := c.judge(ours); fault != "" {
		return []string{fault}
	}
	if gnu.Err != nil || ours.Err != nil {
		return nil // both refuse, as the case says
	}
	return Diff(gnu.Summary, ours.Summary, c.Ignore)
}

// Check holds a result of GNU ld against the case.
func (c *Case) Check(gnu *Result) []string {
	if fault := c.judge(gnu); fault != "" {
		return []string{fault}
	}
	if gnu.Summary == nil {
		return nil
	}
	return facts(gnu.Summary, c.Want)
}

// facts are those of the list, each FACT=VALUE, that do not hold.
func facts(s *Summary, list []string) (faults []string) {
	for _, w := range list {
		i := strings.LastIndexByte(w, '=')
		if answer := s.Fact(w[:i]); answer != w[i+1:] {
			faults = append(faults, fmt.Sprintf("%s is %s, want %s", w[:i], answer, w[i+1:]))
		}
	}
	return faults
}

// judge: is it an error if the case says error, a warning where it says so?
func (c *Case) judge(r *Result) string {
	switch {
	case c.Error == nil && r.Err != nil:
		return fmt.Sprintf("refused (%v): %s", r.Err, strings.TrimSpace(r.Said))
	case c.Error != nil && r.Err == nil:
		return fmt.Sprintf("linked, want an error like %q; said: %s", c.Error, strings.TrimSpace(r.Said))
	case c.Error != nil && !c.Error.MatchString(r.Said+r.Err.Error()):
		return fmt.Sprintf("the error does not match %q: %s", c.Error, strings.TrimSpace(r.Said))
	case c.Warning != nil && !c.Warning.MatchString(r.Said):
		return fmt.Sprintf("no warning like %q; said: %s", c.Warning, strings.TrimSpace(r.Said))
	}
	return ""
}
