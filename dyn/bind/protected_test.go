package bind_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// TestDirects holds programs that were linked before a library protected its symbols
// against what ld.so says of them.
func TestDirects(t *testing.T) {
	samples.Need(t, "gcc", "/lib64/ld-linux-x86-64.so.2")
	const lib = `
#ifdef PROTECTED
#define P __attribute__((visibility("protected")))
#else
#define P
#endif
P int data = 5, other = 6;
P int func(void) { return data; }
int get(void) { return data + func(); }
`
	for _, tc := range []struct {
		what, main, flags string
		direct            []string
	}{
		{"data", "extern int data; int main(void) { return data; }", "", []string{"data copied"}},
		{"data, not borne", "extern int data; int main(void) { return data; }", "-mno-direct-extern-access", []string{"data copied fatal"}},
		{"a function", "int func(void); int main(void) { int (*volatile f)(void) = func; return f(); }", "", []string{"func"}},
		{"a function, not borne", "int func(void); int main(void) { int (*volatile f)(void) = func; return f(); }", "-mno-direct-extern-access", []string{"func fatal"}},
		{"a call", "int func(void); int main(void) { return func(); }", "-mno-direct-extern-access", nil},
		{"what is not protected", "int get(void); int main(void) { int (*volatile f)(void) = get; return f(); }", "-mno-direct-extern-access", nil},
	} {
		dir := samples.Make(t, samples.Recipe{Files: map[string]string{"lib.c": lib, "main.c": tc.main}, Steps: [][]string{
			{"gcc", "-shared", "-fPIC", "-o", "lib.so", "lib.c"},
			{"gcc", "-no-pie", "-fno-pic", "-Wl,-z,now", "-Wl,-rpath,$ORIGIN", "-o", "main", "main.c", "lib.so"},
			append(append([]string{"gcc", "-shared", "-fPIC", "-DPROTECTED", "-o", "lib.so"}, strings.Fields(tc.flags)...), "lib.c"),
		}})
		prog := filepath.Join(dir, "main")
		p, err := load.Load(prog, load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		r, err := bind.Bind(p, bind.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		fatal := false
		for _, d := range r.Directs() {
			text := string(r.Name(d.Binding))
			if d.Copy {
				text += " copied"
			}
			if d.Fatal {
				text += " fatal"
			}
			fatal = fatal || d.Fatal
			got = append(got, text)
		}
		if strings.Join(got, ", ") != strings.Join(tc.direct, ", ") {
			t.Errorf("%s: %q, want %q", tc.what, got, tc.direct)
		}
		cmd := exec.Command(prog)
		cmd.Env = append(os.Environ(), "LD_BIND_NOW=1")
		out, _ := cmd.CombinedOutput()
		told := strings.Contains(string(out), "protected")
		ended := strings.Contains(string(out), "GNU_PROPERTY_1_NEEDED_INDIRECT_EXTERN_ACCESS")
		if told != (len(got) > 0) || ended != fatal {
			t.Errorf("%s: ld.so says %q, here %q", tc.what, out, got)
		}
	}
}
