package payload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"elfwright/erofs"
)

// Extract writes payloads to a directory, all of them if no name is given. The
// directory is made if it is not there; a file that has the name of a payload is
// an error. A payload appears whole or not at all.
func (p *Program) Extract(dir string, names ...string) error {
	if len(names) == 0 {
		for _, e := range p.Entries() {
			names = append(names, e.Name)
		}
	}
	var list []*Entry
	for _, name := range names {
		_, e, err := Find(p.dirs, name)
		if err != nil {
			return fmt.Errorf("%s: %w", p.elf.Name, err)
		}
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, fmt.Errorf("%s: there is a file of that name", filepath.Join(dir, name)))
		}
		list = append(list, e)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, e := range list {
		if err := p.extract(e, dir); err != nil {
			return err
		}
	}
	return nil
}

// extract writes one payload beside its name, and renames it.
func (p *Program) extract(e *Entry, dir string) error {
	tmp, err := os.MkdirTemp(dir, ".elfwright.*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	at := filepath.Join(tmp, e.Name)
	if e.Kind == Tree {
		err = p.extractTree(e, at)
	} else {
		err = p.extractFile(e, at)
	}
	if err != nil {
		return err
	}
	return rename(at, filepath.Join(dir, e.Name))
}

// rename moves what must not replace anything; a directory without the permission
// to write cannot be moved otherwise than by root, as its entry ".." changes.
func rename(from, to string) error {
	st, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if st.IsDir() && st.Mode().Perm()&0o200 == 0 {
		if err := os.Chmod(from, st.Mode()|0o200); err != nil {
			return err
		}
		defer os.Chmod(to, st.Mode())
	}
	return os.Rename(from, to)
}

func (p *Program) extractTree(e *Entry, to string) error {
	if err := Verify(p.elf, e); err != nil {
		return err
	}
	t, err := p.tree(e)
	if err != nil {
		return err
	}
	return t.Extract(to, erofs.ExtractOptions{Owners: os.Geteuid() == 0})
}

func (p *Program) extractFile(e *Entry, to string) error {
	r, err := Reader(p.elf, e)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{r}, make([]byte, 1<<20))
	if err == nil {
		err = f.Chmod(e.Mode)
	}
	return errors.Join(err, f.Close())
}
