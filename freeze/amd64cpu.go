package freeze

import (
	"elfwright/freeze/script"
)

// feature is a bit of what CPUID answers, by the name that /proc/cpuinfo has.
type feature struct {
	leaf, sub uint32
	word      int // eax, ebx, ecx, edx
	bit       uint
	name      string
}

// features are instructions that a program may use once it has seen them.
var features = []feature{
	{1, 0, 2, 0, "sse3"}, {1, 0, 2, 1, "pclmulqdq"}, {1, 0, 2, 9, "ssse3"}, {1, 0, 2, 12, "fma"}, {1, 0, 2, 13, "cx16"},
	{1, 0, 2, 19, "sse4_1"}, {1, 0, 2, 20, "sse4_2"}, {1, 0, 2, 22, "movbe"}, {1, 0, 2, 23, "popcnt"}, {1, 0, 2, 25, "aes"},
	{1, 0, 2, 27, "osxsave"}, {1, 0, 2, 28, "avx"}, {1, 0, 2, 29, "f16c"}, {1, 0, 2, 30, "rdrand"},
	{7, 0, 1, 0, "fsgsbase"}, {7, 0, 1, 3, "bmi1"}, {7, 0, 1, 4, "hle"}, {7, 0, 1, 5, "avx2"}, {7, 0, 1, 8, "bmi2"}, {7, 0, 1, 9, "erms"},
	{7, 0, 1, 11, "rtm"}, {7, 0, 1, 16, "avx512f"}, {7, 0, 1, 17, "avx512dq"}, {7, 0, 1, 18, "rdseed"}, {7, 0, 1, 19, "adx"},
	{7, 0, 1, 21, "avx512ifma"}, {7, 0, 1, 23, "clflushopt"}, {7, 0, 1, 24, "clwb"}, {7, 0, 1, 26, "avx512pf"}, {7, 0, 1, 27, "avx512er"},
	{7, 0, 1, 28, "avx512cd"}, {7, 0, 1, 29, "sha_ni"}, {7, 0, 1, 30, "avx512bw"}, {7, 0, 1, 31, "avx512vl"},
	{7, 0, 2, 1, "avx512vbmi"}, {7, 0, 2, 4, "ospke"}, {7, 0, 2, 5, "waitpkg"}, {7, 0, 2, 6, "avx512_vbmi2"}, {7, 0, 2, 8, "gfni"}, {7, 0, 2, 9, "vaes"},
	{7, 0, 2, 10, "vpclmulqdq"}, {7, 0, 2, 11, "avx512_vnni"}, {7, 0, 2, 12, "avx512_bitalg"}, {7, 0, 2, 14, "avx512_vpopcntdq"},
	{7, 0, 2, 22, "rdpid"}, {7, 0, 2, 27, "movdiri"}, {7, 0, 2, 28, "movdir64b"},
	{7, 0, 3, 2, "avx512_4vnniw"}, {7, 0, 3, 3, "avx512_4fmaps"}, {7, 0, 3, 4, "fsrm"}, {7, 0, 3, 8, "avx512_vp2intersect"}, {7, 0, 3, 14, "serialize"},
	{7, 0, 3, 22, "amx_bf16"}, {7, 0, 3, 23, "avx512_fp16"}, {7, 0, 3, 24, "amx_tile"}, {7, 0, 3, 25, "amx_int8"},
	{7, 1, 0, 0, "sha512"}, {7, 1, 0, 1, "sm3"}, {7, 1, 0, 2, "sm4"}, {7, 1, 0, 4, "avx_vnni"}, {7, 1, 0, 5, "avx512_bf16"}, {7, 1, 0, 7, "cmpccxadd"},
	{7, 1, 0, 21, "amx_fp16"}, {7, 1, 0, 23, "avx_ifma"},
	{0x80000001, 0, 2, 0, "lahf_lm"}, {0x80000001, 0, 2, 5, "abm"}, {0x80000001, 0, 2, 6, "sse4a"}, {0x80000001, 0, 2, 8, "3dnowprefetch"},
	{0x80000001, 0, 2, 11, "xop"}, {0x80000001, 0, 2, 16, "fma4"}, {0x80000001, 0, 2, 21, "tbm"}, {0x80000001, 0, 3, 27, "rdtscp"},
	{0x80000008, 0, 1, 0, "clzero"},
	{0xd, 1, 0, 0, "xsaveopt"}, {0xd, 1, 0, 1, "xsavec"}, {0xd, 1, 0, 2, "xgetbv1"},
}

