package draw

import (
	"fmt"

	"elfwright/sdf/desc"
)

// endRow is a channel's end in words: "5 call, notify server".
func endRow(e, other *desc.End) string {
	may := ""
	switch {
	case e.PP && e.Notify:
		may = "calls, notifies"
	case e.PP:
		may = "calls"
	case e.Notify:
		may = "notifies"
	default:
		may = "listens to"
	}
	return fmt.Sprintf("%d: %s %s", e.ID, may, other.Name)
}

func irqRow(i *desc.IRQ) string {
	s := fmt.Sprintf("%d: interrupt %d", i.ID, i.Number)
	switch {
	case i.PCI != "" && !i.IsPin:
		s = fmt.Sprintf("%d: interrupt of %s, vector %d", i.ID, i.PCI, i.Number)
	case i.IsPin:
		s = fmt.Sprintf("%d: interrupt of pin %d, vector %d", i.ID, i.Pin, i.Number)
	}
	if i.Edge {
		return s + ", edge"
	}
	return s + ", level"
}

func portRow(p *desc.Port) string {
	return fmt.Sprintf("%d: ports [%#x, %#x)", p.ID, p.Addr, p.Addr+p.Size)
}

func mapRow(m *desc.Map) string {
	s := fmt.Sprintf("%#x %s", m.Addr, m.Perms)
	if !m.Cached {
		s += " uncached"
	}
	return s
}

// facts is what else there is to say of a protection domain.
func facts(p *desc.PD) string {
	s := fmt.Sprintf("priority %d", p.Priority)
	if p.CPU != 0 {
		s += fmt.Sprintf(", core %d", p.CPU)
	}
	if p.Budget != p.Period {
		s += fmt.Sprintf(", %d of %d us", p.Budget, p.Period)
	}
	if p.Passive {
		s += ", passive"
	}
	if p.Domain != "" {
		s += ", domain " + p.Domain
	}
	if p.Parent != nil {
		s += fmt.Sprintf(", child %d of %s", p.ID, p.Parent.Name)
	}
	return s
}

func regionFacts(r *desc.Region) string {
	s := fmt.Sprintf("%#x", r.Size)
	if r.Fixed {
		s += fmt.Sprintf(" at %#x", r.Paddr)
	}
	switch {
	case r.Prefill != "":
		s += ", " + r.Prefill
	case r.BootInfo != "":
		s += ", " + r.BootInfo
	}
	return s
}

func depth(p *desc.PD) int {
	n := 0
	for p = p.Parent; p != nil; p = p.Parent {
		n++
	}
	return n
}
