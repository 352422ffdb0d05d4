package desc

// A builder makes a System of nodes that were validated.
type builder struct {
	*checker
	sys     *System
	regions map[string]*Region
	pds     map[string]*PD
}

// each calls do for the elements of a name that the grammar has there.
func (n *node) each(name string, do func(kid *node)) {
	for _, kid := range n.kids {
		if kid.name == name && kid.el != nil {
			do(kid)
		}
	}
}

// build takes regions before what names them, and protection domains before
// channels, so that the order of the file does not matter.
func (b *builder) build(root *node) {
	b.regions, b.pds = map[string]*Region{}, map[string]*PD{}
	root.each("memory_region", b.region)
	root.each("domains", b.domains)
	root.each("protection_domain", func(n *node) { b.pd(n, nil) })
	root.each("channel", b.channel)
	root.each("io_address_space", b.ioSpace)
	for _, p := range b.sys.PDs {
		for _, c := range p.Caps {
			c.To = b.pds[c.PD]
		}
	}
}

func (b *builder) pd(n *node, parent *PD) {
	p := &PD{
		item: item{n}, Parent: parent, Index: len(b.sys.PDs), Name: n.text("name"),
		ID: n.num("id"), Priority: n.num("priority"), Budget: n.num("budget"), Period: n.num("period"),
		Passive: n.yes("passive"), StackSize: n.num("stack_size"), SMC: n.yes("smc"),
		CPU: n.num("cpu"), Domain: n.text("domain"), FPU: n.yes("fpu"),
	}
	if !n.value("period").set {
		p.Period = p.Budget
	}
	b.sys.PDs = append(b.sys.PDs, p)
	if b.pds[p.Name] == nil {
		b.pds[p.Name] = p
	}
	n.each("program_image", func(k *node) { p.image, p.Path, p.SymbolsPath = k, k.text("path"), k.text("path_for_symbols") })
	for _, k := range n.kids {
		if k.el != nil {
			b.pdChild(p, k)
		}
	}
	if parent != nil {
		parent.Children = append(parent.Children, p)
		b.setvar(parent, n, "setvar_id", VarID, p.ID, n.sound("id"))
	}
}

func (b *builder) pdChild(p *PD, k *node) {
	switch k.name {
	case "map":
		b.pdMap(p, k)
	case "irq":
		b.irq(p, k)
	case "ioport":
		port := &Port{item{k}, k.num("id"), k.num("addr"), k.num("size")}
		b.setvar(p, k, "setvar_id", VarID, port.ID, k.sound("id"))
		b.setvar(p, k, "setvar_addr", VarPort, port.Addr, k.sound("addr"))
		p.Ports = append(p.Ports, port)
	case "setvar":
		b.paddrVar(p, k)
	case "protection_domain":
		b.pd(k, p)
	case "virtual_machine":
		b.vm(p, k)
	case "cspace":
		for _, c := range k.kids {
			if c.el != nil {
				p.Caps = append(p.Caps, &Cap{item: item{c}, Kind: c.name[len("cap_"):], Slot: c.num("slot"), PD: c.text("pd")})
			}
		}
	}
}

// setvar adds a variable if the element names one.
func (b *builder) setvar(p *PD, n *node, attr string, k VarKind, value uint64, sound bool) *Setvar {
	v := n.value(attr)
	if !v.set || v.bad {
		return nil
	}
	s := &Setvar{item: item{n}, Symbol: v.text, Kind: k, Value: value, name: attr}
	if !sound {
		s.Value = 0
	}
	p.Vars = append(p.Vars, s)
	return s
}

func (b *builder) paddrVar(p *PD, k *node) {
	if !k.sound("symbol", "region_paddr") {
		return
	}
	s := b.setvar(p, k, "symbol", VarPaddr, 0, true)
	s.name = "region_paddr"
	s.Region = b.regions[k.text("region_paddr")]
}

func (b *builder) mapping(k *node) *Map {
	m := &Map{item: item{k}, Name: k.text("mr"), Addr: k.num("vaddr"), Perms: Perms(k.num("perms")), Cached: k.yes("cached")}
	if m.Region = b.regions[m.Name]; m.Region != nil {
		m.Region.Mapped = true
	}
	return m
}

