package show

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"elfwright/internal/samples"
)

func TestDemangle(t *testing.T) {
	long := "_Z1f" + strings.Repeat("P", demangleMaxIn) + "i"
	for _, c := range []struct{ name, want string }{
		{"", ""},
		{"main", "main"},
		{"_Zebra", "_Zebra"},
		{"_Z", "_Z"},
		{"_R", "_R"},
		{"_RNv", "_RNv"},
		{"_ZN3foo3barEv", "foo::bar()"},
		{"_ZN3foo3barE", "foo::bar"},
		{"_ZdlPv@@GLIBCXX_3.4", "operator delete(void*)@@GLIBCXX_3.4"},
		{"_ZTV3Foo", "vtable for Foo"},
		{"_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)"},
		{"_ZN3foo3barEv.part.0", "foo::bar() [clone .part.0]"},
		{"_GLOBAL__sub_I__ZN3foo3barEv", "_GLOBAL__sub_I__ZN3foo3barEv"},
		{"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"},
		{"_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
			"<Test + 'static as foo::Bar<Test>>::bar"},
		{"_RNvCs15kBYyAo9fc_7mycrate7example", "mycrate::example"},
		{"_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3new", "<std::path::PathBuf>::new"},
		// A name whose text doubles with every type is left alone, and so is one
		// that is longer than any compiler's.
		{"_Z1f" + doubled(24), "_Z1f" + doubled(24)},
		{long, long},
	} {
		if got := Demangle(c.name); got != c.want {
			t.Errorf("Demangle(%.80q) = %.200q, want %.200q", c.name, got, c.want)
		}
	}
}

// doubled is n types of C++, each a pair of the one before.
func doubled(n int) string {
	const base36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	s := "St4pairIiiE"
	for i := range n {
		s += "S_IS" + base36[i:i+1] + "_S" + base36[i:i+1] + "_E"
	}
	return s
}

// A conversion operator inside another one's arguments makes the demangler read
// the arguments twice at each level.
func TestDemangleExponential(t *testing.T) {
	for _, unit := range []string{"N1acvT_I", "N1acvPT_I", "N1acvrT_I", "N1acvKT_I", "N1acvM1bT_I"} {
		name := "_Z1f" + strings.Repeat(unit, 60) + "i" + strings.Repeat("EE", 60)
		start := time.Now()
		Demangle(name)
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.40s…: took %v", name, took)
		}
	}
}

// The names of the C++ library, compared with what binutils makes of them.
// They differ in the space between two closing brackets of an empty pack and in
// how std::ostream is spelled: few enough to tell a fault from taste.
func TestDemangleLikeCxxfilt(t *testing.T) {
	const lib = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"
	samples.Need(t, lib, "nm", "c++filt")
	names, err := exec.Command("nm", "-D", "-j", "--defined-only", "--without-symbol-versions", lib).Output()
	if err != nil {
		t.Fatal(err)
	}
	filter := exec.Command("c++filt")
	filter.Stdin = bytes.NewReader(names)
	text, err := filter.Output()
	if err != nil {
		t.Fatal(err)
	}
	mangled, want := strings.Fields(string(names)), strings.Split(string(text), "\n")
	short := strings.NewReplacer(
		"std::basic_string<char,std::char_traits<char>,std::allocator<char>>", "std::string",
		"std::basic_ostream<char,std::char_traits<char>>", "std::ostream",
		"std::basic_istream<char,std::char_traits<char>>", "std::istream",
		"std::basic_iostream<char,std::char_traits<char>>", "std::iostream")
	squeeze := func(s string) string { return short.Replace(strings.ReplaceAll(s, " ", "")) }
	other := 0
	for i, name := range mangled {
		if got := Demangle(name); squeeze(got) != squeeze(want[i]) {
			if other++; other < 10 {
				t.Logf("%s: %s, c++filt has %s", name, got, want[i])
			}
		}
	}
	if len(mangled) < 1000 || other*100 > len(mangled) {
		t.Errorf("%d of %d names differ", other, len(mangled))
	}
}

func FuzzDemangle(f *testing.F) {
	for _, s := range []string{
		"_Z1f" + doubled(8), "_Z1fIJEEvDpT_", "_Z1fIJiJEJEEEvDpT_DpT0_DpJT_EE", "_Z1fN1acvT_IN1acvT_IiEEEE",
		"_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3new", "_RINvC1a1bTuuETB9_B9_ETBa_Ba_EE",
		"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE.llvm.123", "_GLOBAL__I__Z2fnv",
		"_ZZNKR1fIXadL_Z1gIiEEEEvE1x_DpT_", "_ZdlPv@@GLIBCXX_3.4", "___Z1fv_block_invoke_2",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		start := time.Now()
		text := Demangle(s)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
		if len(text) > max(len(s), 1<<demangleMaxOut+len(s)) {
			t.Errorf("%d bytes of text", len(text))
		}
	})
}
