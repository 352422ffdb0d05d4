package link

import (
	"debug/elf"
	"fmt"

	"elfwright/link/emul"
	"elfwright/link/input"
	"elfwright/link/model"
)

// Emulation is what a link is for: as -m says, or the first object on the command
// line, with -EB or -EL; x86-64 if nobody tells.
func Emulation(opt *model.Options) (*emul.Emulation, error) {
	e := emul.ByName(opt.Emulation)
	if e == nil {
		if machine, class, data, ok := input.First(opt); ok {
			e = emul.For(machine, class, data)
		}
	}
	if e == nil {
		e = emul.For(elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB)
	}
	if !opt.Big && !opt.Little {
		return e, nil
	}
	o := e.Ordered(opt.Big)
	if o == nil {
		return nil, fmt.Errorf("%s has no big-endian form", e.Name)
	}
	return o, nil
}
