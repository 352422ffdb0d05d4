package freeze_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// TestCompress makes a compressed file of a process that stands still, and the file
// of that: it is the one that is made without.
func TestCompress(t *testing.T) {
	samples.Need(t, "bash")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	cmd := standing(t)
	var read [2]uint64
	for name, opt := range map[string]freeze.Options{
		"plain": {}, "small": {Compress: true, Progress: func(done, total uint64) { read = [2]uint64{done, total} }}, "again": {Compress: true, Snapshot: true},
	} {
		r, err := freeze.Freeze(cmd.Process.Pid, at(name), opt)
		if err != nil {
			t.Fatal(name, err)
		}
		if st, err := os.Stat(at(name)); err != nil || st.Size() != r.Size || st.Mode() != 0o700 {
			t.Errorf("%s: %v, %v, report says 0x%x", name, st, err, r.Size)
		}
	}
	if _, err := freeze.Freeze(cmd.Process.Pid, at("killed"), freeze.Options{Compress: true, Kill: true}); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if cmd.ProcessState.ExitCode() != -1 {
		t.Errorf("the process was not killed: %v", cmd.ProcessState)
	}
	plain, _ := os.ReadFile(at("plain"))
	if read != [2]uint64{uint64(len(plain)), uint64(len(plain))} {
		t.Errorf("progress ended at %d, the file has %d bytes", read, len(plain))
	}
	for _, name := range []string{"small", "again", "killed"} {
		b, _ := os.ReadFile(at(name))
		if len(b) > len(plain)/2 || !bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")) {
			t.Errorf("%s: %d bytes of %d, begins with %x", name, len(b), len(plain), b[:4])
		}
		if err := freeze.Expand(at(name), at("expanded"), freeze.Options{}); err != nil {
			t.Fatal(err)
		}
		if b, _ := os.ReadFile(at("expanded")); !bytes.Equal(b, plain) {
			t.Errorf("%s: not the file that is made without compression", name)
		}
		const more = 64 // of the file system's own
		if blocks(t, at("expanded")) > blocks(t, at("plain"))+more {
			t.Errorf("%s: %d blocks, not %d", name, blocks(t, at("expanded")), blocks(t, at("plain")))
		}
		samples.Settle(t, at("expanded"))
		thawed(t, dir, at("expanded"), 9, "")
	}
	left, _ := filepath.Glob(at(".elfwright*"))
	if len(left) != 0 {
		t.Errorf("left behind: %s", left)
	}
	hostile(t, dir, at("small"))
}

func blocks(t *testing.T, name string) int64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks
}

// hostile expands what is no compressed frozen file, or not all of one.
func hostile(t *testing.T, dir, good string) {
	small, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int) []byte {
		b := bytes.Clone(small)
		b[at] ^= 0x10
		return b
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	var open bytes.Buffer
	z.Reset(&open)
	z.Write(program)
	z.Close()
	for _, c := range []struct {
		name, want string
		b          []byte
	}{
		{"empty", "EOF", nil},
		{"text", "is not compressed by zstd", []byte("nothing of the kind, but long enough")},
		{"cut", "after 0x", small[:len(small)/2]},
		{"without checksum", "bytes: ", small[:len(small)-4]},
		{"other checksum", "bytes: ", flip(len(small) - 1)},
		{"more behind", "more than the 0x", append(bytes.Clone(small), small...)},
		{"program", "holds an ELF file that is no frozen process", z.EncodeAll(program, nil)},
		{"bytes", "holds no frozen process", z.EncodeAll(bytes.Repeat([]byte("no ELF file "), 1000), nil)},
		{"no size", "which says how long its content is", open.Bytes()},
		{"skippable", "which says how long its content is", append([]byte("\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"), small...)},
	} {
		name, to := filepath.Join(dir, "hostile"), filepath.Join(dir, "made")
		if err := os.WriteFile(name, c.b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := freeze.Expand(name, to, freeze.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".elfwright*")); len(left) != 0 {
			t.Errorf("%s: left behind: %s", c.name, left)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("%s: a file was written", c.name)
		}
	}
}
