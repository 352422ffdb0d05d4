package desc

// System is a description that was read. What is at fault in the file is left
// out of it, or has its default.
type System struct {
	Source    *Source
	Board     Board
	PDs       []*PD // all, a child behind its parent
	Regions   []*Region
	Channels  []*Channel
	IOSpaces  []*IOSpace
	Domains   []*Domain
	Schedule  *Schedule // nil: there are no domains
	domainsAt *node
	root      *node
}

// An item is what the file has an element for.
type item struct{ node *node }

// Pos is where the element begins.
func (i item) Pos() Pos {
	if i.node == nil {
		return Pos{}
	}
	return i.node.pos
}

// PD is a protection domain.
type PD struct {
	item
	Name        string
	Index       int // in System.PDs
	Parent      *PD
	ID          uint64 // of a child, for its parent
	Priority    uint64
	Budget      uint64 // in microseconds
	Period      uint64
	Passive     bool
	StackSize   uint64
	SMC         bool
	CPU         uint64
	Domain      string
	FPU         bool
	Path        string // of the image
	SymbolsPath string // of the file with its symbols, or ""
	image       *node

	Maps     []*Map
	IRQs     []*IRQ
	Ports    []*Port
	Vars     []*Setvar // of all elements that are for this image
	Children []*PD
	VM       *VM
	Caps     []*Cap
}

// VarKind says which value of the system a variable gets.
type VarKind string

// The kinds.
const (
	VarVaddr   VarKind = "vaddr"        // of a mapping
	VarSize    VarKind = "size"         // of its region
	VarPrefill VarKind = "prefill_size" // of the file that the region is filled with
	VarID      VarKind = "id"           // of an interrupt, a port, a channel's end, a child, a virtual CPU
	VarPort    VarKind = "addr"         // of a port
	VarPaddr   VarKind = "region_paddr" // physical address of a region
)

// Setvar is a variable that gets a value of the system.
type Setvar struct {
	item
	Symbol string
	Kind   VarKind
	Value  uint64  // VarVaddr, VarID, VarPort
	Region *Region // of the others; nil: the file names none that is there
	name   string
}

// Map is a region in an address space.
type Map struct {
	item
	Name   string  // of the region
	Region *Region // nil: there is none of this name
	Addr   uint64
	Perms  Perms
	Cached bool
}

// IRQ is an interrupt that a protection domain gets.
type IRQ struct {
	item
	ID       uint64
	Number   uint64 // the vector on x86
	Edge     bool
	Low      bool // polarity
	PCI      string
	Pin      uint64
	IOAPIC   uint64
	Handle   uint64
	IsPin    bool
	numbered bool
}

// Port is a range of I/O ports.
type Port struct {
	item
	ID, Addr, Size uint64
}

// VM is a virtual machine with the protection domain that is its monitor.
type VM struct {
	item
	Name                     string
	Priority, Budget, Period uint64
	CPUs                     []*VCPU
	Maps                     []*Map
}

// VCPU is a virtual CPU.
type VCPU struct {
	item
	ID  uint64
	CPU uint64
}

// Cap is a capability of another protection domain.
type Cap struct {
	item
	Kind string // "tcb", "sc", "vspace"
	Slot uint64
	PD   string
	To   *PD
}

// Region is memory.
type Region struct {
	item
	Name     string
	Size     uint64 // 0: not known, for the file that it is filled with was not looked at
	PageSize uint64 // as large as size, addresses and the file allow
	Fixed    bool   // Paddr is the file's
	Paddr    uint64
	Prefill  string // path of a file
	Filled   uint64 // its length
	BootInfo string
	Mapped   bool // by a protection domain, a virtual machine or a device
	sized    bool // PageSize is the file's
	known    bool // Size is
}

// End is a channel's end.
type End struct {
	item
	Name   string // of the protection domain
	PD     *PD    // nil: there is none of this name
	ID     uint64
	PP     bool // may call
	Notify bool
}

// Channel connects two protection domains.
type Channel struct {
	item
	Ends []*End // two, where the file is right
}

// IOSpace is what a device may reach.
type IOSpace struct {
	item
	Name     string
	Device   string
	DomainID uint64
	Maps     []*Map
	device   uint64
}

// Domain is a domain of the kernel's schedule.
type Domain struct {
	item
	Name  string
	ID    uint64
	given bool
}

// Schedule is when which domain runs.
type Schedule struct {
	item
	Start   uint64
	Shift   uint64
	Shifted bool // the file gives Shift
	Entries []Entry
}

// Entry is a line of the schedule.
type Entry struct {
	item
	Domain   string
	Duration uint64
	Ticks    bool
	End      bool // a mark, and no time
}

// PD returns the protection domain of a name, or nil.
func (s *System) PD(name string) *PD {
	for _, p := range s.PDs {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Region returns the region of a name, or nil.
func (s *System) Region(name string) *Region {
	for _, r := range s.Regions {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// Bits are what a protection domain's variables have of its connections: bit n
// of each is that of id n.
type Bits struct{ IRQs, Notifications, PPs, Ports uint64 }

// Bits returns those of a protection domain.
func (s *System) Bits(p *PD) (b Bits) {
	for _, i := range p.IRQs {
		b.IRQs |= 1 << i.ID
	}
	for _, i := range p.Ports {
		b.Ports |= 1 << i.ID
	}
	for _, ch := range s.Channels {
		for _, e := range ch.Ends {
			if e.PD != p {
				continue
			}
			if e.Notify {
				b.Notifications |= 1 << e.ID
			}
			if e.PP {
				b.PPs |= 1 << e.ID
			}
		}
	}
	return b
}
