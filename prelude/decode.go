package prelude

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"elfwright/machine"
)

// Decode prints a script, a record a line. The error is that of [Parse].
func Decode(m *machine.Machine, script []byte) (string, error) {
	s, err := Parse(m, script)
	if err != nil {
		return "", err
	}
	return s.String(), nil
}

// String prints the script, a record a line.
func (s *Script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d records, 0x%x bytes of data, 0x%x of scratch memory; the old entry is %s\n",
		s.Machine.Name, len(s.Records), len(s.Data), s.Scratch, from("script", s.Entry))
	target := make(map[uint32]bool)
	for i := range s.Records {
		target[s.Records[i].Jump] = true
	}
	for i := range s.Records {
		mark := " "
		if target[uint32(scriptHead+i*recordSize)] {
			mark = ">"
		}
		fmt.Fprintf(&b, "%s%5d  %s\n", mark, i, s.record(&s.Records[i]))
	}
	return b.String()
}

// from prints a distance.
func from(what string, n int64) string {
	if n < 0 {
		return fmt.Sprintf("%s-0x%x", what, -uint64(n))
	}
	return fmt.Sprintf("%s+0x%x", what, n)
}

func (s *Script) record(r *Record) string {
	a := make([]string, r.Op.args())
	for i := range a {
		a[i] = s.operand(r.Kinds[i], r.Args[i])
	}
	var text string
	switch r.Op {
	case End:
		return "end"
	case Equal, Below:
		if r.Op == Equal && r.Kinds[0] == r.Kinds[1] && r.Args[0] == r.Args[1] {
			return "jump" + s.jump(r.Jump)
		}
		return fmt.Sprintf("if %s %s %s%s", a[0], map[Op]string{Equal: "==", Below: "<"}[r.Op], a[1], s.jump(r.Jump))
	case Call:
		text = s.call(r.Call) + "(" + strings.Join(trimZeros(r, a), ", ") + ")"
		if r.Jump != 0 {
			text += ", if it fails" + s.jump(r.Jump)
		}
	case Add:
		text = a[0] + " + " + a[1]
	case Sub:
		text = a[0] + " - " + a[1]
	case Load:
		text = "[" + a[0] + " + " + a[1] + "]"
	case Store:
		return "[" + a[0] + "] = " + a[1]
	default:
		text = opNames[r.Op] + "(" + strings.Join(a, ", ") + ")"
	}
	return fmt.Sprintf("w%x = %s", r.To, text)
}

// trimZeros leaves out operands at the end that are 0.
func trimZeros(r *Record, a []string) []string {
	n := len(a)
	for n > 0 && r.Kinds[n-1] == Number && r.Args[n-1] == 0 {
		n--
	}
	return a[:n]
}

func (s *Script) jump(to uint32) string {
	return fmt.Sprintf(" -> %d", (int(to)-scriptHead)/recordSize)
}

func (s *Script) call(n uint32) string {
	if s.Machine.Linux != nil {
		if name := s.Machine.Linux.CallName(n); name != "" {
			return name
		}
	}
	return fmt.Sprintf("syscall%d", n)
}

func (s *Script) operand(k Kind, v int32) string {
	switch k {
	case Pointer:
		return s.pointer(v)
	case Address:
		return fmt.Sprintf("&w%x", v)
	case Value:
		return fmt.Sprintf("w%x", v)
	}
	if v > -4096 && v < 10 {
		return strconv.Itoa(int(v))
	}
	return fmt.Sprintf("0x%x", uint32(v))
}

// maxText is how much of a string is printed.
const maxText = 200

// pointer prints the string at an offset, if there is one.
func (s *Script) pointer(v int32) string {
	if at := int(v) - s.dataStart(); at >= 0 && at < len(s.Data) {
		text, _, whole := bytes.Cut(s.Data[at:min(len(s.Data), at+maxText)], []byte{0})
		if whole && printable(text) {
			return strconv.Quote(string(text))
		}
	}
	return from("script", int64(v))
}

func printable(text []byte) bool {
	for _, c := range text {
		if c < ' ' && c != '\n' || c == 0x7f {
			return false
		}
	}
	return true
}
