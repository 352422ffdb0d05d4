package link

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
)

// warnSegments warns of memory that can be written and executed, by default as GNU
// ld does.
func (l *linkage) warnSegments() {
	if l.opt.Relocatable || l.opt.Dialect == "lld" {
		return
	}
	quiet := l.opt.WarnRWX != nil && !*l.opt.WarnRWX
	for _, s := range l.segs {
		switch {
		case s.Type == elf.PT_GNU_STACK && s.Flags&elf.PF_X != 0:
			l.warnStack()
		case quiet || s.Memsz == 0:
		case s.Type == elf.PT_LOAD && s.Flags&(elf.PF_R|elf.PF_W|elf.PF_X) == elf.PF_R|elf.PF_W|elf.PF_X:
			l.env.Report.Warn(fmt.Errorf("the LOAD segment at %#x has RWX permissions: its memory can be written and executed", s.Vaddr))
		case s.Type == elf.PT_TLS && s.Flags&elf.PF_X != 0:
			l.env.Report.Warn(fmt.Errorf("the TLS segment at %#x has execute permission", s.Vaddr))
		}
	}
}

// warnStack says why the stack is executable.
func (l *linkage) warnStack() {
	warn := l.opt.WarnExecStack
	if warn != nil && !*warn {
		return
	}
	exec, silent := l.inputs.StackExec, l.inputs.StackSilent
	switch {
	case l.opt.ExecStack != nil:
		if warn != nil {
			l.env.Report.Warn(fmt.Errorf("the stack is executable because of -z execstack"))
		}
	case exec != nil:
		l.env.Report.Warn(fmt.Errorf("%s requires an executable stack: its .note.GNU-stack is executable", place(exec)))
	case silent != nil:
		l.env.Report.Warn(fmt.Errorf("%s: missing .note.GNU-stack section implies executable stack", place(silent)))
	}
}

// place names an object for a message.
func place(o *model.Object) string {
	if o.Archive != "" {
		return o.Archive + "(" + o.Member + ")"
	}
	return o.File
}
