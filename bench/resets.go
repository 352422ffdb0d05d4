package main

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
)

// resets makes a static program of 100 MB, half of it data, resettable, against cp of
// a file as large as the result; and starts it, and a small one, against the
// originals: what a start costs more is the time of a reset.
func resets(tool, dir string) ([]comparison, error) {
	big, err := staticProgram(dir, "big", 50_000_000)
	if err != nil {
		return nil, err
	}
	small, err := staticProgram(dir, "small", 1000)
	if err != nil {
		return nil, err
	}
	out := filepath.Join(dir, "out")
	var list []comparison
	for _, shape := range []string{"keep", "deflate"} {
		made := func(file string) (string, error) {
			made := file + "." + shape
			msg, err := exec.Command(tool, "reset", "--shape="+shape, file, "-o", made).CombinedOutput()
			if err != nil {
				return "", fmt.Errorf("reset: %w: %s", err, msg)
			}
			return made, nil
		}
		both, err := made(big)
		if err != nil {
			return nil, err
		}
		list = append(list,
			comparison{name: "reset: 100 MB, " + shape, clean: out, ours: []string{tool, "reset", "--shape=" + shape, big, "-o", out}, peers: []peer{{[]string{"cp", both, out}, "≤ 2.00"}}},
			comparison{name: "reset: check of 100 MB, " + shape, ours: []string{tool, "reset", "--verify", "--original", big, both}, peers: []peer{{[]string{"cp", both, out}, ""}}, clean: out},
			comparison{name: "reset: start with 50 MB of data, " + shape, ours: []string{both}, peers: []peer{{[]string{big}, ""}}})
		if both, err = made(small); err != nil {
			return nil, err
		}
		list = append(list, comparison{name: "reset: start with 20 kB of data, " + shape, ours: []string{both}, peers: []peer{{[]string{small}, ""}}})
	}
	return list, nil
}

// staticProgram is one that does nothing, with so many bytes of code that is not run,
// and as many of data.
func staticProgram(dir, name string, size int) (string, error) {
	b := make([]byte, size)
	rand.New(rand.NewSource(1)).Read(b)
	bytes, source, prog := filepath.Join(dir, name+".bytes"), filepath.Join(dir, name+".S"), filepath.Join(dir, name)
	if err := os.WriteFile(bytes, b, 0o644); err != nil {
		return "", err
	}
	text := fmt.Sprintf(".section .rodata\n.incbin %q\n.data\n.incbin %[1]q\n.bss\n.skip 100000\n.text\n.globl main\nmain: xor %%eax, %%eax\nret\n.section .note.GNU-stack,\"\",@progbits\n", bytes)
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		return "", err
	}
	if msg, err := exec.Command("x86_64-linux-gnu-gcc", "-static", source, "-o", prog).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc: %w: %s", err, msg)
	}
	return prog, nil
}
