package desc

import "fmt"

// rules are those that take more than one element, or the board.
func (c *checker) rules(s *System) {
	c.names(s)
	for _, p := range s.PDs {
		c.domainOf(s, p)
		c.pd(p)
		c.ids(p)
		c.vars(p)
		c.caps(s, p)
		if p.VM != nil {
			c.vm(p, p.VM)
		}
	}
	c.channels(s)
	c.channelIDs(s)
	c.irqs(s)
	c.ports(s)
	c.maps(s)
	c.physical(s)
	c.ioSpaces(s)
	c.domains(s)
	c.choosePageSizes(s)
}

// unique refuses a name that was there before.
type unique map[string]*node

func (u unique) add(c *checker, n *node, what, name string) {
	if name == "" {
		return // refused already
	}
	if first := u[name]; first != nil {
		c.faultf(n, "name", "%s %s: the name is that of line %d already", what, name, first.pos.Row())
		return
	}
	u[name] = n
}

func (c *checker) names(s *System) {
	pds, vms, regions := unique{}, unique{}, unique{}
	for _, p := range s.PDs {
		pds.add(c, p.node, "protection_domain", p.Name)
		c.nameLength(p.node, p.Name)
		if p.Name == "monitor" {
			c.faultf(p.node, "name", "protection_domain monitor: the name is that of Microkit's own")
		}
		if p.VM != nil {
			vms.add(c, p.VM.node, "virtual_machine", p.VM.Name)
			c.nameLength(p.VM.node, p.VM.Name)
		}
	}
	for _, r := range s.Regions {
		regions.add(c, r.node, "memory_region", r.Name)
	}
	switch n := len(s.PDs); {
	case n == 0:
		c.faultf(s.root, "count", "the system has no protection_domain")
	case n > MaxPDs:
		c.faultf(s.PDs[MaxPDs].node, "count", "the system has %d protection domains, and may have %d", n, MaxPDs)
	}
}

// nameLength warns of names that do not fit where they are stored.
func (c *checker) nameLength(n *node, name string) {
	switch l := len(name); {
	case l > MaxName:
		c.warnf(n, "name", "<%s>: of the name's %d bytes the first %d are stored", n.name, l, MaxName)
	case l == MaxName:
		c.warnf(n, "name", "<%s>: the name has %d bytes, so that no NUL is stored behind it", n.name, l)
	}
}

// pd checks the attributes of a protection domain against each other and the
// board.
func (c *checker) pd(p *PD) {
	n := p.node
	c.time(n, p.Name, p.Budget, p.Period)
	if n.sound("stack_size") && p.StackSize%c.board.pageSize() != 0 {
		c.faultf(n, "alignment", "protection_domain %s, stack_size: %#x is no multiple of a page, %#x", p.Name, p.StackSize, c.board.pageSize())
	}
	c.cpu(n, p.Name, p.CPU)
	switch {
	case !p.SMC:
	case c.board.Arch != AArch64:
		c.faultf(n, "board", "protection_domain %s, smc: only aarch64 has secure monitor calls, and this board is %s", p.Name, c.board.Arch)
	case !c.board.SMC:
		c.faultf(n, "board", "protection_domain %s, smc: the kernel of this board does not forward secure monitor calls", p.Name)
	}
	if c.board.Arch == X86_64 && p.VM != nil && len(p.Children) > 0 {
		c.faultf(n, "x86-vm", "protection_domain %s has a virtual machine and children; on x86_64 the kernel does not look for their faults while the machine runs", p.Name)
	}
}

func (c *checker) time(n *node, name string, budget, period uint64) {
	if n.sound("budget", "period") && budget > period {
		c.faultf(n, "budget", "%s %s: budget %d is above period %d", n.name, name, budget, period)
	}
}

func (c *checker) cpu(n *node, name string, cpu uint64) {
	if n.sound("cpu") && cpu >= uint64(c.board.Cores) {
		c.faultf(n, "board", "%s %s, cpu: %d is not below the number of cores, %d", n.name, name, cpu, c.board.Cores)
	}
}

func (c *checker) vm(p *PD, vm *VM) {
	c.time(vm.node, vm.Name, vm.Budget, vm.Period)
	if vm.node.sound("priority") && vm.Priority > maxPrio {
		c.warnf(vm.node, "priority", "virtual_machine %s, priority: %d is the monitor's own", vm.Name, vm.Priority)
	}
	for _, v := range vm.CPUs {
		if v.node.value("cpu").set {
			c.cpu(v.node, fmt.Sprint(v.ID), v.CPU)
		}
		if v.node.value("setvar_id").set {
			c.warnf(v.node, "ignored", "vcpu %d, setvar_id: the tool of Microkit 2.x takes it and does not write it", v.ID)
		}
	}
}

// vars refuses a symbol that two elements want to set.
func (c *checker) vars(p *PD) {
	seen := map[string]*Setvar{}
	for _, v := range p.Vars {
		if first := seen[v.Symbol]; first != nil {
			c.faultf(v.node, "setvar", "<%s>, %s: %s of protection_domain %s is set by line %d already", v.node.name, v.name, v.Symbol, p.Name, first.node.pos.Row())
			continue
		}
		seen[v.Symbol] = v
	}
	for _, v := range p.Vars {
		switch {
		case v.Kind == VarPrefill && v.Region != nil && v.Region.Prefill == "" && v.Region.node.sound("prefill_path"):
			c.faultf(v.node, "setvar", "<map>, setvar_prefill_size: memory_region %s has no prefill_path", v.Region.Name)
		case v.Kind == VarPaddr && v.Region == nil:
			c.unknownRegion(v.node, "region_paddr", v.node.text("region_paddr"))
		case v.Kind == VarPaddr && !v.Region.node.value("phys_addr").set && c.board.Arch == X86_64:
			c.faultf(v.node, "setvar", "<setvar>, region_paddr: memory_region %s has no phys_addr, and on x86_64 none is chosen", v.Region.Name)
		}
	}
}

func (c *checker) unknownRegion(n *node, attr, name string) {
	if name == "" {
		return
	}
	var names []string
	c.top.each("memory_region", func(k *node) { names = append(names, k.text("name")) })
	c.faultf(n, "reference", "<%s>, %s: there is no memory_region %s%s", n.name, attr, quote(name), meant(name, names))
}

func (c *checker) unknownPD(s *System, n *node, name string) {
	if name == "" {
		return
	}
	var names []string
	for _, p := range s.PDs {
		names = append(names, p.Name)
	}
	c.faultf(n, "reference", "<%s>, pd: there is no protection_domain %s%s", n.name, quote(name), meant(name, names))
}

func (c *checker) caps(s *System, p *PD) {
	slots := map[uint64]*node{}
	for _, k := range p.Caps {
		if k.To == nil {
			c.unknownPD(s, k.node, k.PD)
		}
		if !k.node.sound("slot") {
			continue
		}
		if first := slots[k.Slot]; first != nil {
			c.faultf(k.node, "slot", "<%s>, slot: %d of protection_domain %s is taken by line %d", k.node.name, k.Slot, p.Name, first.pos.Row())
			continue
		}
		slots[k.Slot] = k.node
	}
}
