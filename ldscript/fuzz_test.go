package ldscript

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, s := range snippets(f) {
		if s.where != 'V' {
			f.Add([]byte(s.script()))
		}
	}
	for i, file := range installed(f) {
		if text, err := os.ReadFile(file); err == nil && i%100 == 0 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, lld := range []bool{false, true} {
			opt := Options{Open: fuzzOpen, LLD: lld}
			s, err := Parse("f", text, opt)
			if err != nil {
				faulty(t, err)
				continue
			}
			once, err := FormatSafe(s, opt)
			if err != nil {
				t.Fatalf("%v\n%s", err, once)
			}
			again, err := Parse("f", once, opt)
			if err != nil {
				t.Fatal(err)
			}
			if twice := Format(again); string(twice) != string(once) {
				t.Errorf("formatted once\n%s\ntwice\n%s", once, twice)
			}
			for _, c := range Check(s) {
				_ = c.String() + c.Pos.Excerpt()
			}
		}
	})
}

// fuzzOpen has one file to include, which includes itself under another name.
func fuzzOpen(name string, _ []string) (string, []byte, error) {
	switch {
	case name == "x":
		return "x", []byte("/* in */ y = 1; INCLUDE x"), nil
	case strings.HasPrefix(name, "d"):
		return name, []byte("INCLUDE " + name + "d"), nil
	}
	return "", nil, os.ErrNotExist
}

// faulty checks what is promised of errors.
func faulty(t *testing.T, err error) {
	t.Helper()
	list, ok := errors.AsType[Errors](err)
	if !ok || len(list) == 0 || len(list) > MaxErrors {
		t.Fatalf("%d errors of type %T", len(list), err)
	}
	for _, e := range list {
		if e.Pos.File == nil || e.Pos.Line < 1 || e.Pos.Col < 1 || e.Msg == "" {
			t.Errorf("no place or no message: %#v", e)
		}
		if x := e.Excerpt(); strings.Count(x, "\n") != 2 {
			t.Errorf("%v: excerpt %q", e, x)
		}
	}
}

func FuzzVersion(f *testing.F) {
	for _, s := range snippets(f) {
		if s.where == 'V' {
			f.Add([]byte(s.text), "abc")
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, symbol string) {
		if list, err := ParseDynamicList("f", text); err != nil {
			faulty(t, err)
		} else {
			MatchList(list, symbol, nil)
		}
		v, err := ParseVersion("f", text)
		if err != nil {
			faulty(t, err)
			return
		}
		set, err := NewVersionSet([]*Version{v}, nil)
		if err != nil {
			faulty(t, err)
			return
		}
		set.Match(symbol)
	})
}

func FuzzExpr(f *testing.F) {
	for _, s := range snippets(f) {
		if s.where == 'E' {
			f.Add(s.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ParseDefsym("x=" + text); err != nil {
			faulty(t, err)
		}
		x, err := ParseExpr("f", text)
		if err != nil {
			faulty(t, err)
			return
		}
		printed := ExprString(x)
		y, err := ParseExpr("f", printed)
		if err != nil {
			t.Fatalf("%s printed as %s: %v", text, printed, err)
		}
		if again := ExprString(y); again != printed {
			t.Errorf("%s, then %s", printed, again)
		}
	})
}
