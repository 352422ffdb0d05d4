package samples

import (
	"debug/elf"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// SystemELFs yields the ELF files below the roots, found by their magic, sorted
// by path. A file with several names is yielded once, symbolic links below a
// root are not followed, what cannot be read is left out.
func SystemELFs(roots ...string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var paths []string
		seen := inodes{}
		for _, root := range roots {
			// A root may be a link, as /lib is.
			if real, err := filepath.EvalSymlinks(root); err == nil {
				root = real
			}
			filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() && seen.first(path) {
					paths = append(paths, path)
				}
				return nil // go on with the rest
			})
		}
		slices.Sort(paths)
		for _, path := range paths {
			if hasMagic(path) && !yield(path) {
				return
			}
		}
	}
}

type inode struct{ dev, ino uint64 }

// inodes are the files seen so far.
type inodes map[inode]bool

// first says whether the file is seen for the first time.
func (s inodes) first(path string) bool {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return false
	}
	id := inode{uint64(st.Dev), st.Ino}
	if s[id] {
		return false
	}
	s[id] = true
	return true
}

func hasMagic(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, len(elf.ELFMAG))
	_, err = io.ReadFull(f, magic)
	return err == nil && string(magic) == elf.ELFMAG
}

// Some yields up to n of the sequence, chosen by the seed and in its order. Equal
// sequences and seeds give the same choice.
func Some(seq iter.Seq[string], n int, seed uint64) iter.Seq[string] {
	return func(yield func(string) bool) {
		all := slices.Collect(seq)
		rng := rand.New(rand.NewPCG(seed, 0))
		picked := rng.Perm(len(all))[:min(n, len(all))]
		slices.Sort(picked)
		for _, i := range picked {
			if !yield(all[i]) {
				return
			}
		}
	}
}
