package load

import (
	"debug/elf"
	"slices"
	"strings"
)

// tunable is the value that GLIBC_TUNABLES gives to a name; the last one counts, and
// in a secure start none does.
func (opt *Options) tunable(name string) (value string, ok bool) {
	if opt.Secure {
		return "", false
	}
	for t := range strings.SplitSeq(opt.Tunables, ":") {
		if v, found := strings.CutPrefix(t, name+"="); found {
			value, ok = v, true
		}
	}
	return value, ok
}

// oldSort says whether GLIBC_TUNABLES asks for the way of before 2.35
// (_dl_sort_maps_init).
func (opt *Options) oldSort() bool {
	v, _ := opt.tunable("glibc.rtld.dynamic_sort")
	return v == "1"
}

// levelFeatures are the features that glibc.cpu.hwcaps can take away and a level of
// x86-64 has to have, in its words (sysdeps/x86/cpu-tunables.c).
var levelFeatures = []struct{ dir, names string }{
	{"x86-64-v2", "POPCNT SSE4_1 SSE4_2 SSSE3"},
	{"x86-64-v3", "AVX AVX2 BMI1 BMI2 FMA LZCNT MOVBE OSXSAVE"},
	{"x86-64-v4", "AVX512F AVX512BW AVX512CD AVX512DQ AVX512VL"},
}

// without takes from a processor of x86-64 what GLIBC_TUNABLES says that it has not
// (glibc.cpu.hwcaps=-AVX2,…): the levels with that, and what else it decides.
func (opt *Options) without(c CPU) CPU {
	value, ok := opt.tunable("glibc.cpu.hwcaps")
	if !ok || c.Machine != elf.EM_X86_64 {
		return c
	}
	var off []string
	for f := range strings.SplitSeq(value, ",") {
		if name, minus := strings.CutPrefix(f, "-"); minus {
			off = append(off, name)
		}
	}
	lost := func(names string) bool {
		return slices.ContainsFunc(strings.Fields(names), func(n string) bool { return slices.Contains(off, n) })
	}
	for i, l := range levelFeatures {
		if !lost(l.names) {
			continue
		}
		var above []string
		for _, higher := range levelFeatures[i:] {
			above = append(above, higher.dir)
		}
		c.HWCaps = slices.DeleteFunc(slices.Clone(c.HWCaps), func(h string) bool { return slices.Contains(above, h) })
		break
	}
	if c.Platform == "haswell" && lost("AVX2 BMI1 BMI2 LZCNT MOVBE POPCNT FMA") {
		c.Platform = "x86_64"
	}
	if lost("AVX512CD AVX512BW AVX512DQ AVX512VL") {
		c.Legacy = slices.DeleteFunc(slices.Clone(c.Legacy), func(h string) bool { return h == "avx512_1" })
	}
	return c
}
