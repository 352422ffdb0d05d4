package desc

// kind says what values an attribute has.
type kind int

const (
	kindText     kind = iota // at least one character
	kindNumber               // within min and max
	kindBool                 // true, false
	kindWord                 // one of words
	kindPerms                // rights of a protection domain or a virtual machine
	kindIOPerms              // rights of a device
	kindPCI                  // bus:device.function
	kindDuration             // "1000 us"
)

// An attribute is a row of the grammar.
type attribute struct {
	name     string
	kind     kind
	req      bool
	min, max uint64 // of a number; max 0: any
	words    []string
	def      uint64 // the number, or 1 for true, or the index in words, or the rights
	refuse   string // why this machine, or this version, has it not
}

// An element is a row of the grammar, with what may stand in it.
type element struct {
	name  string
	attrs []attribute
	kids  []child
	// form chooses the row by the attributes that are there; nil: this one.
	form func(n *node) *element
}

// A child is an element within another.
type child struct {
	el       *element
	min, max int // max 0: any number
	refuse   string
}

// Limits of the language.
const (
	MaxID     = 61 // of channel ends, interrupts, ports, children and virtual CPUs
	MaxPDs    = 63
	MaxName   = 64 // bytes of a name that are stored
	maxPrio   = 254
	minStack  = 0x1000
	maxStack  = 0x1000000
	maxVector = 107
	maxSlot   = 127
	maxIOAddr = 1<<39 - 1
	maxPort   = 0xffff

	defaultBudget = 1000
	defaultStack  = 0x2000
)

func text(name string) attribute { return attribute{name: name, req: true} }

func optional(name string) attribute { return attribute{name: name} }

func number(name string) attribute { return attribute{name: name, kind: kindNumber, req: true} }

func identifier(name string) attribute {
	return attribute{name: name, kind: kindNumber, req: true, max: MaxID}
}

func boolean(name string, def uint64) attribute {
	return attribute{name: name, kind: kindBool, def: def}
}

func perms(k kind) attribute { return attribute{name: "perms", kind: k, def: uint64(Read | Write)} }

func notReq(a attribute) attribute {
	a.req = false
	return a
}

// grammar returns the root's row for a board.
func grammar(b *Board) *element {
	pd, inner := domainElement(b, false), domainElement(b, true)
	pd.kids = append(pd.kids, child{el: inner})
	inner.kids = append(inner.kids, child{el: inner})
	spaces := ""
	if !b.IOMMU {
		spaces = "the kernel of this board uses no IOMMU"
	}
	return &element{name: "system", kids: []child{
		{el: pd},
		{el: regionElement()},
		{el: &element{name: "channel", kids: []child{{el: endElement(), min: 2, max: 2}}}},
		{el: domainsElement(), max: 1},
		{el: ioSpaceElement(), refuse: spaces},
		{el: &element{name: "virtual_machine"}, refuse: "a virtual machine stands in the protection_domain that is its monitor"},
	}}
}

// domainElement is a protection domain, on its own or within another.
func domainElement(b *Board, inner bool) *element {
	e := &element{name: "protection_domain", attrs: []attribute{
		text("name"),
		{name: "priority", kind: kindNumber, max: maxPrio},
		{name: "budget", kind: kindNumber, def: defaultBudget},
		{name: "period", kind: kindNumber},
		boolean("passive", 0),
		{name: "stack_size", kind: kindNumber, min: minStack, max: maxStack, def: defaultStack},
		boolean("smc", 0),
		{name: "cpu", kind: kindNumber},
		optional("domain"),
		boolean("fpu", 1),
		{name: "pp", refuse: "since Microkit 2.0 this is an attribute of the channel's end that calls; the file is of the 1.x series"},
	}}
	id, setvar := identifier("id"), optional("setvar_id")
	if !inner {
		id.req = false
		id.refuse = "it names a child for its parent, and this one has none"
		setvar.refuse = id.refuse
	}
	e.attrs = append(e.attrs, id, setvar)
	ports, machines := "", ""
	if b.Arch != X86_64 {
		ports = "I/O ports are of x86_64, and this board is " + string(b.Arch)
	}
	if !b.Hypervisor {
		machines = "the kernel of this board is no hypervisor"
	}
	e.kids = []child{
		{el: &element{name: "program_image", attrs: []attribute{text("path"), optional("path_for_symbols")}}, min: 1, max: 1},
		{el: mapElement(true)},
		{el: irqElement(b)},
		{el: &element{name: "ioport", attrs: []attribute{
			identifier("id"),
			{name: "addr", kind: kindNumber, req: true, max: maxPort},
			{name: "size", kind: kindNumber, req: true, min: 1, max: maxPort + 1},
			optional("setvar_id"), optional("setvar_addr"),
		}}, refuse: ports},
		{el: &element{name: "setvar", attrs: []attribute{text("symbol"), text("region_paddr")}}},
		{el: machineElement(b), max: 1, refuse: machines},
		{el: cspaceElement(), max: 1},
	}
	return e
}