// checkX86 refuses a processor that lacks what the process may use, or that
// keeps registers at other places than the frozen ones are.
func (c *compiler) checkX86() {
	buf := c.Data(make([]byte, 16), 16)
	type leaf struct{ leaf, sub uint32 }
	asked := leaf{^uint32(0), 0}
	ask := func(l leaf) {
		if l != asked {
			c.Do(script.CPUID, script.Int(l.leaf), script.Int(l.sub), script.Int(buf))
			asked = l
		}
	}
	for _, f := range features {
		if c.s.CPU.Find(f.leaf, f.sub)[f.word]>>f.bit&1 == 0 {
			continue
		}
		ask(leaf{f.leaf, f.sub})
		ok := c.Label()
		c.Do(script.Bits4, script.Int(buf+uint64(4*f.word)), script.Int(uint32(1)<<f.bit)).Or(ok)
		c.Do(script.Fail).Says("this processor has no %s, which the process may use", f.name)
		c.Place(ok)
	}
	if c.s.CPU.XCR0 == 0 {
		return
	}
	c.checkExtendedState(buf)
}

// checkExtendedState compares XCR0, and where each component of extended state
// lies, which differs between makers.
func (c *compiler) checkExtendedState(buf uint64) {
	xcr0 := c.s.CPU.XCR0
	here := c.Slot()
	c.Do(script.XCR0).To(here)
	for half, name := range []string{"low", "high"} {
		ok := c.Label()
		c.Do(script.Bits4, script.Int(uint64(here)+uint64(4*half)), script.Int(uint32(xcr0>>(32*half)))).Or(ok)
		c.Do(script.Fail).Says("this kernel does not keep all registers of the process (XCR0, %s half, lacks bits of %#x)", name, xcr0)
		c.Place(ok)
	}
	for i := uint32(2); i < 63; i++ {
		if xcr0>>i&1 == 0 {
			continue
		}
		w := c.s.CPU.Find(0xd, i)
		ok := c.Label()
		c.Do(script.CPUID, script.Int(uint32(0xd)), script.Int(i), script.Int(buf))
		c.Do(script.Same, script.Int(buf), script.Int(c.Data(words4(w[0], w[1]), 4)), script.Int(8)).Or(ok)
		c.Do(script.Fail).Says("this processor keeps component %d of extended state elsewhere", i)
		c.Place(ok)
	}
	if !c.dynamic() {
		return
	}
	// glibc's ld.so has measured how much room the vector registers need when it
	// binds a symbol at its first call (_dl_runtime_resolve_xsavec).
	size := c.s.CPU.Find(0xd, 0)[1]
	small := c.Label()
	c.Do(script.CPUID, script.Int(uint32(0xd)), zero, script.Int(buf))
	c.Do(script.Load4, script.Int(buf+4), zero).To(c.tmp)
	c.Do(script.Below, c.tmp.Get(), script.Int(size+1)).Or(small)
	c.Do(script.Fail).Says("this processor has more extended state than the %d bytes that the process's dynamic linker keeps", size)
	c.Place(small)
}

func words4(w ...uint32) []byte {
	var b []byte
	for _, v := range w {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return b
}

// dynamic says whether the program has a dynamic linker: AT_BASE is not 0.
func (c *compiler) dynamic() bool {
	const atBase = 7
	base, _ := c.aux(atBase)
	return base != 0
}
