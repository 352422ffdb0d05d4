package explain

import (
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/elftest"
	"elfwright/plan"
)

// interps are interpreters, and the programs that ask for them.
func interps() (programs, interpreters map[string]craft) {
	programs = map[string]craft{
		"exec":    static(code, load(rw, 0x2000, 0x500000, 0x100, 0x3000)),
		"pie":     dyn(dynText, load(rw, 0x2000, 0x3000, 0x100, 0x3000)),
		"pie-2M":  dyn(aligned(dynText, 2<<20), load(rw, 0x2000, 0x3000, 0x100, 0x3000)),
		"pie-1G":  dyn(aligned(dynText, 1<<30), load(rw, 0x2000, 0x3000, 0x100, 0x3000)),
		"pie-128": dyn(aligned(dynText, 1<<47), load(rw, 0x2000, 0x3000, 0x100, 0x3000)),
		"pie-bss": dyn(load(rw, 0, 0, 0, 0x1000), load(rx, 0, 0x1000, 0x2000, 0x2000)),
		"pie-at":  {typ: elf.ET_DYN, entry: 0x200000 + codeOff, segs: []elftest.Segment{load(rx, 0, 0x200000, 0x2000, 0x2000), noExecStack}},
	}
	interpreters = map[string]craft{
		"dyn":        dyn(dynText, load(rw, 0x2000, 0x3000, 0x100, 0x5000)),
		"dyn-at":     {typ: elf.ET_DYN, entry: 0x7000000 + codeOff, segs: []elftest.Segment{load(rx, 0, 0x7000000, 0x2000, 0x2000), noExecStack}},
		"dyn-at-it":  {typ: elf.ET_DYN, entry: 0x500000 + codeOff, segs: []elftest.Segment{load(rx, 0, 0x500000, 0x2000, 0x2000), noExecStack}},
		"dyn-2M":     dyn(aligned(dynText, 2<<20), load(rw, 0x2000, 0x3000, 0x100, 0x5000)),
		"dyn-bss":    dyn(load(rw, 0, 0, 0, 0x1000), load(rx, 0, 0x1000, 0x2000, 0x2000)),
		"dyn-down":   dyn(load(rw, 0x2000, 0x8000, 0x100, 0x5000), dynText),
		"exec":       {typ: elf.ET_EXEC, entry: 0x900000 + codeOff, segs: []elftest.Segment{load(rx, 0, 0x900000, 0x2000, 0x2000), noExecStack}},
		"exec-over":  static(code),
		"filesz":     dyn(dynText, load(rw, 0x2000, 0x3000, 0x200, 0x100)),
		"no-load":    {typ: elf.ET_DYN, entry: codeOff, segs: []elftest.Segment{noExecStack}},
		"rel":        {typ: elf.ET_REL, entry: codeOff, segs: []elftest.Segment{dynText}},
		"no-phdr":    {typ: elf.ET_DYN, entry: codeOff, segs: []elftest.Segment{dynText}, set: map[string]uint64{"e_phnum": 0}},
		"other":      {typ: elf.ET_DYN, entry: codeOff, segs: []elftest.Segment{dynText}, set: map[string]uint64{"e_machine": 40}},
		"headers-74": many(74),
		"short":      {typ: elf.ET_DYN, segs: []elftest.Segment{dynText}, size: 40},
		"kernel":     {typ: elf.ET_EXEC, entry: 0xffffffff80000000, segs: []elftest.Segment{load(rx, 0, 0x900000, 0x2000, 0x2000)}},
	}
	return programs, interpreters
}

