package attach

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/erofs"
	"elfwright/machine/all"
	"elfwright/phdr"
	"elfwright/prelude"
)

// A starter is the prelude of a program that binds trees itself: its script knows
// where in the file they are, and so is written when that is settled.
type starter struct {
	trees  []*member
	header phdr.Header
}

// newStarter asks for the program header of a prelude in plain, which is made of f,
// if a tree wants one.
func newStarter(f, plain *elffile.File, list []*member) (*starter, error) {
	s := &starter{}
	for _, m := range list {
		if m.Self {
			s.trees = append(s.trees, m)
		}
	}
	if len(s.trees) == 0 {
		return nil, nil
	}
	if mode := f.Mode(); mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
		return nil, &Refusal{f.Name, fmt.Sprintf("its mode is %v: a prelude in it would mount for whoever starts it with the rights of its owner", mode)}
	}
	script, err := s.script(plain)
	if err != nil {
		return nil, err
	}
	s.header, err = prelude.Header(plain, script)
	return s, err
}

// script makes the script for the places that the trees have now.
func (s *starter) script(f *elffile.File) ([]byte, error) {
	m := all.Lookup(f.Header.Machine, f.Class)
	if m == nil || m.Prelude == nil {
		return nil, &Refusal{f.Name, fmt.Sprintf("%s: no prelude yet, so the program cannot bind a tree itself; 'elfwright mount --run' can", elffile.MachineName(f.Header.Machine))}
	}
	var trees []prelude.Tree
	for _, t := range s.trees {
		list, err := treeEntries(t)
		if err != nil {
			return nil, fmt.Errorf("payload %q: %w", t.Name, err)
		}
		trees = append(trees, prelude.Tree{Target: t.Bind, Offset: int64(t.Off), Size: int64(t.Stored), Entries: list})
	}
	return prelude.Mounts(m, trees)
}

// enter writes the script anew, now that the trees have their places, and makes the
// prelude the program's entry point.
func (s *starter) enter(f *elffile.File, r *phdr.Result) (*phdr.Result, error) {
	script, err := s.script(f)
	if err != nil {
		return nil, err
	}
	h, err := prelude.Header(f, script)
	if err != nil {
		return nil, err
	}
	now, err := elffile.ParseBody(f.Name, r.Body)
	if err != nil {
		return nil, err
	}
	was, is := s.header.Data.(elffile.Buffer), h.Data.(elffile.Buffer)
	for i := range now.Progs {
		p := &now.Progs[i]
		if p.Type != elf.PT_LOAD || p.Filesz != uint64(len(was)) || len(was) != len(is) {
			continue
		}
		if b, err := now.ProgData(i); err == nil && bytes.Equal(b, was) {
			r.Body.Put(int64(p.Off), is)
			return prelude.Enter(f, h, r)
		}
	}
	return nil, fmt.Errorf("%s: nothing is written, because the prelude is not where it was put", f.Name)
}

// withoutPrelude takes the prelude out of a file, if it has one.
func withoutPrelude(f *elffile.File, opt phdr.Options) (*elffile.File, error) {
	if _, err := prelude.Installed(f); err != nil {
		if no, ok := errors.AsType[interface {
			error
			No() bool
		}](err); ok && no.No() {
			return f, nil // there is none
		}
		return nil, err
	}
	r, err := prelude.Remove(f, opt)
	if err != nil {
		return nil, err
	}
	return elffile.ParseBody(f.Name, r.Body)
}

// treeEntries lists what is in a tree, for kernels that do not mount the image:
// each directory before what is in it, each file before further names of it.
func treeEntries(m *member) ([]prelude.Entry, error) {
	t, err := erofs.Open(m.data, m.data.Size())
	if err != nil {
		return nil, err
	}
	var list []prelude.Entry
	first := make(map[uint64]string) // inode number: path
	err = fs.WalkDir(t, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := t.Lstat(path)
		if err != nil {
			return err
		}
		a, ok := st.Sys().(*erofs.Attr)
		if !ok {
			return fmt.Errorf("%s: its attributes are not known", path)
		}
		e := prelude.Entry{Path: path, Mode: a.Mode, UID: a.UID, GID: a.GID, Mtime: a.Mtime, Rdev: a.Rdev, Xattrs: a.Xattrs}
		if was, ok := first[a.Ino]; ok && !st.IsDir() {
			e.Link, e.HardLink = was, true
			list = append(list, e)
			return nil
		}
		first[a.Ino] = path
		switch a.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			e.Link, err = t.ReadLink(path)
		case unix.S_IFREG:
			if e.Size = st.Size(); e.Size > 0 {
				e.Offset, _, err = t.Extent(path)
				e.Offset += int64(m.Off)
			}
		}
		list = append(list, e)
		return err
	})
	return list, err
}
