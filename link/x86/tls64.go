package x86

import (
	"errors"

	"elfwright/link/model"
)

func has(b []byte, at int, code string) bool {
	return at >= 0 && at+len(code) <= len(b) && string(b[at:at+len(code)]) == code
}

// The thread pointer into %rax, the offset added.
const le64 = "\x64\x48\x8b\x04\x25\x00\x00\x00\x00" + // movq %fs:0, %rax
	"\x48\x8d\x80\x00\x00\x00\x00" // leaq off(%rax), %rax

// largeCall is the call of the large code model, behind a lea:
//
//	movabsq $__tls_get_addr@pltoff, %rax
//	addq    %rbx, %rax        or %r15
//	call    *%rax
func largeCall(b []byte, at int) bool {
	return has(b, at, "\x48\xb8") && (has(b, at+10, "\x48\x01\xd8\xff\xd0") || has(b, at+10, "\x4c\x01\xf8\xff\xd0"))
}

// unitGD64 finds general dynamic:
//
//	data16 leaq x@tlsgd(%rip), %rdi     66 48 8d 3d …
//	data16 data16 rex.W call __tls_get_addr@PLT, or
//	data16 rex.W call *__tls_get_addr@GOTPCREL(%rip), or rex.W addr32 call
//
// or, in the large code model, leaq x@tlsgd(%rip), %rdi and largeCall.
func unitGD64(b []byte, off int) (unit, bool) {
	if has(b, off-4, "\x66\x48\x8d\x3d") {
		for _, call := range []string{"\x66\x66\x48\xe8", "\x66\x48\xff\x15", "\x66\x48\x67\xe8"} {
			if has(b, off+4, call) && off+12 <= len(b) {
				return unit{from: off - 4, to: off + 12, code: le64, operand: 12}, true
			}
		}
	}
	if has(b, off-3, "\x48\x8d\x3d") && largeCall(b, off+4) {
		return unit{from: off - 3, to: off + 19, operand: 12,
			code: le64 + "\x66\x0f\x1f\x44\x00\x00"}, true // nopw 0(%rax,%rax,1)
	}
	return unit{}, false
}

// unitLD64 finds local dynamic:
//
//	leaq x@tlsld(%rip), %rdi            48 8d 3d …
//	call __tls_get_addr@PLT, or call *__tls_get_addr@GOTPCREL(%rip), or largeCall
func unitLD64(b []byte, off int) (unit, bool) {
	const tp = "\x64\x48\x8b\x04\x25\x00\x00\x00\x00" // movq %fs:0, %rax
	u := unit{from: off - 3}
	switch {
	case !has(b, off-3, "\x48\x8d\x3d"):
		return u, false
	case has(b, off+4, "\xe8"):
		u.to, u.code = off+9, "\x66\x66\x66"+tp
	case has(b, off+4, "\xff\x15"), has(b, off+4, "\x67\xe8"):
		u.to, u.code = off+10, "\x66\x66\x66\x66"+tp
	case largeCall(b, off+4):
		u.to, u.code = off+19, "\x66\x66\x66\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00"+tp // nopw %cs:0(%rax,%rax,1)
	default:
		return u, false
	}
	return u, u.to <= len(b)
}

// isIE64 says whether it is movq or addq x@gottpoff(%rip), %reg.
func isIE64(b []byte, off int) bool {
	if off < 3 || b[off-1]&0xc7 != 0x05 || b[off-3]&0xfb != 0x48 {
		return false
	}
	return b[off-2] == 0x8b || b[off-2] == 0x03
}

// initial64 changes such an instruction; 4 is %rsp or %r12, which lea cannot have
// as a base without another byte.
func initial64(b []byte, off int, x int64) error {
	reg := b[off-1] >> 3 & 7
	switch {
	case b[off-2] == 0x8b: // movq $off, %reg
		b[off-2], b[off-1] = 0xc7, 0xc0|reg
		rexToBase(b[off-3:])
	case reg == 4: // addq $off, %reg
		b[off-2], b[off-1] = 0x81, 0xc0|reg
		rexToBase(b[off-3:])
	default: // leaq off(%reg), %reg
		b[off-2], b[off-1] = 0x8d, 0x80|reg<<3|reg
		if b[off-3]&4 != 0 {
			b[off-3] |= 1
		}
	}
	return put32Signed(b[off:], x)
}

// initial makes initial exec into local exec.
func (j *job) initial(r *model.Reloc, S uint64) error {
	x := j.e.TPOff(S)
	if j.t.wide {
		return initial64(j.b, j.pos, x)
	}
	initial32(j.b, j.pos, x, r.Type)
	return nil
}

// descForm says whether the instruction is one that loads a descriptor's address:
// leaq x@tlsdesc(%rip), %reg, or on i386 leal x@tlsdesc(%ebx), %eax.
func (t *target) descForm(b []byte, r *model.Reloc) bool {
	off := int(r.Off)
	if t.wide {
		if r.Type != r64DescNormal && r.Type != r64Code4Desc {
			return false
		}
		if r.Type == r64Code4Desc && (off < 4 || b[off-4] != 0xd5) {
			return false
		}
		return off >= 3 && b[off-2] == 0x8d && b[off-1]&0xc7 == 0x05
	}
	return off >= 2 && b[off-2] == 0x8d && b[off-1]&0xf8 == 0x80
}

// desc changes the first instruction of a descriptor's sequence; the second, the
// call, is only taken out.
func (j *job) desc(r *model.Reloc, sym *model.Symbol, S uint64, A int64, P uint64) error {
	if sym.Preempt {
		return j.descIE(sym, P)
	}
	x, b, off := j.e.TPOff(S), j.b, j.pos
	if !j.t.wide {
		b[off-1] = 0x05 | b[off-1]&0x38 // leal off, %eax
		put32(b[off:], uint64(x+A))
		return nil
	}
	reg := b[off-1] >> 3 & 7
	b[off-2], b[off-1] = 0xc7, 0xc0|reg // movq $off, %reg
	if r.Type == r64Code4Desc {
		// The REX2 payload has the register's upper bits twice: R4 R3 and B4 B3.
		p := &b[off-3]
		*p = *p&^0x44 | *p>>2&0x11
	} else {
		rexToBase(b[off-3:])
	}
	return put32Signed(b[off:], x+A+4)
}

// descIE loads the offset from the GOT: movq x@gottpoff(%rip), %reg, or on i386
// movl x@gotntpoff(%ebx), %eax.
func (j *job) descIE(sym *model.Symbol, P uint64) error {
	if sym.Aux == nil || sym.Aux.GOTTP < 0 {
		return errors.New("the symbol has no GOT entry of the kind")
	}
	slot := j.e.SecGOT.Addr(uint64(sym.Aux.GOTTP))
	j.b[j.pos-2] = 0x8b
	if j.t.wide {
		return put32Signed(j.b[j.pos:], int64(slot-(P+4)))
	}
	put32(j.b[j.pos:], slot-j.e.GOT)
	return nil
}
