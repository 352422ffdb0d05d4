package script

import (
	"bytes"
	"fmt"
	"strings"
)

// Print writes a record as a line of text, without its number:
//
//	mmap(0x7f0000000000, 0x1000, 0x3, 0x32, -1, 0)  else: map [0x7f0000000000, …
func (s *Script) Print(r *Record) string {
	var b strings.Builder
	if r.To != 0 {
		fmt.Fprintf(&b, "%s = ", s.place(r.To))
	}
	name, n := r.Op.String(), ops[r.Op].args
	if r.Op == Call || r.Op == Fork {
		name = s.Machine.Linux.CallName(r.Call)
		if name == "" {
			name = fmt.Sprintf("call %d", r.Call)
		}
		for n > 0 && r.Args[n-1] == 0 && r.Words>>(n-1)&1 == 0 {
			n--
		}
	}
	b.WriteString(name + "(")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(s.operand(r, i))
	}
	b.WriteString(")")
	if r.Exact {
		fmt.Fprintf(&b, " == %s", s.operand(r, 2))
	}
	s.whatElse(&b, r)
	return b.String()
}

func (s *Script) whatElse(b *strings.Builder, r *Record) {
	to := s.Target(r)
	switch {
	case to >= 0 && r.Op == Jump:
		fmt.Fprintf(b, " to %d", to)
	case to >= 0 && r.Op == Fork:
		fmt.Fprintf(b, ", the child at %d", to)
	case to >= 0 && r.Op.jumps():
		fmt.Fprintf(b, ": to %d", to)
	case to >= 0:
		fmt.Fprintf(b, ", else to %d", to)
	}
	if m := s.Message(r); m != "" {
		fmt.Fprintf(b, "  # %s", strings.TrimPrefix(m, "thaw: "))
	}
}

// place names a word of the script by its offset, other memory by its address.
func (s *Script) place(addr uint64) string {
	if addr >= s.Base && addr-s.Base < uint64(len(s.Bytes)) {
		return fmt.Sprintf("$%x", addr-s.Base)
	}
	return fmt.Sprintf("[0x%x]", addr)
}

func (s *Script) operand(r *Record, i int) string {
	v := r.Args[i]
	if r.Words>>i&1 != 0 {
		return s.place(v)
	}
	if t, ok := s.printable(v); ok {
		return t
	}
	if int64(v) < 0 && int64(v) > -4096 || v < 10 {
		return fmt.Sprint(int64(v))
	}
	return fmt.Sprintf("0x%x", v)
}

// printable is the string at an address of the script, if it is one that a
// person would read.
func (s *Script) printable(addr uint64) (string, bool) {
	if addr < s.Base+HeadSize || addr >= s.First {
		return "", false
	}
	rest := s.Bytes[addr-s.Base : s.First-s.Base]
	n := bytes.IndexByte(rest, 0)
	if n < 2 || n > 4096 {
		return fmt.Sprintf("&$%x", addr-s.Base), true
	}
	for _, c := range rest[:n] {
		if c < ' ' || c > '~' {
			return fmt.Sprintf("&$%x", addr-s.Base), true
		}
	}
	return fmt.Sprintf("%q", rest[:n]), true
}
