package mount

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/payload"
)

// A Tree is a directory tree that a program carries.
type Tree struct {
	Name   string
	Bind   string // where the program expects it; "": nowhere
	Source Source
	Packed bool // compressed, so that it cannot be mounted
}

// Trees finds the trees that a program carries.
func Trees(path string) ([]Tree, error) {
	f, err := elffile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var trees []Tree
	err = f.Guard(func() error {
		dirs, err := payload.Read(f)
		for _, d := range dirs {
			for _, e := range d.Entries {
				if e.Kind == payload.Tree {
					trees = append(trees, Tree{e.Name, e.Bind, Source{path, int64(e.Off), int64(e.Stored)}, e.Zstd})
				}
			}
		}
		if err != nil {
			return &Refusal{err}
		}
		return nil
	})
	if err == nil && trees == nil {
		err = &Refusal{fmt.Errorf("%s: carries no tree", path)}
	}
	return trees, err
}

// mountable refuses a compressed tree.
func (t Tree) mountable() error {
	if t.Packed {
		return &Refusal{fmt.Errorf("%s: tree %q is compressed (zstd) and cannot be mounted; embed it without compression", t.Source.Path, t.Name)}
	}
	return nil
}

// Find returns the source of the tree of that name; "" stands for the only one.
func Find(trees []Tree, name string) (Source, error) {
	var names []string
	for _, t := range trees {
		if t.Name == name || name == "" && len(trees) == 1 {
			return t.Source, t.mountable()
		}
		names = append(names, fmt.Sprintf("%q", t.Name))
	}
	path, list := trees[0].Source.Path, strings.Join(names, ", ")
	if name == "" {
		return Source{}, fmt.Errorf("%s: carries %d trees: say which of %s", path, len(trees), list)
	}
	return Source{}, &Refusal{fmt.Errorf("%s: carries no tree %q; there are %s", path, name, list)}
}

// Binds returns where the trees of a program go: to the directories that it was
// given with them, and, by words of the form NAME=/DIR, elsewhere.
func Binds(trees []Tree, words []string) ([]Bind, error) {
	trees = slices.Clone(trees)
	for _, w := range words {
		name, target, ok := strings.Cut(w, "=")
		if !ok || !strings.HasPrefix(target, "/") {
			return nil, fmt.Errorf("%q: want NAME=/DIR", w)
		}
		i := slices.IndexFunc(trees, func(t Tree) bool { return t.Name == name })
		if i < 0 {
			_, err := Find(trees, name)
			return nil, err
		}
		trees[i].Bind = target
	}
	var binds []Bind
	for _, t := range trees {
		if t.Bind == "" {
			continue
		}
		if err := t.mountable(); err != nil {
			return nil, err
		}
		binds = append(binds, Bind{t.Source, t.Bind})
	}
	if binds == nil {
		return nil, &Refusal{errors.New(trees[0].Source.Path + ": none of its trees has a directory to be bound to; name one with --bind")}
	}
	return binds, nil
}
