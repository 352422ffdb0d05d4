package run

import (
	"fmt"
	"io"

	"elfwright/dyn/bind"
)

var bindRules = map[bind.Rule]string{
	bind.Local: ", itself", bind.Symbolic: ", DT_SYMBOLIC", bind.Protected: ", its own: protected", bind.Unique: ", unique: the first that was bound",
	bind.WeakZero: "nothing: weak", bind.Undefined: "nothing", bind.LFS64: ", its name without 64",
}

// traceBind tells what each symbol is bound to. Where the scope decides there is no
// other reason than that the object comes first.
func (r *Prepared) traceBind(w io.Writer) {
	for _, b := range r.bound.Bindings {
		from := r.proc.Objects[b.From]
		to, version, lazy := "", "", ""
		if b.To >= 0 {
			to = r.pathOf(r.proc.Objects[b.To])
		}
		if v, _ := r.bound.Version(b); v != "" {
			version = "@" + v
		}
		if b.Class == bind.Copy {
			lazy = ", copied"
		}
		if b.Lazy {
			lazy = ", at the first call"
		}
		fmt.Fprintf(w, "bind %s: %s%s to %s%s%s\n", r.pathOf(from), r.bound.Name(b), version, to, bindRules[b.Rule], lazy)
	}
	for _, i := range r.bound.Interposed() {
		loser, winner := r.proc.Objects[i.Object], r.proc.Objects[i.By]
		fmt.Fprintf(w, "interposed %s of %s: %s comes first\n", loser.Symbols.Name(loser.Symbols.At(int(i.Symbol))), r.pathOf(loser), r.pathOf(winner))
	}
}

// traceSymbols tells how many symbols of each object are bound to which other, and
// what is left.
func (r *Prepared) traceSymbols(w io.Writer) {
	n := len(r.proc.Objects)
	for _, from := range r.proc.Objects {
		to, weak, none := make([]int, n), 0, 0
		for _, b := range r.bound.Of(from) {
			switch {
			case b.To >= 0:
				to[b.To]++
			case b.Rule == bind.WeakZero:
				weak++
			default:
				none++
			}
		}
		for i, count := range to {
			if count > 0 {
				fmt.Fprintf(w, "symbols %s: %d bound to %s\n", r.pathOf(from), count, r.pathOf(r.proc.Objects[i]))
			}
		}
		if weak > 0 {
			fmt.Fprintf(w, "symbols %s: %d weak, defined nowhere\n", r.pathOf(from), weak)
		}
		if none > 0 {
			fmt.Fprintf(w, "symbols %s: %d defined nowhere\n", r.pathOf(from), none)
		}
	}
	for _, v := range r.bound.Versions {
		kind := "missing"
		if v.Weak || v.Warning {
			kind = "absent"
		}
		fmt.Fprintf(w, "%s version %s of %s, for %s\n", kind, v.Version, v.File, r.pathOf(v.By))
	}
}
