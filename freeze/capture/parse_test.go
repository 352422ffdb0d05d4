package capture

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const smapsText = `00400000-00401000 r-xp 00000000 fe:00 1234                               /usr/bin/a (deleted)
Size:                  4 kB
VmFlags: rd ex mr mw me sd 
7ffd0000-7ffe0000 rw-p 00000000 00:00 0                                  [stack]
VmFlags: rd wr mr mw me gd ac 
`

func TestParseSmaps(t *testing.T) {
	m, err := ParseSmaps([]byte(smapsText))
	if err != nil || len(m) != 2 {
		t.Fatal(m, err)
	}
	if !m[0].Deleted || m[0].Name != "/usr/bin/a" || !m[0].Has("ex") || m[0].Has("gd") || !m[1].Has("gd") || m[1].Name != stackName {
		t.Errorf("%+v", m)
	}
	if _, err := ParseSmaps([]byte("00400000 r-xp\n")); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a broken line: %v", err)
	}
}

const timersText = "ID: 2\nsignal: 10/00000000000000ff\nnotify: signal/tid.77\nClockID: 1\nID: 0\nsignal: 0/0\nnotify: none/pid.5\nClockID: 0\n"

func TestParseTimers(t *testing.T) {
	l, err := ParseTimers([]byte(timersText))
	if err != nil || len(l) != 2 {
		t.Fatal(l, err)
	}
	if a := l[0]; a.ID != 2 || a.Signal != 10 || a.Value != 255 || a.Notify != "signal" || a.TID != 77 || a.Clock != 1 {
		t.Errorf("%+v", a)
	}
	if b := l[1]; b.Notify != "none" || b.TID != 0 {
		t.Errorf("%+v", b)
	}
	if _, err := ParseTimers([]byte("signal: 1/0\n")); err == nil {
		t.Error("a signal before its timer is accepted")
	}
}

func TestParseStatus(t *testing.T) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseStatus(text)
	if err != nil || s.TGID != os.Getpid() || s.PPID != os.Getppid() || s.UIDs[0] != os.Getuid() || s.Umask < 0 || s.Threads < 1 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"Uid:\t1 2\n", "Umask:\t9\n", "SigCgt:\tx\n", "no colon\n"} {
		if _, err := ParseStatus([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestParseInfo(t *testing.T) {
	var d Descriptor
	if err := d.ParseInfo([]byte("pos:\t12\nflags:\t0102001\nmnt_id:\t9\nino:\t3\neventfd-count: 5\n")); err != nil {
		t.Fatal(err)
	}
	if d.Pos != 12 || d.Flags != 0o102001 || len(d.Info) != 1 || d.Info[0] != "eventfd-count: 5" {
		t.Errorf("%+v", d)
	}
	if err := d.ParseInfo([]byte("flags:\t8\n")); err == nil {
		t.Error("a flag of 8 is accepted")
	}
}

func TestParseIGMP(t *testing.T) {
	l := ParseIGMP([]byte("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n4\teth0      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"))
	if len(l) != 1 || l[0].Device != "eth0" || l[0].index != 4 || string(l[0].Address[4:8]) != "\xe0\x00\x00\x01" {
		t.Errorf("%+v", l)
	}
	l = ParseIGMP6([]byte("4    eth0            ff020000000000000000000000000001     1 0000000C 0\nbroken\n"))
	if len(l) != 1 || l[0].Device != "eth0" || l[0].Address[8] != 0xff || l[0].Address[23] != 1 {
		t.Errorf("%+v", l)
	}
}

func TestParseWatch(t *testing.T) {
	w, err := ParseWatch("inotify wd:3 ino:9e7e sdev:800013 mask:800afce ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:7e9e0000640d1b6d")
	if err != nil || w.WD != 3 || w.Mask != 0x800afce || w.file.ino != 0x9e7e || w.file.kind != 1 || len(w.file.handle) != 8 || w.file.dev != unix.Mkdev(8, 19) {
		t.Errorf("%+v, %v", w, err)
	}
	for _, bad := range []string{"tfd: 5", "inotify wd:x", "inotify wd:1 f_handle:1"} {
		if _, err := ParseWatch(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func FuzzSmaps(f *testing.F) {
	f.Add([]byte(smapsText))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, _ := ParseSmaps(b)
		if len(m) > len(b) {
			t.Errorf("%d mappings in %d bytes", len(m), len(b))
		}
	})
}

func FuzzTexts(f *testing.F) {
	f.Add([]byte(timersText))
	f.Add([]byte("pos:\t12\nflags:\t0102001\ntfd: 5 events: 19 data: 5 pos:0 ino:3d sdev:10\n"))
	f.Add([]byte("Uid:\t0\t0\t0\t0\nUmask:\t0022\nGroups:\t1 2 \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseTimers(b)
		ParseStatus(b)
		new(Descriptor).ParseInfo(b)
		parseUnix(b)
		ParseWatch(string(b))
		ParseIGMP(b)
		ParseIGMP6(b)
	})
}
