package machine

import "strings"

// Formula is how a relocation type computes its value: postfix notation, one
// byte an operand or operator, so that it is data which costs nothing to
// compare, is evaluated in a few nanoseconds, and prints itself the way the
// psABIs write it. "SA+P-" is S + A - P.
//
// Operands:
//
//	S A P B G L Z T V      as in Values; V is what the place holds
//	O GOT   o GOT_ORG      the GOT's address, as x86 and RISC-V, as Arm writes it
//	e GOT(S)               address of the GOT entry (Arm)
//	g G(GDAT(S))           address of the GOT entry (AArch64), likewise:
//	i G(GTLSIDX(S))   m G(GLDM(S))   t G(GTPREL(S))   d G(GTLSDESC(S))
//	c G(ENCD(GDAT(S)))   k G(ENCD(GTLSDESC(S)))
//	a Pa                   P & ~3 (Arm)
//	b B(S)   C ChangeIn[B(S)]   D Delta   all of them B
//	l PLT(S)               L
//	M module   u TLSMODULE   n Module[S]   h LDM(S)   all of them Module
//	X TP   x tp            the thread pointer
//	W TLSOFFSET            -TP (RISC-V)
//	Y DTP   y TLS          start of the TLS block
//	w TLS_DTV_OFFSET       0x800 after the start of the TLS block (RISC-V)
//
// Operators: + - | and the functions
//
//	p Page(x)   q DTPREL(x)   r TPREL(x)
//
// and these, which only a running program can evaluate:
//
//	I indirect(x)   N Indirect(x)   R ifunc_resolver(x)   j TLSDESC(x)
//	s SIGN(x, SCHEMA(*P))   U PAUTH(x)   f FUNCINIT(x)
type Formula string

// Formulas that several psABIs have.
const (
	SA   Formula = "SA+"
	SAP  Formula = "SA+P-"
	SAZ  Formula = "ZA+"
	LAP  Formula = "LA+P-"
	BA   Formula = "BA+"
	GA   Formula = "GA+"
	GGAP Formula = "GO+A+P-" // G + GOT + A - P
)

// Values are what a formula may ask for. Of those a formula does not name, zero
// will do; see Formula.Uses.
//
// For thread-local symbols S, TP and DTP must count from the same origin: either
// S is an address in the TLS template and DTP is where the template starts, or S
// is an offset in it and DTP is zero; TP is where the thread pointer would be.
type Values struct {
	S      uint64 // the symbol's value
	A      int64  // the addend
	P      uint64 // address of the place
	B      uint64 // load bias; Arm: origin of the segment that defines S
	G      uint64 // offset of the symbol's GOT entry from GOT
	GOT    uint64 // address of the global offset table
	L      uint64 // address of the symbol's PLT entry, or S when it needs none
	Z      uint64 // the symbol's size
	T      uint64 // 1 if the symbol is a Thumb function, else 0
	TP     uint64 // thread pointer
	DTP    uint64 // start of the TLS block of the symbol's module
	Module uint64 // TLS module index
}

// operands are the names of the one-letter codes; functions end in "(".
var operands = [128]string{
	'S': "S", 'A': "A", 'P': "P", 'B': "B", 'G': "G", 'L': "L", 'Z': "Z", 'T': "T", 'V': "V",
	'O': "GOT", 'o': "GOT_ORG", 'e': "GOT(S)",
	'g': "G(GDAT(S))", 'i': "G(GTLSIDX(S))", 'm': "G(GLDM(S))", 't': "G(GTPREL(S))", 'd': "G(GTLSDESC(S))",
	'c': "G(ENCD(GDAT(S)))", 'k': "G(ENCD(GTLSDESC(S)))",
	'a': "Pa", 'b': "B(S)", 'C': "ChangeIn[B(S)]", 'D': "Delta", 'l': "PLT(S)",
	'M': "module", 'u': "TLSMODULE", 'n': "Module[S]", 'h': "LDM(S)",
	'X': "TP", 'x': "tp", 'W': "TLSOFFSET", 'Y': "DTP", 'y': "TLS", 'w': "TLS_DTV_OFFSET",
}

var functions = [128]struct{ open, shut string }{
	'p': {"Page(", ")"}, 'q': {"DTPREL(", ")"}, 'r': {"TPREL(", ")"},
	'I': {"indirect(", ")"}, 'N': {"Indirect(", ")"}, 'R': {"ifunc_resolver(", ")"}, 'j': {"TLSDESC(", ")"},
	's': {"SIGN(", ", SCHEMA(*P))"}, 'U': {"PAUTH(", ")"}, 'f': {"FUNCINIT(", ")"},
}

