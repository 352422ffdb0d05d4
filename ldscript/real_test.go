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
	for _, dir := range []string{"/usr/lib/*/ldscripts/*", "/usr/*/lib/ldscripts/*", os.Getenv("ELFWRIGHT_SCRIPTS")} {
		if dir == "" {
			continue
		}
		list, err := filepath.Glob(dir)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	return files
}

// TestInstalled: every script of the installed binutils is read without a fault.
func TestInstalled(t *testing.T) {
	files := installed(t)
	if len(files) == 0 {
		t.Skip("no scripts of binutils here")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(file, text, Options{}); err != nil {
			t.Error(err)
		}
	}
}
