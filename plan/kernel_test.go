package plan

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/image"
)

const addrNoRandomize = 0x0040000 // personality(2)

// realMaps starts a program without address randomisation, stops it before its
// first instruction and returns the lines of its maps that come from the file.
func realMaps(t *testing.T, path string) (lines []string) {
	t.Helper()
	runtime.LockOSThread() // personality and ptrace belong to the thread
	defer runtime.UnlockOSThread()
	old, _, _ := unix.Syscall(unix.SYS_PERSONALITY, 0xffffffff, 0, 0)
	unix.Syscall(unix.SYS_PERSONALITY, old|addrNoRandomize, 0, 0)
	defer unix.Syscall(unix.SYS_PERSONALITY, old, 0, 0)
	cmd := exec.Command(path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		t.Skipf("%s: %v", path, err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	var ws unix.WaitStatus
	if _, err := unix.Wait4(cmd.Process.Pid, &ws, 0, nil); err != nil || !ws.Stopped() {
		t.Fatalf("%s: wait: %v %v", path, ws, err)
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		w := strings.Fields(s.Text())
		if len(w) >= 6 && strings.HasPrefix(w[5], "[") {
			continue
		}
		off, _ := strconv.ParseUint(w[2], 16, 64)
		anon := len(w) < 6
		if !anon && w[5] != path {
			continue // the interpreter
		}
		lines = append(lines, mapLine(w[0], w[1][:3], off, anon))
	}
	return lines
}

func mapLine(rng, prot string, off uint64, anon bool) string {
	if anon {
		return fmt.Sprintf("%s %s zero", rng, prot)
	}
	return fmt.Sprintf("%s %s %x", rng, prot, off)
}

// planLines prints a plan's mappings as the kernel would, which merges
// neighbours of one file with consecutive offsets and one protection.
func planLines(p *Plan) []string {
	var merged []Mapping
	for _, m := range p.Mappings {
		if n := len(merged); n > 0 {
			last := &merged[n-1]
			follows := last.End() == m.Start && last.Prot == m.Prot
			if follows && (last.Off == Anonymous && m.Off == Anonymous ||
				last.Off != Anonymous && m.Off == last.Off+int64(last.Size)) {
				last.Size += m.Size
				continue
			}
		}
		merged = append(merged, m)
	}
	var lines []string
	for _, m := range merged {
		lines = append(lines, mapLine(fmt.Sprintf("%08x-%08x", uint64(m.Start), uint64(m.End())), Prot(m.Prot), uint64(max(m.Off, 0)), m.Off == Anonymous))
	}
	return lines
}

// base is where the kernel puts a PIE with an interpreter, without
// randomisation: ELF_ET_DYN_BASE, rounded down to the largest alignment.
func base(img *image.Image) image.Addr {
	align := uint64(4096)
	for _, s := range img.Segments {
		if s.Align&(s.Align-1) == 0 {
			align = max(align, s.Align)
		}
	}
	return image.Addr(0x555555554000).Down(align)
}

// TestMapAgainstKernel compares the plan with the maps of real programs that
// are stopped at their first instruction.
func TestMapAgainstKernel(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the base of a PIE is x86-64's")
	}
	paths, _ := filepath.Glob("/usr/bin/*")
	sweep := os.Getenv("ELFWRIGHT_SWEEP") != ""
	checked := 0
	for i, path := range paths {
		if !sweep && i%16 != 0 {
			continue
		}
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		f, err := elffile.Open(path)
		if err != nil {
			continue // a script
		}
		img := image.FromFile(f)
		if img.Machine != elf.EM_X86_64 || img.Type == elf.ET_DYN && img.Header(elf.PT_INTERP) == nil {
			f.Close()
			continue
		}
		st, err := os.Stat(path)
		if err != nil || st.Mode()&0o111 == 0 || st.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0 { // these keep no personality
			f.Close()
			continue
		}
		p, err := Map(img, Options{Base: base(img)})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if got := realMaps(t, path); strings.Join(got, "\n") != strings.Join(planLines(p), "\n") {
			t.Errorf("%s: the kernel has\n%s\nthe plan\n%s", path, strings.Join(got, "\n"), strings.Join(planLines(p), "\n"))
		}
		for _, fault := range img.Check(0) {
			t.Errorf("%s: %v", path, fault)
		}
		checked++
		f.Close()
	}
	t.Logf("%d programs", checked)
	if checked == 0 {
		t.Error("no program was checked")
	}
}

func TestLostFindsWhatAnEditTook(t *testing.T) {
	f, err := elffile.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img := image.FromFile(f)
	old, err := Map(img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := Lost(img, old, old, nil); err != nil || len(l) != 0 {
		t.Errorf("against itself: %v %v", l, err)
	}
	seg := img.Segments[1]
	body := f.Body.Clone()
	body.Put(seg.Off+100, elffile.Buffer{0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef})
	changed := *f
	changed.Body = body
	now, err := Map(image.FromFile(&changed), Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Lost(img, old, now, nil)
	at := seg.Vaddr + 100
	if err != nil || len(l) != 1 || l[0].Start < at || l[0].End() > at+8 {
		t.Errorf("eight bytes at %v changed: %v %v", at, l, err)
	}
	if l, err := Lost(img, old, now, image.Ranges{{Start: at, Size: 8}}); err != nil || len(l) != 0 {
		t.Errorf("meant to change: %v %v", l, err)
	}
	now.Mappings = now.Mappings[:1]
	if l, _ := Lost(img, old, now, nil); len(l) == 0 {
		t.Error("mappings went and nothing was lost")
	}
}

func TestMapRefuses(t *testing.T) {
	load := func(s image.Segment) *image.Image {
		img := &image.Image{Format: elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, Type: elf.ET_EXEC}
		s.Data = elffile.Zeros(s.Filesz)
		img.Segments = append(img.Segments, s)
		return img
	}
	for name, s := range map[string]image.Segment{
		"filesz":     {Vaddr: 0x1000, Filesz: 2, Memsz: 1},
		"wrap":       {Vaddr: ^image.Addr(0), Memsz: 2},
		"congruence": {Vaddr: 0x1001, Filesz: 1, Memsz: 1},
		"offset":     {Vaddr: 0x1000, Off: -0x1000, Filesz: 1, Memsz: 1},
	} {
		if _, err := Map(load(s), Options{}); err == nil {
			t.Errorf("%s: accepted", name)
		} else if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%s: %v is no *Error", name, err)
		}
	}
}
