package term_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"elfwright/internal/term"
)

func Example() {
	on := term.Colour("auto", os.Stdout, os.Getenv("NO_COLOR"))
	fmt.Println(on, term.Style{On: on}.Red("fault"), term.Width(os.Stdout, 80))
	// Output: false fault 80
}

// terminal opens a pseudo terminal of 123 columns and returns its user's side.
func terminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminal here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 4, Col: 123}); err != nil {
		t.Fatal(err)
	}
	user, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no /dev/pts here: %v", err)
	}
	t.Cleanup(func() { user.Close() })
	return user
}

func TestTerminal(t *testing.T) {
	tty := terminal(t)
	if !term.IsTerminal(tty) {
		t.Error("a pseudo terminal is not taken for a terminal")
	}
	if got := term.Width(tty, 80); got != 123 {
		t.Errorf("width %d, want 123", got)
	}
	for _, tc := range []struct {
		mode, noColor string
		want          bool
	}{
		{"auto", "", true}, {"", "", true}, {"auto", "1", false},
		{"always", "1", true}, {"never", "", false},
	} {
		if got := term.Colour(tc.mode, tty, tc.noColor); got != tc.want {
			t.Errorf("Colour(%q, terminal, %q) = %v", tc.mode, tc.noColor, got)
		}
	}
}

func TestNoTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, f := range []any{null, new(bytes.Buffer), (*os.File)(nil), nil} {
		if term.IsTerminal(f) || term.Width(f, 77) != 77 || term.Colour("auto", f, "") {
			t.Errorf("%T is taken for a terminal", f)
		}
		if !term.Colour("always", f, "") {
			t.Errorf("%T: always does not mean always", f)
		}
	}
}

func TestStyle(t *testing.T) {
	if got := (term.Style{On: true}).Bold("x"); got != "\x1b[1mx\x1b[0m" {
		t.Errorf("%q", got)
	}
	if got := (term.Style{On: true}).Dim(""); got != "" {
		t.Errorf("nothing became %q", got)
	}
	if got := (term.Style{}).Green("x"); got != "x" {
		t.Errorf("%q", got)
	}
}
