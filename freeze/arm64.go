package freeze

import (
	"encoding/binary"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
	machine "elfwright/machine/aarch64"
)

var arm64 = &arch{
	Machine: machine.Machine,
	// arch/arm64/Kconfig, ARM64_VA_BITS; with 52 bits a program gets 48 unless it asks.
	taskSizes: []uint64{1 << 48, 1 << 47, 1 << 42, 1 << 39, 1 << 36}, highest: 0xfe0000000000,
	stat: statLayout{size: 128, mode: 16, mtime: 88}, epollPad: 4, parking: 16 * page,
	check: (*compiler).checkArm, thread: (*compiler).threadArm, frame: (*compiler).frameArm,
	begin: (*compiler).beginArm, mapVDSO: (*compiler).mapVDSOArm,
	vdso: vdsoCode{
		prefix: "__kernel_",
		keep:   "rt_sigreturn", // where handlers of signals return to
		// arch/arm64/kernel/vdso
		calls: map[string]uint32{"clock_gettime": 113, "gettimeofday": 169, "clock_getres": 114, "getrandom": 278},
		call: func(nr uint32) []byte {
			code := binary.LittleEndian.AppendUint32(nil, 0xd2800008|nr<<5)     // mov x8, #nr
			return append(code, 0x01, 0x00, 0x00, 0xd4, 0xc0, 0x03, 0x5f, 0xd6) // svc #0; ret
		},
		none: []byte{0xa0, 0x04, 0x80, 0x92, 0xc0, 0x03, 0x5f, 0xd6}, // mov x0, #-ENOSYS; ret
	},
}

// threadArm sets the thread pointer, the length of SVE's registers and what
// prctl(2) says about addresses.
func (c *compiler) threadArm(t *capture.Thread, says func(what string) string) {
	const setVL, setTagged, setEnabledKeys = 50, 55, 60 // PR_SVE_SET_VL, PR_SET_TAGGED_ADDR_CTRL, PR_PAC_SET_ENABLED_KEYS
	c.Do(script.Pointer, script.Int(word(t.Set(capture.NoteTLS))))
	if set := t.Set(capture.NoteSVE); set != nil {
		vl, _ := vectorLength(set)
		const inherit = 1 << 17 // PR_SVE_VL_INHERIT; in the header it is shifted by 16
		want := vl | int(set[12])<<16&inherit
		ok, got := c.Label(), c.Slot()
		c.Call("prctl", script.Int(setVL), script.Int(want), zero, zero, zero).To(got).Says("%s", says("vectors (SVE)"))
		c.Do(script.Equal, got.Get(), script.Int(want)).Or(ok)
		c.Do(script.Fail).Says("%s: this processor has no vectors of %d bytes (SVE)", says("registers"), vl)
		c.Place(ok)
	}
	if v := t.Set(capture.NoteTagged); v != nil && word(v) != 0 {
		c.Call("prctl", script.Int(setTagged), script.Int(word(v)), zero, zero, zero).Says("%s", says("PR_SET_TAGGED_ADDR_CTRL"))
	}
	if v := t.Set(capture.NotePACEnabled); v != nil && word(v) != allKeys {
		c.Call("prctl", script.Int(setEnabledKeys), script.Int(allKeys), script.Int(word(v)), zero, zero).Says("%s", says("PR_PAC_SET_ENABLED_KEYS"))
	}
}

const allKeys = 0xf // PR_PAC_APIAKEY … APDBKEY
