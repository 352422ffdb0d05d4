package ldcache

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"elfwright/internal/samples"
)

func sample(t testing.TB, data elf.Data) []byte {
	t.Helper()
	entry := func(flags uint32, name, path string, hwcap uint64) Entry {
		return Entry{Flags: flags, Name: []byte(name), Path: []byte(path), HWCap: hwcap}
	}
	b, err := Encode(data, []Entry{
		entry(0x303, "liba.so.9", "/a9", 0),
		entry(0x303, "liba.so.10", "/a10", 0),
		entry(0x303, "liba.so", "/plain", 0),
		entry(0x303, "liba.so", "/v2", 1<<62|1),
		entry(0x303, "liba.so", "/v3", 1<<62|2<<32|2),
		entry(0x303, "liba.so", "/other", 1<<62),
		entry(3, "liba.so", "/32", 0),
		entry(1, "libold.so", "/libc5", 0),
		entry(3, "libhw.so", "/sse2", 1<<0),
		entry(3, "libhw.so", "/i686", 1<<49),
		entry(3, "libhw.so", "/none", 0),
		entry(0x303, "libz.so", "/z", 0),
		entry(0x303, "lib.so", "/lib", 0),
	}, []string{"other", "x86-64-v2", "x86-64-v3"}, "who wrote it")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLookup(t *testing.T) {
	v := func(n int) []string { return []string{"x86-64-v4", "x86-64-v3", "x86-64-v2"}[3-n:] }
	x86 := Kind{0x303, 0}
	i386 := Kind{3, 1}
	for _, data := range []elf.Data{elf.ELFDATA2LSB, elf.ELFDATA2MSB} {
		c, err := Parse("cache", sample(t, data))
		if err != nil || c.Len() != 13 || c.Note != "who wrote it" || len(c.Caps) != 3 {
			t.Fatal(c, err)
		}
		for _, tc := range []struct {
			name string
			q    Query
			want string
		}{
			{"liba.so.9", Query{Kind: x86}, "/a9"},
			{"liba.so.10", Query{Kind: x86}, "/a10"},
			{"liba.so.010", Query{Kind: x86}, "/a10"}, // numbers are compared, not digits
			{"liba.so", Query{Kind: x86}, "/plain"},
			{"liba.so", Query{Kind: x86, Caps: v(1), Level: 1}, "/v2"},
			{"liba.so", Query{Kind: x86, Caps: v(2), Level: 2}, "/v3"},
			{"liba.so", Query{Kind: x86, Caps: v(2), Level: 1}, "/v2"}, // the object itself says v3
			{"liba.so", Query{Kind: i386}, "/32"},
			{"liba.so", Query{Kind: Kind{0xa03, 0}}, ""},
			{"libold.so", Query{Kind: i386}, "/libc5"},
			{"libold.so", Query{Kind: x86}, ""},
			{"libhw.so", Query{Kind: i386}, "/none"},
			{"libhw.so", Query{Kind: i386, Legacy: 1}, "/sse2"},
			{"libhw.so", Query{Kind: i386, Legacy: 1, Platform: 1 << 49}, "/i686"},
			{"lib.so", Query{Kind: x86}, "/lib"},
			{"libz.so", Query{Kind: x86}, "/z"},
			{"libzz.so", Query{Kind: x86}, ""},
			{"", Query{Kind: x86}, ""},
		} {
			path, i, ok := c.Lookup(tc.name, &tc.q)
			if string(path) != tc.want || ok != (tc.want != "") || ok && string(c.At(i).Path) != tc.want {
				t.Errorf("%v, %s, %+v: %q, %d, %v, not %q", data, tc.name, tc.q, path, i, ok, tc.want)
			}
		}
	}
}

// TestOldForm has the table of before glibc 2.2, alone and with the new one
// behind it.
func TestOldForm(t *testing.T) {
	for _, data := range []elf.Data{elf.ELFDATA2LSB, elf.ELFDATA2MSB} {
		o := orderOf(data)
		strs := "libz.so\x00/z\x00liba.so\x00/a\x00"
		b := o.AppendUint32([]byte(magicOld), 2)
		for _, v := range []uint32{3, 0, 8, 1, 11, 19} {
			b = o.AppendUint32(b, v)
		}
		both := append(bytes.Clone(b), sample(t, data)...)
		c, err := Parse("old", append(b, strs...))
		if err != nil || c.New || c.Len() != 2 {
			t.Fatal(c, err)
		}
		if path, _, _ := c.Lookup("liba.so", &Query{Kind: Kind{3, 1}}); string(path) != "/a" {
			t.Errorf("%v: %q", data, path)
		}
		if c, err = Parse("both", both); err != nil || !c.New || c.Len() != 13 {
			t.Error(data, err)
		}
	}
}

func TestFaults(t *testing.T) {
	good := sample(t, elf.ELFDATA2LSB)
	for _, tc := range []struct {
		off  int
		text string
		want string
	}{
		{0, "X", "magic at 0x0"},
		{20, "\xff\xff\xff\xff", "nlibs at 0x14: 4294967295 entries"},
		{28, "\x01", "flags at 0x1c"},
		{32, "\x01\x00\x00\x10", "extension_offset at 0x20"},
		{int(orderOf(elf.ELFDATA2LSB).Uint32(good[32:])), "\x00", "extensions, magic"},
		{int(orderOf(elf.ELFDATA2LSB).Uint32(good[32:])) + 4, "\xff\xff", "extensions, count"},
		{int(orderOf(elf.ELFDATA2LSB).Uint32(good[32:])) + 16, "\xff\xff\xff", "extension 0, offset"},
	} {
		b := bytes.Clone(good)
		copy(b[tc.off:], tc.text)
		if _, err := Parse("c", b); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q at %d: %v", tc.text, tc.off, err)
		}
	}
	for n := range len(good) {
		c, err := Parse("c", good[:n])
		if err == nil {
			c.Lookup("liba.so", &Query{Kind: Kind{0x303, 0}})
		}
	}
}

