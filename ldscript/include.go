package ldscript

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MaxSize is how many bytes of a script are read.
const MaxSize = 64 << 20

// ReadText reads a script, if it is not too long for one.
func ReadText(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > MaxSize {
		return nil, fmt.Errorf("%s: more than %d bytes: this is no script", name, MaxSize)
	}
	return text, nil
}

// OpenIn makes an Open for Options, which looks for a file as GNU ld does: as it
// is named, then in the directories of -L, then in those of SEARCH_DIR.
func OpenIn(search []string) func(name string, dirs []string) (string, []byte, error) {
	return func(name string, dirs []string) (string, []byte, error) {
		tried := []string{name}
		if !filepath.IsAbs(name) {
			for _, d := range append(search[:len(search):len(search)], dirs...) {
				tried = append(tried, filepath.Join(strings.TrimPrefix(d, "="), name))
			}
		}
		for _, path := range tried {
			f, err := os.Open(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return "", nil, err
			}
			defer f.Close()
			text, err := ReadText(path, f)
			return path, text, err
		}
		return "", nil, fmt.Errorf("%s: not found; tried %s: %w", name, strings.Join(tried, ", "), fs.ErrNotExist)
	}
}
