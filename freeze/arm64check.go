package freeze

import (
	"bytes"
	"fmt"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// hwcaps are the entries of the auxiliary vector that tell the features of the
// processor, and the names that /proc/cpuinfo has for their bits
// (arch/arm64/include/uapi/asm/hwcap.h).
var hwcaps = []struct {
	tag   int
	names []string
}{
	{16, []string{
		"fp", "asimd", "evtstrm", "aes", "pmull", "sha1", "sha2", "crc32", "atomics", "fphp", "asimdhp", "cpuid", "asimdrdm", "jscvt", "fcma", "lrcpc",
		"dcpop", "sha3", "sm3", "sm4", "asimddp", "sha512", "sve", "asimdfhm", "dit", "uscat", "ilrcpc", "flagm", "ssbs", "sb", "paca", "pacg",
		"gcs", "cmpbr", "fprcvt", "f8mm8", "f8mm4", "sve_f16mm", "sve_eltperm", "sve_aes2", "sve_bfscale", "sve2p2", "sme2p2",
	}},
	{26, []string{
		"dcpodp", "sve2", "sveaes", "svepmull", "svebitperm", "svesha3", "svesm4", "flagm2", "frint", "svei8mm", "svef32mm", "svef64mm", "svebf16",
		"i8mm", "bf16", "dgh", "rng", "bti", "mte", "ecv", "afp", "rpres", "mte3", "sme", "smei16i64", "smef64f64", "smei8i32", "smef16f32",
		"smeb16f32", "smef32f32", "smefa64", "wfxt", "ebf16", "sveebf16", "cssc", "rprfm", "sve2p1", "sme2", "sme2p1", "smei16i32", "smebi32i32",
		"smeb16b16", "smef16f16", "mops", "hbc", "sveb16b16", "lrcpc3", "lse128", "fpmr", "lut", "faminmax", "f8cvt", "f8fma", "f8dp4", "f8dp2",
		"f8e4m3", "f8e5m2", "smelutv2", "smef8f16", "smef8f32", "smesf8fma", "smesf8dp4", "smesf8dp2", "poe",
	}},
	{29, nil}, {30, nil},
}

// checkArm refuses a processor that lacks what the process may use, and one whose
// caches are not what the process may have learnt: memset clears memory by blocks
// (DC ZVA), and code that writes code goes through it by cache lines.
func (c *compiler) checkArm() {
	for i := range c.s.Threads {
		c.refuseArm(&c.s.Threads[i])
	}
	for _, set := range hwcaps {
		c.checkHWCAP(set.tag, set.names)
	}
	cpu := c.s.CPU.Arm
	if cpu == nil {
		return
	}
	buf := c.Data(make([]byte, 16), 16)
	c.Do(script.CPUID, zero, zero, script.Int(buf))
	for i, line := range []struct {
		name  string
		shift uint
	}{{"instruction", 0}, {"data", 16}} {
		smaller, ok, n := c.Label(), c.Label(), uint32(cpu.CTR>>line.shift&15)
		c.Do(script.Load4, script.Int(buf+uint64(4*i)), zero).To(c.tmp)
		c.Do(script.Below, c.tmp.Get(), script.Int(n)).Or(smaller)
		c.Jump(ok)
		c.Place(smaller)
		c.Do(script.Fail).Says("this processor has shorter lines in its %s cache than the %d bytes that the process may count on", line.name, 4<<n)
		c.Place(ok)
	}
	ok := c.Label()
	const coherent = 3 << 28 // DIC, IDC: caches need not be told of new code
	c.Do(script.Bits4, script.Int(buf+8), script.Int(uint32(cpu.CTR&coherent))).Or(ok)
	c.Do(script.Fail).Says("this processor has to be told of new code in memory, and the process may not do so (CTR_EL0 %#x)", cpu.CTR)
	c.Place(ok)
	same := c.Label()
	c.Do(script.Equal4, script.Int(buf+12), script.Int(uint32(cpu.DCZID))).Or(same)
	c.Do(script.Fail).Says("this processor clears other blocks of memory at once (DCZID_EL0 is not %#x)", cpu.DCZID)
	c.Place(same)
}

func (c *compiler) checkHWCAP(tag int, names []string) {
	have, _ := c.aux(uint64(tag))
	if have == 0 {
		return
	}
	here, asked := c.Slot(), c.Label()
	c.Do(script.Aux, script.Int(tag)).To(here).Or(asked)
	c.Place(asked)
	for bit := range 64 {
		if have>>bit&1 == 0 {
			continue
		}
		name := featureName(tag, bit, names)
		ok := c.Label()
		c.Do(script.Bits4, script.Int(uint64(here)+uint64(bit/32*4)), script.Int(uint32(1)<<(bit%32))).Or(ok)
		c.Do(script.Fail).Says("this processor has no %s, which the process may use", name)
		c.Place(ok)
	}
}

func featureName(tag, bit int, names []string) string {
	if bit < len(names) {
		return names[bit]
	}
	return fmt.Sprintf("feature %d of AT_HWCAP (tag %d)", bit, tag)
}

// featuresArm are the names of all.
func (c *compiler) featuresArm() (names []string) {
	for _, set := range hwcaps {
		have, _ := c.aux(uint64(set.tag))
		for bit := range 64 {
			if have>>bit&1 != 0 {
				names = append(names, featureName(set.tag, bit, set.names))
			}
		}
	}
	return names
}

// aux is the process's entry of the auxiliary vector.
func (c *compiler) aux(tag uint64) (uint64, bool) {
	for i := 0; i+16 <= len(c.s.Auxv); i += 16 {
		if word(c.s.Auxv[i:]) == tag {
			return word(c.s.Auxv[i+8:]), true
		}
	}
	return 0, false
}

// refuseArm refuses state of a thread that is not restored.
func (c *compiler) refuseArm(t *capture.Thread) {
	what := fmt.Sprintf("thread %d", t.TID)
	if v := t.Set(capture.NoteTLS); len(v) >= 16 && word(v[8:]) != 0 {
		c.refuse(what, "has lazily saved state of SME (TPIDR2)", "")
	}
	if _, streaming := vectorLength(t.Set(capture.NoteStreaming)); streaming {
		c.refuse(what, "is in SME's streaming mode", "")
	}
	if len(t.Set(capture.NoteZA)) > sveHead {
		c.refuse(what, "uses the registers of SME (ZA)", "")
	}
	if v := t.Set(capture.NoteFPMR); v != nil && word(v) != 0 {
		c.refuse(what, "has set FPMR, which is not restored", "")
	}
	const porInit = 7 // all accesses by key 0
	if v := t.Set(capture.NotePOE); v != nil && word(v) != porInit {
		c.refuse(what, "uses permission overlays (POR_EL0), which are not restored", "")
	}
	if v := t.Set(capture.NoteShadowStack); v != nil && word(v) != 0 {
		c.refuse(what, "has a shadow stack (GCS)", "")
	}
	for _, note := range []uint32{capture.NotePACKeys, capture.NotePACGeneric} {
		if !bytes.Equal(t.Set(note), c.s.Threads[0].Set(note)) {
			c.refuse(what, "has other keys for pointer authentication than the first thread", "")
			break
		}
	}
}
