package run_test

import (
	"os"
	"path/filepath"
	"testing"

	"elfwright/internal/samples"
	"elfwright/run"
)

// TestDebian runs programs of the releases of Debian before and after this one with
// their own libraries, by both engines: locales, conversion and names are looked up
// in modules that they open by themselves. What is to come out is what their dynamic
// linker makes of them.
func TestDebian(t *testing.T) {
	if testing.Short() {
		t.Skip("it fetches packages")
	}
	for _, release := range []string{"bullseye", "trixie"} {
		t.Run(release, func(t *testing.T) {
			root := samples.DebianRoot(t, release, "libc6", "libc-bin", "coreutils", "libselinux1", "libpcre2-8-0", "libacl1", "libattr1", "libgmp10", "libcap2")
			lib, usr := filepath.Join(root, "lib/x86_64-linux-gnu"), filepath.Join(root, "usr/lib/x86_64-linux-gnu")
			real, err := filepath.EvalSymlinks(filepath.Join(lib, "ld-linux-x86-64.so.2"))
			if err != nil {
				t.Fatal(err)
			}
			text := filepath.Join(t.TempDir(), "text")
			if err := os.WriteFile(text, []byte("caf\xe9\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, argv := range [][]string{
				{"bin/ls", "-d", "/"}, {"bin/date", "-u", "-d", "@0"}, {"usr/bin/factor", "1000000016000000063"},
				{"usr/bin/getent", "passwd", "root"}, {"usr/bin/iconv", "-f", "latin1", "-t", "utf16", text}, {"usr/bin/sort", "--version"},
			} {
				argv[0] = filepath.Join(root, argv[0])
				env := []string{"GCONV_PATH=" + filepath.Join(usr, "gconv")} // it has the path in it
				want := output(t, env, append([]string{real, "--library-path", lib + ":" + usr}, argv...)...)
				for _, engine := range []run.Engine{run.Own, run.Interp} {
					r, err := run.Prepare(run.Program{Args: argv, Root: root, Engine: engine, Save: true})
					if err != nil {
						t.Errorf("%s: %v", argv[0], err)
						continue
					}
					image := filepath.Join(t.TempDir(), filepath.Base(argv[0]))
					if err := r.Save(image); err != nil {
						t.Fatal(err)
					}
					r.Close()
					samples.Settle(t, image)
					if got := output(t, nil, append([]string{image}, argv[1:]...)...); got != want {
						t.Errorf("%s, engine %s:\n%s\nwith its dynamic linker:\n%s", argv[0], engine, got, want)
					}
				}
			}
		})
	}
}
