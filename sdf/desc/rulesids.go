package desc

import (
	"fmt"
	"sort"
)

// taken remembers who has an id.
type taken map[uint64]*node

// add refuses an id that is there already.
func (t taken) add(c *checker, n *node, id uint64, format string, args ...any) {
	if !n.sound("id") {
		return
	}
	if first := t[id]; first != nil {
		c.faultf(n, "id", "%s: id %d is that of <%s> in line %d already", fmt.Sprintf(format, args...), id, first.name, first.pos.Row())
		return
	}
	t[id] = n
}

// ids are those of children and virtual CPUs, which share one space, and of
// ports, which have their own. Those of interrupts and channels follow when all
// channels are known.
func (c *checker) ids(p *PD) {
	family, ports := taken{}, taken{}
	if p.VM != nil {
		for _, v := range p.VM.CPUs {
			family.add(c, v.node, v.ID, "virtual_machine %s", p.VM.Name)
		}
	}
	for _, k := range p.Children {
		family.add(c, k.node, k.ID, "protection_domain %s, a child of %s", k.Name, p.Name)
	}
	for _, i := range p.Ports {
		ports.add(c, i.node, i.ID, "protection_domain %s, ioport", p.Name)
	}
}

func (c *checker) channelIDs(s *System) {
	all := make([]taken, len(s.PDs))
	for _, p := range s.PDs {
		all[p.Index] = taken{}
		for _, i := range p.IRQs {
			all[p.Index].add(c, i.node, i.ID, "protection_domain %s, irq", p.Name)
		}
	}
	for _, ch := range s.Channels {
		for _, e := range ch.Ends {
			if e.PD != nil {
				all[e.PD.Index].add(c, e.node, e.ID, "protection_domain %s, channel", e.PD.Name)
			}
		}
	}
}

// channels checks both ends against each other.
func (c *checker) channels(s *System) {
	for _, ch := range s.Channels {
		for _, e := range ch.Ends {
			if e.PD == nil {
				c.unknownPD(s, e.node, e.Name)
			}
		}
		if len(ch.Ends) != 2 {
			continue
		}
		a, b := ch.Ends[0], ch.Ends[1]
		if a.PP && b.PP {
			c.faultf(ch.node, "pp", "both ends of the channel may call: pp belongs on one")
			continue
		}
		c.call(a, b)
		c.call(b, a)
		switch {
		case a.PD != nil && a.PD == b.PD:
			c.warnf(ch.node, "self", "both ends of the channel are protection_domain %s", a.PD.Name)
		case !a.Notify && !b.Notify && !a.PP && !b.PP:
			c.warnf(ch.node, "silent", "over this channel nobody may notify or call")
		}
	}
}

// call checks who may call whom.
func (c *checker) call(from, to *End) {
	if !from.PP || from.PD == nil || to.PD == nil {
		return
	}
	if from.PD.node.sound("priority") && to.PD.node.sound("priority") && from.PD.Priority >= to.PD.Priority {
		c.faultf(from.node, "pp", "protection_domain %s, priority %d, calls %s, priority %d: who calls must have the lower one",
			from.PD.Name, from.PD.Priority, to.PD.Name, to.PD.Priority)
	}
	if c.board.Arch == X86_64 && to.PD.VM != nil {
		c.faultf(from.node, "x86-vm", "protection_domain %s calls %s, which has a virtual machine; on x86_64 the kernel does not look for calls while that runs",
			from.PD.Name, to.PD.Name)
	}
}

// irqs refuses an interrupt that two want.
func (c *checker) irqs(s *System) {
	seen := map[uint64]*node{}
	for _, p := range s.PDs {
		for _, i := range p.IRQs {
			if !i.numbered {
				continue
			}
			if first := seen[i.Number]; first != nil {
				c.faultf(i.node, "irq", "protection_domain %s: interrupt %d is that of line %d already", p.Name, i.Number, first.pos.Row())
				continue
			}
			seen[i.Number] = i.node
		}
	}
}

// A span is a half-open range of an address space that somebody has. Its end is
// known not to overflow.
type span struct {
	start, end uint64
	name       string
	node       *node
}

// disjoint refuses spans that share an address: of a pair, the one that stands
// later in the file.
func (c *checker) disjoint(list []span, rule string, say func(s, other span) string) {
	sort.SliceStable(list, func(i, j int) bool { return list[i].start < list[j].start })
	last := -1 // the one that reaches furthest
	for i := range list {
		if last >= 0 && list[i].start < list[last].end {
			a, b := list[i], list[last]
			if a.node.pos.Off < b.node.pos.Off {
				a, b = b, a
			}
			c.faultf(a.node, rule, "%s", say(a, b))
		}
		if last < 0 || list[i].end > list[last].end {
			last = i
		}
	}
}

func (c *checker) ports(s *System) {
	var list []span
	for _, p := range s.PDs {
		for _, i := range p.Ports {
			switch {
			case !i.node.sound("addr", "size"):
			case i.Addr+i.Size > maxPort+1:
				c.faultf(i.node, "range", "protection_domain %s, ioport: [%#x, %#x) reaches beyond the last port, %#x", p.Name, i.Addr, i.Addr+i.Size, maxPort)
			default:
				list = append(list, span{i.Addr, i.Addr + i.Size, p.Name, i.node})
			}
		}
	}
	c.disjoint(list, "overlap", func(a, b span) string {
		return fmt.Sprintf("ports [%#x, %#x) of protection_domain %s overlap [%#x, %#x) of %s in line %d",
			a.start, a.end, a.name, b.start, b.end, b.name, b.node.pos.Row())
	})
}
