package explain

import (
	"fmt"
	"io"
	"strings"

	"elfwright/elffile"
	"elfwright/internal/term"
	"elfwright/plan"
)

// Text prints what becomes of the program, phase by phase.
func (s *Subject) Text(w io.Writer, style term.Style) {
	t := &text{w: w, Style: style}
	p := s.Process
	t.printf("%s\n", t.Bold(s.Path+": "+s.circumstances()))
	last := plan.Phase(255)
	for i := range p.Steps {
		st := &p.Steps[i]
		if st.Phase != last {
			s.behind(t, last)
			t.heading(phaseHeading[st.Phase])
			last = st.Phase
		}
		t.line(st.Text+on(st.Origin, st.Index), ruleText(st.Rule, st.Change))
	}
	s.behind(t, last)
	if len(p.Mappings) > 0 && last < plan.PhaseTables {
		s.mappings(t)
	}
	s.warnings(t)
	t.printf("\n%s\n", s.verdict(t))
}

var phaseHeading = map[plan.Phase]string{
	plan.PhaseCheck: "Checks, which refuse with an errno", plan.PhaseStack: "The new stack", plan.PhaseLoad: "The program's segments",
	plan.PhaseInterp: "The interpreter's segments", plan.PhaseKernel: "The kernel's own pages", plan.PhaseTables: "What the stack holds",
	plan.PhaseBrk: "The heap", plan.PhaseStart: "The first instruction",
}

// circumstances tells for which kernel this holds.
func (s *Subject) circumstances() string {
	h := s.Process.Host
	out := "Linux " + h.Kernel.String()
	if a := s.Process.ABI; a != nil {
		out += ", " + a.Name
		if a.Compat {
			out += " under a 64-bit kernel"
		}
	}
	out += ", pages of " + size(h.PageSize) + ", stack limit " + size(h.StackLimit)
	if h.Base|h.MmapBase == 0 {
		return out + ", no randomisation"
	}
	return out + ", addresses given"
}

// size prints 8M for 8 MiB.
func size(n uint64) string {
	if n == plan.Unlimited {
		return "none"
	}
	for i, unit := range []string{"G", "M", "K"} {
		if shift := 30 - 10*i; n != 0 && n%(1<<shift) == 0 {
			return fmt.Sprintf("%d%s", n>>shift, unit)
		}
	}
	return fmt.Sprint(n)
}

// text prints lines with what caused them behind, dimmed.
type text struct {
	w io.Writer
	term.Style
}

func (t *text) printf(format string, args ...any) { fmt.Fprintf(t.w, format, args...) }

func (t *text) heading(s string) { t.printf("\n%s\n", t.Bold(s)) }

const textWidth = 92

func (t *text) line(s, rule string) {
	if rule != "" {
		s += strings.Repeat(" ", max(2, textWidth-len([]rune(s))))
	}
	t.printf("  %s%s\n", s, t.Dim(rule))
}

// on names the header that caused something.
func on(o plan.Origin, index int) string {
	switch {
	case index < 0:
		return ""
	case o == plan.FromInterp:
		return fmt.Sprintf(" [interpreter's header %d]", index)
	}
	return fmt.Sprintf(" [header %d]", index)
}

func ruleText(rule string, c *plan.Change) string {
	if c != nil {
		rule += fmt.Sprintf("; since %v: %s", c.Since, c.What)
	}
	return rule
}

// behind prints what a phase has made.
func (s *Subject) behind(t *text, ph plan.Phase) {
	switch ph {
	case plan.PhaseKernel:
		s.mappings(t)
	case plan.PhaseTables:
		s.stack(t)
	}
}

// mappings prints the address space.
func (s *Subject) mappings(t *text) {
	t.heading("The address space")
	digits := 12
	if s.Process.ABI.Word() == 4 {
		digits = 8
	}
	for i := range s.Process.Mappings {
		m := &s.Process.Mappings[i]
		t.line(fmt.Sprintf("%0*x-%0*x %s %s", digits, uint64(m.Start), digits, uint64(m.End()), plan.Prot(m.Prot), s.source(m)), m.Rule)
		if !m.Zeroed.Empty() {
			t.line(fmt.Sprintf("  %v of the last page is cleared: .bss begins in it", m.Zeroed), "padzero")
		}
	}
}