// TestSystemCache holds what is read of this machine's cache against ldconfig -p.
func TestSystemCache(t *testing.T) {
	const name = "/etc/ld.so.cache"
	samples.Need(t, name, "/sbin/ldconfig")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(name, b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("/sbin/ldconfig", "-p").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^\t(\S+) \((.*)\) => (\S+)$`).FindAllStringSubmatch(string(out), -1)
	if len(lines) != c.Len() || c.Len() == 0 {
		t.Fatalf("%d entries, ldconfig has %d", c.Len(), len(lines))
	}
	q := &Query{Kind: Kind{0x303, 0}}
	for i, l := range lines {
		e := c.At(i)
		if string(e.Name) != l[1] || string(e.Path) != l[3] {
			t.Errorf("entry %d: %s %s, ldconfig %s %s", i, e.Name, e.Path, l[1], l[3])
		}
		if e.Flags == 0x303 && e.HWCap == 0 {
			if path, _, ok := c.Lookup(l[1], q); !ok || !bytes.HasSuffix(path, []byte("/"+l[1])) {
				t.Errorf("%s is not found: %q", l[1], path)
			}
		}
	}
}

func ExampleCache_Lookup() {
	b, _ := Encode(elf.ELFDATA2LSB, []Entry{{Flags: 0x303, Name: []byte("libz.so.1"), Path: []byte("/lib/libz.so.1")}}, nil, "")
	c, err := Parse("ld.so.cache", b)
	if err != nil {
		fmt.Println(err)
		return
	}
	path, _, ok := c.Lookup("libz.so.1", &Query{Kind: KindOf(elf.EM_X86_64, elf.ELFCLASS64, 0)})
	fmt.Printf("%s %v\n", path, ok)
	// Output: /lib/libz.so.1 true
}

func FuzzCache(f *testing.F) {
	f.Add(sample(f, elf.ELFDATA2LSB), "liba.so")
	f.Add(sample(f, elf.ELFDATA2MSB), "libhw.so")
	f.Add(append([]byte(magicOld+"\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "lib\x00"...), "lib")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		c, err := Parse("fuzz", b)
		if err != nil {
			return
		}
		for i := range c.Len() {
			c.At(i)
		}
		q := &Query{Kind: Kind{3, 1}, Caps: []string{"x86-64-v3", "other"}, Level: 3, Legacy: 7}
		if path, i, ok := c.Lookup(name, q); ok {
			if e := c.At(i); compare(name, e.Name) != 0 || !bytes.Equal(e.Path, path) {
				t.Errorf("%q found as %q", name, e.Name)
			}
		}
	})
}
