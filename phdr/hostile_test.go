package phdr_test

import (
	"debug/elf"
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/internal/elftest"
	"elfwright/phdr"
)

// edits are what hostile files go through.
var edits = map[string]func(*elffile.File) (*phdr.Result, error){
	"add data": func(f *elffile.File) (*phdr.Result, error) {
		return phdr.Add(f, []phdr.Header{dataHeader()}, phdr.Options{PageSize: 4096, Overlay: phdr.OverlayStay})
	},
	"add memory": func(f *elffile.File) (*phdr.Result, error) {
		return phdr.Add(f, []phdr.Header{arenaHeader(), {Type: elf.PT_LOAD, Memsz: 1 << 40}}, phdr.Options{Force: true, Overlay: phdr.OverlayMove})
	},
	"add far": func(f *elffile.File) (*phdr.Result, error) {
		return phdr.Add(f, []phdr.Header{dataHeader()}, phdr.Options{Technique: "far", PageSize: 0x10000})
	},
	"add extend": func(f *elffile.File) (*phdr.Result, error) {
		return phdr.Add(f, []phdr.Header{dataHeader(), arenaHeader()}, phdr.Options{Technique: "extend", PageSize: 4096})
	},
	"set": func(f *elffile.File) (*phdr.Result, error) {
		flags, memsz, vaddr := elf.PF_R|elf.PF_W|elf.PF_X, uint64(1<<20), image.Addr(0x7000000)
		return phdr.Set(f, len(f.Progs)/2, phdr.Change{Flags: &flags, Memsz: &memsz, Vaddr: &vaddr}, phdr.Options{PageSize: 4096, Force: true})
	},
	"rm": func(f *elffile.File) (*phdr.Result, error) {
		return phdr.Remove(f, []int{0, len(f.Progs) - 1}, phdr.Options{PageSize: 4096, Force: true, Compact: true})
	},
	"grow": func(f *elffile.File) (*phdr.Result, error) {
		return phdr.Grow(f, growable(f), growTo(f), phdr.Options{PageSize: 4096, Force: true, Overlay: phdr.OverlayMove})
	},
	"grow, overlay stays": func(f *elffile.File) (*phdr.Result, error) {
		return phdr.Grow(f, growable(f), growTo(f), phdr.Options{Force: true, Overlay: phdr.OverlayStay})
	},
	"list": func(f *elffile.File) (*phdr.Result, error) {
		return nil, phdr.List(f, phdr.Options{PageSize: 4096}).Err()
	},
}

// try runs every edit on a file; whatever the file is, each ends soon, with a
// result that can be written or with an error.
func try(t testing.TB, name string, b []byte) {
	t.Helper()
	f, err := elffile.Parse(name, b)
	if err != nil {
		return
	}
	for what, do := range edits {
		began := time.Now()
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%s: %s: panic: %v\n%s", name, what, p, debug.Stack())
				}
			}()
			r, err := do(f)
			if err == nil && r != nil && r.Body.Size() > 1<<50 {
				t.Errorf("%s: %s: a file of 0x%x bytes", name, what, r.Body.Size())
			}
		}()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: %s took %v", name, what, took)
		}
	}
}

func TestHostile(t *testing.T) {
	each := 150
	if testing.Short() {
		each = 20
	}
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		each = 5000
	}
	for name, b := range elftest.Corpus() {
		try(t, name, b)
	}
	seed := uint64(11)
	for name, b := range elftest.WellFormed() {
		seed++
		left := each
		for how, bad := range elftest.Mutate(seed, b) {
			if left--; left < 0 {
				break
			}
			try(t, name+": "+how, bad)
		}
	}
}

func FuzzEdits(f *testing.F) {
	for _, b := range elftest.WellFormed() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { try(t, fmt.Sprintf("%d bytes", len(b)), b) })
}
