package show

import (
	"fmt"

	"elfwright/elffile"
)

// systemNote decodes the notes by which a system knows its own programs.
func (c *noteContext) systemNote(n *elffile.Note) (row, error) {
	r := &fieldReader{Format: c.Format, b: n.Desc}
	switch (noteKey{n.Name, n.Type}) {
	case noteKey{"FreeBSD", 1}:
		if !c.core {
			return freeBSDVersion(r)
		}
	case noteKey{"FreeBSD", 3}, noteKey{"NetBSD", 5}, noteKey{"NetBSD", 6}:
		if !c.core {
			return facts{textFact("value", "Value", cstring(n.Desc))}, nil
		}
	case noteKey{"FreeBSD", 4}:
		if !c.core {
			return bitsNote(r, "Features", freeBSDFeatures)
		}
	case noteKey{"NetBSD", 1}:
		return netBSDVersion(r)
	case noteKey{"NetBSD", 2}:
		return facts{textFact("emulation", "Emulation", cstring(n.Desc))}, nil
	case noteKey{"PaX", 3}:
		return bitsNote(r, "PaX flags", paxFlags)
	case noteKey{"OpenBSD", 1}:
		if !c.core {
			return oneWord(r, decFact("version", "Version", 0))
		}
	case noteKey{"DragonFly", 1}:
		return dragonFlyVersion(r)
	case noteKey{"Android", 1}:
		return androidIdent(r)
	case noteKey{"Android", 4}:
		return androidMemtag(r)
	case noteKey{"Android", 5}:
		return oneWord(r, decFact("pad_segment", "Pad segments", 0))
	}
	return nil, nil
}

// bitsNote is a note of one Word of named bits.
func bitsNote(r *fieldReader, label string, names bitNames) (row, error) {
	v := uint64(r.u32())
	if r.err != nil {
		return nil, r.err
	}
	return bitsRow{label, v, names.names(v)}, nil
}

// bitsRow is a set of named bits.
type bitsRow struct {
	label string
	value uint64
	names []string
}

func (b bitsRow) text(t *text) {
	t.str("    ")
	t.str(b.label)
	t.str(": ")
	t.zx(b.value)
	for i, n := range b.names {
		if i == 0 {
			t.str(" (")
		} else {
			t.str(", ")
		}
		t.str(n)
	}
	if len(b.names) > 0 {
		t.str(")")
	}
	t.nl()
}

func (b bitsRow) json(o *object) {
	o.hex("value", b.value)
	o.strs("value_names", b.names)
}

// FreeBSD, sys/elf_common.h, NT_FREEBSD_FCTL_.
var freeBSDFeatures = bitNames{"ASLR_DISABLE", "PROTMAX_DISABLE", "STKGAP_DISABLE", "WXNEEDED", "LA48", "ASG_DISABLE"}

// NetBSD, sys/exec_elf.h, ELF_NOTE_PAX_: each feature is forced on or off.
var paxFlags = bitNames{"MPROTECT", "NOMPROTECT", "GUARD", "NOGUARD", "ASLR", "NOASLR"}

// freeBSDVersion is __FreeBSD_version: major times 100000 and so on, with a
// change of scheme at 5.0 (FreeBSD Porter's Handbook, "__FreeBSD_version Values").
func freeBSDVersion(r *fieldReader) (row, error) {
	v := r.u32()
	if r.err != nil {
		return nil, r.err
	}
	f := facts{decFact("version_code", "Version code", uint64(v))}
	if v >= 500000 {
		f = append(f, textFact("version", "Version", fmt.Sprintf("%d.%d", v/100000, v/1000%100)))
	}
	return f, nil
}

// netBSDVersion is __NetBSD_Version__, MMmmrrpp00 in decimal (NetBSD,
// sys/param.h). r counted release candidates and is no longer used.
func netBSDVersion(r *fieldReader) (row, error) {
	v := r.u32()
	if r.err != nil {
		return nil, r.err
	}
	s := fmt.Sprintf("%d.%d", v/100000000, v/1000000%100)
	if patch := v / 100 % 100; patch != 0 {
		s += fmt.Sprintf(".%d", patch)
	}
	return facts{decFact("version_code", "Version code", uint64(v)), textFact("version", "Version", s)}, nil
}

// dragonFlyVersion is __DragonFly_version (DragonFly, sys/param.h).
func dragonFlyVersion(r *fieldReader) (row, error) {
	v := r.u32()
	if r.err != nil {
		return nil, r.err
	}
	return facts{
		decFact("version_code", "Version code", uint64(v)),
		textFact("version", "Version", fmt.Sprintf("%d.%d.%d", v/100000, v/100%1000, v%100)),
	}, nil
}

// androidIdent is the API level and, since NDK r14, the kit that made the file
// (Android NDK, crtbrand).
func androidIdent(r *fieldReader) (row, error) {
	f := facts{decFact("api_level", "API level", uint64(r.u32()))}
	if r.left() >= 64 {
		f = append(f, textFact("ndk_version", "NDK version", cstring(r.take(64))))
	}
	if r.left() >= 64 {
		f = append(f, textFact("ndk_build", "NDK build", cstring(r.take(64))))
	}
	return f, r.err
}

// androidMemtag tells the loader how to tag memory (Android bionic,
// NT_ANDROID_TYPE_MEMTAG): two bits of mode, then what is to be tagged.
func androidMemtag(r *fieldReader) (row, error) {
	v := uint64(r.u32())
	if r.err != nil {
		return nil, r.err
	}
	modes := [...]string{"none", "async", "sync", "unknown mode"}
	names := append([]string{modes[v&3]}, bitNames{"", "", "heap", "stack", "globals"}.names(v&^3)...)
	return bitsRow{"Tagging", v, names}, nil
}