// tlsDTVOffset is RISC-V's TLS_DTV_OFFSET (psABI, "Constants").
const tlsDTVOffset = 0x800

// Eval computes the formula modulo 2^64. held is V, what the place holds.
func (f Formula) Eval(v *Values, held uint64) uint64 {
	// No formula nests deeper than four; NewTable checks it.
	var st [8]uint64
	n := 0
	for i := 0; i < len(f); i++ {
		var x uint64
		switch f[i] {
		case '+':
			n--
			st[(n-1)&7] += st[n&7]
			continue
		case '-':
			n--
			st[(n-1)&7] -= st[n&7]
			continue
		case '|':
			n--
			st[(n-1)&7] |= st[n&7]
			continue
		case 'p':
			st[(n-1)&7] &^= 0xfff
			continue
		case 'q':
			st[(n-1)&7] -= v.DTP
			continue
		case 'r':
			st[(n-1)&7] -= v.TP
			continue
		case 'S':
			x = v.S
		case 'A':
			x = uint64(v.A)
		case 'P':
			x = v.P
		case 'a':
			x = v.P &^ 3
		case 'B', 'b', 'C', 'D':
			x = v.B
		case 'G':
			x = v.G
		case 'O', 'o':
			x = v.GOT
		case 'e', 'g', 'i', 'm', 't', 'd', 'c', 'k':
			x = v.GOT + v.G
		case 'L', 'l':
			x = v.L
		case 'Z':
			x = v.Z
		case 'T':
			x = v.T
		case 'V':
			x = held
		case 'M', 'u', 'n', 'h':
			x = v.Module
		case 'X', 'x':
			x = v.TP
		case 'W':
			x = -v.TP
		case 'Y', 'y':
			x = v.DTP
		case 'w':
			x = v.DTP + tlsDTVOffset
		}
		st[n&7] = x
		n++
	}
	return st[0]
}

// Static reports whether Eval can compute the formula, which is so unless it
// calls code or signs a pointer.
func (f Formula) Static() bool { return f != "" && !strings.ContainsAny(string(f), "INRjsUf") }

// Uses reports whether the formula has the operand with this code.
func (f Formula) Uses(code byte) bool { return strings.IndexByte(string(f), code) >= 0 }

// UsesGOT reports whether the formula needs an entry in the global offset table.
func (f Formula) UsesGOT() bool { return strings.ContainsAny(string(f), "Gegimtdck") }

// UsesTLS reports whether the formula needs the thread pointer or the TLS block.
func (f Formula) UsesTLS() bool { return strings.ContainsAny(string(f), "XxWYywqr") }

// valid reports whether every code is known and the operands come out even.
func (f Formula) valid() bool {
	n := 0
	for i := 0; i < len(f); i++ {
		c := f[i] & 127
		switch {
		case c == '+' || c == '-' || c == '|':
			if n--; n < 1 {
				return false
			}
		case functions[c].open != "":
			if n < 1 {
				return false
			}
		case operands[c] != "":
			if n++; n > 8 {
				return false
			}
		default:
			return false
		}
	}
	return n == 1 || f == ""
}

// String writes the formula as the psABIs do: "S + A - P", "((S + A) | T) - P",
// "Page(S + A) - Page(P)".
func (f Formula) String() string {
	type term struct {
		text string
		op   byte // outermost operator, 0 for none
	}
	var st []term
	wrap := func(t term, always bool) string {
		if t.op == '|' || always && t.op != 0 {
			return "(" + t.text + ")"
		}
		return t.text
	}
	for i := 0; i < len(f); i++ {
		c := f[i]
		switch {
		case c == '+' || c == '-' || c == '|':
			l, r := st[len(st)-2], st[len(st)-1]
			st = st[:len(st)-1]
			text := wrap(l, c == '|') + " " + string(c) + " " + wrap(r, c != '+')
			st[len(st)-1] = term{text, c}
		case functions[c&127].open != "":
			fn, x := functions[c&127], &st[len(st)-1]
			*x = term{fn.open + x.text + fn.shut, 0}
		default:
			st = append(st, term{operands[c&127], 0})
		}
	}
	if len(st) == 0 {
		return ""
	}
	return st[0].text
}
