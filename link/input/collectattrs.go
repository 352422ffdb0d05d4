package input

import (
	"debug/elf"

	"elfwright/link/model"
)

// attributes keeps the attributes of all objects, which one of them has, if
// anything of any object stays.
func (c *collector) attributes() {
	var all []*model.Section
	some := false
	for _, o := range c.objs {
		some = some || !o.Linker && c.someKept(o)
		for _, s := range o.Sections {
			if s != nil && s.Keep && isAttributes(s) {
				all = append(all, s)
			}
		}
	}
	for _, s := range all {
		s.Needed.Store(some)
	}
}

// isAttributes says whether a section has build attributes (AAELF32, RISC-V psABI).
func isAttributes(s *model.Section) bool {
	const shtAttributes = elf.SectionType(0x70000003)
	return s.Type == shtAttributes && (s.Obj.Machine == elf.EM_ARM || s.Obj.Machine == elf.EM_RISCV)
}
