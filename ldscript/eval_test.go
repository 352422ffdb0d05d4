package ldscript

import (
	"errors"
	"testing"
)

// fakeEnv has one section at 0x1000 and a few symbols.
type fakeEnv struct{}

func (fakeEnv) Symbol(name string, at Pos) (Value, error) {
	switch name {
	case "text":
		return Rel(1, 0x20), nil
	case "data":
		return Rel(2, 0x30), nil
	case "abs":
		return Abs(0x55), nil
	}
	return Value{}, &Unknown{Pos: at, What: "symbol " + name}
}
func (fakeEnv) Defined(name string) bool { return name == "text" }
func (fakeEnv) Address(s Section) uint64 { return uint64(s) * 0x1000 }
func (fakeEnv) SectionValue(fn, name string, at Pos) (Value, error) {
	if fn == "ADDR" {
		return Rel(1, 0), nil
	}
	return Num(0x80), nil
}
func (fakeEnv) RegionValue(fn, name string, at Pos) (uint64, error) { return 0x8000, nil }
func (fakeEnv) Constant(name string) (uint64, bool)                 { return 0x1000, name == "MAXPAGESIZE" }
func (fakeEnv) SegmentStart(name string) (uint64, bool)             { return 0x7000, name == "given" }
func (fakeEnv) HeadersSize() (uint64, error)                        { return 0xb0, nil }
func (fakeEnv) DataSegment(fn string, dot uint64, args []uint64) (uint64, error) {
	return dot + args[0], nil
}

// TestEval: inside is the value in section 1 at 0x1000, outside the one in none;
// the location counter is 0x1044 for both.
func TestEval(t *testing.T) {
	for _, c := range []struct {
		text            string
		outside, inside Value
	}{
		{"4", Abs(4), Num(4)},
		{".", Abs(0x1044), Rel(1, 0x44)},
		{"text", Rel(1, 0x20), Rel(1, 0x20)},
		{"text + 4", Abs(0x1024), Rel(1, 0x24)}, // outside a constant is an address
		{"4 + text", Abs(0x1024), Rel(1, 0x24)},
		{"text - text", Abs(0), Num(0)},
		{"text + data", Abs(0x1020 + 0x2030), Num(0x1020 + 0x2030)},
		{"data - text", Abs(0x1010), Num(0x1010)},
		{"text < data", Num(1), Num(1)},
		{"abs", Abs(0x55), Num(0x55)},
		{"abs + text", Abs(0x55 + 0x1020), Rel(1, 0x75)},
		{"ABSOLUTE(text)", Abs(0x1020), Abs(0x1020)},
		{"ALIGN(16)", Abs(0x1050), Rel(1, 0x50)},
		{"ALIGN(text, 64)", Abs(0x1040), Rel(1, 0x40)},
		{"NEXT(0x100)", Abs(0x1100), Abs(0x1100)},
		{"MAX(text, 4)", Abs(0x1020), Rel(1, 0x20)},
		{"MIN(1, 2)", Abs(1), Num(1)},
		{"LOG2CEIL(100)", Num(7), Num(7)},
		{"LOG2CEIL(0)", Num(0), Num(0)},
		{"-7 / 2", Abs(^uint64(2)), Num(^uint64(2))},
		{"7 % -4", Abs(3), Num(3)},
		{"1 << 65", Abs(0), Num(0)},
		{"~0", Abs(^uint64(0)), Num(^uint64(0))},
		{"!text", Rel(1, 0), Rel(1, 0)},
		{"0 || 3", Num(1), Num(1)},
		{"text ? 5 : 6", Abs(5), Num(5)},
		{"DEFINED(text)", Num(1), Num(1)},
		{"ADDR(.text)", Rel(1, 0), Rel(1, 0)},
		{"SIZEOF(.text)", Num(0x80), Num(0x80)},
		{"ORIGIN(rom) + LENGTH(rom)", Abs(0x10000), Rel(1, 0x8000-0x1000+0x8000)},
		{"SIZEOF_HEADERS", Num(0xb0), Num(0xb0)},
		{`SEGMENT_START("given", 1)`, Abs(0x7000), Rel(1, 0x6000)},
		{`SEGMENT_START("other", 1)`, Abs(1), Rel(1, ^uint64(0xffe))},
		{"CONSTANT(MAXPAGESIZE)", Num(0x1000), Num(0x1000)},
	} {
		x, err := ParseExpr("test", c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		for _, in := range []struct {
			sec  Section
			want Value
		}{{0, c.outside}, {1, c.inside}} {
			e := Eval{Env: fakeEnv{}, Rules: RulesOf("gnu"), Dot: 0x1044, In: in.sec}
			if got, err := e.Value(x); err != nil || got != in.want {
				t.Errorf("%s in section %d: %+v, %v; want %+v", c.text, in.sec, got, err, in.want)
			}
		}
	}
}

// TestEvalErrors: what is not known yet is told apart from what never is.
func TestEvalErrors(t *testing.T) {
	for _, c := range []struct {
		text    string
		unknown bool
	}{
		{"nobody + 1", true},
		{"text / (text - text)", false},
		{"1 % (abs - abs)", false},
		{"CONSTANT(OTHER)", false},
	} {
		x, err := ParseExpr("test", c.text)
		if err != nil {
			t.Fatal(err)
		}
		e := Eval{Env: fakeEnv{}, Rules: RulesOf("gnu")}
		_, err = e.Value(x)
		var u *Unknown
		if err == nil || errors.As(err, &u) != c.unknown {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

// TestEvalSource: an alias is told apart from arithmetic.
func TestEvalSource(t *testing.T) {
	for text, want := range map[string]string{"text": "text", "text + 0": "text", "text + data": "", "1 ? text : data": "text", "data ? text : 0": "text", "4": ""} {
		x, err := ParseExpr("test", text)
		if err != nil {
			t.Fatal(err)
		}
		e := Eval{Env: fakeEnv{}, Rules: RulesOf("gnu")}
		if _, err := e.Value(x); err != nil || e.Source != want {
			t.Errorf("%s: source %q, %v; want %q", text, e.Source, err, want)
		}
	}
}
