package options

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link/model"
)

func parse(t *testing.T, line string) (*model.Options, Asked, error) {
	t.Helper()
	return Parse(strings.Fields(line), func(string) ([]byte, error) { return nil, os.ErrNotExist })
}

// TestForms gives options in all the ways in which ld takes them.
func TestForms(t *testing.T) {
	for line, ok := range map[string]func(o *model.Options) bool{
		"-ofile a.o":                       func(o *model.Options) bool { return o.Output == "file" && len(o.Inputs) == 1 },
		"-o file":                          func(o *model.Options) bool { return o.Output == "file" },
		"--output=file":                    func(o *model.Options) bool { return o.Output == "file" },
		"-omagic":                          func(o *model.Options) bool { return o.Output == "magic" && !o.OMagic },
		"--omagic":                         func(o *model.Options) bool { return o.OMagic },
		"-nmagic":                          func(o *model.Options) bool { return o.NMagic },
		"-Tk.lds":                          func(o *model.Options) bool { return o.Scripts[0] == "k.lds" },
		"-T k.lds":                         func(o *model.Options) bool { return o.Scripts[0] == "k.lds" },
		"-Ttext=1000":                      func(o *model.Options) bool { return *o.Text == 0x1000 },
		"-Ttext 0x1000":                    func(o *model.Options) bool { return *o.Text == 0x1000 },
		"--Ttext-segment=ffff800000000000": func(o *model.Options) bool { return *o.TextSegment == 0xffff800000000000 },
		"-L=/lib -L /b -Lc":                func(o *model.Options) bool { return strings.Join(o.LibPaths, " ") == "=/lib /b c" },
		"-z max-page-size=0x1000":          func(o *model.Options) bool { return o.MaxPageSize == 0x1000 },
		"-zmax-page-size=2M":               func(o *model.Options) bool { return o.MaxPageSize == 2<<20 },
		"-lgcc --library=c -l:crt0.o":      func(o *model.Options) bool { return o.Inputs[2].Name == ":crt0.o" && o.Inputs[1].Library },
		"-melf_i386":                       func(o *model.Options) bool { return o.Emulation == "elf_i386" },
		"-e start":                         func(o *model.Options) bool { return o.Entry == "start" },
		"--entry=start":                    func(o *model.Options) bool { return o.Entry == "start" },
		"--gc-sec":                         func(o *model.Options) bool { return o.GC },
		"-gc-sections":                     func(o *model.Options) bool { return o.GC },
		"--build-id":                       func(o *model.Options) bool { return o.BuildID == "sha1" },
		"--build-id=0xAB-cd":               func(o *model.Options) bool { return o.BuildID == "0xabcd" },
		"--section-start=.a=1000":          func(o *model.Options) bool { return o.SectionStart[0].Addr == 0x1000 },
		"--section-start .a=1000":          func(o *model.Options) bool { return o.SectionStart[0].Name == ".a" },
		"-( a.a b.a -)":                    func(o *model.Options) bool { return o.Inputs[0].Group == 1 && o.Inputs[1].Group == 1 },
		"--whole-archive a.a --no-whole-archive b.a": func(o *model.Options) bool {
			return o.Inputs[0].WholeArchive && !o.Inputs[1].WholeArchive
		},
		"--push-state --as-needed -la --pop-state -lb": func(o *model.Options) bool { return o.Inputs[0].AsNeeded && !o.Inputs[1].AsNeeded },
		"-b binary x -b elf64-x86-64 y":                func(o *model.Options) bool { return o.Inputs[0].Format == "binary" && o.Inputs[1].Format == "" },
		"-plugin p.so -plugin-opt=-pass a.o":           func(o *model.Options) bool { return len(o.Inputs) == 1 },
		"-static -no-pie":                              func(o *model.Options) bool { return o.Static },
		"-shared -soname x.so -hy.so":                  func(o *model.Options) bool { return o.Shared && o.Soname == "y.so" },
		"-O2 -O 1":                                     func(o *model.Options) bool { return o.Optimize == 1 },
		"-EB":                                          func(o *model.Options) bool { return o.Big },
		"--unique --unique=.x":                         func(o *model.Options) bool { return len(o.Unique) == 2 },
		"--add-phdr 0x64":                              func(o *model.Options) bool { return len(o.AddPhdrs) == 1 },
	} {
		o, _, err := parse(t, line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		} else if !ok(o) {
			t.Errorf("%s: %+v", line, o)
		}
	}
}

