package samples

import (
	"os"
	"path/filepath"
	"testing"
)

// Arm64Kernel is a kernel of Debian for AArch64; beside it is the module
// unix_diag.ko. Without it the test is skipped, or fails where CI=true, as with
// [Need].
func Arm64Kernel(t testing.TB) string {
	t.Helper()
	const script = "tools/arm64-kernel.sh"
	dir, err := os.UserCacheDir()
	name := filepath.Join(dir, "elfwright", "arm64", "vmlinuz")
	if err == nil {
		_, err = os.Stat(name)
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("needs a kernel for AArch64, which %s fetches: %v", script, err)
	default:
		t.Skipf("needs a kernel for AArch64, which %s fetches: %v", script, err)
	}
	return name
}
