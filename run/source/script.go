package source

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// shell runs files that the kernel does not know (POSIX, "Command Search and
// Execution").
const shell = "/bin/sh"

// script makes the program the interpreter of a script.
func (p *Program) script(head []byte) error {
	if p.Path == "" {
		return fmt.Errorf("%s: %s is no ELF file, and a script has to be a file that its interpreter can open: %w", p.Name, describe(head), unix.ENOEXEC)
	}
	interp, arg, err := firstLine(head)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Path, err)
	}
	args := []string{interp}
	if arg != "" {
		args = append(args, arg)
	}
	args = append(args, p.Path)
	p.Args = append(args, p.Args[1:]...)
	p.Path = interp
	if err := executable(interp); err != nil {
		return fmt.Errorf("%s: interpreter of the script: %w", p.Name, err)
	}
	return nil
}

func describe(head []byte) string {
	return fmt.Sprintf("what begins with %q", head[:min(len(head), 8)])
}

// firstLine takes the first line of a script apart, as load_script does: blanks
// after #! go, the interpreter's name ends at the next one, and what is left, less
// the blanks at its ends, is one argument. A line that the kernel's buffer cuts
// within the name is refused.
func firstLine(head []byte) (interp, arg string, err error) {
	line, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		// A shell takes what has no NUL in its first line for a script of its own.
		first, _, _ := bytes.Cut(head, []byte("\n"))
		if len(head) == 0 || bytes.IndexByte(first, 0) >= 0 {
			return "", "", fmt.Errorf("%s is neither an ELF file nor a script: %w", describe(head), unix.ENOEXEC)
		}
		return shell, "", nil
	}
	line, _, whole := bytes.Cut(line, []byte("\n"))
	line, _, _ = bytes.Cut(line, []byte{0})
	text := strings.Trim(string(line), " \t")
	if text == "" {
		return "", "", fmt.Errorf("#! names no interpreter: %w", unix.ENOEXEC)
	}
	i := strings.IndexAny(text, " \t")
	if i < 0 {
		if !whole && len(head) == headSize {
			return "", "", fmt.Errorf("the name of the interpreter is longer than the %d bytes that the kernel looks at: %w", headSize, unix.ENOEXEC)
		}
		return text, "", nil
	}
	return text[:i], strings.TrimLeft(text[i:], " \t"), nil
}
