package riscv

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"

	"elfwright/link/model"
	"elfwright/machine"
)

// job is the relocating of one section.
type job struct {
	t    *target
	e    *model.Env
	s    *model.Section
	b    []byte
	base uint64 // address of b
	next int    // its next slot in Env.Dynamic
	pos  int    // of the place in b
}

// Relocate applies a section's relocations.
func (t *target) Relocate(e *model.Env, s *model.Section, b []byte) {
	j := job{t: t, e: e, s: s, b: b, next: int(s.DynFirst)}
	if s.Out != nil {
		j.base = s.Out.Addr + s.Off
	}
	if s.Moves != nil {
		j.copy()
	}
	tomb, alloc := uint64(0), s.Flags&elf.SHF_ALLOC != 0
	if !alloc {
		tomb = e.Tombstone(s)
	}
	for i := range s.Relocs {
		r := &s.Relocs[i]
		sym := s.Symbol(r)
		P, ok := j.locate(r.Off)
		if !ok {
			continue
		}
		var err error
		if sym != nil && sym.Gone() {
			if !alloc {
				err = j.bury(i, tomb)
			}
		} else if err = j.relocate(i, sym, P); err == nil {
			continue
		}
		if err != nil {
			S, _ := e.Value(s, r)
			t.overflow(e, s, r, sym, S, P, err)
		}
	}
}

// copy copies the section but for what was taken out.
func (j *job) copy() {
	from, to, total := uint64(0), 0, uint64(0)
	for _, m := range j.s.Moves {
		end := m.Off - (m.Total - total)
		to += copy(j.b[to:], j.s.Data[from:end])
		from, total = m.Off, m.Total
	}
	copy(j.b[to:], j.s.Data[from:])
}

// locate gives the address of a place, and sets j.pos.
func (j *job) locate(off uint64) (uint64, bool) {
	if j.s.Map != nil {
		t, pos, ok := j.s.Map.At(off)
		if !ok || t != j.s {
			return 0, false
		}
		off = pos
	} else {
		off = j.s.Moved(off)
	}
	j.pos = int(off)
	return j.base + off, off <= uint64(len(j.b))
}

// bury marks what refers to something that is not in the output. Of a difference
// it leaves nothing, as of an address.
func (j *job) bury(i int, tomb uint64) error {
	r := &j.s.Relocs[i]
	switch k := j.t.kind(r.Type); k {
	case kWord, kNarrow:
		return j.t.rows[r.Type].Put(j.b[j.pos:], j.e.Order, int64(tomb))
	case kMath:
		// ADDn, SUBn: the pair's other half is of the same section.
		return nil
	}
	return nil
}

// relocate applies relocation i.
func (j *job) relocate(i int, sym *model.Symbol, P uint64) error {
	t, e, s := j.t, j.e, j.s
	r := &s.Relocs[i]
	if r.Type >= changed {
		return j.changed(r, sym, P)
	}
	k := t.kind(r.Type)
	if s.Flags&elf.SHF_ALLOC == 0 {
		if err := outside(k); err != nil {
			return err
		}
	}
	S, A := e.Value(s, r)
	v := machine.Values{S: S, A: A, P: P, L: S, GOT: e.GOT, DTP: e.TLSStart, TP: e.TLSStart}
	if sym != nil && (sym.Preempt || sym.IFunc()) {
		if at, ok := e.Linkage(sym); ok && !(k == kWord && e.PIC()) && (k == kJump || k == kCall || !sym.Preempt) {
			v.S, v.L = at, at
		}
	}
	switch k {
	case kNone, kUnknown, kRuntime, kLEAdd:
		return nil // it has no value, or Scan has reported it
	case kAlign:
		return j.nops(r, P)
	case kWord:
		return j.word(r, sym, &v)
	case kNarrow, kAbs:
		if e.PIC() && s.Flags&elf.SHF_ALLOC != 0 && sym.Movable() && !sym.Absolute() {
			return e.FixedError()
		}
	case kCall:
		if j.weakCall(sym) {
			j.fromZero(4)
			return t.rows[r.Type].Put(j.b[j.pos:], e.Order, 0)
		}
	case kPCHi:
		return j.high(r, &v)
	case kPCLo:
		return j.low(r)
	case kGOT, kIE, kGD:
		G, err := j.slot(k, sym)
		if err != nil {
			return err
		}
		v.G = G
	case kULEB:
		return j.uleb(i)
	case kDesc, kDescLo, kDescCall:
		return j.desc(r, k)
	}
	return t.rows[r.Type].Apply(j.b[j.pos:], e.Order, &v)
}

