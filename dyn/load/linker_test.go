package load

import (
	"debug/elf"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/samples"
)

// TestLinkers reads what is compiled into the dynamic linkers of this machine's
// cross packages.
func TestLinkers(t *testing.T) {
	for path, triple := range map[string]string{
		"/lib64/ld-linux-x86-64.so.2":                            "x86_64-linux-gnu",
		"/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1":       "aarch64-linux-gnu",
		"/usr/arm-linux-gnueabihf/lib/ld-linux-armhf.so.3":       "arm-linux-gnueabihf",
		"/usr/riscv64-linux-gnu/lib/ld-linux-riscv64-lp64d.so.1": "riscv64-linux-gnu",
		"/usr/i686-linux-gnu/lib/ld-linux.so.2":                  "i386-linux-gnu",
		"/usr/s390x-linux-gnu/lib/ld64.so.1":                     "s390x-linux-gnu",
		"/usr/powerpc-linux-gnu/lib/ld.so.1":                     "powerpc-linux-gnu",
	} {
		t.Run(triple, func(t *testing.T) {
			samples.Need(t, path)
			l, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			at := l.at(path)
			if at.err != nil {
				t.Fatal(at.err)
			}
			k := l.linkerOf(at.file, path)
			dirs := []string{"/lib/" + triple + "/", "/usr/lib/" + triple + "/", "/lib/", "/usr/lib/"}
			if k.libc != Glibc || k.version != (Version{2, 36}) || k.lib != "lib/"+triple || !slices.Equal(k.dirs, dirs) {
				t.Errorf("%+v", k)
			}
			u, ok := upstreamOf(at.file.elf.Format, &at.file.elf.Header)
			if !ok || u.triple != triple || !strings.HasSuffix(path, u.interp[strings.LastIndexByte(u.interp, '/'):]) {
				t.Errorf("%+v", u)
			}
		})
	}
}

// TestVersions has the sub-directories of releases with other rules.
func TestVersions(t *testing.T) {
	c := CPU{HWCaps: []string{"x86-64-v2"}, Legacy: []string{"x86_64"}, Platform: "haswell"}
	old := "tls/haswell/x86_64/ tls/haswell/ tls/x86_64/ tls/ haswell/x86_64/ haswell/ x86_64/ "
	for v, want := range map[Version]string{
		{2, 31}: old,
		{2, 36}: "glibc-hwcaps/x86-64-v2/ " + old,
		{}:      "glibc-hwcaps/x86-64-v2/ " + old,
		{2, 37}: "glibc-hwcaps/x86-64-v2/ ",
		{2, 41}: "glibc-hwcaps/x86-64-v2/ ",
	} {
		if got := strings.Join(c.subdirectories(v, c.HWCaps), " "); got != want {
			t.Errorf("%v: %q, not %q", v, got, want)
		}
	}
}

func TestTokens(t *testing.T) {
	tok := &tokens{origin: "/o", lib: "lib64"}
	for in, want := range map[string]string{
		"": "", "a": "a", "$ORIGIN": "/o", "${ORIGIN}/../$LIB": "/o/../lib64", "$ORIGINx": "$ORIGINx", "$ORIGIN_": "$ORIGIN_",
		"${ORIGIN": "${ORIGIN", "$": "$", "$$LIB": "$lib64", "$PLATFORMX": "$PLATFORMX", "a$LIB-b": "alib64-b", "$HOME": "$HOME",
	} {
		if got, ok := tok.expand(in); got != want || !ok {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
	if got, ok := tok.expand("a/$PLATFORM"); ok {
		t.Errorf("a token without value: %q", got)
	}
}

func TestCPUs(t *testing.T) {
	const v3 = "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"
	for _, tc := range []struct {
		m        elf.Machine
		info     string
		caps     string
		platform string
	}{
		{elf.EM_X86_64, "vendor_id\t: AuthenticAMD\nflags\t\t: fpu " + v3 + "\n", "x86-64-v3 x86-64-v2", "x86_64"},
		{elf.EM_X86_64, "vendor_id\t: GenuineIntel\nflags\t\t: fpu " + v3 + "\n", "x86-64-v3 x86-64-v2", "haswell"},
		{elf.EM_X86_64, "flags : avx2\n", "", "x86_64"},
		{elf.EM_S390, "features\t: zarch ldisp vx vxe\n", "z14 z13", ""},
		{elf.EM_PPC64, "cpu\t\t: POWER10 (architected)\n", "power10 power9", ""},
	} {
		c := Baseline(tc.m, elf.ELFCLASS64)
		c.fill([]byte(tc.info))
		if strings.Join(c.HWCaps, " ") != tc.caps || c.Platform != tc.platform {
			t.Errorf("%q: %+v", tc.info, c)
		}
	}
}

func FuzzLinker(f *testing.F) {
	f.Add([]byte("x\x00/lib/\x00/usr/lib/\x00lib\x00ld.so (GNU libc) stable release version 2.41."))
	f.Fuzz(func(t *testing.T, b []byte) {
		k := &linker{}
		k.read([][]byte{b, nil}, "/lib/ld.so.1")
		for _, d := range k.dirs {
			if !isDirName([]byte(d)) {
				t.Errorf("%q is no directory", d)
			}
		}
	})
}
