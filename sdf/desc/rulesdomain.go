package desc

// domainOf checks a protection domain's domain.
func (c *checker) domainOf(s *System, p *PD) {
	n := p.node
	given := n.value("domain").set
	switch {
	case s.domainsAt == nil && given:
		c.faultf(n, "domain", "protection_domain %s, domain: the system has no <domains>", p.Name)
	case s.domainsAt == nil:
	case !given:
		c.faultf(n, "domain", "protection_domain %s has no domain, and the system has <domains>", p.Name)
	default:
		c.knownDomain(s, n, p.Domain)
	}
}

func (c *checker) knownDomain(s *System, n *node, name string) {
	if name == "" {
		return
	}
	var names []string
	for _, d := range s.Domains {
		if d.Name == name {
			return
		}
		names = append(names, d.Name)
	}
	c.faultf(n, "reference", "<%s>, domain: there is no domain %s%s", n.name, quote(name), meant(name, names))
}

// domains checks the domains and when they run, and gives ids to those that
// have none: the lowest that are free.
func (c *checker) domains(s *System) {
	if s.domainsAt == nil {
		return
	}
	if c.board.Cores > 1 {
		c.faultf(s.domainsAt, "board", "<domains>: the kernel schedules domains on one core only, and this board has %d", c.board.Cores)
	}
	names, ids := unique{}, map[uint64]*node{}
	for _, d := range s.Domains {
		names.add(c, d.node, "domain", d.Name)
		if !d.given || !d.node.sound("id") {
			continue
		}
		switch first := ids[d.ID]; {
		case d.ID >= uint64(c.board.Domains):
			c.faultf(d.node, "domain", "domain %s, id: %d is not below the kernel's number of domains, %d", d.Name, d.ID, c.board.Domains)
		case first != nil:
			c.faultf(d.node, "domain", "domain %s, id: %d is that of line %d already", d.Name, d.ID, first.pos.Row())
		default:
			ids[d.ID] = d.node
		}
	}
	next := uint64(0)
	for _, d := range s.Domains {
		if d.given {
			continue
		}
		for ids[next] != nil {
			next++
		}
		if next >= uint64(c.board.Domains) {
			c.faultf(d.node, "domain", "domain %s: the kernel has %d domains, which all have a name", d.Name, c.board.Domains)
			break
		}
		d.ID, ids[next] = next, d.node
	}
	c.schedule(s)
}

func (c *checker) schedule(s *System) {
	t := s.Schedule
	if t.node == nil {
		return
	}
	n, limit := uint64(len(t.Entries)), uint64(c.board.Schedule)
	for _, e := range t.Entries {
		if !e.End {
			c.knownDomain(s, e.node, e.Domain)
		}
	}
	switch {
	case n >= limit: // the kernel needs one for the mark at the end
		c.faultf(t.node, "schedule", "<domain_schedule> has %d entries, and must have less than the kernel's %d", n, limit)
	case t.node.sound("index_shift") && t.Shifted && (t.Shift >= limit || t.Shift+n >= limit):
		c.faultf(t.node, "schedule", "<domain_schedule>, index_shift: %d and %d entries are not below the kernel's %d", t.Shift, n, limit)
	}
	if t.node.sound("start_index") && t.Start >= n {
		c.faultf(t.node, "schedule", "<domain_schedule>, start_index: %d is not below the number of entries, %d", t.Start, n)
	}
}
