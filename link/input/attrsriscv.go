package input

import (
	"fmt"
	"slices"
	"strings"
)

// Tags of RISC-V (psABI, "Attributes").
const (
	riscvStackAlign = 4
	riscvArch       = 5
	riscvUnaligned  = 6
	riscvPriv       = 8 // with 10 and 12: the version of the privileged specification
	riscvPrivMinor  = 10
	riscvPrivRev    = 12
)

var riscvAttrs = &attrDialect{
	vendor: "riscv", section: ".riscv.attributes",
	isText: func(tag uint64) bool { return tag&1 != 0 },
	merge:  mergeRiscv,
}

func mergeRiscv(m *merger, out, in attributes) {
	if in == nil {
		return
	}
	mergeRiscvArch(m, out, in)
	if a, b := out.num(riscvStackAlign), in.num(riscvStackAlign); a == 0 {
		out.set(riscvStackAlign, b)
	} else if b != 0 && a != b {
		m.fault("aligns the stack to %d bytes, %s to %d", b, m.first.File, a)
	}
	out.set(riscvUnaligned, out.num(riscvUnaligned)|in.num(riscvUnaligned))
	mergePriv(m, out, in)
	for _, t := range tags(in) {
		if _, ok := out[t]; !ok && t > riscvPrivRev {
			out[t] = in[t]
		}
	}
}

// mergePriv: code that was made for different versions of the privileged
// specification is linked for the newer one.
func mergePriv(m *merger, out, in attributes) {
	version := func(a attributes) [3]uint64 {
		return [3]uint64{a.num(riscvPriv), a.num(riscvPrivMinor), a.num(riscvPrivRev)}
	}
	a, b := version(out), version(in)
	switch {
	case a == b, b == [3]uint64{}:
		return
	case a != [3]uint64{}:
		m.warn("is for version %d.%d.%d of the privileged specification, the output for %d.%d.%d", b[0], b[1], b[2], a[0], a[1], a[2])
		if slices.Compare(a[:], b[:]) > 0 {
			return
		}
	}
	out.set(riscvPriv, b[0])
	out.set(riscvPrivMinor, b[1])
	out.set(riscvPrivRev, b[2])
}

// extension is an extension of the instruction set, with its version.
type extension struct {
	name         string
	major, minor int
}

// isa is an instruction set: "rv32" and extensions.
type isa struct {
	base string
	exts []extension
}

func mergeRiscvArch(m *merger, out, in attributes) {
	a, b := out[riscvArch].text, in[riscvArch].text
	switch {
	case a == b, b == "":
		return
	case a == "":
		out[riscvArch] = in[riscvArch]
		return
	}
	x, err := parseISA(a)
	if err == nil {
		var y isa
		if y, err = parseISA(b); err == nil {
			out[riscvArch] = attribute{text: m.mergeISA(x, y).String()}
			return
		}
	}
	m.fault("Tag_RISCV_arch: %v", err)
}

// mergeISA is the set that has the extensions of both, in the newer version where
// they differ.
func (m *merger) mergeISA(x, y isa) isa {
	if x.base != y.base {
		m.fault("is for %s, %s for %s", y.base, m.first.File, x.base)
		return x
	}
	for _, e := range y.exts {
		i := slices.IndexFunc(x.exts, func(f extension) bool { return f.name == e.name })
		if i < 0 {
			x.exts = append(x.exts, e)
			continue
		}
		f := &x.exts[i]
		if f.major != e.major || f.minor != e.minor {
			if e.major > f.major || e.major == f.major && e.minor > f.minor {
				*f, e = e, *f
			}
			m.warn("extension %s in version %d.%d and %d.%d; the output says %d.%d", f.name, e.major, e.minor, f.major, f.minor, f.major, f.minor)
		}
	}
	slices.SortStableFunc(x.exts, func(a, b extension) int { return compareExtensions(a.name, b.name) })
	return x
}

// parseISA reads "rv32i2p1_m2p0_zicsr2p0" (psABI: extensions apart by "_", each
// with its version).
func parseISA(s string) (isa, error) {
	if len(s) < 5 || s[:4] != "rv32" && s[:4] != "rv64" {
		return isa{}, fmt.Errorf("%q does not begin with rv32 or rv64 and an extension", s)
	}
	set := isa{base: s[:4]}
	for _, part := range strings.Split(s[4:], "_") {
		e, ok := parseExtension(part)
		if !ok {
			return set, fmt.Errorf("%q: %q is no extension with a version", s, part)
		}
		set.exts = append(set.exts, e)
	}
	return set, nil
}

func parseExtension(s string) (e extension, ok bool) {
	s = strings.ToLower(s)
	rest, minor, ok := cutNumber(s)
	if !ok || !strings.HasSuffix(rest, "p") {
		return e, false
	}
	name, major, ok := cutNumber(rest[:len(rest)-1])
	return extension{name, major, minor}, ok && name != ""
}

// cutNumber takes the decimal digits off the end of a text.
func cutNumber(s string) (rest string, n int, ok bool) {
	i := len(s)
	for i > 0 && s[i-1] >= '0' && s[i-1] <= '9' {
		i--
	}
	if i == len(s) || len(s)-i > 6 {
		return s, 0, false
	}
	for _, c := range s[i:] {
		n = 10*n + int(c-'0')
	}
	return s[:i], n, true
}

func (x isa) String() string {
	var parts []string
	for _, e := range x.exts {
		parts = append(parts, fmt.Sprintf("%s%dp%d", e.name, e.major, e.minor))
	}
	return x.base + strings.Join(parts, "_")
}

// extensionOrder is the canonical order of extensions of one letter (The RISC-V
// Instruction Set Manual, "ISA Extension Naming Conventions").
const extensionOrder = "eigmafdqlcbkjtpvnh"

// compareExtensions orders extensions as they are written: single letters, then
// Z ones by the letter that they are near to, S, Zxm, X ones; by name.
func compareExtensions(a, b string) int {
	if x, y := extensionClass(a), extensionClass(b); x != y {
		return x - y
	}
	if len(a) == 1 && len(b) == 1 {
		return strings.Index(extensionOrder, a) - strings.Index(extensionOrder, b)
	}
	if a[0] == 'z' && len(a) > 1 && len(b) > 1 {
		if x, y := strings.IndexByte(extensionOrder, a[1]), strings.IndexByte(extensionOrder, b[1]); x != y {
			return x - y
		}
	}
	return strings.Compare(a, b)
}

func extensionClass(s string) int {
	switch {
	case len(s) == 1:
		return 0
	case strings.HasPrefix(s, "zxm"):
		return 3
	case s[0] == 'z':
		return 1
	case s[0] == 's':
		return 2
	}
	return 4
}