// TestInterpreters holds every program with every interpreter against the
// kernel, on 64 and 32 bits.
func TestInterpreters(t *testing.T) {
	needKernel(t)
	programs, interpreters := interps()
	n := 0
	for _, dir := range fileSystemsHere(t) {
		for iname, in := range interpreters {
			interp := in.write(t, dir, "interp-"+iname, "")
			for pname, p := range programs {
				hold(t, p.write(t, dir, pname+"+"+iname, interp), Options{})
				n++
			}
			if in.set != nil || in.size != 0 {
				continue
			}
			interp = in.to386().write(t, dir, "i386-interp-"+iname, "")
			for pname, p := range programs {
				hold(t, p.to386().write(t, dir, "i386-"+pname+"+"+iname, interp), Options{})
				n++
			}
		}
		for _, bad := range []string{"/nowhere/ld.so", "/etc/passwd", "/etc", "relative", strings.Repeat("x", 4095), strings.Repeat("x", 300), "/dev/null"} {
			hold(t, programs["pie"].write(t, dir, "bad-interp", bad), Options{})
			n++
		}
	}
	t.Logf("%d programs", n)
}

// environment returns an environment of about n bytes.
func environment(n int) (env []string) {
	for i := 0; n > 0; i++ {
		size := min(n, 100_000)
		env = append(env, fmt.Sprintf("V%d=", i)+strings.Repeat("x", size))
		n -= size
	}
	return env
}

// TestLimits varies stack limits and environments.
func TestLimits(t *testing.T) {
	needKernel(t)
	programs, interpreters := interps()
	limits := []uint64{100 << 10, 1 << 20, 8 << 20, 64 << 20, 256 << 20, 1 << 40, plan.Unlimited}
	sizes := []int{0, 1, 4000, 100_000, 260_000, 900_000}
	if os.Getenv("ELFWRIGHT_SWEEP") == "" {
		limits, sizes = []uint64{100 << 10, 1 << 20, 64 << 20, 256 << 20, plan.Unlimited}, []int{0, 100_000, 900_000}
	}
	n := 0
	for fs, dir := range fileSystemsHere(t) {
		interp := interpreters["dyn"].write(t, dir, "interp", "")
		paths := []string{
			programs["pie"].write(t, dir, "pie", interp), programs["exec"].write(t, dir, "exec", interp),
			crafted()["static-pie"].write(t, dir, "static-pie", ""), crafted()["i386-static-pie"].write(t, dir, "i386", ""),
			programs["pie"].to386().write(t, dir, "i386-pie", interpreters["dyn"].to386().write(t, dir, "i386-interp", "")),
		}
		if fs == "ext4" {
			paths = append(paths, "/bin/true")
		}
		for _, limit := range limits {
			for _, size := range sizes {
				small := slices.Repeat([]string{"A=1"}, size/8) // many pointers
				for _, path := range paths {
					hold(t, path, Options{StackLimit: limit, Env: environment(size), Args: []string{"one", "", "three"}})
					hold(t, path, Options{StackLimit: limit, Env: small})
					n += 2
				}
			}
		}
	}
	t.Logf("%d starts", n)
}

// TestHuge varies the size of files around a huge page, which file systems of
// one kind place otherwise than those of the other.
func TestHuge(t *testing.T) {
	needKernel(t)
	const mib = 1 << 20
	for _, dir := range fileSystemsHere(t) {
		for i, span := range []uint64{2*mib - 0x1000, 2 * mib, 2*mib + 0x1000, 4 * mib, 5 * mib} {
			for j, off := range []uint64{0, 0x1000, 0x7000, 2 * mib} {
				c := dyn(load(rx, 0, 0, 0x2000, 0x2000), load(rw, off+0x2000, span, 0x1000, 0x3000))
				c.segs[0].Filesz = span
				c.segs[0].Memsz = span
				c.segs[0].Off = off
				c.size, c.entry = 8*mib, codeOff
				path := c.write(t, dir, fmt.Sprintf("huge-%d-%d", i, j), "")
				hold(t, path, Options{})
				hold(t, dyn(dynText).write(t, dir, fmt.Sprintf("huge-interp-%d-%d", i, j), path), Options{})
			}
		}
	}
}
