package aarch64

import "elfwright/machine"

// kind is what a relocation type asks for.
type kind uint8

const (
	kUnknown kind = iota
	kNone
	kWord    // an address as wide as addresses are
	kAbs     // an address in fewer bits or as an immediate
	kLow     // the low bits of an address
	kPC      // a distance
	kBranch  // B, BL, and the distance to a function in data
	kNear    // B.cond, TBZ
	kGOT     // something about the GOT entry
	kGOTRel  // an address counted from the GOT
	kPatch   // an instruction
	kGD      // TLS: general dynamic
	kLD      // local dynamic
	kDTPOff  // offset in the module's block
	kIE      // initial exec
	kLE      // local exec
	kDesc    // a TLS descriptor
	kRuntime // for loaders only
)

// Types that are asked for by number.
const (
	rABS64        = 257
	rPREL32       = 261
	rADRPage      = 275
	rADDLo12      = 277
	rLDST8        = 278
	rJump26       = 282
	rCall26       = 283
	rLDST16       = 284
	rLDST32       = 285
	rLDST64       = 286
	rLDST128      = 299
	rPLT32        = 314
	rGDAdr        = 512
	rGDPage       = 513
	rGDAdd        = 514
	rGDMovG1      = 515
	rGDMovG0      = 516
	rLDAdr        = 517
	rLDPage       = 518
	rLDAdd        = 519
	rIEPage       = 541
	rIELoad       = 542
	rIELiteral    = 543
	rIEMovG1      = 539
	rIEMovG0      = 540
	rDescLiteral  = 560
	rDescAdr      = 561
	rDescPage     = 562
	rDescLoad     = 563
	rDescAddLo12  = 564
	rDescMovG1    = 565
	rDescMovG0    = 566
	rDescLDR      = 567
	rDescAdd      = 568
	rDescCall     = 569
	rRelative     = 1027
	rIRelative    = 1032
	knownTypes    = 600 // all that kinds has are below
	lastPointered = 611 // of PAuthABI
)

// kinds is by AAELF64's tables. GOT entries with signed pointers (PAuthABI) are
// not supported.
var kinds = func() (k [knownTypes]kind) {
	set := func(what kind, types ...int) {
		for _, t := range types {
			k[t] = what
		}
	}
	run := func(what kind, from, to int) {
		for t := from; t <= to; t++ {
			k[t] = what
		}
	}
	set(kNone, 0, 256)
	set(kWord, 257)
	set(kAbs, 258, 259)
	run(kAbs, 263, 272)  // MOVW_UABS, MOVW_SABS
	run(kPC, 260, 262)   // PREL
	run(kPC, 287, 293)   // MOVW_PREL
	run(kPC, 273, 276)   // LDR (literal), ADR, ADRP
	run(kLow, 277, 278)  // ADD, LDST8
	run(kLow, 284, 286)  // LDST16 to 64
	set(kLow, 299)       // LDST128
	set(kNear, 279, 280) // TSTBR14, CONDBR19
	set(kBranch, 282, 283, 314)
	run(kGOT, 300, 306) // MOVW_GOTOFF
	set(kGOTRel, 307, 308)
	run(kGOT, 309, 313)
	set(kGOT, 315)
	set(kPatch, 316)
	set(kRuntime, 317) // FUNCINIT64
	run(kGD, 512, 516)
	run(kLD, 517, 522)
	run(kDTPOff, 523, 538)
	set(kDTPOff, 572, 573)
	run(kIE, 539, 543)
	run(kLE, 544, 559)
	run(kLE, 570, 571)
	run(kDesc, 560, 569)
	return k
}()

func (t *target) kind(typ uint32) kind {
	if typ < knownTypes {
		return kinds[typ]
	}
	row := t.m.Relocs.Lookup(typ)
	switch {
	case row == nil:
	case row.Kind == machine.Marker:
		return kNone
	case row.Dynamic:
		return kRuntime
	}
	return kUnknown
}
