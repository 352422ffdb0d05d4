package bind

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/dyn/object"
	"elfwright/elffile"
	"elfwright/machine/all"
)

// byHand makes a process of files in load order.
func byHand(t testing.TB, ld string, paths ...string) *load.Process {
	t.Helper()
	p := &load.Process{}
	names := map[string]*load.Object{}
	for i, path := range paths {
		f, err := elffile.Open(path)
		if err != nil {
			for _, root := range []string{"/usr/i686-linux-gnu", "/usr/aarch64-linux-gnu", "/usr/arm-linux-gnueabihf", "/usr/riscv64-linux-gnu"} {
				if !strings.HasPrefix(paths[0], root) && strings.Contains(t.Name(), hostOf[root]) {
					f, err = elffile.Open(root + path)
				}
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		o := &load.Object{Object: openByHand(f), Index: i, Path: path}
		p.Objects = append(p.Objects, o)
		if path == ld {
			p.Ld = o
		}
		names[path[strings.LastIndex(path, "/")+1:]] = o
		if o.Soname != "" {
			names[o.Soname] = o
		}
	}
	for _, o := range p.Objects {
		for _, n := range o.Needed {
			o.Needs = append(o.Needs, load.Need{Name: n, To: names[n]})
		}
	}
	return p
}

func openByHand(f *elffile.File) *object.Object {
	o := &object.Object{File: f, Machine: all.Lookup(f.Header.Machine, f.Class)}
	o.Dynamic, _ = f.Dynamic()
	o.Symbols, _ = f.DynamicSymbolTable()
	o.Gnu, _ = f.GnuHash()
	o.Sysv, _ = f.SysvHash()
	o.Versions, _ = f.Versions()
	o.Relocs, _ = f.DynamicRelocTables()
	for _, e := range o.Dynamic.Entries {
		switch e.Tag {
		case elf.DT_NEEDED:
			o.Needed = append(o.Needed, string(o.Dynamic.String(e.Val)))
		case elf.DT_SONAME:
			o.Soname = string(o.Dynamic.String(e.Val))
		case elf.DT_SYMBOLIC:
			o.Symbolic = true
		case elf.DT_FLAGS:
			o.Symbolic = o.Symbolic || elf.DynFlag(e.Val)&elf.DF_SYMBOLIC != 0
			o.BindNow = o.BindNow || elf.DynFlag(e.Val)&elf.DF_BIND_NOW != 0
		case elf.DT_FLAGS_1:
			o.BindNow = o.BindNow || elf.DynFlag1(e.Val)&elf.DF_1_NOW != 0
		case elf.DT_BIND_NOW:
			o.BindNow = true
		}
	}
	return o
}

const hostLd = "/lib64/ld-linux-x86-64.so.2"

// process asks a machine's ld.so what it would load.
func (h host) process(t testing.TB, path string) *load.Process {
	out, _ := h.start(path, "LD_TRACE_LOADED_OBJECTS=1").Output()
	list := []string{path}
	ld := ""
	for line := range bytes.Lines(out) {
		w := strings.Fields(string(line))
		switch {
		case len(w) >= 3 && w[1] == "=>" && w[2][0] == '/':
			list = append(list, w[2])
		case len(w) >= 1 && w[0][0] == '/':
			list = append(list, w[0])
			ld = w[0]
		}
	}
	p := byHand(t, ld, list...)
	return p
}

// traced asks ld.so what it would load.
func traced(t testing.TB, path string) *load.Process {
	out, err := exec.Command(hostLd, "--list", path).Output()
	if err != nil {
		return nil
	}
	list := []string{path}
	for line := range bytes.Lines(out) {
		w := strings.Fields(string(line))
		switch {
		case len(w) >= 3 && w[1] == "=>":
			list = append(list, w[2])
		case len(w) >= 1 && w[0][0] == '/':
			list = append(list, w[0])
		}
	}
	return byHand(t, hostLd, list...)
}

func BenchmarkBind(b *testing.B) {
	for _, path := range []string{"/bin/true", "/usr/bin/gdb", "/usr/lib/llvm-14/bin/clang"} {
		p := traced(b, path)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s-%d", filepath.Base(path), workers), func(b *testing.B) {
				var r *Result
				for b.Loop() {
					r, _ = Bind(p, Options{Workers: workers})
				}
				b.ReportMetric(float64(len(r.Bindings)), "bindings")
			})
		}
	}
}

var hostOf = map[string]string{"/usr/i686-linux-gnu": "i386", "/usr/aarch64-linux-gnu": "AArch64", "/usr/arm-linux-gnueabihf": "ARM", "/usr/riscv64-linux-gnu": "RISC-V"}
