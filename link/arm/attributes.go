package arm

import (
	"bytes"
	"encoding/binary"

	"elfwright/link/model"
)

// arch is what the objects were built for, as their build attributes say
// (Addenda to, and Errata in, the ABI for the Arm Architecture: Tag_CPU_arch).
type arch struct {
	cpu     uint64 // the highest Tag_CPU_arch
	profile uint64 // Tag_CPU_arch_profile: 'A', 'R', 'M', or 0
	useBLX  bool   // --use-blx
	early   bool   // --no-fix-arm1176
}

// Values of Tag_CPU_arch.
const (
	v4T     = 2
	v6T2    = 8
	v6K     = 9
	v7      = 10
	v6M     = 11
	v6SM    = 12
	v7EM    = 13
	v8MBase = 16
	v8MMain = 17
	v81M    = 21
)

// thumbOnly says whether there is no Arm instruction set.
func (a arch) thumbOnly() bool {
	switch a.cpu {
	case v6M, v6SM, v7EM, v8MBase, v8MMain, v81M:
		return true
	}
	return a.profile == 'M'
}

// thumb2 says whether there are all 32-bit Thumb instructions.
func (a arch) thumb2() bool {
	return a.cpu >= v6T2 && a.cpu != v6K && a.cpu != v6M && a.cpu != v6SM && a.cpu != v8MBase
}

// movw says whether there are MOVW and MOVT.
func (a arch) movw() bool { return a.thumb2() || a.cpu == v8MBase }

// farThumb says whether Thumb branches have the range of Thumb-2: 16 MiB, not 4.
func (a arch) farThumb() bool { return a.cpu == v6T2 || a.cpu >= v7 }

// nop says whether Arm code has a NOP of its own.
func (a arch) nop() bool { return a.cpu >= v6T2 }

// blx says whether a call may change the instruction set. By default GNU ld has it
// only from Armv6T2 on: an erratum of the ARM1176 is about BLX. Armv5 and Armv6
// get veneers.
func (a arch) blx() bool {
	switch {
	case a.thumbOnly():
		return false
	case a.early:
		return a.cpu > v4T
	}
	return a.useBLX || a.cpu == v6T2 || a.cpu > v6K
}

// readArch looks at the attributes of all objects.
func readArch(objs []*model.Object) (a arch) {
	for _, o := range objs {
		for _, s := range o.Sections {
			if s != nil && s.Name == ".ARM.attributes" && len(s.Data) > 0 {
				a.add(s.Data, o.Order)
			}
		}
	}
	return a
}

// add reads one section: 'A', then for each vendor its length, name and
// subsections, of which that of the file (tag 1) of "aeabi" counts.
func (a *arch) add(b []byte, order binary.ByteOrder) {
	if b[0] != 'A' {
		return
	}
	for b = b[1:]; len(b) >= 4; {
		n := order.Uint32(b)
		if n < 4 || uint64(n) > uint64(len(b)) {
			return
		}
		part := b[4:n]
		b = b[n:]
		name, rest, ok := bytes.Cut(part, []byte{0})
		if ok && string(name) == "aeabi" && len(rest) >= 5 && rest[0] == 1 {
			a.tags(rest[5:])
		}
	}
}

// tags reads pairs of a tag and a value: a number, or for some tags a string.
func (a *arch) tags(b []byte) {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return
		}
		b = b[n:]
		if isString(tag) {
			_, rest, ok := bytes.Cut(b, []byte{0})
			if !ok {
				return
			}
			b = rest
			continue
		}
		value, n := binary.Uvarint(b)
		if n <= 0 {
			return
		}
		b = b[n:]
		switch tag {
		case 6:
			a.cpu = max(a.cpu, value)
		case 7:
			a.profile = max(a.profile, value)
		}
		if tag == 32 { // Tag_compatibility has a string behind its number
			_, b, _ = bytes.Cut(b, []byte{0})
		}
	}
}

// isString: tags 4, 5, 67 and odd ones from 33 on have strings.
func isString(tag uint64) bool {
	return tag == 4 || tag == 5 || tag == 67 || tag > 32 && tag&1 == 1
}
