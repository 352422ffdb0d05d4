package flat_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/flat"
	"elfwright/internal/samples"
)

// A comparison is one of our option sets and the words that say the same to GNU
// objcopy.
type comparison struct {
	name  string
	opt   flat.Options
	words []string
}

var targetOf = map[flat.Format]string{flat.Bin: "binary", flat.IHex: "ihex", flat.SRec: "srec", flat.VMem: "verilog"}

// plain are the formats without options, and words of each width.
func plain() []comparison {
	var list []comparison
	for _, f := range []flat.Format{flat.Bin, flat.IHex, flat.SRec, flat.VMem} {
		list = append(list, comparison{string(f), flat.Options{Format: f}, nil})
	}
	for _, w := range []int{2, 4, 8, 16} {
		list = append(list, comparison{fmt.Sprintf("vmem/%d", w), flat.Options{Format: flat.VMem, Width: w}, []string{fmt.Sprintf("--verilog-data-width=%d", w)}})
	}
	return list
}

// filled are those with bytes in gaps, and behind the last one.
func filled(pad uint64) []comparison {
	var list []comparison
	padTo := fmt.Sprintf("--pad-to=0x%x", pad)
	for _, f := range []flat.Format{flat.Bin, flat.IHex, flat.SRec, flat.VMem} {
		list = append(list,
			comparison{string(f) + "/fill", flat.Options{Format: f, Fill: new(byte(0xa5))}, []string{"--gap-fill=0xa5"}},
			comparison{string(f) + "/zeros", flat.Options{Format: f, Fill: new(byte(0))}, []string{"--gap-fill=0"}},
			comparison{string(f) + "/pad", flat.Options{Format: f, PadTo: &pad}, []string{padTo}},
			comparison{string(f) + "/fill+pad", flat.Options{Format: f, Fill: new(byte(0xff)), PadTo: &pad}, []string{"--gap-fill=0xff", padTo}})
	}
	return list
}

// records are the lengths and types of S-records.
func records() []comparison {
	var list []comparison
	for _, n := range []int{1, 3, 21, 32, 100, 250} {
		list = append(list, comparison{fmt.Sprintf("srec/%d", n), flat.Options{Format: flat.SRec, SRecLen: n}, []string{fmt.Sprintf("--srec-len=%d", n)}})
	}
	return append(list, comparison{"srec/S3", flat.Options{Format: flat.SRec, ForceS3: true}, []string{"--srec-forceS3"}})
}

// objcopy runs the peer and returns what it wrote; ok is false where it refused.
func objcopy(t *testing.T, tool string, c comparison, path string) (out []byte, name string, ok bool) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "out")
	words := slices.Concat([]string{"-O", targetOf[c.opt.Format]}, c.words, []string{path, name})
	msg, err := exec.Command(tool, words...).CombinedOutput()
	if err != nil {
		t.Logf("%s: %s", c.name, bytes.TrimSpace(msg))
		return nil, name, false
	}
	out, err = os.ReadFile(name)
	return out, name, err == nil
}

// open opens a file for a test.
func open(t testing.TB, path string) *elffile.File {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// written is what a body is in a file.
func written(t testing.TB, b *elffile.Body) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "written")
	if err := b.WriteFile(name, 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// compare holds one result against objcopy's. What objcopy refuses we must refuse,
// and we may refuse, as an answer, what it writes wrongly: refuses says so.
func compare(t *testing.T, tool, path string, c comparison, refuses string) {
	t.Helper()
	want, name, ok := objcopy(t, tool, c, path)
	c.opt.Name, c.opt.AllowGap = name, true
	r, err := flat.Flatten(open(t, path), c.opt)
	no, refused := errors.AsType[*flat.Refusal](err)
	switch {
	case refused && refuses != "" && strings.Contains(no.Msg, refuses):
	case !ok && !refused:
		t.Errorf("%s %s: objcopy refuses, and we say %v", path, c.name, err)
	case !ok:
	case err != nil:
		t.Errorf("%s: %v", c.name, err)
	case refuses != "" && c.opt.Format != flat.Bin && c.opt.Format != flat.VMem:
		t.Errorf("%s %s: not refused", path, c.name)
	default:
		if got := written(t, r.Body); !bytes.Equal(got, want) {
			t.Errorf("%s %s: %s", path, c.name, difference(got, want))
		}
	}
}

// difference tells where two outputs part.
func difference(got, want []byte) string {
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	around := func(b []byte) string {
		from := max(at-40, 0)
		return fmt.Sprintf("%.120q", b[min(from, len(b)):])
	}
	return fmt.Sprintf("%d bytes, objcopy %d; from 0x%x on\n got %s\nwant %s", len(got), len(want), at, around(got), around(want))
}

// peers are the objcopys that know a machine, and for the machines of big-endian
// samples GNU's generic one, which knows no raw binary of them; LLVM's does.
var peers = map[elf.Machine]string{
	elf.EM_X86_64: "objcopy", elf.EM_386: "i686-linux-gnu-objcopy", elf.EM_AARCH64: "aarch64-linux-gnu-objcopy",
	elf.EM_ARM: "arm-linux-gnueabihf-objcopy", elf.EM_RISCV: "riscv64-linux-gnu-objcopy",
}

// TestSamplesAsObjcopy compares every sample with the formats, and with one of the
// other option sets in turn.
func TestSamplesAsObjcopy(t *testing.T) {
	more := slices.Concat(filled(0), records(), plain()[4:])
	for i, p := range slices.Concat(samples.Programs(), samples.BigEndian()) {
		if p.NoSections {
			continue // see TestNoSections
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			path := p.Build(t)
			list := plain()[:4]
			tool, known := peers[p.Machine]
			if !known {
				tool = "objcopy"
				samples.Need(t, "llvm-objcopy-14")
				compare(t, "llvm-objcopy-14", path, list[0], "")
				list = slices.Concat(list[1:], plain()[4:])
			}
			samples.Need(t, tool)
			if testing.Short() {
				list = list[:1]
			}
			for _, c := range append(list, more[i%len(more)]) {
				if known || c.opt.Format != flat.Bin {
					compare(t, tool, path, c, "")
				}
			}
		})
	}
}

// TestSystemAsObjcopy compares the system's programs and libraries: a few, or with
// ELFWRIGHT_SWEEP=1 all.
func TestSystemAsObjcopy(t *testing.T) {
	samples.Need(t, "objcopy")
	all := samples.SystemELFs("/usr/bin", "/usr/lib")
	seq := samples.Some(all, 8, 5)
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		seq = all
	}
	n := 0
	for path := range seq {
		f, err := elffile.Open(path)
		if err != nil {
			continue
		}
		phdrs := len(f.Progs)
		f.Close()
		if phdrs == 0 {
			continue // an object
		}
		n++
		t.Run(strings.TrimPrefix(path, "/usr/"), func(t *testing.T) {
			t.Parallel()
			for _, c := range plain()[:3] {
				compare(t, "objcopy", path, c, "")
			}
		})
	}
	if n == 0 {
		t.Error("no file was compared")
	}
}
