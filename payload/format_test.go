package payload

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/elffile"
	"elfwright/internal/elftest"
)

// formats are the four ways to write numbers.
func formats() []elffile.Format {
	var list []elffile.Format
	for _, k := range elftest.Kinds() {
		f, err := elffile.Parse(k.Name, elftest.Exec(k).Bytes())
		if err != nil {
			panic(err)
		}
		list = append(list, f.Format)
	}
	return list
}

// some are entries, and the segment that they describe.
func some(f elffile.Format) ([]Entry, []byte) {
	list := []Entry{
		{Name: "a", Kind: File, MediaType: "text/plain", Mode: 0o640, Stored: 5, Size: 5, Align: 16, Digest: sha256.Sum256([]byte("hello"))},
		{Name: "empty", Kind: File, Mode: 0o755 | fs.ModeSticky, Align: 16, Digest: sha256.Sum256(nil)},
		{Name: "t", Kind: Tree, Stored: 16, Size: 16, Align: 16, Bind: "/opt/t", Self: true},
		{Name: "z", Kind: File, Stored: 3, Size: 3000, Align: 1, Zstd: true},
	}
	const off = 0x40
	at := off + DirectorySize(list)
	for i := range list {
		list[i].Off = at
		at += (list[i].Stored + 15) &^ 15
	}
	b := make([]byte, at-off)
	copy(b, Encode(f, off, at-off, list))
	copy(b[list[0].Off-off:], "hello")
	return list, b
}

// TestDirectory: what is encoded is read again, in both classes and byte orders.
func TestDirectory(t *testing.T) {
	for _, f := range formats() {
		want, b := some(f)
		d, err := decode(f, elffile.Buffer(b), place{"file", "program header 1", 0x40})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, d.Entries); diff != "" {
			t.Error(diff)
		}
		if d.Off != 0x40 || d.Self != 0x40 || d.Size != uint64(len(b)) {
			t.Errorf("%+v", d)
		}
	}
}

// TestBadDirectories: every field that is wrong is refused, with its name and its
// offset in the file, although the check is right.
func TestBadDirectories(t *testing.T) {
	for _, f := range formats() {
		for _, tc := range []struct {
			at    int
			value uint64
			size  int
			field string
		}{
			{0, 0, 4, "magic"}, {8, 2, 4, "version"}, {12, 5, 4, "count"}, {12, 1<<32 - 1, 4, "count"}, {16, 63, 4, "header size"},
			{16, 1 << 20, 4, "header size"}, {20, 95, 4, "count"}, {20, 0, 4, "count"}, {24, 1 << 40, 8, "size"}, {40, 1 << 40, 8, "directory size"}, {40, 1, 8, "header size"},
			{64, 0, 8, "offset"}, {64, 1 << 62, 8, "offset"}, {64 + 8, 1 << 30, 8, "offset"}, {64 + 8, 1<<64 - 1, 8, "offset"}, {64 + 16, 6, 8, "size"}, {64 + 24, 3, 8, "alignment"}, {64 + 24, 0, 8, "alignment"},
			{64 + 40, 4, 4, "kind"}, {64 + 40, 0, 4, "kind"}, {64 + 44, 4, 4, "flags"}, {64 + 52, 1 << 20, 4, "name"}, {64 + 52, 0, 4, "name"}, {64 + 56, 1<<32 - 1, 4, "media type"},
			{64 + 96*3 + 16, 1 << 63, 8, "size"}, {64 + 96 + 52, 64 + 96*4, 4, "name"}, // the name of the first one
		} {
			_, b := some(f)
			if tc.size == 8 {
				f.PutU64(b[tc.at:], tc.value)
			} else {
				f.PutU32(b[tc.at:], uint32(tc.value))
			}
			sign(f, b)
			_, err := decode(f, elffile.Buffer(b), place{"file", "program header 1", 0x40})
			e, ok := errors.AsType[*elffile.Error](err)
			if !ok || e.Field != tc.field || e.File != "file" || e.Off < 0x40 {
				t.Errorf("0x%x at %d: %v", tc.value, tc.at, err)
			}
		}
	}
}

// sign makes the check of a directory right, as far as there is one.
func sign(f elffile.Format, b []byte) {
	if len(b) < headerSize {
		return
	}
	if n := f.U64(b[offDir:]); n >= headerSize && n <= uint64(len(b)) {
		sum := check(b[:n])
		copy(b[offCheck:], sum[:])
	}
}

