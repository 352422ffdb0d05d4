package x86

// The thread pointer into %eax, the offset, which is negative, subtracted.
const le32 = "\x65\xa1\x00\x00\x00\x00" + // movl %gs:0, %eax
	"\x81\xe8\x00\x00\x00\x00" // subl $-off, %eax

// callBehind gives the end of a call of ___tls_get_addr: call rel32, call
// *disp32(%reg), or addr32 call rel32.
func callBehind(b []byte, at int) (end int, direct bool) {
	switch {
	case has(b, at, "\xe8"):
		return at + 5, true
	case has(b, at, "\x67\xe8"):
		return at + 6, false
	case has(b, at, "\xff") && at+1 < len(b) && b[at+1]&0xf8 == 0x90 && b[at+1] != 0x94:
		return at + 6, false
	}
	return 0, false
}

// unitGD32 finds general dynamic:
//
//	leal x@tlsgd(,%ebx,1), %eax; call ___tls_get_addr@PLT
//	leal x@tlsgd(%ebx), %eax;    call ___tls_get_addr@PLT; nop
//	leal x@tlsgd(%reg), %eax;    call *___tls_get_addr@GOT(%reg)
//
// all of twelve bytes.
func unitGD32(b []byte, off int) (unit, bool) {
	u := unit{code: le32, operand: 8}
	end, direct := callBehind(b, off+4)
	switch {
	case end == 0:
		return u, false
	case direct && off >= 3 && b[off-3] == 0x8d && b[off-2] == 0x04 && b[off-1]&0xc7 == 0x05:
		u.from, u.reg = off-3, b[off-1]>>3&7
	case off >= 2 && b[off-2] == 0x8d && b[off-1]&0xf8 == 0x80 && b[off-1] != 0x84:
		if direct {
			if !has(b, end, "\x90") {
				return u, false
			}
			end++
		}
		u.from, u.reg = off-2, b[off-1]&7
	default:
		return u, false
	}
	u.to = end
	return u, u.to <= len(b) && u.to-u.from == len(u.code)
}

// unitLD32 finds local dynamic:
//
//	leal x@tlsldm(%reg), %eax; call ___tls_get_addr@PLT, or *___tls_get_addr@GOT(%reg)
func unitLD32(b []byte, off int) (unit, bool) {
	const tp = "\x65\xa1\x00\x00\x00\x00" // movl %gs:0, %eax
	u := unit{from: off - 2}
	end, direct := callBehind(b, off+4)
	if end == 0 || off < 2 || b[off-2] != 0x8d || b[off-1]&0xf8 != 0x80 || b[off-1] == 0x84 {
		return u, false
	}
	u.to = end
	if direct {
		u.code = tp + "\x90\x8d\x74\x26\x00" // nop; leal 0(%esi,1), %esi
	} else {
		u.code = tp + "\x8d\xb6\x00\x00\x00\x00" // leal 0(%esi), %esi
	}
	return u, u.to <= len(b)
}

// isIE32 says whether it is a load of an offset: movl, addl (@indntpoff,
// @gotntpoff) or movl, subl (@gottpoff).
func isIE32(b []byte, off int, typ uint32) bool {
	op, mod := b[off-2], b[off-1]
	if typ == r32IE {
		// movl x, %eax has an opcode and no ModRM byte.
		return mod == 0xa1 || (op == 0x8b || op == 0x03) && mod&0xc7 == 0x05
	}
	if mod&0xc0 != 0x80 || mod&7 == 4 {
		return false
	}
	return op == 0x8b || typ == r32GOTIE && op == 0x03 || op == 0x2b
}

// initial32 changes such an instruction. x is the offset from the thread pointer,
// negative; @gottpoff has it without its sign.
func initial32(b []byte, off int, x int64, typ uint32) {
	op, mod := b[off-2], b[off-1]
	reg := mod >> 3 & 7
	switch {
	case typ == r32IE && mod == 0xa1:
		b[off-1] = 0xb8 // movl $off, %eax
	case op == 0x8b:
		b[off-2], b[off-1] = 0xc7, 0xc0|reg // movl $off, %reg
	case op == 0x2b:
		b[off-2], b[off-1] = 0x81, 0xe8|reg // subl $off, %reg
	default:
		b[off-2], b[off-1] = 0x81, 0xc0|reg // addl $off, %reg
	}
	if typ == r32IE32 {
		x = -x
	}
	put32(b[off:], uint64(x))
}
