package link

import (
	"debug/elf"

	"elfwright/link/model"
)

// tlsBaseName is the symbol by which code finds the block of its module ("TLS
// descriptors", in the place of local dynamic).
const tlsBaseName = "_TLS_MODULE_BASE_"

// defineTLSBase defines the symbol at the start of the thread-local sections, as
// GNU ld does: on Arm's machines always, on x86 where code names it, on RISC-V
// never.
func (l *linkage) defineTLSBase() {
	out := firstTLS(l.env.Outputs)
	if out == nil || l.opt.Relocatable {
		return
	}
	sym := l.env.Table.Get(tlsBaseName)
	switch l.emul.Machine {
	case elf.EM_AARCH64, elf.EM_ARM:
		if sym == nil {
			sym = l.env.Table.Intern(tlsBaseName)
		}
	case elf.EM_X86_64, elf.EM_386:
		if sym == nil || sym.Type != elf.STT_TLS {
			return
		}
	default:
		return
	}
	if sym.State == model.Defined || sym.State == model.Common {
		return
	}
	sym.State, sym.Out, sym.Obj = model.Defined, out, l.own.Object
	sym.Bind, sym.Type, sym.Vis = elf.STB_LOCAL, elf.STT_TLS, elf.STV_DEFAULT
	sym.Exported, sym.Preempt = false, false
	l.own.Object.Symbols = append(l.own.Object.Symbols, sym)
	l.tlsBase = sym
}

func firstTLS(outs []*model.Output) *model.Output {
	for _, o := range outs {
		if o.Flags&elf.SHF_TLS != 0 && o.Flags&elf.SHF_ALLOC != 0 {
			return o
		}
	}
	return nil
}

// moveTLSBase puts the symbol, in an executable of x86, to the thread pointer,
// from which offsets count there when the code has become local exec.
func (l *linkage) moveTLSBase() {
	e := l.env
	if l.tlsBase == nil || e.Opt.Shared || l.emul.Machine != elf.EM_X86_64 && l.emul.Machine != elf.EM_386 {
		return
	}
	l.tlsBase.Value = uint64(-e.TPOff(l.tlsBase.Out.Addr))
}
