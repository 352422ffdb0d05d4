package ldscript

import (
	"os"
	"path/filepath"
	"testing"
)

// installed are the scripts that come with binutils, and those that
// ELFWRIGHT_SCRIPTS names.
func installed(t testing.TB) []string {
	var files []string
	for _, pattern := range []string{"/usr/lib/*/ldscripts/*", "/usr/*/lib/ldscripts/*", os.Getenv("ELFWRIGHT_SCRIPTS")} {
		list, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	return files
}