// outside says what cannot be in a section that is not loaded.
func outside(k kind) error {
	switch k {
	case kNone, kWord, kNarrow, kPC, kMath, kULEB:
		return nil
	case kUnknown:
		return errors.New("this type is not supported")
	case kRuntime:
		return errors.New("only a dynamic linker makes use of this type")
	}
	return errors.New("it is of an instruction, in a section that is not loaded")
}

// nops writes what is left of an alignment, and checks that it is one.
func (j *job) nops(r *model.Reloc, P uint64) error {
	n := j.s.Moved(r.Off+uint64(r.Addend)) - j.s.Moved(r.Off)
	if a := alignment(r); (P+n)&(a-1) != 0 {
		return fmt.Errorf("%d bytes of nop do not align to %d", n, a)
	}
	if n == uint64(r.Addend) || uint64(j.pos)+n > uint64(len(j.b)) {
		return nil
	}
	b := j.b[j.pos : j.pos+int(n)]
	for ; len(b) >= 4; b = b[4:] {
		binary.LittleEndian.PutUint32(b, 0x00000013) // nop
	}
	if len(b) >= 2 {
		binary.LittleEndian.PutUint16(b, 0x0001) // c.nop
	}
	return nil
}

// word does an address that a loader may have to put right. The place stays zero,
// as with GNU ld.
func (j *job) word(r *model.Reloc, sym *model.Symbol, v *machine.Values) error {
	e := j.e
	if e.PIC() && sym != nil && j.s.Flags&elf.SHF_ALLOC != 0 && (sym.Preempt || sym.Movable() && !sym.Absolute()) {
		d := model.DynReloc{Off: v.P, Addend: int64(v.S) + v.A, Type: rRelative}
		switch {
		case sym.Preempt:
			d.Sym, d.Addend, d.Type = sym, v.A, r.Type
		case sym.IFunc():
			d.Type = rIRelative
		}
		if j.next < len(e.Dynamic) {
			e.Dynamic[j.next] = d
			j.next++
		}
		return j.t.rows[r.Type].Put(j.b[j.pos:], e.Order, 0)
	}
	return j.t.rows[r.Type].Apply(j.b[j.pos:], e.Order, v)
}

// weakCall says whether a call is of a function that nothing defines: it goes to
// address 0, from wherever it is.
func (j *job) weakCall(sym *model.Symbol) bool {
	return sym != nil && sym.State != model.Defined && !sym.Preempt && !j.e.Opt.Shared
}

// fromZero makes zero the base register of the instruction at an offset from the
// place.
func (j *job) fromZero(at int) {
	if b := j.b[j.pos:]; len(b) >= at+4 {
		setBase(b[at:], 0)
	}
}

// setBase changes rs1.
func setBase(b []byte, reg uint32) {
	binary.LittleEndian.PutUint32(b, binary.LittleEndian.Uint32(b)&^(31<<15)|reg<<15)
}

// byLUI says whether a high part is that of the address, since the distance is out
// of reach and the code does not move: auipc becomes lui. So GNU ld does it for
// symbols near zero in code that is far from there.
func (j *job) byLUI(S uint64, A int64, P uint64) bool {
	if !j.t.wide || j.e.PIC() {
		return false
	}
	X := int64(S + uint64(A))
	return !fits(X-int64(P)+0x800, 32) && fits(X+0x800, 32)
}

// high applies the high part of a distance.
func (j *job) high(r *model.Reloc, v *machine.Values) error {
	if len(j.b)-j.pos >= 4 && j.byLUI(v.S, v.A, v.P) {
		insn := binary.LittleEndian.Uint32(j.b[j.pos:])
		binary.LittleEndian.PutUint32(j.b[j.pos:], insn&^0x7f|0x37) // lui
		return j.t.rows[rHi20].Apply(j.b[j.pos:], j.e.Order, v)
	}
	return j.t.rows[r.Type].Apply(j.b[j.pos:], j.e.Order, v)
}

// distance is what a high part has the upper bits of.
func (j *job) distance(h *model.Reloc) (int64, error) {
	e, t := j.e, j.t
	sym := j.s.Symbol(h)
	P := j.base + j.s.Moved(h.Off)
	switch k := t.kind(h.Type); k {
	case kGOT, kIE, kGD:
		G, err := j.slot(k, sym)
		return int64(e.GOT + G + uint64(h.Addend) - P), err
	}
	S, A := e.Value(j.s, h)
	if sym != nil && sym.IFunc() && !sym.Preempt {
		if at, ok := e.Linkage(sym); ok {
			S = at
		}
	}
	if j.byLUI(S, A, P) {
		return int64(S) + A, nil
	}
	return int64(S + uint64(A) - P), nil
}

