package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"elfwright/bench/linkset"
)

// setsFile tells in a directory of sets what they are.
const setsFile = "sets.json"

// makeSets writes all sets of objects below dir.
func makeSets(dir string) error {
	var all []*linkset.Set
	for _, k := range []struct {
		dir   string
		write func(dir string) (*linkset.Set, error)
	}{
		{"kernel", func(dir string) (*linkset.Set, error) { return linkset.Kernel(dir, false) }},
		{"dwarf", func(dir string) (*linkset.Set, error) { return linkset.Kernel(dir, true) }},
		{"sections", linkset.Sections},
		{"firmware", linkset.Firmware},
	} {
		s, err := k.write(filepath.Join(dir, k.dir))
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, setsFile), text, 0o644)
}

// links compares linkers over sets of objects made in dir. Another process makes
// them: the peak memory that Linux tells of a command counts that of the process
// that started it (setmax_mm_hiwater_rss in begin_new_exec).
func links(tool, dir string) ([]comparison, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if msg, err := exec.Command(self, "-make", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("objects to link: %w: %s", err, msg)
	}
	text, err := os.ReadFile(filepath.Join(dir, setsFile))
	if err != nil {
		return nil, err
	}
	var sets []*linkset.Set
	if err := json.Unmarshal(text, &sets); err != nil {
		return nil, err
	}
	var list []comparison
	for _, s := range sets {
		list = append(list, linkOf(s, tool, filepath.Join(dir, "linked")))
	}
	return list, nil
}

// linkOf compares over one set. Two threads each: GNU ld has one.
func linkOf(s *linkset.Set, tool, out string) comparison {
	args := slices.Concat(s.Args, []string{"-o", out})
	return comparison{
		name: "link: " + s.Name, clean: out,
		ours: slices.Concat([]string{tool, "link", "--threads=2", "--no-warn-rwx-segments"}, s.LLD, args),
		peers: []peer{
			{slices.Concat(s.LD, args), "≤ 0.35"},
			{slices.Concat([]string{"ld.lld-14", "--threads=2"}, s.LLD, args), "≤ 1.00, memory too"},
		},
	}
}
