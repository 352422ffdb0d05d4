package desc

import "fmt"

// maps checks every address space, and that each region is in one.
func (c *checker) maps(s *System) {
	for _, p := range s.PDs {
		bottom := c.board.StackBottom(p.StackSize)
		c.space(p.Maps, "protection_domain "+p.Name, "vaddr", bottom, "the bottom of its stack")
		if p.VM != nil {
			c.space(p.VM.Maps, "virtual_machine "+p.VM.Name, "vaddr", uint64(c.board.UserTop)+1, "the top of the address space")
		}
	}
	for _, r := range s.Regions {
		if !r.Mapped && r.Name != "" {
			c.warnf(r.node, "unused", "memory_region %s: no one maps it", r.Name)
		}
	}
}

// space checks the mappings of one address space.
func (c *checker) space(maps []*Map, who, attr string, end uint64, what string) {
	var list []span
	for _, m := range maps {
		if m.Region == nil {
			c.unknownRegion(m.node, "mr", m.Name)
			continue
		}
		if !m.node.sound(attr) {
			continue
		}
		if m.Addr%m.Region.PageSize != 0 {
			c.faultf(m.node, "alignment", "%s, map of %s, %s: %#x is no multiple of the page size, %#x", who, m.Name, attr, m.Addr, m.Region.PageSize)
		}
		to := m.Addr + m.Region.Size
		if !m.Region.known {
			to = m.Addr // at fault, or not known: at least it begins somewhere
		}
		switch {
		case to < m.Addr:
			c.faultf(m.node, "range", "%s, map of %s: %#x and the size, %#x, reach beyond 64 bits", who, m.Name, m.Addr, m.Region.Size)
		case to > end || m.Addr >= end:
			c.faultf(m.node, "range", "%s, map of %s: [%#x, %#x) reaches beyond %s at %#x", who, m.Name, m.Addr, to, what, end)
		case to > m.Addr:
			list = append(list, span{m.Addr, to, m.Name, m.node})
		}
	}
	c.disjoint(list, "overlap", func(a, b span) string {
		return fmt.Sprintf("%s: map of %s at [%#x, %#x) overlaps that of %s at [%#x, %#x) in line %d",
			who, a.name, a.start, a.end, b.name, b.start, b.end, b.node.pos.Row())
	})
}

// physical refuses regions that share physical memory.
func (c *checker) physical(s *System) {
	var list []span
	for _, r := range s.Regions {
		if r.Fixed && r.known {
			list = append(list, span{r.Paddr, r.Paddr + r.Size, r.Name, r.node})
		}
	}
	c.disjoint(list, "overlap", func(a, b span) string {
		return fmt.Sprintf("memory_region %s at [%#x, %#x) overlaps %s at [%#x, %#x) in line %d",
			a.name, a.start, a.end, b.name, b.start, b.end, b.node.pos.Row())
	})
}

// ioSpaces checks what devices may reach.
func (c *checker) ioSpaces(s *System) {
	names := unique{}
	domains, devices := map[uint64]*node{}, map[uint64]*node{}
	once := func(seen map[uint64]*node, n *node, attr string, v uint64) {
		if !n.sound(attr) {
			return
		}
		if first := seen[v]; first != nil {
			c.faultf(n, "io", "io_address_space %s, %s: %s is that of line %d already", n.text("name"), attr, n.text(attr), first.pos.Row())
			return
		}
		seen[v] = n
	}
	for _, sp := range s.IOSpaces {
		names.add(c, sp.node, "io_address_space", sp.Name)
		once(domains, sp.node, "domain_id", sp.DomainID)
		once(devices, sp.node, "peripheral_id", sp.device)
		for _, m := range sp.Maps {
			if m.Region != nil && m.Region.PageSize != c.board.pageSize() {
				c.faultf(m.node, "io", "iomap of %s: its pages have %#x, and an IOMMU's here %#x", m.Name, m.Region.PageSize, c.board.pageSize())
			}
		}
		c.space(sp.Maps, "io_address_space "+sp.Name, "iovaddr", maxIOAddr+1, "the last address of a device")
	}
}

// choosePageSizes gives regions the largest pages that their sizes and all their
// addresses allow, where the file does not say one. A device's are small.
func (c *checker) choosePageSizes(s *System) {
	addrs := map[*Region][]uint64{}
	small := map[*Region]bool{}
	add := func(maps []*Map) {
		for _, m := range maps {
			addrs[m.Region] = append(addrs[m.Region], m.Addr)
		}
	}
	for _, p := range s.PDs {
		add(p.Maps)
		if p.VM != nil {
			add(p.VM.Maps)
		}
	}
	for _, sp := range s.IOSpaces {
		for _, m := range sp.Maps {
			small[m.Region] = true
		}
	}
	for _, r := range s.Regions {
		if r.sized || small[r] || !r.known {
			continue
		}
		bits := r.Size
		if r.Fixed {
			bits |= r.Paddr
		}
		for _, a := range addrs[r] {
			bits |= a
		}
		for _, size := range c.board.PageSizes {
			if bits%uint64(size) == 0 {
				r.PageSize = uint64(size)
			}
		}
	}
}
