package own

// cpuid is the instruction of that name.
func cpuid(leaf, sub uint32) (ebx, ecx uint32)

// cpuWords are what levels of x86-64 and the sub-directories of libraries are told
// from (sysdeps/x86/cpu-features.c): of leaf 1 what the processor has, without the
// number of the one that was asked; of leaf 7 and 0x80000001 the same.
func cpuWords() []cpuWord {
	const both, high = 1<<64 - 1, 1<<64 - 1<<32
	list := []cpuWord{{leaf: 0, mask: both}, {leaf: 1, mask: high}, {leaf: 7, mask: both}, {leaf: 0x8000_0001, mask: high}}
	for i := range list {
		w := &list[i]
		ebx, ecx := cpuid(w.leaf, w.sub)
		w.value = (uint64(ecx)<<32 | uint64(ebx)) & w.mask
	}
	return list
}
