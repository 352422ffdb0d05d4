package cli

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/elftest"
)

// firmware is the image of the README's figure: for a microcontroller, whose
// data is stored in flash and used in RAM.
func firmware() elftest.File {
	const flash, ram = 0x08000000, 0x20000000
	exec := elf.SHF_ALLOC | elf.SHF_EXECINSTR
	write := elf.SHF_ALLOC | elf.SHF_WRITE
	return elftest.File{
		Class: elf.ELFCLASS32, Type: elf.ET_EXEC, Machine: elf.EM_ARM, Base: flash, EntryIn: ".text",
		Segments: []elftest.Segment{
			{Type: elf.PT_ARM_EXIDX, Flags: elf.PF_R, Sections: []string{".ARM.exidx"}},
			{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Sections: []string{".vectors", ".text", ".rodata", ".ARM.exidx"}},
			{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Sections: []string{".data"}, Paddr: flash + 0x6de4},
			{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Sections: []string{".bss"}},
			{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Sections: []string{".heap"}},
		},
		Sections: []elftest.Section{
			{Name: ".vectors", Flags: elf.SHF_ALLOC, Data: make([]byte, 0x1ac), Align: 4},
			{Name: ".text", Flags: exec, Data: make([]byte, 0x5a38), Align: 4},
			{Name: ".rodata", Flags: elf.SHF_ALLOC, Data: make([]byte, 0x1124), Align: 4},
			{Name: ".ARM.exidx", Flags: elf.SHF_ALLOC, Data: make([]byte, 8), Align: 4},
			{Name: ".data", Flags: write, Addr: ram, Data: make([]byte, 0x1e0), Align: 4},
			{Name: ".bss", Type: elf.SHT_NOBITS, Flags: write, Addr: ram + 0x1e0, Size: 0x3420, Align: 4},
			{Name: ".heap", Type: elf.SHT_NOBITS, Flags: write, Addr: ram + 0x5000, Size: 0x2000, Align: 4},
			{Name: ".comment", Data: []byte("GNU\x00"), Align: 1},
		},
	}
}

// TestReadmeFigure: the figure in the README is what show --svg draws.
func TestReadmeFigure(t *testing.T) {
	const file = "../../docs/images/memory-map.svg"
	want, err := os.ReadFile(file)
	full, _ := filepath.Abs(file)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("firmware.elf", firmware().Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	got, talk, code := pictureRun("show", "--svg=-", "firmware.elf")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, talk)
	}
	if os.Getenv("ELFWRIGHT_UPDATE") != "" {
		err = os.WriteFile(full, []byte(got), 0o644)
		want = []byte(got)
	}
	if err != nil || string(want) != got {
		t.Errorf("docs/images/memory-map.svg is not what show --svg draws (%v); renew it with: ELFWRIGHT_UPDATE=1 go test ./internal/cli -run TestReadmeFigure", err)
	}
}

func pictureRun(args ...string) (out, talk string, code int) {
	var o, e bytes.Buffer
	code = Main(args, Streams{In: strings.NewReader(""), Out: &o, Err: &e})
	return o.String(), e.String(), code
}

// TestPictures: which pictures go where, and what is refused.
func TestPictures(t *testing.T) {
	t.Chdir(t.TempDir())
	data := firmware().Bytes()
	os.WriteFile("fw", data, 0o644)
	os.WriteFile("fw2", data, 0o644)
	os.WriteFile("cut", data[:0x40], 0o644) // in the middle of the program headers

	out, talk, code := pictureRun("show", "--map", "--svg=a.svg", "--html=a.html", "fw")
	if code != exitDone || talk != "" || !strings.Contains(out, "physical address") || strings.Contains(out, "\x1b") {
		t.Errorf("exit %d\n%s%s", code, out, talk)
	}
	for name, start := range map[string]string{"a.svg": "<svg ", "a.html": "<!doctype html>"} {
		if b, err := os.ReadFile(name); err != nil || !strings.HasPrefix(string(b), start) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if out, _, code := pictureRun("show", "--map", "--color=always", "fw", "fw2"); code != exitDone || !strings.Contains(out, "fw2:") || !strings.Contains(out, "\x1b[") {
		t.Errorf("two maps: exit %d\n%s", code, out)
	}
	if out, _, code := pictureRun("show", "--html=-", "fw", "fw2"); code != exitDone || !strings.Contains(out, "<title>fw, fw2</title>") {
		t.Errorf("a page of two: exit %d", code)
	}
	if out, talk, code := pictureRun("show", "--map", "cut"); code != exitNo || !strings.Contains(talk, "cut: ") || !strings.Contains(out, "file offset") {
		t.Errorf("a file that is cut off: exit %d\n%s%s", code, out, talk)
	}
	for _, args := range [][]string{
		{"--svg=x.svg", "fw", "fw2"}, {"--svg=-", "--html=-", "fw"}, {"--map", "--svg=-", "fw"},
		{"--html=no/such/folder/x", "fw"}, {"--map", "none"},
	} {
		if _, talk, code := pictureRun(append([]string{"show"}, args...)...); code != exitError || talk == "" {
			t.Errorf("%q: exit %d %s", args, code, talk)
		}
	}
	if left, _ := filepath.Glob(".*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
