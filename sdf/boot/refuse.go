package boot

import (
	"fmt"

	"elfwright/sdf/desc"
)

// refuse finds what the description asks for and the runtime does not have.
func (m *maker) refuse() {
	for _, p := range m.sys.PDs {
		m.domain(p)
	}
	for _, r := range m.sys.Regions {
		if r.BootInfo != "" {
			m.faultf(r.Pos(), "memory_region %s: there is no kernel that tells %s", r.Name, r.BootInfo)
		}
	}
	for _, s := range m.sys.IOSpaces {
		m.faultf(s.Pos(), "io_address_space %s: devices reach no memory", s.Name)
	}
	if len(m.sys.Domains) > 0 {
		m.faultf(m.sys.Domains[0].Pos(), "there is no schedule of domains; all may run always")
	}
}

func (m *maker) domain(p *desc.PD) {
	for _, i := range p.IRQs {
		m.faultf(i.Pos(), "protection_domain %s: interrupts are not delivered", p.Name)
	}
	for _, i := range p.Ports {
		m.faultf(i.Pos(), "protection_domain %s: I/O ports cannot be used", p.Name)
	}
	for _, c := range p.Caps {
		m.faultf(c.Pos(), "protection_domain %s: there are no capabilities such as that of %s", p.Name, c.PD)
	}
	if p.VM != nil {
		m.faultf(p.VM.Pos(), "virtual_machine %s does not run", p.VM.Name)
	}
	for _, x := range []struct {
		is   bool
		what string
	}{
		{p.SMC, "secure monitor calls are not forwarded"},
		{p.CPU > 0, fmt.Sprintf("one core runs, and not core %d", p.CPU)},
		{p.Budget < p.Period, fmt.Sprintf("time is not bounded, and the budget, %d, is below the period, %d", p.Budget, p.Period)},
		{!p.FPU, "floating point is not forbidden"},
	} {
		if x.is {
			m.faultf(p.Pos(), "protection_domain %s: %s", p.Name, x.what)
		}
	}
}

// faultf is an error, or with Options.Lenient a warning.
func (m *maker) faultf(pos desc.Pos, format string, args ...any) {
	f := desc.Finding{Pos: pos, Level: desc.Fault, Rule: "runtime", Msg: fmt.Sprintf(format, args...)}
	if m.opt.Lenient {
		f.Level = desc.Warning
	}
	m.found = append(m.found, f)
}

// need is an error that nothing makes a warning.
func (m *maker) need(pos desc.Pos, format string, args ...any) {
	m.found = append(m.found, desc.Finding{Pos: pos, Level: desc.Fault, Rule: "memory", Msg: fmt.Sprintf(format, args...)})
}
