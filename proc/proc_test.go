package proc

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/image"
)

func Example() {
	p, err := Open(os.Getpid())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	maps, err := p.Maps()
	fmt.Println(len(maps) > 0, err)
	// Output: true <nil>
}

func TestParseMaps(t *testing.T) {
	maps, err := ParseMaps([]byte("00400000-0048a000 r-xp 00001000 fd:03 960637                             /bin/a b (deleted)\n" +
		"7ffe0000-7ffe1000 rw-s 00000000 00:00 0 \n" + "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]\n" +
		"1000-2000 r--p 00000000 08:01 12 /x\\012y"))
	if err != nil || len(maps) != 4 {
		t.Fatal(maps, err)
	}
	m := maps[0]
	if m.Range != image.MakeRange(0x400000, 0x48a000) || m.Prot != elf.PF_R|elf.PF_X || m.Off != 0x1000 || m.Dev != "fd:03" || m.Inode != 960637 || m.Name != "/bin/a b" || !m.Deleted || m.Shared {
		t.Errorf("%+v", m)
	}
	if m := maps[1]; !m.Shared || m.Name != "" || m.File() {
		t.Errorf("%+v", m)
	}
	if maps[3].Name != "/x\ny" {
		t.Errorf("%q", maps[3].Name)
	}
	for _, bad := range []string{"x", "1-2 r 3 4", "2000-1000 r--p 0 0:0 0", "1000-2000 r--p 0 0:0 x", "1000-2000 r-p 0 0:0 0", "1000-2000 r--p g 0:0 0"} {
		if _, err := ParseMaps([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestParseStat(t *testing.T) {
	text := "12 (a) b (c) S"
	for i := 4; i <= 52; i++ {
		text += fmt.Sprintf(" %d", i*1000)
	}
	s, err := ParseStat([]byte(text))
	if err != nil || s.Comm != "a) b (c" || s.State != 'S' || s.StartBrk != 47000 || s.StartCode != 26000 || s.EnvEnd != 51000 {
		t.Errorf("%+v %v", s, err)
	}
	for _, bad := range []string{"", "1 (x", ")(", "1 (x) S 1 2"} {
		if _, err := ParseStat([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestSelf(t *testing.T) {
	p, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s, err := p.Stat()
	if err != nil || s.StartBrk == 0 {
		t.Errorf("%+v %v", s, err)
	}
	page := os.Getpagesize()
	mem, err := unix.Mmap(-1, 0, 4*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	mem[page] = 'x'
	maps, err := p.Maps()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, m := range maps {
		if m.Name == "[stack]" {
			found = true
			if b, err := p.Memory(image.Range{Start: m.End() - 8, Size: 8}); err != nil || len(b) != 8 {
				t.Errorf("memory: %v %v", b, err)
			}
			if own, err := p.Private(m.Range); err != nil || len(own) == 0 {
				t.Errorf("no page of the stack was written to: %v %v", own, err)
			}
		}
	}
	if !found {
		t.Error("no stack")
	}
	aux, err := p.Auxv(elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB})
	if err != nil || len(aux) < 10 {
		t.Errorf("%v %v", aux, err)
	}
	if _, err := Open(1 << 30); err == nil {
		t.Error("a process that is not there was opened")
	}
}

func TestStart(t *testing.T) {
	path, err := exec.LookPath("true")
	if err != nil {
		t.Skip(err)
	}
	var pid int
	err = Start(Run{Path: path, Args: []string{path}, StackLimit: 1 << 20}, func(s *Stopped) error {
		pid = s.PID
		m, err := s.Maps()
		if err == nil && (len(m) == 0 || s.PC == 0 || s.SP == 0) {
			err = fmt.Errorf("%v %v %d maps", s.PC, s.SP, len(m))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	time.Sleep(time.Millisecond)
	if unix.Kill(pid, 0) == nil {
		t.Error("the program is still there")
	}
	err = Start(Run{Path: "/etc/passwd", Args: []string{"x"}}, nil)
	if f, ok := errors.AsType[*Fate](err); !ok || f.Errno != unix.EACCES {
		t.Error(err)
	}
}

func FuzzParseMaps(f *testing.F) {
	f.Add([]byte("00400000-0048a000 r-xp 00001000 fd:03 960637      /bin/a\n"))
	f.Add([]byte("1000-2000 rw-s 0 0:0 0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		maps, err := ParseMaps(b)
		for _, m := range maps {
			if m.Empty() || !m.Valid() {
				t.Errorf("%+v %v", m, err)
			}
		}
	})
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("1 (x) S 1 2 3"))
	f.Fuzz(func(t *testing.T, b []byte) { ParseStat(b) })
}

func FuzzParseAuxv(f *testing.F) {
	f.Add([]byte{6, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range []elf.Class{elf.ELFCLASS32, elf.ELFCLASS64} {
			if aux, err := ParseAuxv(elffile.Format{Class: c, Data: elf.ELFDATA2LSB}, b); err == nil && aux[len(aux)-1].Tag != 0 {
				t.Error(aux)
			}
		}
	})
}

func FuzzParseSyscall(f *testing.F) {
	f.Add("59 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffc 0x4000")
	f.Fuzz(func(t *testing.T, s string) { parseSyscall(s) })
}
