package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// starts compares the starts of programs: by us with nothing kept, with an image
// that is kept, that image itself and one that was saved, and by the kernel and ld.so. How long
// elfwright takes to start at all is a row of its own: no start by it is faster.
func starts(tool, dir string) ([]comparison, error) {
	many, err := manyLibraries(filepath.Join(dir, "many"))
	if err != nil {
		return nil, err
	}
	// A comparison's commands get the environment of this program.
	if err := os.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache")); err != nil {
		return nil, err
	}
	list := []comparison{{name: "run: elfwright alone", ours: []string{tool, "version"}}}
	for _, p := range [][]string{{"/bin/true"}, {"/usr/bin/git", "--version"}, {"/usr/bin/gdb", "--version"}, {"/usr/lib/llvm-14/bin/clang", "--version"}, {many}} {
		if _, err := os.Stat(p[0]); err != nil {
			continue
		}
		name := filepath.Base(p[0])
		image := filepath.Join(dir, name+".image")
		start := func(flags ...string) []string {
			return append(append([]string{tool, "run", "--engine=own"}, flags...), p...)
		}
		link := filepath.Join(dir, name+".link")
		for _, argv := range [][]string{start("--save=" + image), start("--cache", "--link="+link)} { // the second keeps the image
			if msg, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
				return nil, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, msg)
			}
		}
		list = append(list,
			comparison{name: "run: " + name + ", cold", ours: start(), peers: []peer{{p, "2"}}},
			comparison{name: "run: " + name + ", kept", ours: start("--cache"), peers: []peer{{p, cachedGoal(name)}}},
			comparison{name: "run: " + name + ", link to what is kept", ours: append([]string{link}, p[1:]...), peers: []peer{{p, cachedGoal(name)}}},
			comparison{name: "run: " + name + ", saved image", ours: append([]string{image}, p[1:]...), peers: []peer{{p, cachedGoal(name)}}},
			comparison{name: "run: " + name + ", its own dynamic linker", ours: append([]string{tool, "run", "--engine=interp"}, p...), peers: []peer{{p, ""}}},
		)
	}
	return list, nil
}

func cachedGoal(name string) string {
	if name == "clang" {
		return "0.33"
	}
	return "1"
}

// libraries is how many the made program has, and functions how many each.
const libraries, functions = 50, 30

// manyLibraries makes a C++ program of many libraries, each of which has classes
// with virtual functions and calls the one before.
func manyLibraries(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	args := []string{"-O1", "-o", filepath.Join(dir, "many"), "main.cc", "-L.", "-Wl,-rpath," + dir, "-Wl,--no-as-needed"}
	for i := range libraries {
		if err := os.WriteFile(filepath.Join(dir, "l.cc"), []byte(librarySource(i)), 0o644); err != nil {
			return "", err
		}
		argv := []string{"-O1", "-fPIC", "-shared", "-o", fmt.Sprintf("libl%d.so", i), "l.cc"}
		if i > 0 {
			argv = append(argv, "-L.", "-Wl,-rpath,"+dir, fmt.Sprintf("-ll%d", i-1))
		}
		if err := compile(dir, argv); err != nil {
			return "", err
		}
		args = append(args, fmt.Sprintf("-ll%d", i))
	}
	main := fmt.Sprintf("int f%d_0(int);\nint main() { return f%d_0(1) == 0; }\n", libraries-1, libraries-1)
	if err := os.WriteFile(filepath.Join(dir, "main.cc"), []byte(main), 0o644); err != nil {
		return "", err
	}
	return filepath.Join(dir, "many"), compile(dir, args)
}

func compile(dir string, argv []string) error {
	cmd := exec.Command("g++", argv...)
	cmd.Dir = dir
	if msg, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("g++ %s: %w: %s", strings.Join(argv, " "), err, msg)
	}
	return nil
}

func librarySource(i int) string {
	var b strings.Builder
	for f := range functions {
		fmt.Fprintf(&b, "struct C%d_%d { virtual int get(int x) { return x + %d; } virtual ~C%d_%d() {} };\n", i, f, f, i, f)
		if i > 0 {
			fmt.Fprintf(&b, "int f%d_%d(int);\n", i-1, f)
		}
	}
	for f := range functions {
		before := "x"
		if i > 0 {
			before = fmt.Sprintf("f%d_%d(x)", i-1, f)
		}
		fmt.Fprintf(&b, "C%d_%d o%d_%d;\nint f%d_%d(int x) { C%d_%d *p = &o%d_%d; asm(\"\" : \"+r\"(p)); return p->get(%s); }\n", i, f, i, f, i, f, i, f, i, f, before)
	}
	return b.String()
}
