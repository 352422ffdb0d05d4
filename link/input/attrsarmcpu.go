package input

// armArchNames are the values of Tag_CPU_arch.
var armArchNames = []string{
	"Pre v4", "ARM v4", "ARM v4T", "ARM v5T", "ARM v5TE", "ARM v5TEJ", "ARM v6", "ARM v6KZ", "ARM v6T2", "ARM v6K", "ARM v7",
	"ARM v6-M", "ARM v6S-M", "ARM v7E-M", "ARM v8", "ARM v8-R", "ARM v8-M.baseline", "ARM v8-M.mainline", "ARM v8.1-A",
	"ARM v8.2-A", "ARM v8.3-A", "ARM v8.1-M.mainline", "ARM v9",
}

// armArchSum says, for an architecture from v6T2 (8) on, which one has all of it
// and of each one up to it (Addenda, "Combining attribute values"); -1: none has.
// Shorter rows go on with the architecture itself; those of v8-A and v9-A have all
// of whatever came before.
var armArchSum = map[int][]int{
	8:  {8, 8, 8, 8, 8, 8, 8, 10, 8},
	9:  {9, 9, 9, 9, 9, 9, 9, 7, 10, 9},
	10: {10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10},
	11: {-1, -1, 9, 9, 9, 9, 9, 7, 10, 9, 10, 11},
	12: {-1, -1, 9, 9, 9, 9, 9, 7, 10, 9, 10, 12, 12},
	13: {-1, -1, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13},
	14: {14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14},
	15: {15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 15},
	16: {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 16, 16, -1, -1, -1, 16},
	17: {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 17, 17, 17, 17, -1, -1, 17, 17},
	21: {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 21, 21, 21, 21, -1, -1, 21, 21, -1, -1, -1, 21},
}

// combineArch is the architecture that runs the code of both; false if there is
// none.
func combineArch(a, b uint64) (uint64, bool) {
	low, high := min(a, b), max(a, b)
	switch {
	case low == high, high <= armArchV6KZ: // up to v6KZ each has all of those before
		return high, true
	case high >= uint64(len(armArchNames)):
		return 0, false
	}
	row, ok := armArchSum[int(high)]
	if !ok { // v8.1-A to v8.3-A, v9-A
		micro := low == 16 || low == 17 || low == 21
		return high, !micro
	}
	sum := row[low]
	return uint64(max(sum, 0)), sum >= 0
}

// mergeCPU merges the architecture, and the names of the processor, which stay if
// they are those of an object for the resulting architecture.
func mergeCPU(m *merger, out, in attributes) {
	a, b := out.num(armCPUArch), in.num(armCPUArch)
	sum, ok := combineArch(a, b)
	if !ok {
		m.fault("is for %s, %s for %s; no processor runs both", armArchName(b), m.first.File, armArchName(a))
		return
	}
	out.set(armCPUArch, sum)
	switch {
	case sum == a:
	case sum == b:
		for _, t := range []uint64{armCPUName, armCPURawName} {
			delete(out, t)
			if x, ok := in[t]; ok {
				out[t] = x
			}
		}
	default:
		delete(out, armCPUName)
		delete(out, armCPURawName)
	}
	if out[armCPUName].text == "" && out[armCPURawName].text == "" {
		out[armCPUName] = attribute{text: armArchName(sum)}
	}
}

func armArchName(n uint64) string {
	if n < uint64(len(armArchNames)) {
		return armArchNames[n]
	}
	return "an unknown architecture"
}
