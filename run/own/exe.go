package own

import (
	"debug/elf"
	"errors"
	"fmt"

	"elfwright/run/launch"
	"elfwright/run/memory"
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
	return b.answer(o, sites, code, &launch.Plan{Exe: b.opt.Exe})
}

// answer has system calls of an object made by code that answers them by a plan.
func (b *builder) answer(o *memory.Object, sites *serve.Sites, code *launch.Code, p *launch.Plan) error {
	gate := b.plan.Place()
	text, err := code.Encode(p, gate)
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

// serve has the dynamic linker, of which the program opens more libraries, look for
// them in another root.
func (b *builder) serve() error {
	if b.opt.Root == "" {
		return nil
	}
	if b.res.Libc != Glibc {
		return &UnsupportedError{b.p.Objects[0].Name, fmt.Sprintf("what a program of C library %v opens later would not be looked for in another root", b.res.Libc)}
	}
	o := &b.mem.Objects[b.linker()]
	sites, err := serve.Find(o.File)
	if err != nil {
		return err
	}
	code := launch.Lookup(o.Header.Machine, o.Class, o.Data)
	return b.answer(o, sites, code, &launch.Plan{Exe: b.opt.Exe, Root: b.opt.Root, Dirs: b.opt.Dirs, Files: b.opt.Files})
}