func (b *builder) pdMap(p *PD, k *node) {
	m := b.mapping(k)
	p.Maps = append(p.Maps, m)
	b.setvar(p, k, "setvar_vaddr", VarVaddr, m.Addr, k.sound("vaddr"))
	for _, v := range []*Setvar{b.setvar(p, k, "setvar_size", VarSize, 0, true), b.setvar(p, k, "setvar_prefill_size", VarPrefill, 0, true)} {
		if v != nil {
			v.Region = m.Region
		}
	}
}

func (b *builder) irq(p *PD, k *node) {
	i := &IRQ{
		item: item{k}, ID: k.num("id"), Number: k.num("irq"), Edge: k.num("trigger") == 1, Low: k.num("polarity") == 1,
		Pin: k.num("pin"), IOAPIC: k.num("ioapic"), Handle: k.num("handle"),
		IsPin: k.has("pin"), numbered: k.sound("irq"),
	}
	if b.board.Arch == X86_64 {
		i.Number, i.numbered = k.num("vector"), k.sound("vector")
	}
	if k.has("pcidev") {
		i.PCI = pciString(k.num("pcidev"))
	}
	b.setvar(p, k, "setvar_id", VarID, i.ID, k.sound("id"))
	p.IRQs = append(p.IRQs, i)
}

func (b *builder) vm(p *PD, k *node) {
	vm := &VM{item: item{k}, Name: k.text("name"), Priority: k.num("priority"), Budget: k.num("budget"), Period: k.num("period")}
	if !k.value("period").set {
		vm.Period = vm.Budget
	}
	k.each("vcpu", func(n *node) {
		c := &VCPU{item{n}, n.num("id"), n.num("cpu")}
		if !n.value("cpu").set {
			c.CPU = p.CPU
		}
		b.setvar(p, n, "setvar_id", VarID, c.ID, n.sound("id"))
		vm.CPUs = append(vm.CPUs, c)
	})
	k.each("map", func(n *node) {
		m := b.mapping(n)
		vm.Maps = append(vm.Maps, m)
	})
	if p.VM == nil {
		p.VM = vm
	}
}

func (b *builder) channel(n *node) {
	ch := &Channel{item: item{n}}
	n.each("end", func(k *node) {
		e := &End{item: item{k}, Name: k.text("pd"), ID: k.num("id"), PP: k.yes("pp"), Notify: k.yes("notify")}
		if e.PD = b.pds[e.Name]; e.PD != nil {
			b.setvar(e.PD, k, "setvar_id", VarID, e.ID, k.sound("id"))
		}
		ch.Ends = append(ch.Ends, e)
	})
	b.sys.Channels = append(b.sys.Channels, ch)
}

func (b *builder) ioSpace(n *node) {
	s := &IOSpace{item: item{n}, Name: n.text("name"), device: n.num("peripheral_id"), DomainID: n.num("domain_id")}
	s.Device = pciString(s.device)
	n.each("iomap", func(k *node) {
		m := b.mapping(k)
		m.Addr = k.num("iovaddr")
		s.Maps = append(s.Maps, m)
	})
	b.sys.IOSpaces = append(b.sys.IOSpaces, s)
}

func (b *builder) domains(n *node) {
	if b.sys.domainsAt != nil {
		return // the second one, which the grammar has refused
	}
	b.sys.domainsAt = n
	n.each("domain", func(k *node) {
		b.sys.Domains = append(b.sys.Domains, &Domain{item{k}, k.text("name"), k.num("id"), k.value("id").set})
	})
	b.sys.Schedule = new(Schedule)
	n.each("domain_schedule", func(k *node) {
		s := &Schedule{item: item{k}, Start: k.num("start_index"), Shift: k.num("index_shift"), Shifted: k.value("index_shift").set}
		for _, e := range k.kids {
			if e.el == nil {
				continue
			}
			d := e.value("duration")
			s.Entries = append(s.Entries, Entry{item{e}, e.text("domain"), d.num, d.tick, e.name == "schedule_end_marker"})
		}
		b.sys.Schedule = s
	})
}
