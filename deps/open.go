package deps

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/elffile"
)

// Script is the error for a file that is started by a program which its first line
// names (binfmt_script).
type Script struct {
	Path    string
	Program string // "/bin/sh"
	Err     error
}

func (e *Script) Error() string {
	return fmt.Sprintf("%s: a script, no ELF file: Linux starts %s with it (binfmt_script); ask for that", e.Path, e.Program)
}

// Unwrap returns the cause.
func (e *Script) Unwrap() error { return e.Err }

// Open loads a program and makes a subject of it; see [New]. It is valid until the
// loader is closed.
func Open(l *load.Loader, name string, symbols bool, opt bind.Options) (*Subject, error) {
	p, err := l.Load(name)
	if err != nil {
		return nil, scripted(name, err)
	}
	return New(p, symbols, opt), nil
}

// scripted looks whether a file that is not ELF is a script.
func scripted(name string, err error) error {
	fault, ok := errors.AsType[*elffile.Error](err)
	if !ok {
		return err
	}
	f, open := os.Open(fault.File)
	if open != nil {
		return err
	}
	defer f.Close()
	const longest = 256 // BINPRM_BUF_SIZE
	head := make([]byte, longest)
	n, _ := f.Read(head)
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	if !bytes.HasPrefix(line, []byte("#!")) {
		return err
	}
	program := "its interpreter"
	if words := strings.Fields(string(line[2:])); len(words) > 0 {
		program = words[0]
	}
	return &Script{Path: name, Program: program, Err: err}
}
