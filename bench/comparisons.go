package main

import (
	"path/filepath"
	"strings"
)

// comparisons are what is measured, with the goal of each.
func comparisons(tool, file, dir string) []comparison {
	ours := func(words ...string) []string { return append([]string{tool}, words...) }
	out, debug := filepath.Join(dir, "out"), filepath.Join(dir, "out.debug")
	both := filepath.Join(dir, "both")
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
			name: "embed as much again", clean: out,
			before: ours("embed", "add", "--name", "copy", file, file, "-o", both),
			ours:   ours("embed", "add", "--name", "copy", file, file, "-o", out),
			peers: []peer{
				{[]string{"cp", both, out}, "≤ 1.30"},
				{[]string{"objcopy", "--add-section", ".copy=" + file, file, out}, ""},
			},
		},
		{
			name: "split off symbols", clean: out,
			ours: ours("split", file, "-o", out, "--symbols", debug),
			peers: []peer{
				{[]string{"sh", "-c", `objcopy --only-keep-debug "$1" "$3" && objcopy --strip-all --add-gnu-debuglink="$3" "$1" "$2"`, "sh", file, out, debug}, "≤ 1.00"},
				{[]string{"eu-strip", "-f", debug, "-o", out, file}, "≤ 1.00"},
			},
		},
		{
			name: "raw binary", clean: out,
			ours:  ours("flatten", "--format", "bin", file, "-o", out),
			peers: []peer{{[]string{"objcopy", "-O", "binary", file, out}, "≤ 1.00"}},
		},
		{
			name: "Intel HEX", clean: out,
			ours:  ours("flatten", "--format", "ihex", file, "-o", out),
			peers: []peer{{[]string{"objcopy", "-O", "ihex", file, out}, "≤ 0.50"}},
		},
		{
			name: "S-records", clean: out,
			ours:  ours("flatten", "--format", "srec", file, "-o", out),
			peers: []peer{{[]string{"objcopy", "-O", "srec", file, out}, ""}},
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
