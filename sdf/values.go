package sdf

import (
	"encoding/binary"

	"elfwright/sdf/desc"
)

// A variable is a symbol of an image and the bytes it gets.
type variable struct {
	symbol string
	kind   string // "builtin", or what the setvar is of
	data   []byte
	exact  bool // the symbol must be as large as data; else it may be larger
	room   int  // of a larger symbol, zeros follow data up to so many bytes, over what was there
	pos    desc.Pos
}

func word(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

// builtins are the variables of Microkit's library that every image must have.
func builtins(s *desc.System, p *desc.PD) []variable {
	passive := byte(0)
	if p.Passive {
		passive = 1
	}
	b := s.Bits(p)
	list := []variable{
		{symbol: "microkit_name", data: []byte(p.Name[:min(len(p.Name), desc.MaxName)]), room: desc.MaxName},
		{symbol: "microkit_passive", data: []byte{passive}},
		{symbol: "microkit_irqs", data: word(b.IRQs)},
		{symbol: "microkit_notifications", data: word(b.Notifications)},
		{symbol: "microkit_pps", data: word(b.PPs)},
		{symbol: "microkit_ioports", data: word(b.Ports)},
	}
	for i := range list {
		list[i].kind, list[i].pos = "builtin", p.Pos()
	}
	return list
}

// setvars are those that the description names. Physical addresses are known by
// now.
func setvars(p *desc.PD, paddr map[*desc.Region]uint64) []variable {
	var list []variable
	for _, v := range p.Vars {
		n := v.Value
		switch v.Kind {
		case desc.VarSize:
			n = v.Region.Size
		case desc.VarPrefill:
			n = v.Region.Filled
		case desc.VarPaddr:
			n = paddr[v.Region]
		}
		list = append(list, variable{symbol: v.Symbol, kind: string(v.Kind), data: word(n), exact: true, pos: v.Pos()})
	}
	return list
}

// monitorNames is how many protection domains, and virtual machines, the monitor
// has room for.
const monitorNames = 64

// monitorVars are the variables of Microkit's monitor.
func monitorVars(s *desc.System) []variable {
	var pds, vms, stacks []byte
	machines := uint64(0)
	for _, p := range s.PDs {
		pds = append(pds, stored(p.Name)...)
		stacks = append(stacks, word(s.Board.StackBottom(p.StackSize))...)
		if p.VM == nil {
			continue
		}
		for range p.VM.CPUs { // a name for the thread of each
			vms = append(vms, stored(p.VM.Name)...)
			machines++
		}
	}
	if s.Board.Arch == desc.X86_64 {
		machines = 0 // there a virtual CPU is no thread of its own
	}
	return []variable{
		{symbol: "pd_names_len", data: word(uint64(len(s.PDs)))},
		{symbol: "pd_names", data: pds, room: monitorNames * desc.MaxName},
		{symbol: "vm_names_len", data: word(machines)},
		{symbol: "vm_names", data: vms, room: monitorNames * desc.MaxName},
		{symbol: "pd_stack_bottom_addrs", data: stacks, room: monitorNames * 8},
	}
}

// stored is a name as the monitor keeps it: 64 bytes with a NUL.
func stored(name string) []byte {
	b := make([]byte, desc.MaxName)
	copy(b[:desc.MaxName-1], name)
	return b
}

// bytes are those that a variable gets in a symbol of that size.
func (v *variable) bytes(size uint64) []byte {
	n := min(size, uint64(max(v.room, len(v.data))))
	return append(v.data[:len(v.data):len(v.data)], make([]byte, n-uint64(len(v.data)))...)
}