// FuzzDirectory: a directory whose check is right gives entries that are within the
// segment, or an error with a place; it encodes to what is read the same.
func FuzzDirectory(f *testing.F) {
	for i, format := range formats() {
		_, b := some(format)
		f.Add(b, byte(i))
		f.Add(b[:len(b)-7], byte(i))
	}
	all := formats()
	f.Fuzz(func(t *testing.T, b []byte, which byte) {
		format := all[int(which)%len(all)]
		b = bytes.Clone(b)
		sign(format, b)
		const off = 0x1000
		d, err := decode(format, elffile.Buffer(b), place{"fuzz", "program header 1", off})
		if err != nil {
			if e, ok := errors.AsType[*elffile.Error](err); !ok || e.File != "fuzz" {
				t.Errorf("an error without a place: %v", err)
			}
			return
		}
		for _, e := range d.Entries {
			if e.Off < off || e.Off+e.Stored > off+uint64(len(b)) || e.Off+e.Stored < e.Off {
				t.Errorf("%+v is not within 0x%x bytes", e, len(b))
			}
		}
		if len(d.Entries) == 0 || DirectorySize(d.Entries) > d.Entries[0].Off-off {
			return // written otherwise than by us
		}
		again := bytes.Clone(b)
		copy(again, Encode(format, off, d.Size, d.Entries))
		d2, err := decode(format, elffile.Buffer(again), place{"fuzz", "program header 1", off})
		if err != nil || !cmp.Equal(d.Entries, d2.Entries) {
			t.Errorf("%v\n%s", err, cmp.Diff(d.Entries, d2.Entries))
		}
	})
}

// FuzzRead reads whatever a file says that it carries: no panic, and no memory
// beyond what it has.
func FuzzRead(f *testing.F) {
	for _, k := range elftest.Kinds() {
		f.Add(carrier(k))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := elffile.Parse("fuzz", b)
		if err != nil {
			return
		}
		dirs, _ := Read(file)
		for _, d := range dirs {
			for i := range d.Entries {
				e := &d.Entries[i]
				if e.Size > 1<<24 {
					continue
				}
				verified := Verify(file, e)
				c, err := Contents(file, e)
				if verified == nil && (err != nil || uint64(c.Size()) != e.Size) {
					t.Errorf("%s: it is right, and cannot be had: %v", e.Name, err)
				}
			}
		}
	})
}

// carrier is a file with payloads that are in no PT_LOAD of it.
func carrier(k elftest.Kind) []byte {
	b := elftest.ExecSections(k).Bytes()
	f, err := elffile.Parse(k.Name, b)
	if err != nil {
		panic(err)
	}
	list, seg := some(f.Format)
	off := uint64(len(b)+15) &^ 15
	for i := range list {
		list[i].Off += off - 0x40
	}
	copy(seg, Encode(f.Format, off, uint64(len(seg)), list))
	f.Body.Put(int64(off), elffile.Buffer(seg))
	for i := range f.Progs {
		if f.Progs[i].Type != elf.PT_LOAD {
			f.Progs[i] = elffile.Prog{Type: ProgType, Off: off, Filesz: uint64(len(seg)), Memsz: uint64(len(seg)), Vaddr: off, Flags: elf.PF_R}
		}
	}
	var out bytes.Buffer
	if _, err := f.Encode().WriteTo(&out); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// TestRead: the directory of a file is found, and what is damaged is told of.
func TestRead(t *testing.T) {
	for _, k := range elftest.Kinds() {
		f, err := elffile.Parse(k.Name, carrier(k))
		if err != nil {
			t.Fatal(err)
		}
		dirs, err := Read(f)
		if err != nil || len(dirs) == 0 {
			t.Fatal(len(dirs), err)
		}
		_, e, err := Find(dirs, "a")
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(f, e); err != nil {
			t.Error(err)
		}
		if _, e, _ = Find(dirs, "t"); Verify(f, e) == nil {
			t.Error("a payload with another digest is taken for right")
		}
		if _, _, err := Find(dirs, "none"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "a b": true, "ü": true, ".hidden": true, "": false, ".": false, "..": false, "a/b": false, "a\x00b": false, "\xff": false, string(make([]byte, 300)): false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func Example() {
	self, err := Self()
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Println("nothing was put into this program")
		return
	}
	defer self.Close()
	b, err := self.ReadFile("motd")
	fmt.Println(string(b), err)
	// Output: nothing was put into this program
}
