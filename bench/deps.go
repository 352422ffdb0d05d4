package main

import (
	"debug/elf"
	"fmt"
	"path/filepath"
	"slices"
)

// dependencies compares what programs load and bind, by ours and by others. ldd runs
// the program's dynamic linker; libtree and lddtree read files, as we do, and know
// nothing of symbols.
func dependencies(tool string) ([]comparison, error) {
	all, err := dynamicPrograms("/usr/bin")
	if err != nil {
		return nil, err
	}
	var list []comparison
	for _, program := range []string{"/usr/bin/clang-14", "/usr/bin/gdb", "/bin/true"} {
		name := filepath.Base(program)
		list = append(list, comparison{
			name:  "deps: bindings of " + name,
			ours:  []string{tool, "deps", "--missing", program},
			peers: []peer{{[]string{"ldd", "-r", program}, "≤ 1.00"}},
		}, comparison{
			name: "deps: tree of " + name,
			ours: []string{tool, "deps", program},
			peers: []peer{
				{[]string{"libtree", "-vvv", program}, "≤ 1.00"},
				{[]string{"/usr/bin/python3", "/usr/bin/lddtree", "-a", program}, ""},
				{[]string{"ldd", program}, ""},
			},
		})
	}
	what := fmt.Sprintf("%d programs of /usr/bin", len(all))
	return append(list, comparison{
		name:  "deps: bindings of " + what,
		ours:  []string{tool, "deps", "--all", "/usr/bin"},
		peers: []peer{{anyway("ldd", "-r", all), "≤ 1.00"}},
	}, comparison{
		name:  "deps: trees of " + what,
		ours:  slices.Concat([]string{tool, "deps"}, all),
		peers: []peer{{anyway("libtree", "-vvv", all), "≤ 1.00"}},
	}), nil
}

// anyway is a command whose exit code does not count: a program without one of its
// libraries is no reason to end.
func anyway(name, option string, files []string) []string {
	return slices.Concat([]string{"sh", "-c", name + " " + option + ` "$@"; true`, "sh"}, files)
}

// dynamicPrograms are those in a directory that have an interpreter, links left out.
func dynamicPrograms(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	var list []string
	for _, name := range names {
		if real, err := filepath.EvalSymlinks(name); err != nil || filepath.Base(real) != filepath.Base(name) {
			continue
		}
		f, err := elf.Open(name)
		if err != nil {
			continue
		}
		if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
			list = append(list, name)
		}
		f.Close()
	}
	return list, nil
}
