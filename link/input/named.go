package input

import (
	"slices"

	"elfwright/link/model"
)

// addNamed makes inputs of the files that patterns name without a wildcard. GNU ld
// opens each when it comes to the pattern, so that one which stands on the command
// line comes where the script does, if that is earlier.
func (f *Files) addNamed(names []string) {
	at := max(0, slices.IndexFunc(f.items, func(it *item) bool { return it.in.Mark == model.MarkScript }))
	for _, name := range names {
		i := slices.IndexFunc(f.items, func(it *item) bool { return it.in.Mark == 0 && !it.in.Library && it.in.Name == name })
		var it *item
		switch {
		case i < 0:
			it = &item{in: model.Input{Name: name, StaticOnly: f.opt.Static}, from: "a pattern of the script"}
		case i < at:
			continue
		default:
			it = f.items[i]
			f.items = slices.Delete(f.items, i, i+1)
		}
		f.items = slices.Insert(f.items, at, it)
		at++
	}
}
