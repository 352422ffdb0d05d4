package link_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var x64 = &crossTools{prefix: "x86_64-linux-gnu-", ld: []string{"-melf_x86_64"}}

// mangledCode has names of C++ and Rust, of both schemes, and refers to others.
const mangledCode = `names=.text
	.globl _Z4defdi, _Z4defdl, _Z6callerv, _ZN2ns5insideEv, plain, _start
	.globl _ZN4core3fmt5write17h0123456789abcdefE, _RNvC1a4main
_Z4defdi: _Z4defdl: _Z6callerv: _ZN2ns5insideEv: plain: _start: nop
_ZN4core3fmt5write17h0123456789abcdefE: _RNvC1a4main: ret`

// versionNames are the dynamic symbols of a file with their versions.
func versionNames(t *testing.T, file string) []string {
	t.Helper()
	f := open(t, file)
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range syms {
		if elf.ST_TYPE(s.Info) != elf.STT_OBJECT { // GNU ld's symbols of the versions
			names = append(names, s.Name+"@"+s.Version)
		}
	}
	slices.Sort(names)
	return names
}

// Patterns of extern "C++" are for the names as in the source.
func TestVersionsOfCxxNames(t *testing.T) {
	for name, c := range map[string]struct{ option, text string }{
		"exact":    {"--version-script", `V1 { global: extern "C++" { "defd(int)"; "ns::inside()" }; local: *; };`},
		"patterns": {"--version-script", `V1 { global: extern "C++" { ns::*; call* }; }; V2 { global: extern "C++" { def*; }; local: *; } V1;`},
		"both":     {"--version-script", `V1 { global: extern "C" { plain; _Z4defdl; }; extern "C++" { "caller()"; plain*; }; local: *; };`},
		"rust":     {"--version-script", `V1 { global: extern "C++" { core::fmt::*; a::main; }; local: *; };`},
		"local":    {"--version-script", `V1 { global: *; local: extern "C++" { "defd(long)"; ns::* }; };`},
		"list":     {"--dynamic-list", `{ extern "C++" { "defd(int)"; ns::*; }; plain; };`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			list := filepath.Join(dir, "list")
			if err := os.WriteFile(list, []byte(c.text), 0o666); err != nil {
				t.Fatal(err)
			}
			kind := "-shared"
			if c.option == "--dynamic-list" {
				kind = "-pie"
			}
			args := append([]string{kind, c.option + "=" + list}, x64.assemble(t, dir, mangledCode)...)
			want := versionNames(t, x64.gnu(t, dir, args...))
			ours := filepath.Join(dir, "ours")
			run(t, append(command(t), append(args, "-o", ours)...)...)
			if got := versionNames(t, ours); !slices.Equal(got, want) {
				t.Errorf("%v, ld has %v", got, want)
			}
			if len(want) == 0 {
				t.Error("nothing is compared")
			}
		})
	}
}

func run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// Messages have the names that GNU ld's have, by the same options.
func TestNamesInMessages(t *testing.T) {
	dir := t.TempDir()
	objs := x64.assemble(t, dir,
		"a=.globl _start, _Z5twiceiPKc\n_start: call _Z4gonedd\n_Z5twiceiPKc: ret\n.quad plain",
		"b=.globl _Z5twiceiPKc\n_Z5twiceiPKc: ret\n.long _ZN1S3farE")
	objs = append(objs, "--defsym=_ZN1S3farE=0x123456789")
	nice, raw := []string{"gone(double, double)", "twice(int, char const*)", "S::far"}, []string{"_Z4gonedd", "_Z5twiceiPKc", "_ZN1S3farE"}
	for _, c := range []struct {
		option, env string
		want        []string
	}{
		{"", "", nice},
		{"--no-demangle", "", raw},
		{"--demangle=none", "", raw},
		{"--demangle=gnu-v3", "", nice},
		{"", "COLLECT_NO_DEMANGLE=", raw},
		{"--demangle", "COLLECT_NO_DEMANGLE=1", nice},
		{"--demangle=auto", "COLLECT_NO_DEMANGLE=1", nice},
	} {
		for _, ld := range [][]string{{"ld", "-melf_x86_64"}, command(t)} {
			var text string
			// Not all is told at once.
			for _, more := range [][]string{nil, {"-z", "muldefs"}, {"--unresolved-symbols=ignore-all", "-z", "muldefs"}} {
				args := slices.Concat(ld, strings.Fields(c.option), more, objs, []string{"-o", filepath.Join(dir, "out")})
				cmd := exec.Command(args[0], args[1:]...)
				cmd.Env = append(os.Environ(), c.env)
				out, err := cmd.CombinedOutput()
				if err == nil {
					t.Errorf("%v: no error", args)
				}
				text += string(out)
			}
			for i := range nice {
				for _, name := range []string{nice[i], raw[i]} {
					if has, want := strings.Contains(text, name), name == c.want[i]; has != want {
						t.Errorf("%s %s: %s: has %q: %v\n%s", c.env, c.option, filepath.Base(ld[0]), name, has, text)
					}
				}
			}
		}
	}
}

// The map and the table of references have the names of messages.
func TestNamesInMap(t *testing.T) {
	dir := t.TempDir()
	objs := x64.assemble(t, dir, "a=.globl _start\n_start: call _ZN1S3runEv", "b=.globl _ZN1S3runEv\n_ZN1S3runEv: ret")
	lib := filepath.Join(dir, "lib.a")
	run(t, "ar", "rcs", lib, objs[1])
	for _, option := range []string{"--demangle", "--no-demangle"} {
		var counts []string
		for _, ld := range [][]string{{"ld", "-melf_x86_64"}, command(t)} {
			file := filepath.Join(dir, "map")
			run(t, slices.Concat(ld, []string{option, objs[0], lib, "-o", filepath.Join(dir, "out"), "-Map", file, "--cref"})...)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			counts = append(counts, fmt.Sprint(strings.Count(string(text), "S::run()"), strings.Count(string(text), "_ZN1S3runEv")))
		}
		if counts[0] != counts[1] || counts[0] == "0 0" {
			t.Errorf("%s: ld has the names %s times, ours %s", option, counts[0], counts[1])
		}
	}
}