// source tells where a mapping's bytes come from, and by which header.
func (s *Subject) source(m *plan.Mapping) string {
	switch {
	case m.Name != "":
		return m.Name + on(plan.FromProgram, m.Index)
	case m.Off == plan.Anonymous:
		return "zero" + s.header(m)
	}
	return fmt.Sprintf("file 0x%x%s", m.Off, s.header(m))
}

func (s *Subject) header(m *plan.Mapping) string {
	file := s.Call.Program
	who := "header"
	if m.Origin == plan.FromInterp {
		file, who = s.Call.Interp, "interpreter's header"
	}
	if m.Index < 0 || m.Index >= len(file.Progs) {
		return ""
	}
	h := &file.Progs[m.Index]
	return fmt.Sprintf(" [%s %d %s %s]", who, m.Index, elffile.ProgTypeName(file.Header.Machine, h.Type), plan.Prot(h.Flags))
}

// stack prints the tables on the stack and the auxiliary vector.
func (s *Subject) stack(t *text) {
	st := &s.Process.Stack
	for _, l := range []struct{ name, value string }{
		{"argc", fmt.Sprintf("%v  %d", st.SP, len(s.Call.Args))},
		{"argv", fmt.Sprintf("%v  %d pointers and 0", st.Argv, len(s.Call.Args))},
		{"envp", fmt.Sprintf("%v  %d pointers and 0", st.Envp, len(s.Call.Env))},
		{"auxv", fmt.Sprintf("%v  %d entries", st.Auxv, len(s.Process.Auxv))},
		{"strings", fmt.Sprintf("%v  arguments; environment from %v, path at %v", st.ArgStart, st.EnvStart, st.Execfn)},
	} {
		t.line(fmt.Sprintf("%-8s %s", l.name, l.value), "")
	}
	for _, a := range s.Process.Auxv {
		value := fmt.Sprintf("0x%x", a.Value)
		if !a.Known {
			value = "the machine's"
		}
		t.line(fmt.Sprintf("  %-20s %s", a.Tag, value), "")
	}
}

func (s *Subject) warnings(t *text) {
	all := s.Process.Warnings
	if len(all) == 0 {
		return
	}
	t.heading("What surprises people")
	for _, w := range all {
		t.line(t.Yellow(w.Code)+": "+w.Text+on(w.Origin, w.Index), "")
	}
}

// verdict is the last line.
func (s *Subject) verdict(t *text) string {
	o := s.Process.Outcome
	where := on(o.Origin, o.Index)
	switch o.Fate {
	case plan.Refused:
		return t.Red(fmt.Sprintf("Refused: execve returns %s: %s%s", o.Errno, o.Msg, where)) + t.Dim("  "+o.Rule)
	case plan.Killed:
		return t.Red(fmt.Sprintf("Killed by %s, past the point of no return (%s): %s%s", o.Signal, o.Errno, o.Msg, where)) + t.Dim("  "+o.Rule)
	case plan.Faults:
		return t.Red(fmt.Sprintf("Starts, and dies by %s: %s%s", o.Signal, o.Msg, where))
	}
	return t.Green(fmt.Sprintf("Runs from %v", s.Process.Entry))
}

// Text prints the result of a check.
func (c *Checked) Text(w io.Writer, style term.Style) {
	if c.Copy != "" {
		fmt.Fprintf(w, "\nA copy without the set-ID bits was run: a set-ID program is always randomised.\n")
	}
	if len(c.Differences) == 0 {
		fmt.Fprintf(w, "%s\n", style.Green(fmt.Sprintf("The kernel agrees: %d things compared, all equal", c.Compared)))
		return
	}
	for _, d := range c.Differences {
		fmt.Fprintf(w, "%s\n", style.Red("The kernel differs: "+d.String()))
	}
}
