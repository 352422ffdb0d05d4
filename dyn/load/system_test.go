package load_test

import (
	"debug/elf"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

const ldso = "/lib64/ld-linux-x86-64.so.2"

// dynamicFiles are the files below dirs that this machine's dynamic linker can be
// asked about.
func dynamicFiles(t testing.TB, dirs ...string) []string {
	var list []string
	seen := make(map[string]bool)
	for _, dir := range dirs {
		filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || seen[name] {
				return nil
			}
			f, err := elf.Open(name)
			if err != nil {
				return nil
			}
			defer f.Close()
			if f.Machine != elf.EM_X86_64 || f.Class != elf.ELFCLASS64 || f.Type != elf.ET_DYN && f.Type != elf.ET_EXEC {
				return nil
			}
			for _, p := range f.Progs {
				if p.Type == elf.PT_DYNAMIC && p.Filesz > 0 { // else a debug file
					seen[name] = true
					list = append(list, name)
				}
			}
			return nil
		})
	}
	return list
}

// TestSystem holds our account of what is searched and loaded against that of
// this machine's ld.so, on a part of its files, or on all of them.
func TestSystem(t *testing.T) {
	samples.Need(t, ldso)
	files := dynamicFiles(t, "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec")
	step := max(len(files)/150, 1)
	if sweep() {
		step = 1
	}
	l, err := load.New(load.Options{NamesOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done, tries, wrong := 0, 0, 0
	for i := 0; i < len(files) && wrong < 10; i += step {
		name := files[i]
		argv := []string{ldso, name} // as ldd does; --list ends at the first that is missing
		if st, err := os.Stat(name); err == nil && st.Mode()&0o111 != 0 && st.Mode()&(os.ModeSetuid|os.ModeSetgid) == 0 && isGlibc(t, name) {
			argv = []string{name}
		}
		p, err := l.Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			wrong++
			continue
		}
		if p.Libc != load.Glibc {
			continue
		}
		want := traced(t, "/", nil, argv...)
		if !same(t, name, want, told(p)) {
			wrong++
		}
		done++
		tries += len(want.events)
	}
	if done < 50 && wrong == 0 {
		t.Errorf("only %d files of %d", done, len(files))
	}
	t.Logf("%d files of %d, %d lines of search", done, len(files), tries)
}

// isGlibc says whether a program asks for this machine's ld.so.
func isGlibc(t testing.TB, name string) bool {
	f, err := elf.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, p.Filesz)
			p.ReadAt(b, 0)
			return string(b) == ldso+"\x00"
		}
	}
	return false
}
