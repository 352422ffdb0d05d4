package own

import (
	"debug/elf"
	"errors"

	"elfwright/run/launch"
	"elfwright/run/serve"
)

// links has the C library read the link /proc/self/exe as that of the program,
// though the kernel's leads to the image: where its functions make the system call
// they jump to code that answers (package launch). Without that all is well but for
// programs that look for themselves.
func (b *builder) links() {
	if b.opt.Exe == "" || b.res.Libc == None {
		return
	}
	lib := b.linker()
	if b.res.Libc == Glibc {
		lib = isGlibc(b.p)
	}
	b.res.NoLinks = b.link(lib)
}

func (b *builder) link(lib int) error {
	o := &b.mem.Objects[lib]
	code := launch.Lookup(o.Header.Machine, o.Class, o.Data)
	if code == nil {
		return errors.New("there is no code for this machine")
	}
	sites, err := serve.FindLinksIn(o.File, "readlink", "readlinkat")
	if err != nil {
		return err
	}
	gate := b.plan.Place()
	text, err := code.Encode(&launch.Plan{Exe: b.opt.Exe}, gate)
	if err != nil {
		return err
	}
	b.plan.Put(text)
	ways := b.plan.Place()
	text, edits, err := sites.Redirect(o.Base, ways, gate+launch.Gate)
	if err != nil {
		return err
	}
	b.plan.Put(text)
	for _, e := range edits {
		if s := o.Find(e.Vaddr); s == nil || s.Flags&elf.PF_X == 0 {
			return errors.New("a function of the C library is in no executable segment")
		}
		if err := o.Patch(e.Vaddr, e.Bytes, b.res.Layout.Page); err != nil {
			return err
		}
	}
	return nil
}
