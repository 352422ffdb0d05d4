package samples

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Unfit are programs of /usr/bin whose output is not the same twice, or that do something
// other than printing their version.
var Unfit = []string{"yes", "script", "scriptlive", "reset", "tset", "init", "telinit", "wall", "sg", "newgrp", "su", "login", "groff"}

// Version runs a program with --version in an empty world and returns all that can be seen of
// it, with its directory's name taken out.
func Version(t testing.TB, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	home := t.TempDir()
	defer os.RemoveAll(home)
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "PATH=/usr/bin:/bin", "LC_ALL=C", "TERM=dumb"}
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = newSession()
	var out bytes.Buffer
	w := &firstBytes{&out, 1 << 16}
	cmd.Stdout, cmd.Stderr = w, w
	err := cmd.Run()
	if ctx.Err() != nil {
		return "still running after 5 s"
	}
	status := "0"
	if err != nil {
		status = err.Error()
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			status = fmt.Sprintf("status 0x%x", reflect.ValueOf(e.Sys()).Uint())
		}
	}
	s := strings.ReplaceAll(out.String(), filepath.Dir(path), "DIR")
	return status + "\n" + strings.ReplaceAll(s, home, "HOME")
}

// firstBytes keeps the first bytes and drops the others.
type firstBytes struct {
	w    io.Writer
	left int
}

func (f *firstBytes) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.left -= n
	f.w.Write(p[:n])
	return len(p), nil
}

// newSession takes the terminal away.
func newSession() *unix.SysProcAttr { return &unix.SysProcAttr{Setsid: true} }
