package emul

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"elfwright/internal/samples"
)

var (
	comments   = regexp.MustCompile(`(?s)/\*.*?\*/`)
	searchDirs = regexp.MustCompile(`SEARCH_DIR\("[^"]*"\);`)
	spaces     = regexp.MustCompile(`\s+`)
	tight      = regexp.MustCompile(` ?([{}();:,]) ?`)
	hexZeros   = regexp.MustCompile(`0x0+([0-9a-f])`)
)

// bare is a script without what has no meaning: comments, spaces, directories.
func bare(script string) []string {
	s := comments.ReplaceAllString(script, " ")
	s = searchDirs.ReplaceAllString(s, "")
	s = spaces.ReplaceAllString(s, " ")
	s = tight.ReplaceAllString(s, "$1")
	s = hexZeros.ReplaceAllString(s, "0x$1")
	s = strings.ReplaceAll(s, "64 / 8", "8")
	s = strings.ReplaceAll(s, "32 / 8", "4")
	s = strings.NewReplacer("{", "{\n", "}", "\n}\n", ";", ";\n", ")*", ")\n*", ")KEEP", ")\nKEEP").Replace(s)
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && line != ";" {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestAgainstGNU compares every default script with what ld --verbose prints.
func TestAgainstGNU(t *testing.T) {
	yes, no := true, false
	linkers := map[string]string{
		"elf_x86_64": "ld.bfd", "elf_i386": "i686-linux-gnu-ld.bfd",
		"aarch64linux": "aarch64-linux-gnu-ld.bfd", "aarch64linuxb": "aarch64-linux-gnu-ld.bfd", "aarch64elf": "aarch64-linux-gnu-ld.bfd",
		"armelf_linux_eabi": "arm-linux-gnueabihf-ld.bfd", "armelfb_linux_eabi": "arm-linux-gnueabihf-ld.bfd",
		"elf64lriscv": "riscv64-linux-gnu-ld.bfd", "elf32lriscv": "riscv64-linux-gnu-ld.bfd", "armelf": "arm-none-eabi-ld",
	}
	kinds := []struct {
		args string
		kind Kind
	}{
		{"-z noseparate-code", Kind{SeparateCode: &no}},
		{"", Kind{}},
		{"-z separate-code", Kind{SeparateCode: &yes}},
		{"-pie", Kind{PIE: true}},
		{"-shared", Kind{Shared: true}},
		{"-N", Kind{OMagic: true}},
		{"-n", Kind{NMagic: true}},
		{"-z relro -z now", Kind{Now: true}},
		{"-pie -z relro -z now", Kind{PIE: true, Now: true}},
		{"-r", Kind{Relocatable: true}},
	}
	for name, ld := range linkers {
		samples.Need(t, ld)
		e := ByName(name)
		for _, k := range kinds {
			if e.Bare && strings.Contains(k.args, "relro") {
				continue // no RELRO there
			}
			t.Run(name+" "+k.args, func(t *testing.T) {
				out, err := exec.Command(ld, append(strings.Fields(k.args), "-m", name, "--verbose")...).Output()
				if err != nil {
					t.Fatal(err)
				}
				parts := strings.Split(string(out), "==================================================\n")
				if len(parts) < 3 {
					t.Fatalf("ld --verbose printed no script: %s", out)
				}
				compare(t, bare(e.Script(k.kind)), bare(parts[1]))
			})
		}
	}
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for i := 0; i < len(got) || i < len(want); i++ {
		g, w := "(end)", "(end)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("statement %d is %q, ld has %q", i, g, w)
		}
	}
}
