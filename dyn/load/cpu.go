package load

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"elfwright/dyn/ldcache"
	"elfwright/elffile"
)

// CPU is what a dynamic linker knows of the processor, as far as it decides where
// libraries are searched.
type CPU struct {
	Machine elf.Machine
	Class   elf.Class
	HWCaps  []string // sub-directories of glibc-hwcaps, best first (glibc 2.33 and later)
	Legacy  []string // sub-directories of AT_HWCAP's bits, lowest bit first (until 2.36)

	// Platform is AT_PLATFORM, or what glibc has in place of it: $PLATFORM, and
	// a sub-directory until 2.36.
	Platform string
	Source   string // where this comes from: "/proc/cpuinfo", "baseline"
}

// Baseline is the least that a machine has on which Linux tells about it.
func Baseline(m elf.Machine, class elf.Class) CPU {
	c := CPU{Machine: m, Class: class, Source: "baseline"}
	switch m {
	case elf.EM_X86_64:
		c.Platform, c.Legacy = "x86_64", []string{"x86_64"}
	case elf.EM_386:
		c.Platform = "i686"
	case elf.EM_AARCH64:
		c.Platform = "aarch64"
	case elf.EM_ARM:
		c.Platform = "v7l"
	}
	return c
}

// host are the machines of GOARCH.
var host = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390, "ppc64le": elf.EM_PPC64}

// HostCPU describes this machine's processor to a dynamic linker of a machine;
// false if it does not run its programs, or not by itself.
func HostCPU(m elf.Machine, class elf.Class) (CPU, bool) {
	c := Baseline(m, class)
	own, ok := host[runtime.GOARCH]
	x86 := own == elf.EM_X86_64 && m == elf.EM_386
	if !ok || m != own && !x86 || class != elf.ELFCLASS64 && !x86 {
		return c, false
	}
	info, err := firstProcessor()
	if err != nil {
		return c, false
	}
	c.Source = "/proc/cpuinfo"
	c.fill(info)
	return c, true
}