// low applies the low part of what the high part at its label has.
func (j *job) low(r *model.Reloc) error {
	h, err := j.t.high(j.s, r)
	if err != nil {
		return err
	}
	x, err := j.distance(h)
	if err != nil {
		return err
	}
	if (x+0x800)>>12 != (x+r.Addend+0x800)>>12 {
		return fmt.Errorf("with the addend %d the low part needs another high part", r.Addend)
	}
	return j.t.rows[r.Type].Put(j.b[j.pos:], j.e.Order, x+r.Addend)
}

// slot is the offset of a symbol's GOT entry from the GOT.
func (j *job) slot(k kind, sym *model.Symbol) (uint64, error) {
	at := int64(-1)
	if sym != nil && sym.Aux != nil && j.e.SecGOT != nil {
		switch k {
		case kGOT:
			at = sym.Aux.GOT
		case kIE:
			at = sym.Aux.GOTTP
		case kGD:
			at = sym.Aux.TLSGD
		case kDesc:
			at = sym.Aux.TLSDesc
		}
	}
	if at < 0 {
		return 0, errors.New("the symbol has no GOT entry of the kind")
	}
	return j.e.SecGOT.Addr(uint64(at)) - j.e.GOT, nil
}

// uleb writes the difference of a pair at its second half; its length stays.
func (j *job) uleb(i int) error {
	other, err := pair(j.s, i)
	if err != nil || j.s.Relocs[i].Type == rSetULEB128 {
		return err
	}
	set, sub := other, &j.s.Relocs[i]
	S, A := j.e.Value(j.s, set)
	S2, A2 := j.e.Value(j.s, sub)
	x := j.t.reduce(S + uint64(A) - S2 - uint64(A2))
	n := 0
	for n < len(j.b)-j.pos && j.b[j.pos+n]&0x80 != 0 {
		n++
	}
	if bits := 7 * (n + 1); bits < 64 && x>>bits != 0 {
		return fmt.Errorf("the difference %#x does not fit the %d bytes of the number", x, n+1)
	}
	return j.t.rows[rSubULEB128].Put(j.b[j.pos:], j.e.Order, int64(x))
}

// changed writes what Relax decided.
func (j *job) changed(r *model.Reloc, sym *model.Symbol, P uint64) error {
	S, A := j.e.Value(j.s, r)
	if sym != nil && (sym.Preempt || sym.IFunc()) {
		if at, ok := j.e.Linkage(sym); ok {
			S = at
		}
	}
	b := j.b[j.pos:]
	switch r.Type {
	case goneLUI, goneAUIPC, goneTP:
		return nil
	case callJAL, callCJ, callZero:
		return j.call(r, &machine.Values{S: S, A: A, P: P, L: S})
	case shortLUI:
		return j.compressedLUI(r, S+uint64(A))
	case tpLoI, tpLoS:
		setBase(b, 4) // tp
		return j.low12(public(r.Type), j.e.TPOff(S+uint64(A)), "tp")
	case pcLoI, pcLoS:
		h, err := j.t.high(j.s, r)
		if err != nil {
			return err
		}
		S, A = j.e.Value(j.s, h)
		A += r.Addend
	}
	X := j.t.reduce(S + uint64(A))
	if fits(int64(X), 12) {
		setBase(b, 0)
		return j.low12(public(r.Type), int64(X), "zero")
	}
	setBase(b, 3) // gp
	return j.low12(public(r.Type), int64(X-j.e.GP), "gp")
}

// low12 writes an offset of twelve bits.
func (j *job) low12(typ uint32, x int64, base string) error {
	if !fits(x, 12) {
		return fmt.Errorf("it was in reach of %s when the code was shortened, and is %#x away now; link with --no-relax", base, x)
	}
	return j.t.rows[typ].Put(j.b[j.pos:], j.e.Order, x)
}

