package input

import (
	"debug/elf"

	"golang.org/x/sys/unix"

	"elfwright/link/model"
)

// First tells what the first input is for that is an object, or an archive with
// one: before anything else is known, as the default script depends on it. Inputs
// that cannot be opened are passed over; Open reports them.
func First(opt *model.Options) (machine elf.Machine, class elf.Class, data elf.Data, ok bool) {
	f := &Files{opt: opt}
	for _, in := range opt.Inputs {
		if in.Mark != 0 || in.Library || in.Format == "binary" {
			continue
		}
		if x, ok := f.peek(in); ok {
			return x.machine, x.class, x.order, true
		}
	}
	return 0, 0, 0, false
}

// peek opens an input to see what it is for.
func (f *Files) peek(in model.Input) (x format, ok bool) {
	it := &item{in: in}
	err := guard(in.Name, func() error {
		if err := f.openFile(it); err != nil {
			return err
		}
		b := it.data
		k, _ := kindOf(b)
		switch k {
		case isArchive:
			b = firstMember(it.path, b)
		case isText, isOther:
			return nil
		}
		x, ok = formatOf(b)
		return nil
	})
	if len(it.data) > 0 {
		unix.Munmap(it.data)
	}
	return x, ok && err == nil
}
