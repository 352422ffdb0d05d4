package x86

// Types of x86-64 that are asked for by number.
const (
	r64Word       = 1
	r64PC32       = 2
	r64PLT32      = 4
	r64Relative   = 8
	r64Abs32      = 10
	r64Abs32S     = 11
	r64RexGOTX    = 42
	r64IRelative  = 37
	r64Code4Desc  = 45
	r64DescNormal = 34
)

// Types of i386.
const (
	r32Word      = 1
	r32PC32      = 2
	r32PLT32     = 4
	r32Relative  = 8
	r32IE        = 15
	r32GOTIE     = 16
	r32IE32      = 33
	r32IRelative = 42
	r32GOTOff    = 9
)

// kinds64 is by the psABI's table, "Relocation Types".
var kinds64 = []kind{
	0: kNone, 1: kWord, 2: kPC, 3: kGOT, 4: kPLT, 5: kRuntime, 6: kRuntime, 7: kRuntime, 8: kRuntime,
	9: kGOT, 10: kNarrow, 11: kNarrow, 12: kNarrow, 13: kPC, 14: kNarrow, 15: kPC,
	16: kRuntime, 17: kDTPOff, 18: kLE, 19: kGD, 20: kLD, 21: kDTPOff, 22: kIE, 23: kLE,
	24: kPC, 25: kGOTOff, 26: kGOTBase, 27: kGOT, 28: kGOT, 29: kGOTBase, 30: kGOT, 31: kPLTOff,
	32: kSize, 33: kSize, 34: kDesc, 35: kDescCall, 36: kRuntime, 37: kRuntime, 38: kRuntime,
	39: kPC, 40: kPLT, 41: kLoad, 42: kLoad,
	// The instructions of APX: what they load stays in the GOT.
	43: kGOT, 44: kIEKeep, 45: kDesc, 46: kGOT, 47: kIEKeep, 48: kDesc, 49: kGOT, 50: kIEKeep, 51: kDesc,
}

// kinds32 is by the Intel386 psABI's. Sun's forms of the TLS types, which no
// assembler writes, are not known.
var kinds32 = []kind{
	0: kNone, 1: kWord, 2: kPC, 3: kGOT, 4: kPLT, 5: kRuntime, 6: kRuntime, 7: kRuntime, 8: kRuntime,
	9: kGOTOff, 10: kGOTBase, 14: kRuntime, 15: kIE, 16: kIE, 17: kLE, 18: kGD, 19: kLD,
	20: kNarrow, 21: kPC, 22: kNarrow, 23: kPC, 32: kDTPOff, 33: kIE, 34: kLE,
	35: kRuntime, 36: kRuntime, 37: kRuntime, 38: kSize, 39: kDesc, 40: kDescCall, 41: kRuntime, 42: kRuntime, 43: kLoad,
}