// call writes the one instruction that a call became. The register that takes the
// return address is that of the jalr, which is gone.
func (j *job) call(r *model.Reloc, v *machine.Values) error {
	if r.Off+8 > uint64(len(j.s.Data)) {
		return errors.New("there are no two instructions")
	}
	rd := binary.LittleEndian.Uint32(j.s.Data[r.Off+4:]) & (31 << 7)
	b := j.b[j.pos:]
	switch {
	case r.Type == callCJ && rd == 0:
		binary.LittleEndian.PutUint16(b, 0xa001) // c.j
	case r.Type == callCJ:
		binary.LittleEndian.PutUint16(b, 0x2001) // c.jal
	case r.Type == callJAL:
		binary.LittleEndian.PutUint32(b, 0x0000006f|rd) // jal rd
	default:
		binary.LittleEndian.PutUint32(b, 0x00000067|rd) // jalr rd, 0(zero)
		return j.low12(rLo12I, int64(v.S)+v.A, "zero")
	}
	return j.t.rows[public(r.Type)].Apply(b, j.e.Order, v)
}

// compressedLUI writes c.lui, which cannot have 0: that is c.li.
func (j *job) compressedLUI(r *model.Reloc, X uint64) error {
	high := int64((X + 0x800) &^ 0xfff)
	if !fits(high, 18) {
		return fmt.Errorf("its high part was in reach of c.lui when the code was shortened, and is %#x now; link with --no-relax", high)
	}
	insn := uint16(binary.LittleEndian.Uint32(j.s.Data[r.Off:]) & (31 << 7))
	if high == 0 {
		insn |= 0x4001 // c.li rd, 0
	} else {
		insn |= 0x6001 | uint16(high>>12&31)<<2 | uint16(high>>17&1)<<12 // c.lui
	}
	binary.LittleEndian.PutUint16(j.b[j.pos:], insn)
	return nil
}

// desc applies the four relocations of a TLS descriptor's sequence (psABI, "TLS
// Descriptors"). An executable knows the offset, or where the GOT has it:
//
//	auipc tX, %tlsdesc_hi      nop                      nop
//	l[wd] tY, …(tX)            nop                      nop
//	addi  a0, tX, …            lui a0, %tprel_hi        auipc a0, %got_hi
//	jalr  t0, tY               addi a0, a0, %tprel_lo   l[wd] a0, …(a0)
func (j *job) desc(r *model.Reloc, k kind) error {
	h := r
	if k != kDesc {
		var err error
		if h, err = j.t.high(j.s, r); err != nil {
			return err
		}
	}
	sym, b := j.s.Symbol(h), j.b[j.pos:]
	if !j.e.Opt.Shared {
		if k == kDesc || r.Type == rTLSDescLoad {
			binary.LittleEndian.PutUint32(b, 0x13) // nop
			return nil
		}
		return j.descKnown(r, h, sym)
	}
	if k == kDescCall {
		return nil
	}
	G, err := j.slot(kDesc, sym)
	if err != nil {
		return err
	}
	P := j.base + j.s.Moved(h.Off)
	return j.t.rows[r.Type].Apply(b, j.e.Order, &machine.Values{G: G, GOT: j.e.GOT, A: h.Addend, P: P})
}

// descKnown writes the two instructions that an executable needs.
func (j *job) descKnown(r, h *model.Reloc, sym *model.Symbol) error {
	const a0 = 10
	upper, lower := uint32(0x37|a0<<7), uint32(0x13|a0<<7|a0<<15) // lui; addi
	S, A := j.e.Value(j.s, h)
	x := j.e.TPOff(S + uint64(A))
	if sym.Preempt {
		G, err := j.slot(kIE, sym)
		if err != nil {
			return err
		}
		at, err := j.descAdd(h)
		if err != nil {
			return err
		}
		x = int64(j.e.GOT + G + uint64(h.Addend) - at)
		upper, lower = 0x17|a0<<7, 0x3003|a0<<7|a0<<15 // auipc; ld
		if !j.t.wide {
			lower &^= 0x1000 // lw
		}
	}
	b := j.b[j.pos:]
	if r.Type == rTLSDescAdd {
		binary.LittleEndian.PutUint32(b, upper)
		return j.t.rows[rHi20].Put(b, j.e.Order, x)
	}
	binary.LittleEndian.PutUint32(b, lower)
	return j.t.rows[rLo12I].Put(b, j.e.Order, x)
}

// descAdd is where the addi of a sequence is, which becomes the auipc.
func (j *job) descAdd(h *model.Reloc) (uint64, error) {
	for i := range j.s.Relocs {
		r := &j.s.Relocs[i]
		if r.Type != rTLSDescAdd {
			continue
		}
		if label := j.s.Symbol(r); label != nil && label.Sec == j.s && label.Value == h.Off {
			return j.base + j.s.Moved(r.Off), nil
		}
	}
	return 0, errors.New("the sequence has no addition")
}
