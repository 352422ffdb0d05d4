// Package term knows what a terminal is: its width, and whether to colour.
//
// Nothing here reads the environment; who decides on colour hands in what
// NO_COLOR says.
package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// size asks the terminal behind f for its size. Linux answers TIOCGWINSZ for
// every terminal (tty_ioctl) and ENOTTY for all else, so the same question
// tells whether f is one.
func size(f any) (columns int, ok bool) {
	file, isFile := f.(*os.File)
	if !isFile || file == nil {
		return 0, false
	}
	ws, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, false
	}
	return int(ws.Col), true
}

// IsTerminal reports whether f is an *os.File open on a terminal.
func IsTerminal(f any) bool {
	_, ok := size(f)
	return ok
}

// Width returns the columns of the terminal f, or otherwise when f is none or
// does not know its width (a serial line says 0).
func Width(f any, otherwise int) int {
	if n, _ := size(f); n > 0 {
		return n
	}
	return otherwise
}

// Modes returns the words that Colour understands, the default first.
func Modes() []string { return []string{"auto", "always", "never"} }

// Colour decides whether to colour what goes to f. The mode "auto", or an
// empty one, colours on a terminal unless noColor is not empty: that is the
// value of NO_COLOR in the environment, where any word means no.
func Colour(mode string, f any, noColor string) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	return noColor == "" && IsTerminal(f)
}
