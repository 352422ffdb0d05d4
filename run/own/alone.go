package own

import (
	"debug/elf"

	"elfwright/run/place"
	"elfwright/run/reloc"
	"elfwright/run/stage"
)

// alone is a program without a C library.
type alone struct{}

func (alone) relocation(o *reloc.Options) { o.Alone = true }

// area has room for what compilers expect at the thread pointer: the pointer itself,
// and the canary of the stack protector behind it.
func (alone) area(t place.TLS) (below, above, align uint64) {
	const block = 0x80
	if t.Below {
		return t.Size, block, max(t.Align, 64)
	}
	return block, t.Size, max(t.Align, 64)
}

func (alone) prepare(b *builder) error {
	if b.tp != 0 {
		b.thread()
	}
	return nil
}

func (alone) finish(b *builder) error {
	b.protect()
	if err := b.initialise(); err != nil {
		return err
	}
	var fini uint64
	if len(b.plan.Fini) > 0 {
		fini = b.plan.FiniAddr()
	}
	b.plan.Do(stage.End, b.mem.Objects[0].At(b.p.Objects[0].Header.Entry), fini)
	return nil
}

// initialise adds the constructors: those that the program has for before all, then
// those of the libraries. The program's own are left to its C library (gABI;
// glibc's __libc_start_main). Destructors are listed in the reverse order, with
// those of the program.
func (b *builder) initialise() error {
	before, err := functions(&b.mem.Objects[0], elf.DT_PREINIT_ARRAY, elf.DT_PREINIT_ARRAYSZ)
	if err != nil {
		return err
	}
	for _, f := range before {
		b.plan.Do(stage.Init, f)
	}
	for _, i := range b.res.Order {
		o := &b.mem.Objects[i]
		ctors, err := constructors(o)
		if err != nil {
			return err
		}
		for _, f := range ctors {
			if i != 0 {
				b.plan.Do(stage.Init, f)
			}
		}
		dtors, err := destructors(o)
		if err != nil {
			return err
		}
		b.plan.Fini = append(dtors, b.plan.Fini...)
	}
	return nil
}
