package run

import (
	"fmt"
	"path"
	"strings"

	"elfwright/dyn/ldcache"
	"elfwright/dyn/object"
	"elfwright/elffile"
	"elfwright/run/launch"
)

const (
	cacheFile = "/etc/ld.so.cache"
	confFile  = "/etc/ld.so.conf"
)

// maxLibraries is how many files of directories in ld.so.conf are looked at.
const maxLibraries = 1 << 16

// cache makes what ldconfig would have written, for a root that has directories in
// ld.so.conf and no cache: the dynamic linker looks at nothing else.
func (r *root) cache(ld *elffile.File) ([]launch.File, error) {
	if r.Exists(cacheFile) || !r.Exists(confFile) {
		return nil, nil
	}
	dirs, err := ldcache.Conf(r, confFile)
	if err != nil {
		return nil, err
	}
	flags := ldcache.KindOf(ld.Header.Machine, ld.Class, ld.Header.Flags).Flags
	var entries []ldcache.Entry
	known := make(map[string]bool)
	n := 0
	for _, dir := range dirs {
		names, err := r.Names(dir)
		if err != nil {
			continue // as ldconfig, which warns
		}
		for _, name := range names {
			if !strings.Contains(name, ".so") {
				continue
			}
			if n++; n > maxLibraries {
				return nil, fmt.Errorf("%s: more than %d libraries in its directories", r.Host(confFile), maxLibraries)
			}
			file := path.Join(dir, name)
			for _, key := range r.keys(ld, file) {
				if known[key] {
					continue
				}
				known[key] = true
				entries = append(entries, ldcache.Entry{Flags: flags, Name: []byte(key), Path: []byte(file)})
			}
		}
	}
	b, err := ldcache.Encode(ld.Data, entries, nil, "elfwright")
	if err != nil {
		return nil, err
	}
	return []launch.File{{Path: cacheFile, Data: b}}, nil
}

// keys are the names that a library is asked for by: that of the file, and its own.
// What is no library for this dynamic linker has none.
func (r *root) keys(ld *elffile.File, file string) []string {
	f, err := r.elf(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	if f.Format != ld.Format || f.Header.Machine != ld.Header.Machine {
		return nil
	}
	keys := []string{path.Base(file)}
	if o, err := object.ReadNames(f); err == nil && o.Soname != "" && o.Soname != keys[0] {
		keys = append(keys, o.Soname)
	}
	return keys
}
