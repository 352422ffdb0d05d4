package own

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"elfwright/dyn/load"
	"elfwright/run/cache"
)

// Entry is what the image of a process depends on: its files, the places where they
// were looked for in vain, and what the search reads besides. It is of a process of
// this machine's own root.
func Entry(p *load.Process) (cache.Entry, error) {
	d := &depends{seen: make(map[string]bool)}
	for _, o := range p.Objects {
		b := builder{}
		path := b.disk(o)
		if path == "" {
			return cache.Entry{}, &UnsupportedError{o.Name, "it is in no file that could be asked whether it is the same"}
		}
		d.add(path)
		d.name(o.Path)
		for _, n := range o.Needs {
			for _, t := range n.Tried {
				d.name(t.Path)
			}
		}
	}
	for _, path := range p.Reads {
		d.name(path)
	}
	slices.SortFunc(d.e.Files, func(a, b cache.File) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(d.e.Absent)
	return d.e, d.err
}

// depends collects paths, each once.
type depends struct {
	e    cache.Entry
	seen map[string]bool
	err  error
}

// name is add for a path as it was looked for. A relative one means the directory
// that the program is started in, which is no part of the key.
func (d *depends) name(path string) {
	if filepath.IsAbs(path) {
		d.add(path)
	} else if d.err == nil && path != "" {
		d.err = &UnsupportedError{path, "it is looked for in the directory that the program is started in"}
	}
}

func (d *depends) add(path string) {
	if d.seen[path] {
		return
	}
	d.seen[path] = true
	if st, err := os.Stat(path); err != nil {
		d.absent(path)
		return
	} else if !st.Mode().IsRegular() {
		return
	}
	f, err := cache.Stat(path)
	if err != nil {
		d.err = err
		return
	}
	d.e.Files = append(d.e.Files, f)
}

// absent adds a place where nothing is: where its directory is not there either,
// that one, which stands for all of its files.
func (d *depends) absent(path string) {
	for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		path = dir
	}
	if !slices.Contains(d.e.Absent, path) {
		d.e.Absent = append(d.e.Absent, path)
	}
}
