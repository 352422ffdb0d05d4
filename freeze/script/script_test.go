package script_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/freeze/script"
	"elfwright/machine/amd64"
)

const base = 0x200000

// sample is a script with most of what there is.
func sample(t testing.TB) []byte {
	b := script.NewBuilder(amd64.Machine, base)
	slot, end, child := b.Slot(), b.Label(), b.Label()
	b.Call("open", b.Text("/a file"), script.Int(0)).To(slot).Or(end)
	b.Call("pread64", slot.Get(), script.Int(0x1000), script.Int(64), script.Int(0)).Exact().Says("read")
	b.Fork(child, "clone", script.Int(17))
	b.Do(script.Equal, slot.Get(), script.Int(3)).Or(end)
	b.Place(child)
	b.Do(script.Fail).Says("child %d", 1)
	b.Place(end)
	b.Do(script.Exit, script.Int(0))
	out, err := b.Encode(base-0x1000, base+0x10000)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	s, err := script.Parse(amd64.Machine, base, sample(t))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i := range s.Records {
		lines = append(lines, s.Print(&s.Records[i]))
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{
		`open("/a file"), else to 5`, `, 0x1000, 0x40) == 0x40  # read`, "clone(0x11), the child at 4", ", 3): to 5", "fail()  # child 1", "exit(0)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestParseRefuses changes a byte or two and looks at which field is blamed.
func TestParseRefuses(t *testing.T) {
	good := sample(t)
	s, err := script.Parse(amd64.Machine, base, good)
	if err != nil {
		t.Fatal(err)
	}
	first := int(s.First - base)
	for _, c := range []struct {
		at    int
		b     byte
		field string
	}{
		{0, 'X', "magic"}, {68, 3, "machine"}, {79, 1, "size"}, {31, 1, "records"}, {38, 1, "records"},
		{first, 200, "record 0"}, {first + 1, 0x80, "record 0"}, {first + 3, 1, "record 0"}, {first + 8, 1, "record 0"},
		{first + script.RecordSize + 14, 0xff, "record 1"}, {first + 3*script.RecordSize + 8, 7, "record 3"},
	} {
		bad := append([]byte(nil), good...)
		bad[c.at] = c.b
		_, err := script.Parse(amd64.Machine, base, bad)
		if e, ok := errors.AsType[*elffile.Error](err); !ok || e.Field != c.field {
			t.Errorf("byte %d: %v, want a fault of %q", c.at, err, c.field)
		}
	}
	for n := range script.HeadSize {
		if _, err := script.Parse(amd64.Machine, base, good[:n]); err == nil {
			t.Errorf("%d bytes are accepted", n)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	b := script.NewBuilder(amd64.Machine, base)
	b.Jump(b.Label())
	if _, err := b.Encode(base, base+0x10000); err == nil || !strings.Contains(err.Error(), "jumps nowhere") {
		t.Errorf("a label that is nowhere: %v", err)
	}
	b = script.NewBuilder(amd64.Machine, base)
	b.Call("no such call")
	if _, err := b.Encode(base, base+0x10000); err == nil || !strings.Contains(err.Error(), "no system call no such call") {
		t.Errorf("a call that is not there: %v", err)
	}
	b = script.NewBuilder(amd64.Machine, base)
	if _, err := b.Encode(base, base+8); err == nil || !strings.Contains(err.Error(), "do not fit") {
		t.Errorf("too little room: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample(f), uint64(base))
	f.Fuzz(func(t *testing.T, b []byte, base uint64) {
		s, err := script.Parse(amd64.Machine, base, b)
		if (s == nil) == (err == nil) {
			t.Fatalf("script %v, error %v", s, err)
		}
		if err == nil {
			for i := range s.Records {
				s.Print(&s.Records[i])
			}
		}
	})
}

func Example() {
	b := script.NewBuilder(amd64.Machine, 0x200000)
	b.Call("chdir", b.Text("/tmp")).Says("working directory /tmp")
	b.Do(script.Exit, script.Int(0))
	code, err := b.Encode(0x1ff000, 0x210000)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := script.Parse(amd64.Machine, 0x200000, code)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range s.Records {
		fmt.Println(s.Print(&s.Records[i]))
	}
	// Output:
	// chdir("/tmp")  # working directory /tmp
	// exit(0)
}