// TestFaults wants an error that names the option.
func TestFaults(t *testing.T) {
	for line, want := range map[string]string{
		"--gc-sectionz":             "--gc-sectionz: no such option; perhaps --gc-sections was meant",
		"-o":                        "-o: needs an argument: FILE",
		"-Ttext=xyz":                `-Ttext: "xyz" is not a hexadecimal number`,
		"-z max-page-size=3":        "-z: max-page-size: 3 is not a power of two",
		"-z nosuch":                 `-z: unknown word "nosuch"`,
		"-m vax":                    `-m: unknown emulation "vax"`,
		"-c script":                 "-c: not supported: MRI scripts",
		"-( a.a":                    "--start-group: has no --end-group",
		"--pop-state":               "--pop-state: there is no --push-state before it",
		"--gc-sections=1":           "--gc-sections: no such option",
		"--orphan-handling=explode": `--orphan-handling: "explode" is not one of`,
	} {
		if _, _, err := parse(t, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %s", line, err, want)
		}
	}
}

// TestResponseFiles reads words in quotes from files in files.
func TestResponseFiles(t *testing.T) {
	files := map[string]string{
		"a":    "-o 'a b' \"c\\\"d\" e\\ f @b",
		"b":    "g",
		"loop": "@loop",
		"open": "'x",
	}
	read := func(name string) ([]byte, error) {
		if s, ok := files[name]; ok {
			return []byte(s), nil
		}
		return nil, os.ErrNotExist
	}
	o, _, err := Parse([]string{"@a", "@none"}, read)
	if err != nil || o.Output != "a b" || len(o.Inputs) != 4 || o.Inputs[0].Name != `c"d` || o.Inputs[1].Name != "e f" || o.Inputs[2].Name != "g" || o.Inputs[3].Name != "@none" {
		t.Errorf("%+v %v", o, err)
	}
	for _, name := range []string{"@loop", "@open"} {
		if _, _, err := Parse([]string{name}, read); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

var (
	helpOption = regexp.MustCompile(`(?m)^  (-[^ \n]+(?: [A-Z][^ ,]*)?(?:, -[^ \n]+(?: [A-Z][^ ,]*)?)*)`)
	helpZ      = regexp.MustCompile(`(?m)^  -z ([a-z0-9-]+)[= ]`)
)

// TestEveryOptionOfGNU asks each ld for its options: the table has them all.
func TestEveryOptionOfGNU(t *testing.T) {
	for _, ld := range []string{"ld.bfd", "aarch64-linux-gnu-ld.bfd", "arm-linux-gnueabihf-ld.bfd", "riscv64-linux-gnu-ld.bfd"} {
		samples.Need(t, ld)
		out, err := exec.Command(ld, "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		elf, _, _ := strings.Cut(string(out), "i386pep:") // and no PE
		elf, _, _ = strings.Cut(elf, "i386pe:")
		n := 0
		for _, m := range helpOption.FindAllStringSubmatch(elf, -1) {
			for _, name := range strings.Split(m[1], ", ") {
				name, _, _ = strings.Cut(name, " ")
				name, _, _ = strings.Cut(name, "=")
				name, _, _ = strings.Cut(name, "[")
				name = strings.TrimRight(name, ",")
				if name == "-z" || name == "" || name == "--" { // --[no-]fix-…

					continue
				}
				n++
				if o, _, _, _ := find(name); o == nil {
					t.Errorf("%s has %s", ld, name)
				}
			}
		}
		words := helpZ.FindAllStringSubmatch(elf, -1)
		for _, m := range words {
			known := false
			for _, z := range zTable {
				w, _, _ := strings.Cut(z.word, "=")
				known = known || w == m[1]
			}
			if !known {
				t.Errorf("%s has -z %s", ld, m[1])
			}
		}
		if n < 150 || len(words) < 20 {
			t.Errorf("%s: only %d options and %d words were found in its help", ld, n, len(words))
		}
	}
}

// FuzzParse wants an end, and a link or an error.
func FuzzParse(f *testing.F) {
	f.Add("-o a -T b.lds -z now --section-start=.a=1 -( x -)")
	f.Add("@a '@b' \"")
	f.Fuzz(func(t *testing.T, line string) {
		o, _, err := Parse(strings.Fields(line), func(name string) ([]byte, error) { return []byte(name), nil })
		if err == nil && o == nil {
			t.Error("neither options nor error")
		}
	})
}
