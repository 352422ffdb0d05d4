package plan_test

import (
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/plan"
)

// FuzzExec: any bytes as a program, and as its interpreter, under an old and a
// new kernel.
func FuzzExec(f *testing.F) {
	for _, b := range elftest.WellFormed() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		program, err := plan.Read("fuzz", elffile.NewBody(elffile.Buffer(b)))
		if err != nil {
			return
		}
		for _, v := range []plan.Version{plan.Oldest, plan.Latest} {
			for _, interp := range []*plan.Program{nil, program} {
				p := plan.Exec(plan.Call{Args: []string{"x"}, Env: []string{"A=1"}, Program: program, Interp: interp}, plan.Host{Kernel: v, RawIO: true, Huge: true})
				for i := range p.Mappings {
					m := &p.Mappings[i]
					if m.Empty() || !m.Valid() || i > 0 && p.Mappings[i-1].End() > m.Start {
						t.Fatalf("Linux %v: mapping %d: %+v", v, i, p.Mappings)
					}
				}
			}
		}
	})
}
