package samples

import (
	"os"
	"path/filepath"
	"testing"
)

// MuslRoot has the directories include and lib of musl for another machine: i386,
// aarch64, arm or riscv64. Without it the test is skipped, or fails where CI=true, as
// with [Need].
func MuslRoot(t testing.TB, machine string) string {
	t.Helper()
	const script = "tools/musl.sh"
	base, err := os.UserCacheDir()
	dir := filepath.Join(base, "elfwright", "musl", machine)
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "lib", "libc.a"))
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("needs musl for %s, which %s fetches: %v", machine, script, err)
	default:
		t.Skipf("needs musl for %s, which %s fetches: %v", machine, script, err)
	}
	return dir
}
