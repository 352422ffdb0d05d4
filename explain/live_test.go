package explain

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/image"
	"elfwright/internal/term"
	"elfwright/proc"
)

// sleeper starts a program that does nothing, and waits until it does.
func sleeper(t *testing.T, path string) (pid int) {
	t.Helper()
	cmd := exec.Command(path, "1000")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 200 {
		if b, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "wchan")); strings.Contains(string(b), "nanosleep") {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return cmd.Process.Pid
}

// TestLive explains a process, in which then bytes of code are changed.
func TestLive(t *testing.T) {
	path, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	pid := sleeper(t, path)
	p, err := Live(pid)
	if err != nil {
		t.Fatal(err)
	}
	var code *Region
	headers := 0
	for i := range p.Regions {
		r := &p.Regions[i]
		if r.Alarm != "" || r.Err != nil || r.What == "" || r.Rule == "" {
			t.Errorf("%+v", r)
		}
		if r.Name == p.Exe && r.Header >= 0 {
			headers++
		}
		if r.Name == p.Exe && r.Prot == elf.PF_R|elf.PF_X {
			code = r
		}
	}
	if code == nil || headers < 3 || p.Suspicious() {
		t.Fatalf("code %v, %d mappings of %s", code, headers, p.Exe)
	}

	// A debugger's way: memory is written although the mapping is not writable.
	mem, err := os.OpenFile(filepath.Join("/proc", strconv.Itoa(pid), "mem"), os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer mem.Close()
	at := code.Start + 0x123
	var old [3]byte
	if _, err := mem.ReadAt(old[:], int64(at)); err != nil {
		t.Fatal(err)
	}
	if _, err := mem.WriteAt([]byte{^old[0], ^old[1], ^old[2]}, int64(at)); err != nil {
		t.Skip(err)
	}
	p, err = Live(pid)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, r := range p.Regions {
		if r.Alarm == "" {
			continue
		}
		found = true
		if len(r.Changed) != 1 || r.Changed[0] != (image.Range{Start: at, Size: 3}) || r.ChangedBytes != 3 {
			t.Errorf("changed %v, want 3 bytes at %v", r.Changed, at)
		}
	}
	if !found || !p.Suspicious() {
		t.Error("changed code was not found")
	}
	var text, doc bytes.Buffer
	p.Text(&text, term.Style{})
	if !strings.Contains(text.String(), "3 bytes of code are not those of the file: patched") {
		t.Error(text.String())
	}
	if err := p.JSON(&doc); err != nil || !json.Valid(doc.Bytes()) {
		t.Error(err, doc.String())
	}
}

// TestLiveInjected: code in memory that no file has.
func TestLiveInjected(t *testing.T) {
	mem, err := unix.Mmap(-1, 0, 1, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Skip(err)
	}
	defer unix.Munmap(mem)
	p, err := Live(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(mem)
	if !p.Suspicious() {
		t.Error("anonymous code was not found")
	}
}

func TestLiveNone(t *testing.T) {
	if _, err := Live(1 << 30); err == nil {
		t.Error("no error for a process that is not there")
	}
	if _, err := Live(2); err == nil && proc.ThisSystem().Machine != "" {
		t.Log("process 2 is not a thread of the kernel here")
	}
}

// TestAllLive explains what runs here, if a sweep is asked for.
func TestAllLive(t *testing.T) {
	if os.Getenv("ELFWRIGHT_SWEEP") == "" {
		t.Skip("ELFWRIGHT_SWEEP is not set")
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	n := 0
	for _, d := range dirs {
		pid := 0
		for _, c := range filepath.Base(d) {
			pid = 10*pid + int(c-'0')
		}
		p, err := Live(pid)
		if err != nil {
			continue
		}
		n++
		for _, r := range p.Regions {
			if r.Alarm != "" {
				t.Logf("%d %s %v: %s %v", pid, p.Exe, r.Range, r.Alarm, r.Changed)
			}
			if r.Err != nil {
				t.Logf("%d %s %v %s: %v", pid, p.Exe, r.Range, r.Name, r.Err)
			}
		}
	}
	t.Logf("%d processes", n)
}
