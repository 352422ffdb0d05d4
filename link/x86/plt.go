package x86

import "elfwright/link/model"

// PLT is the procedure linkage. With indirect branch tracking (-z ibtplt) an
// entry begins with endbr, and its second half is where an unresolved slot leads;
// GNU ld puts the two halves into two sections, which no caller can tell.
func (t *target) PLT(e *model.Env) model.PLT {
	p := model.PLT{Header: 16, Entry: 16, Align: 16, Lazy: 6}
	if e.Opt.IBT || e.Opt.IBTPLT {
		p.Entry, p.Lazy = 32, 16
	}
	if t.wide {
		p.WriteHeader, p.WriteEntry = header64, entry64
		if p.Lazy == 16 {
			p.WriteEntry = entry64IBT
		}
		return p
	}
	p.WriteHeader, p.WriteEntry = header32, entry32
	if e.PIC() {
		p.WriteHeader, p.WriteEntry = header32PIC, entry32PIC
	}
	if p.Lazy == 16 {
		p.WriteEntry = entry32IBT
	}
	return p
}

// put32 writes v, of which the distances have been checked by whoever placed the
// sections within 2 GiB of each other.
func put32(b []byte, v uint64) {
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

func header64(_ *model.Env, b []byte, at, gotplt uint64) {
	copy(b, []byte{
		0xff, 0x35, 0, 0, 0, 0, // pushq GOTPLT+8(%rip)
		0xff, 0x25, 0, 0, 0, 0, // jmpq *GOTPLT+16(%rip)
		0x0f, 0x1f, 0x40, 0x00, // nopl 0(%rax)
	})
	put32(b[2:], gotplt+8-(at+6))
	put32(b[8:], gotplt+16-(at+12))
}

// start is the address of the header, given an entry's address and number.
func start(at uint64, size, index int) uint64 { return at - 16 - uint64(size*index) }

func entry64(_ *model.Env, b []byte, at, got uint64, index int) {
	copy(b, []byte{
		0xff, 0x25, 0, 0, 0, 0, // jmpq *slot(%rip)
		0x68, 0, 0, 0, 0, // pushq $index
		0xe9, 0, 0, 0, 0, // jmpq header
	})
	put32(b[2:], got-(at+6))
	put32(b[7:], uint64(index))
	put32(b[12:], start(at, 16, index)-(at+16))
}

func entry64IBT(_ *model.Env, b []byte, at, got uint64, index int) {
	copy(b, []byte{
		0xf3, 0x0f, 0x1e, 0xfa, // endbr64
		0xff, 0x25, 0, 0, 0, 0, // jmpq *slot(%rip)
		0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, // nopw 0(%rax,%rax,1)
		0xf3, 0x0f, 0x1e, 0xfa, // endbr64
		0x68, 0, 0, 0, 0, // pushq $index
		0xe9, 0, 0, 0, 0, // jmpq header
		0x66, 0x90, // xchg %ax,%ax
	})
	put32(b[6:], got-(at+10))
	put32(b[21:], uint64(index))
	put32(b[26:], start(at, 32, index)-(at+30))
}

func header32(_ *model.Env, b []byte, _, gotplt uint64) {
	copy(b, []byte{
		0xff, 0x35, 0, 0, 0, 0, // pushl GOTPLT+4
		0xff, 0x25, 0, 0, 0, 0, // jmp *GOTPLT+8
	})
	put32(b[2:], gotplt+4)
	put32(b[8:], gotplt+8)
}

func header32PIC(_ *model.Env, b []byte, _, _ uint64) {
	copy(b, []byte{
		0xff, 0xb3, 4, 0, 0, 0, // pushl 4(%ebx)
		0xff, 0xa3, 8, 0, 0, 0, // jmp *8(%ebx)
	})
}

// relSize is the size of Elf32_Rel: an entry pushes the offset of its relocation.
const relSize = 8

func entry32(_ *model.Env, b []byte, at, got uint64, index int) {
	copy(b, []byte{
		0xff, 0x25, 0, 0, 0, 0, // jmp *slot
		0x68, 0, 0, 0, 0, // pushl $reloc
		0xe9, 0, 0, 0, 0, // jmp header
	})
	put32(b[2:], got)
	put32(b[7:], uint64(index*relSize))
	put32(b[12:], start(at, 16, index)-(at+16))
}

func entry32PIC(e *model.Env, b []byte, at, got uint64, index int) {
	entry32(e, b, at, got, index)
	b[1] = 0xa3 // jmp *slot@GOT(%ebx)
	put32(b[2:], got-e.GOT)
}

func entry32IBT(e *model.Env, b []byte, at, got uint64, index int) {
	copy(b, []byte{
		0xf3, 0x0f, 0x1e, 0xfb, // endbr32
		0xff, 0x25, 0, 0, 0, 0, // jmp *slot
		0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, // nopw 0(%eax,%eax,1)
		0xf3, 0x0f, 0x1e, 0xfb, // endbr32
		0x68, 0, 0, 0, 0, // pushl $reloc
		0xe9, 0, 0, 0, 0, // jmp header
		0x66, 0x90, // xchg %ax,%ax
	})
	put32(b[6:], got)
	if e.PIC() {
		b[5] = 0xa3 // jmp *slot@GOT(%ebx)
		put32(b[6:], got-e.GOT)
	}
	put32(b[21:], uint64(index*relSize))
	put32(b[26:], start(at, 32, index)-(at+30))
}