func mapElement(setvars bool) *element {
	e := &element{name: "map", attrs: []attribute{text("mr"), number("vaddr"), perms(kindPerms), boolean("cached", 1)}}
	for _, name := range []string{"setvar_vaddr", "setvar_size", "setvar_prefill_size"} {
		a := optional(name)
		if !setvars {
			a.refuse = "a virtual machine has no program image to patch"
		}
		e.attrs = append(e.attrs, a)
	}
	return e
}

var triggers = []string{"level", "edge"}

// irqElement is an interrupt. On x86 there are two kinds, told by pin and pcidev.
func irqElement(b *Board) *element {
	trigger := attribute{name: "trigger", kind: kindWord, words: triggers}
	vector := attribute{name: "vector", kind: kindNumber, req: true, max: maxVector}
	refused := func(why string, names ...string) (out []attribute) {
		for _, n := range names {
			out = append(out, attribute{name: n, refuse: why})
		}
		return out
	}
	foreign := "it is of interrupts of another machine, and this board is " + string(b.Arch)
	if b.Arch != X86_64 {
		own := []attribute{number("irq"), identifier("id"), trigger, optional("setvar_id")}
		return &element{name: "irq", attrs: append(own, refused(foreign, "pin", "ioapic", "polarity", "pcidev", "handle", "vector")...)}
	}
	pin := &element{name: "irq", attrs: append([]attribute{
		number("pin"), identifier("id"), vector, notReq(number("ioapic")), trigger,
		{name: "polarity", kind: kindWord, words: []string{"high", "low"}}, optional("setvar_id"), {name: "irq", refuse: foreign},
	}, refused("it is of a message-signalled interrupt, and pin is not", "pcidev", "handle")...)}
	msi := &element{name: "irq", attrs: append([]attribute{
		{name: "pcidev", kind: kindPCI, req: true}, identifier("id"), number("handle"), vector, optional("setvar_id"), {name: "irq", refuse: foreign},
	}, refused("it is of an interrupt of an I/O APIC, and pcidev is not", "ioapic", "trigger", "polarity")...)}
	pin.form = func(n *node) *element {
		if n.has("pcidev") && !n.has("pin") {
			return msi
		}
		return pin
	}
	return pin
}

func machineElement(b *Board) *element {
	refuse := ""
	if b.Arch != AArch64 {
		refuse = "virtual CPUs have a thread of their own on aarch64 alone, and this board is " + string(b.Arch)
	}
	return &element{name: "virtual_machine", attrs: []attribute{
		text("name"),
		{name: "budget", kind: kindNumber, def: defaultBudget, refuse: refuse},
		{name: "period", kind: kindNumber, refuse: refuse},
		{name: "priority", kind: kindNumber, max: 255, refuse: refuse},
		{name: "id", refuse: "ids belong to the vcpu elements now; the file is of the 1.x series"},
	}, kids: []child{
		{el: &element{name: "vcpu", attrs: []attribute{identifier("id"), optional("setvar_id"), {name: "cpu", kind: kindNumber}}}, min: 1},
		{el: mapElement(false)},
	}}
}

func cspaceElement() *element {
	e := &element{name: "cspace"}
	for _, name := range []string{"cap_tcb", "cap_sc", "cap_vspace"} {
		e.kids = append(e.kids, child{el: &element{name: name, attrs: []attribute{
			{name: "slot", kind: kindNumber, req: true, min: 1, max: maxSlot}, text("pd"),
		}}})
	}
	return e
}

// bootInfos are what the kernel tells at boot and a region may be filled with.
var bootInfos = []string{"x86_vbe", "x86_mbmmap", "x86_acpi_rsdp", "x86_framebuffer", "x86_tsc_freq", "fdt"}

func regionElement() *element {
	return &element{name: "memory_region", attrs: []attribute{
		text("name"), notReq(number("size")), notReq(number("page_size")), notReq(number("phys_addr")),
		optional("prefill_path"), {name: "prefill_bootinfo", kind: kindWord, words: bootInfos},
	}}
}

func endElement() *element {
	return &element{name: "end", attrs: []attribute{
		text("pd"), identifier("id"), boolean("pp", 0), boolean("notify", 1), optional("setvar_id"),
	}}
}

func ioSpaceElement() *element {
	return &element{name: "io_address_space", attrs: []attribute{
		text("name"), {name: "peripheral_id", kind: kindPCI, req: true}, number("domain_id"),
	}, kids: []child{{el: &element{name: "iomap", attrs: []attribute{
		text("mr"), {name: "iovaddr", kind: kindNumber, req: true, max: maxIOAddr}, perms(kindIOPerms),
	}}}}}
}

func domainsElement() *element {
	return &element{name: "domains", kids: []child{
		{el: &element{name: "domain", attrs: []attribute{text("name"), notReq(number("id"))}}, min: 1},
		{el: &element{name: "domain_schedule",
			attrs: []attribute{notReq(number("start_index")), notReq(number("index_shift"))},
			kids: []child{
				{el: &element{name: "schedule_entry", attrs: []attribute{text("domain"), {name: "duration", kind: kindDuration, req: true}}}},
				{el: &element{name: "schedule_end_marker"}},
			}}, min: 1, max: 1},
	}}
}
