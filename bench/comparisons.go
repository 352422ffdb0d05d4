package main

import (
	"path/filepath"
	"strings"
)

// comparisons are what is measured, with the goal of each.
func comparisons(tool, file, dir string) []comparison {
	ours := func(words ...string) []string { return append([]string{tool}, words...) }
	out := filepath.Join(dir, "out")
	tables := []string{"-h", "-l", "-S", "-s", "-r", "-d", "-n", "-V"}
	with := func(name string, words ...string) []string { return append(append([]string{name}, words...), file) }
	return []comparison{
		{
			name: "everything",
			ours: ours("show", "-a", file),
			peers: []peer{
				{with("readelf", "-aW"), "≤ 0.20 of the faster"},
				{with("llvm-readelf-14", "-a"), "≤ 0.20 of the faster"},
			},
		},
		{
			name:  "the same tables",
			ours:  with(tool, append([]string{"show"}, tables...)...),
			peers: []peer{{with("eu-readelf", tables...), "≤ 1.00"}},
		},
		{
			name: "headers (goal: ≤ 5 ms)",
			ours: ours("show", "-h", "-l", file),
			peers: []peer{
				{with("readelf", "-hlW"), ""},
				{with("llvm-readelf-14", "-h", "-l"), ""},
				{with("eu-readelf", "-h", "-l"), ""},
			},
		},
		{
			name:  "JSON, everything",
			ours:  ours("show", "-a", "--json", file),
			peers: []peer{{with("llvm-readelf-14", "-a", "--elf-output-style=GNU"), ""}},
		},
		{
			name: "add a header", clean: out,
			ours: ours("phdr", "add", "--type", "LOAD", "--flags", "rw", "--memsz", "1M", file, "-o", out),
			peers: []peer{
				{[]string{"cp", file, out}, "≤ 1.30"},
				{[]string{"patchelf", "--set-rpath", "/opt", "--output", out, file}, ""},
			},
		},
		{
			name: "set a variable of .bss", clean: out,
			ours:  ours("patch", file, "--set", variable(file)+"=30", "-o", out),
			peers: []peer{{[]string{"cp", file, out}, "≤ 1.60"}},
		},
	}
}

// variable is a place in zeros of a file: libLLVM has a symbol there.
func variable(file string) string {
	if strings.Contains(filepath.Base(file), "libLLVM") {
		return "AsmMacroMaxNestingDepth:u32"
	}
	return ".bss+16:u32"
}
