package draw

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"elfwright/sdf/desc"
)

// printable is a name as a terminal may have it.
func printable(s string) string {
	q := strconv.QuoteToGraphic(s)
	if q[1:len(q)-1] == s {
		return s
	}
	return q
}

// Text prints a system that was read without errors.
func Text(w io.Writer, s *desc.System) error {
	var b strings.Builder
	f := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, p := range s.PDs {
		in := strings.Repeat("  ", depth(p))
		f("%sprotection_domain %s: %s", in, printable(p.Name), printable(facts(p)))
		f("%s  image %s", in, printable(p.Path))
		for _, x := range ends(s, p) {
			f("%s  channel %s", in, printable(endRow(x[0], x[1])))
		}
		for _, i := range p.IRQs {
			f("%s  irq %s", in, irqRow(i))
		}
		for _, i := range p.Ports {
			f("%s  ioport %s", in, portRow(i))
		}
		for _, m := range p.Maps {
			f("%s  map %s %s", in, mapRow(m), printable(m.Name))
		}
		if p.VM != nil {
			f("%s  virtual_machine %s: %d virtual CPUs", in, printable(p.VM.Name), len(p.VM.CPUs))
			for _, m := range p.VM.Maps {
				f("%s    map %s %s", in, mapRow(m), printable(m.Name))
			}
		}
	}
	for _, r := range s.Regions {
		f("memory_region %s: %s", printable(r.Name), printable(regionFacts(r)))
		for _, u := range users(s, r) {
			f("  %s", printable(u.who+" "+mapRow(u.m)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ends are the channel ends of a protection domain, each with the one it
// connects to.
func ends(s *desc.System, p *desc.PD) (list [][2]*desc.End) {
	for _, ch := range s.Channels {
		for i, e := range ch.Ends {
			if e.PD == p && len(ch.Ends) == 2 {
				list = append(list, [2]*desc.End{e, ch.Ends[1-i]})
			}
		}
	}
	return list
}

type user struct {
	who string
	m   *desc.Map
}

// users are who maps a region: protection domains, virtual machines, devices.
func users(s *desc.System, r *desc.Region) (list []user) {
	add := func(who string, maps []*desc.Map) {
		for _, m := range maps {
			if m.Region == r {
				list = append(list, user{who, m})
			}
		}
	}
	for _, p := range s.PDs {
		add(p.Name, p.Maps)
		if p.VM != nil {
			add("virtual machine "+p.VM.Name, p.VM.Maps)
		}
	}
	for _, io := range s.IOSpaces {
		add("device "+io.Name, io.Maps)
	}
	return list
}
