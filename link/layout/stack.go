package layout

import "debug/elf"

// stackFlags are p_flags of PT_GNU_STACK: by the option, else if any object says
// what it needs; 0: there is none.
func (s *Script) stackFlags() elf.ProgFlag {
	if s.opt.NoGnuStack {
		return 0
	}
	rw := elf.PF_R | elf.PF_W
	if x := s.opt.ExecStack; x != nil {
		if *x {
			return rw | elf.PF_X
		}
		return rw
	}
	if said, exec := s.stack(); said {
		return rw | exec
	}
	return 0
}

// stackOf goes over the objects: whether any says what it needs of the stack, and
// whether that is to be executable.
func (s *Script) stackOf() (said bool, exec elf.ProgFlag) {
	said = s.opt.StackSize != nil && *s.opt.StackSize > 0
	for _, o := range s.env.Objects {
		if o.Linker || o.JustSymbols {
			continue
		}
		found := false
		any := false
		for _, sec := range o.Sections {
			if sec == nil {
				continue
			}
			any = true
			if sec.Name == ".note.GNU-stack" {
				found = true
				if sec.Flags&elf.SHF_EXECINSTR != 0 {
					exec = elf.PF_X
				}
			}
		}
		said = said || found
		if !found && any && s.machine.execStack {
			exec = elf.PF_X
		}
	}
	return said, exec
}

// stackNote lets an object say of its stack what its parts say, or fail to say.
func (s *Script) stackNote() {
	for _, o := range s.order {
		if o.name == ".note.GNU-stack" && !o.removed {
			o.out.Flags &^= elf.SHF_EXECINSTR
			if s.stackFlags()&elf.PF_X != 0 {
				o.out.Flags |= elf.SHF_EXECINSTR
			}
		}
	}
}
