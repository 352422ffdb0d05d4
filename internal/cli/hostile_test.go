package cli

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"elfwright/internal/elftest"
)

// Limits for one verb on one hostile file.
const (
	hostileTime   = 10 * time.Second
	hostileMemory = 1 << 30
)

// hostileVerbs are command lines that read a file; FILE, OUT, DATA, SYMS
// and GOOD are replaced.
var hostileVerbs = []string{
	"show FILE",
	"show -a FILE",
	"show -a --json FILE",
	"show -a -C -z -I FILE",
	"show --nm -x 1 -p 2 -x .dynstr FILE",
	"show -D 0..0x40 FILE",
	"show --map FILE",
	"show --svg OUT --html OUT FILE",
	"explain FILE",
	"explain --json --kernel 5.4 FILE",
	"deps --json --symbols --unused --min-glibc --why libelftest.so.1 --every --provides answer FILE",
	"deps --libc musl --html OUT FILE",
	"phdr list FILE",
	"phdr add --type 0x65770001 --file DATA FILE -o OUT",
	"phdr add --type LOAD --flags rw --memsz 1M FILE -o OUT",
	"phdr set 0 --flags r FILE -o OUT",
	"phdr rm 1 FILE -o OUT",
	"mount FILE OUT",
	"mount --offset 64 --size 4K FILE OUT",
	"embed list --verify FILE",
	"embed add FILE DATA -o OUT",
	"embed rm FILE data -o OUT",
	"embed fix FILE -o OUT",
	"shift --by 64K FILE -o OUT",
	"shift --by -64K FILE -o OUT",
	"split FILE -o OUT --symbols SYMS",
	"join --force FILE GOOD -o OUT",
	"join --force GOOD FILE -o OUT",
	"match FILE GOOD",
	"flatten FILE -o OUT",
	"flatten --segments --virtual --json --format ihex FILE -o OUT",
	"flatten --allow-gap --srec-len 250 --srec-force-s3 --format srec --map FILE -o OUT",
	"flatten --format uf2 --only 0x400000..0x500000 --max-span 16M FILE -o OUT",
	"flatten --fill 0xff --max-span 1M --format vmem FILE -o OUT",
	"flatten --from bin@0xfffffff0 --machine x86-64 FILE -o OUT",
	"flatten --from uf2 FILE -o OUT",
	"flatten --from vmem FILE -o OUT",
	"patch --set 0x401000:u32=1 --set 0x600100:u64=1 --overlay move FILE -o OUT",
	"patch --set buffer.x=1 FILE -o OUT",
	"patch --set buffer+8:u8=1 --set image.entrx=1 --symbols FILE --overlay stay FILE -o OUT",
	"patch --set buffer[]:u16=1,2 --set .data:ptr=&_start FILE -o OUT",
	"patch --section .data=hex:00 --between _start,buffer=hex:00 --force FILE --dry-run --json",
}

// TestHostileFiles runs every verb over broken neighbours of good files: no
// panic, no hang, no memory without bound; an exit code that is one of ours; and
// where something was refused, a message that names the file.
func TestHostileFiles(t *testing.T) {
	each := 12
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		each = 2000
	}
	// The heap is small, and would be collected all the time.
	defer debug.SetGCPercent(debug.SetGCPercent(1000))
	const parts = 4 // side by side
	n := 0
	t.Run("", func(t *testing.T) {
		for part := range parts {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				h := newHostileDir(t)
				i, bad := 0, 0
				for name, b := range hostileFiles(each) {
					if i++; i%parts == part {
						bad += h.try(name, b)
					}
					if bad >= maxErrors {
						t.Fatal("too many; the rest is not tried")
					}
				}
				if part == 0 {
					n = i
				}
			})
		}
	})
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	if mem.HeapSys > hostileMemory {
		t.Errorf("the heap grew to %d MiB", mem.HeapSys>>20)
	}
	t.Logf("%d files, %d command lines each, heap at most %d MiB", n, len(hostileVerbs), mem.HeapSys>>20)
}

// hostileFiles yields broken files, and of each good one some broken neighbours.
func hostileFiles(each int) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for name, b := range elftest.Corpus() {
			if !yield(name, b) {
				return
			}
		}
		seed := uint64(1)
		for name, b := range elftest.WellFormed() {
			left := each
			for how, bad := range elftest.Mutate(seed, b) {
				if left--; left < 0 {
					break
				}
				if !yield(name+": "+how, bad) {
					return
				}
			}
			seed++
		}
		for name, b := range elftest.ArchiveCorpus() {
			if !yield(name, b) {
				return
			}
		}
	}
}

// A hostileDir is where files are tried.
type hostileDir struct {
	*testing.T
	dir string
}

func newHostileDir(t *testing.T) *hostileDir {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data"), []byte("some bytes of our own"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "good"), elftest.ExecSections(elftest.Kinds()[0]).Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	return &hostileDir{t, dir}
}

// try runs all command lines on a file, which none of them changes, and says how
// many did what they must not.
func (t *hostileDir) try(name string, b []byte) (bad int) {
	t.Helper()
	file := filepath.Join(t.dir, "hostile")
	for i, line := range hostileVerbs {
		if i == 0 || bad > 0 {
			if err := os.WriteFile(file, b, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if !t.hostile(name, line, b) {
			bad++
		}
	}
	return bad
}

// hostile runs one command line on the file.
func (t *hostileDir) hostile(name, line string, b []byte) (ok bool) {
	t.Helper()
	ok, dir := true, t.dir
	complain := func(format string, args ...any) {
		t.Helper()
		ok = false
		t.Errorf("%s\n%s: %s", name, line, fmt.Sprintf(format, args...))
	}
	file, out := filepath.Join(dir, "hostile"), filepath.Join(dir, "out")
	os.Remove(out)
	words := strings.Fields(line)
	for i, w := range words {
		switch w {
		case "FILE":
			words[i] = file
		case "OUT":
			words[i] = out
		case "DATA", "SYMS", "GOOD":
			words[i] = filepath.Join(dir, strings.ToLower(w))
		}
	}
	var stderr, answer bytes.Buffer
	stdout := io.Discard
	if words[0] == "match" || words[0] == "deps" { // the answer tells, also if that is no
		stdout = &answer
	}
	start := time.Now()
	code := func() (code int) {
		defer func() {
			if r := recover(); r != nil {
				save := filepath.Join(os.TempDir(), fmt.Sprintf("elfwright-hostile-%d", len(b)))
				os.WriteFile(save, b, 0o644)
				complain("panic: %v\n%s\nfile kept as %s", r, stack(), save)
			}
		}()
		return Main(words, Streams{In: strings.NewReader(""), Out: stdout, Err: &stderr})
	}()
	if took := time.Since(start); took > hostileTime {
		complain("took %v", took)
	}
	switch {
	case code < exitDone || code > exitError:
		complain("exit code %d", code)
	case code != exitDone && !strings.Contains(stderr.String()+answer.String(), "hostile"):
		complain("exit code %d without naming the file: %q", code, stderr.String())
	case code == exitError && fileExists(out):
		complain("refused, and there is an output")
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, b) {
		complain("the input was changed")
	}
	return ok
}

func stack() []byte {
	b := make([]byte, 8<<10)
	return b[:runtime.Stack(b, false)]
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
