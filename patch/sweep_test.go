package patch_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/patch"
)

// A variable is a data symbol, as the standard library's reader sees it.
type variable struct {
	name string
	addr uint64
	size uint64
}

// variables are the data symbols of a file in writable memory whose name no other
// symbol has.
func variables(t *testing.T, path string) []variable {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, _ := f.Symbols()
	if len(syms) == 0 {
		syms, _ = f.DynamicSymbols()
	}
	count := make(map[string]int)
	for _, s := range syms {
		count[s.Name]++
	}
	writable := func(s elf.Symbol) bool {
		return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool {
			return p.Type == elf.PT_LOAD && p.Flags&elf.PF_W != 0 && s.Value >= p.Vaddr && s.Value-p.Vaddr < p.Memsz && s.Size <= p.Memsz-(s.Value-p.Vaddr)
		})
	}
	var list []variable
	for _, s := range syms {
		if elf.ST_TYPE(s.Info) == elf.STT_OBJECT && s.Size > 0 && s.Size <= 1<<16 && count[s.Name] == 1 && s.Section < elf.SHN_LORESERVE && s.Section != elf.SHN_UNDEF &&
			writable(s) && !strings.ContainsAny(s.Name, "{}") {
			list = append(list, variable{s.Name, s.Value, s.Size})
		}
	}
	return list
}

// TestEveryVariable sets each variable of the sample programs to random bytes, all
// of a program in one step, and reads them back with the standard library's
// reader. Doing it again changes nothing; setting the old bytes gives back what
// was there.
func TestEveryVariable(t *testing.T) {
	programs := slices.Concat(samples.Programs(), samples.BigEndian())
	all := os.Getenv("ELFWRIGHT_SWEEP") != ""
	for i, p := range programs {
		if !all && i%5 != 0 {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			everyVariable(t, p.Build(t))
		})
	}
}

func everyVariable(t *testing.T, path string) {
	vars := variables(t, path)
	if len(vars) == 0 {
		t.Skip("it has no symbols of data")
	}
	rnd := rand.New(rand.NewSource(int64(len(vars))))
	f := open(t, path)
	mem := memoryImage(t, path)
	sets := make(map[string]patch.Set)
	for _, v := range vars {
		b := make([]byte, v.size)
		rnd.Read(b)
		sets[v.name] = patch.Set{Place: "{" + v.name + "}", Type: "bytes", Value: patch.Value{Kind: patch.Bytes, Data: elffile.Buffer(b)}}
	}
	if _, err := patch.Apply(f, slices.Collect(maps.Values(sets)), patch.Options{Overlay: "move"}); no(err) {
		// Some are the dynamic linker's: find out which.
		for name, s := range sets {
			_, err := patch.Apply(f, []patch.Set{s}, patch.Options{Overlay: "move"})
			if no(err) && strings.Contains(err.Error(), "dynamic linker") {
				delete(sets, name)
			}
		}
	}
	var there, back []patch.Set
	want := slices.Clone(mem)
	for _, v := range vars {
		if s, ok := sets[v.name]; ok {
			there = append(there, s)
			s.Value.Data = elffile.Buffer(mem.at(v.addr, v.size, nil))
			back = append(back, s)
		}
	}
	for _, v := range vars { // in the order in which they are written: some overlap
		if s, ok := sets[v.name]; ok {
			want.at(v.addr, v.size, s.Value.Data.(elffile.Buffer))
		}
	}
	if len(there) == 0 {
		t.Skip("all its variables are the dynamic linker's")
	}
	dir := t.TempDir()
	once, twice, old := filepath.Join(dir, "once"), filepath.Join(dir, "twice"), filepath.Join(dir, "old")
	write(t, path, once, there)
	write(t, once, twice, there)
	sameFiles(t, once, twice)
	write(t, once, old, back)
	compare(t, "patched", memoryImage(t, once), want)
	compare(t, "patched back", memoryImage(t, old), mem)
	t.Logf("%d of %d variables", len(there), len(vars))
}

func write(t *testing.T, from, to string, sets []patch.Set) {
	t.Helper()
	r, err := patch.Apply(open(t, from), sets, patch.Options{Overlay: "move"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.WriteFile(to, 0o755); err != nil {
		t.Fatal(err)
	}
}

// An area is the memory of a PT_LOAD.
type area struct {
	addr  uint64
	bytes []byte
}

type areas []area

// memoryImage loads the writable memory of a file by the standard library's reader.
func memoryImage(t *testing.T, path string) areas {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out areas
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_W != 0 {
			b := make([]byte, p.Memsz)
			if _, err := p.ReadAt(b[:p.Filesz], 0); err != nil && p.Filesz > 0 {
				t.Fatal(err)
			}
			out = append(out, area{p.Vaddr, b})
		}
	}
	return out
}

// at returns a copy of bytes at an address, and puts others there.
func (a areas) at(addr, n uint64, put []byte) []byte {
	for i := range a {
		if addr >= a[i].addr && addr-a[i].addr+n <= uint64(len(a[i].bytes)) {
			b := a[i].bytes[addr-a[i].addr:][:n]
			old := bytes.Clone(b)
			if put != nil {
				a[i].bytes = bytes.Clone(a[i].bytes)
				copy(a[i].bytes[addr-a[i].addr:], put)
			}
			return old
		}
	}
	panic(fmt.Sprintf("no memory at 0x%x", addr))
}

func compare(t *testing.T, what string, got, want areas) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d writable PT_LOADs, want %d", what, len(got), len(want))
	}
	for i := range got {
		a, b := got[i].bytes, want[i].bytes
		if bytes.Equal(a, b) {
			continue
		}
		k := 0
		for k < len(a) && k < len(b) && a[k] == b[k] {
			k++
		}
		t.Errorf("%s: PT_LOAD at 0x%x: other bytes from +0x%x on", what, got[i].addr, k)
	}
}

// TestSystem patches data of this system's programs and libraries in memory: a
// sample, or with ELFWRIGHT_SWEEP all.
func TestSystem(t *testing.T) {
	paths := samples.SystemELFs("/usr/bin", "/usr/lib")
	if os.Getenv("ELFWRIGHT_SWEEP") == "" {
		paths = samples.Some(paths, 40, 5)
	}
	count := make(map[string]int)
	for path := range paths {
		count[system(t, path)]++
	}
	t.Logf("%v", count)
}

func system(t *testing.T, path string) string {
	f, err := elffile.Open(path)
	if err != nil {
		return "unread"
	}
	defer f.Close()
	i := slices.IndexFunc(f.Progs, func(p elffile.Prog) bool {
		return p.Type == elf.PT_LOAD && p.Flags&elf.PF_W != 0 && p.Memsz > p.Filesz+64
	})
	if i < 0 || f.Header.Type != elf.ET_EXEC && f.Header.Type != elf.ET_DYN {
		return "no .bss"
	}
	p := &f.Progs[i]
	at := p.Vaddr + p.Filesz + (p.Memsz-p.Filesz)/2
	r, err := patch.Apply(f, parse(t, fmt.Sprintf("0x%x:u64=0x1122334455667788", at)), patch.Options{Overlay: "move"})
	if no(err) {
		return "refused"
	}
	if err != nil {
		t.Errorf("%v", err)
		return "failed"
	}
	now, err := elffile.ParseBody(path, r.Body)
	if err != nil {
		t.Error(err)
		return "failed"
	}
	b, err := now.BytesAt(at, 8)
	if err = errors.Join(err, now.SectionErr()); err != nil || now.U64(b) != 0x1122334455667788 {
		t.Errorf("%s: %x, %v", path, b, err)
	}
	return "patched"
}
