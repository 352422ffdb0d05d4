package explain

import (
	"debug/elf"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"elfwright/internal/elftest"
	"elfwright/plan"
)

// TestRandom holds programs with headers made by chance against the kernel:
// more of them with ELFWRIGHT_SWEEP=1.
func TestRandom(t *testing.T) {
	needKernel(t)
	n := 200
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		n = 8000
	}
	dirs := slices.Sorted(maps.Values(fileSystemsHere(t)))
	fates := map[plan.Fate]int{}
	first, _ := strconv.Atoi(os.Getenv("ELFWRIGHT_SEED"))
	for seed := first; seed < first+n; seed++ {
		r := rand.New(rand.NewSource(int64(seed)))
		dir := dirs[r.Intn(len(dirs))]
		c := chance(r)
		interp := ""
		if r.Intn(3) == 0 {
			in := chance(r)
			in.machine = c.machine
			interp = in.write(t, dir, "interp", "")
		}
		path := c.write(t, dir, "program", interp)
		s := hold(t, path, Options{})
		if t.Failed() {
			os.Rename(path, filepath.Join(os.TempDir(), "elfwright-random"))
			os.Rename(interp, filepath.Join(os.TempDir(), "elfwright-random-interp"))
			t.Fatalf("seed %d: %+v\n%+v", seed, c, s.Process.Outcome)
		}
		fates[s.Process.Outcome.Fate]++
		s.Close()
	}
	t.Logf("%d programs: %v", n, fates)
	for f := range plan.Faults + 1 {
		if f != plan.Refused && fates[f] < n/50 {
			t.Errorf("only %d programs that end as %q: the choices are poor", fates[f], f)
		}
	}
}

// chance makes a program with segments of all kinds, close to each other.
func chance(r *rand.Rand) craft {
	pick := func(v ...uint64) uint64 { return v[r.Intn(len(v))] }
	c := craft{typ: elf.ET_EXEC, size: int(pick(0x1800, 0x5000, 0x5000, 0x8123))}
	base := uint64(execBase)
	if r.Intn(2) == 0 {
		c.typ, base = elf.ET_DYN, pick(0, 0, 0x10000)
	}
	for range 1 + r.Intn(5) {
		page := pick(0, 0, 1, 2, 3, 4, 5, 8) << 12
		in := pick(0, 0, 0x10, 0x800, 0xfff)
		s := elftest.Segment{
			Type: elf.PT_LOAD, Flags: elf.ProgFlag(r.Intn(8)), Vaddr: base + page + in, Off: pick(0, 1, 2, 3, 4, 9)<<12 + in,
			Filesz: pick(0, 1, 0x7f0, 0x1000, 0x2000, 0x2345), Align: pick(0x1000, 0x1000, 0x1000, 0x2000, 0x200000, 0, 3, 1<<30),
		}
		s.Memsz = s.Filesz + pick(0, 0, 1, 0x800, 0x1000, 0x3456)
		switch r.Intn(40) {
		case 0:
			s.Off++
		case 1:
			s.Memsz = s.Filesz / 2
		case 2:
			s.Flags |= elf.PF_R
			s.Vaddr = stack64 - pick(0x1000, 0x2000, 0x22000, 0x30000) + in
		case 3:
			s.Memsz += pick(1<<30, 1<<40, 1<<46, 1<<63)
		case 4:
			s.Vaddr = pick(0, 0x1000, 0x10000, 1<<47-0x3000, 1<<62) + in
		}
		c.segs = append(c.segs, s)
	}
	if r.Intn(4) > 0 {
		i := r.Intn(len(c.segs))
		c.segs[i] = load(rx, 0, base, 0x2000, 0x2000)
	}
	if r.Intn(3) > 0 {
		c.segs = append(c.segs, elftest.Segment{Type: elf.PT_GNU_STACK, Flags: elf.ProgFlag(r.Intn(8))})
	}
	c.entry = base + codeOff
	if r.Intn(4) == 0 {
		return c.to386()
	}
	return c
}
