package freeze_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/freeze"
	"elfwright/freeze/core"
	"elfwright/freeze/saved"
	"elfwright/internal/samples"
	"elfwright/machine/amd64"
)

// TestCoreShared goes on with memory that several may share, or refuses it.
func TestCoreShared(t *testing.T) {
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "testdata/shared.c")
	for kind, want := range map[string]string{
		"anonymous": "", "private": "", "read": "", "twice": "they may be the same memory, which a core does not tell", "file": "a core does not tell whether what is written there is written to the file",
		"sysv": "is System V shared memory",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			start := filepath.Join(dir, "start")
			if err := os.WriteFile(start, []byte("#!/bin/sh\nexec "+prog+" "+kind+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			samples.Settle(t, start)
			name, to := kernelCore(t, dir, start), filepath.Join(dir, "file")
			_, err := freeze.FromCore(name, "", to, freeze.Options{})
			if want == "" {
				if err != nil {
					t.Fatal(err)
				}
				samples.Settle(t, to)
				thawed(t, dir, to, 3, "the same\n")
				return
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
			if _, err := os.Stat(to); err == nil {
				t.Error("a file was written")
			}
		})
	}
}

// TestCoreOfOtherProcessor changes what a core tells of its processor.
func TestCoreOfOtherProcessor(t *testing.T) {
	samples.Need(t, "gcc")
	dir := t.TempDir()
	name, other := filepath.Join(dir, "core"), filepath.Join(dir, "other")
	inMiddle(t, dir, compile(t, "-O1", "testdata/core.c", "-pthread"), func(pid int) {
		if _, err := freeze.ToCore(pid, name, freeze.Options{Kill: true}); err != nil {
			t.Error(err)
		}
	})
	for want, change := range map[string]func(c *core.Core){
		"has registers that this processor does not know (XCR0 0x40000007": func(c *core.Core) {
			x := bytes.Clone(c.Threads[1].Set(0x202))
			binary.LittleEndian.PutUint64(x[464:], 0x40000007)
			c.Threads[1].Sets = []core.Set{{Owner: "LINUX", Type: 0x202, Data: x}}
		},
		"the processor has other features than this one (AT_HWCAP 0x1,": func(c *core.Core) {
			c.Auxv = bytes.Clone(c.Auxv)
			for b := c.Auxv; len(b) >= 16; b = b[16:] {
				if binary.LittleEndian.Uint64(b) == 16 {
					binary.LittleEndian.PutUint64(b[8:], 1)
				}
			}
		},
		"has no floating point registers": func(c *core.Core) { c.Threads[2].Sets = nil },
		"has ended while others go on": func(c *core.Core) {
			for i := range c.Threads {
				c.Threads[i].TID += 1000000
			}
		},
		"the core does not have its stack": func(c *core.Core) {
			sp, _ := amd64.Machine.Status.Slot("rsp")
			c.Threads[1].Regs = bytes.Clone(c.Threads[1].Regs)
			binary.LittleEndian.PutUint64(c.Threads[1].Regs[sp.Off:], 0x10000)
		},
		"has no auxiliary vector": func(c *core.Core) { c.Auxv = nil },
	} {
		c := readCore(t, name)
		change(c)
		body, err := c.Write(amd64.Machine)
		if err != nil {
			t.Fatal(err)
		}
		if err := body.WriteFile(other, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := freeze.FromCore(other, "", filepath.Join(dir, "file"), freeze.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	// Without the vector registers' note the first ones go on.
	c := readCore(t, name)
	for i := range c.Threads {
		c.Threads[i].Sets = c.Threads[i].Sets[:1]
	}
	if fmt.Sprint(len(c.Threads[0].Sets), c.Threads[0].Sets[0].Type) != "1 2" {
		t.Fatal(c.Threads[0].Sets)
	}
	body, err := c.Write(amd64.Machine)
	if err != nil {
		t.Fatal(err)
	}
	if err := body.WriteFile(other, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := freeze.FromCore(other, "", other+".again", freeze.Options{}); err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, other+".again")
	cmd := exec.Command(other + ".again")
	out, _ := cmd.Output()
	if !strings.HasPrefix(string(out), "sum 22.5, threads ") { // the wide register is lost
		t.Errorf("%v, %q", cmd.ProcessState, out)
	}
}

// TestLookShared finds what is in shared memory whose contents are stored with a
// descriptor of it, or with another process.
func TestLookShared(t *testing.T) {
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "testdata/shared.c")
	for kind, maps := range map[string]int{"twice": 2, "tree": 2, "anonymous": 1} {
		dir := t.TempDir()
		start, frozen := filepath.Join(dir, "start"), filepath.Join(dir, "frozen")
		if err := os.WriteFile(start, []byte("#!/bin/sh\nexec "+prog+" "+kind+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		samples.Settle(t, start)
		inMiddle(t, dir, start, func(pid int) {
			opt := freeze.Options{Kill: true, Tree: kind == "tree", FDs: map[int]string{1: freeze.Inherit}}
			if kind == "tree" {
				opt.FDs = map[int]string{1: freeze.Null}
			}
			if _, err := freeze.Freeze(pid, frozen, opt); err != nil {
				unix.Kill(pid, unix.SIGKILL)
				t.Error(err)
			}
		})
		f, err := elffile.Open(frozen)
		if err != nil {
			t.Fatal(kind, err)
		}
		list, err := saved.Open(f, amd64.Machine)
		if err != nil {
			t.Fatal(kind, err)
		}
		found := 0
		for _, p := range list {
			for i := range p.Maps {
				m := &p.Maps[i]
				b := make([]byte, 9)
				if !m.Shared || m.Size != 3*4096 {
					continue
				}
				if _, err := p.ReadAt(b, int64(m.Start+4096)); err != nil {
					t.Error(kind, err)
				}
				if string(b) == "as it was" {
					found++
				}
			}
		}
		if found != maps {
			t.Errorf("%s: %d mappings have the contents, want %d", kind, found, maps)
		}
		f.Close()
	}
}
