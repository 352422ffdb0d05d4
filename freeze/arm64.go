package freeze

import (
	"encoding/binary"

	machine "elfwright/machine/aarch64"
)

var arm64 = &arch{
	Machine: machine.Machine,
	// arch/arm64/Kconfig, ARM64_VA_BITS; with 52 bits a program gets 48 unless it asks.
	taskSizes: []uint64{1 << 48, 1 << 47, 1 << 42, 1 << 39, 1 << 36}, highest: 0xfe0000000000,
	stat: statLayout{size: 128, mode: 16, mtime: 88}, epollPad: 4,
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