// firstProcessor reads what /proc/cpuinfo says of the first processor: the kernel
// takes its time for each that it tells of.
func firstProcessor() ([]byte, error) {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const step = 1024
	for info := []byte(nil); ; {
		info = slices.Grow(info, step)
		n, err := f.Read(info[len(info) : len(info)+step])
		info = info[:len(info)+n]
		if i := bytes.Index(info, []byte("\n\n")); i >= 0 && hasFeatures(info[:i]) || err == io.EOF {
			return info, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// hasFeatures says whether there is a line of features: s390 has another order.
func hasFeatures(info []byte) bool {
	return bytes.Contains(info, []byte("\nflags")) || bytes.Contains(info, []byte("\nFeatures"))
}

// fill takes features from the text of /proc/cpuinfo.
func (c *CPU) fill(info []byte) {
	flags := make(map[string]bool, 256)
	vendor, cpu := "", ""
	for line := range bytes.Lines(info) {
		key, value, _ := strings.Cut(string(line), ":")
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "flags", "Features", "features":
			for f := range strings.FieldsSeq(value) {
				flags[f] = true
			}
		case "vendor_id":
			vendor = value
		case "cpu":
			cpu = value
		}
		if len(bytes.TrimSpace(line)) == 0 && len(flags) > 0 {
			break // of the first processor
		}
	}
	switch c.Machine {
	case elf.EM_X86_64, elf.EM_386:
		c.x86(flags, vendor == "GenuineIntel")
	case elf.EM_AARCH64:
		c.legacy(flags, "atomics")
	case elf.EM_S390:
		c.s390(flags)
	case elf.EM_PPC64:
		c.power(cpu)
	}
}

func (c *CPU) legacy(flags map[string]bool, names ...string) {
	for _, n := range names {
		if flags[n] {
			c.Legacy = append(c.Legacy, n)
		}
	}
}

// x86Levels are the features of the x86-64 psABI's micro-architecture levels, in
// the words of /proc/cpuinfo.
var x86Levels = []struct{ dir, flags string }{
	{"x86-64-v2", "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"},
	{"x86-64-v3", "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"},
	{"x86-64-v4", "avx512f avx512bw avx512cd avx512dq avx512vl"},
}

func hasAll(flags map[string]bool, names string) bool {
	for _, n := range strings.Fields(names) {
		if !flags[n] {
			return false
		}
	}
	return true
}

// x86 is init_cpu_features and update_active of glibc 2.33 to 2.36
// (sysdeps/x86/cpu-features.c).
func (c *CPU) x86(flags map[string]bool, intel bool) {
	if c.Machine == elf.EM_386 {
		c.legacy(flags, "sse2")
		return
	}
	for _, l := range x86Levels {
		if !hasAll(flags, l.flags) {
			break
		}
		c.HWCaps = append([]string{l.dir}, c.HWCaps...)
	}
	if !intel {
		return
	}
	phi := hasAll(flags, "avx512cd avx512er avx512pf")
	if !flags["avx512er"] && hasAll(flags, "avx512cd avx512bw avx512dq avx512vl") {
		c.Legacy = append(c.Legacy, "avx512_1")
	}
	switch {
	case phi:
		c.Platform = "xeon_phi"
	case hasAll(flags, "avx2 bmi1 bmi2 abm movbe popcnt fma"):
		c.Platform = "haswell"
	}
}

// s390 is sysdeps/s390/s390-64/dl-hwcap-check.h and dl-hwcaps-subdirs.c.
func (c *CPU) s390(flags map[string]bool) {
	c.legacy(flags, "zarch", "ldisp", "eimm", "dfp", "vx", "vxe", "vxe2")
	for _, l := range []struct{ dir, flags string }{{"z13", "vx"}, {"z14", "vxe"}, {"z15", "vxe2"}, {"z16", "nnpa"}} {
		if !flags[l.flags] {
			break
		}
		c.HWCaps = append([]string{l.dir}, c.HWCaps...)
	}
}

// power is dl-hwcaps-subdirs.c of powerpc64le.
func (c *CPU) power(cpu string) {
	switch {
	case strings.HasPrefix(cpu, "POWER9"):
		c.HWCaps = []string{"power9"}
	case strings.HasPrefix(cpu, "POWER1"):
		c.HWCaps = []string{"power10", "power9"}
	}
}

// subdirectories are what is tried in every directory, each with a slash at its
// end, the directory itself last (_dl_important_hwcaps).
func (c *CPU) subdirectories(v Version, hwcaps []string) []string {
	var list []string
	if !v.Before(2, 33) {
		for _, h := range hwcaps {
			list = append(list, "glibc-hwcaps/"+h+"/")
		}
	}
	if !v.Before(2, 37) {
		return append(list, "")
	}
	words := append([]string(nil), c.Legacy...)
	if c.Platform != "" {
		words = append(words, c.Platform)
	}
	words = append(words, "tls")
	if len(words) > maxWords {
		words = words[len(words)-maxWords:]
	}
	// Every subset, from all to none; in each the last word comes first.
	for set := 1<<len(words) - 1; set >= 0; set-- {
		dir := ""
		for i := len(words) - 1; i >= 0; i-- {
			if set>>i&1 != 0 {
				dir += words[i] + "/"
			}
		}
		list = append(list, dir)
	}
	return list
}

// maxWords bounds the legacy words: there is a directory for every subset.
const maxWords = 12

// legacyBits are the bits of AT_HWCAP that stand in ld.so.cache.
var legacyBits = map[elf.Machine]map[string]uint{
	elf.EM_386:     {"sse2": 0, "x86_64": 1, "avx512_1": 2, "i586": 48, "i686": 49, "haswell": 50, "xeon_phi": 51},
	elf.EM_X86_64:  {"sse2": 0, "x86_64": 1, "avx512_1": 2, "i586": 48, "i686": 49, "haswell": 50, "xeon_phi": 51},
	elf.EM_AARCH64: {"atomics": 8},
	elf.EM_ARM:     {"vfp": 6, "neon": 12},
	elf.EM_S390:    {"zarch": 1, "ldisp": 4, "eimm": 5, "dfp": 6, "vx": 11, "vxe": 13, "vxe2": 15},
}

// query is how the processor asks ld.so.cache.
func (c *CPU) query(f elffile.Format, h *elffile.Header, v Version, hwcaps []string) *ldcache.Query {
	q := &ldcache.Query{Kind: ldcache.KindOf(h.Machine, f.Class, h.Flags)}
	if !v.Before(2, 33) {
		q.Caps = hwcaps
	}
	for i, l := range x86Levels {
		for _, cap := range c.HWCaps {
			if cap == l.dir {
				q.Level = uint(i) + 1
			}
		}
	}
	bits := legacyBits[h.Machine]
	for _, name := range c.Legacy {
		if b, ok := bits[name]; ok {
			q.Legacy |= 1 << b
		}
	}
	if b, ok := bits[c.Platform]; ok {
		q.Platform = 1 << b
	}
	return q
}
