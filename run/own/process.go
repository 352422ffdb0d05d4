package own

import (
	"cmp"
	"debug/elf"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/dyn/load"
	"elfwright/image"
	"elfwright/plan"
	"elfwright/run/cache"
	"elfwright/run/memory"
	"elfwright/run/stage"
)

// mapped says that a segment can be mapped from its file.
func (b *builder) mapped(o *memory.Object, s *memory.Segment) bool {
	page := b.res.Layout.Page
	if b.opt.NoFile && o.Index == 0 {
		return false
	}
	return !b.opt.Embed && !s.Private && s.End-s.Start == (s.FileEnd-s.Start+page-1)&^(page-1) && (b.opt.Paths != nil || b.disk(o.Object.Object) != "")
}

// maps adds the mappings of segments that are not in the image.
func (b *builder) maps() {
	for i := range b.mem.Objects {
		o := &b.mem.Objects[i]
		open := false
		for x := range o.Segments {
			s := &o.Segments[x]
			if !b.mapped(o, s) {
				continue
			}
			if !open {
				b.open(o.Object.Object)
				open = true
			}
			b.plan.Do(stage.Map, o.At(s.Start), s.End-s.Start, plan.MmapProt(s.Flags), unix.MAP_PRIVATE|unix.MAP_FIXED, s.FileOff)
		}
		if open {
			b.plan.Do(stage.Close)
		}
	}
	b.mappings()
}

// open opens the file of an object.
func (b *builder) open(o *load.Object) {
	if path := b.keptPath(o); b.opt.Keep != nil {
		b.plan.OpenSame(path, b.same[path])
		return
	}
	b.plan.OpenFile(b.path(o))
}

// keptPath is the path that an image which is kept opens an object's file by: the
// one that the search found, so that a symbolic link that leads elsewhere now is
// noticed.
func (b *builder) keptPath(o *load.Object) string {
	if _, ok := b.same[o.Path]; ok {
		return o.Path
	}
	return b.path(o)
}

// mappings lists where each segment is.
func (b *builder) mappings() {
	for i := range b.mem.Objects {
		o := &b.mem.Objects[i]
		for x := range o.Segments {
			s := &o.Segments[x]
			b.res.Maps = append(b.res.Maps, Mapping{Object: i, Program: s.Index, Flags: s.Flags, FileOff: int64(s.FileOff),
				Image: !b.mapped(o, s), Range: image.Range{Start: image.Addr(o.At(s.Start)), Size: s.End - s.Start}})
		}
	}
	b.res.Maps = sorted(b.res.Maps)
}

func sorted(maps []Mapping) []Mapping {
	slices.SortStableFunc(maps, func(x, y Mapping) int { return cmp.Compare(x.Range.Start, y.Range.Start) })
	return maps
}

// disk is the path of an object's file on this machine, of the program without
// symbolic links (/proc/self/exe); "" if there is none, or another file is there: of a
// program from a pipe, or of another root whose links lead elsewhere here.
func (b *builder) disk(o *load.Object) string {
	if p, ok := b.disks[o]; ok {
		return p
	}
	if b.disks == nil {
		b.disks = make(map[*load.Object]string)
	}
	b.disks[o] = ""
	p, err := filepath.Abs(o.Name)
	if err == nil && o.Index == 0 {
		p, err = filepath.EvalSymlinks(p)
	}
	if err != nil {
		return ""
	}
	if f, err := cache.Stat(p); err == nil && f.Dev == o.ID.Dev && f.Ino == o.ID.Ino {
		b.disks[o] = p
	}
	return b.disks[o]
}

// origin is the directory that $ORIGIN is for an object (glibc, _dl_new_object and
// _dl_get_origin; musl, fixup_rpath): of the program links are followed.
func (b *builder) origin(o *load.Object) string {
	if o.Index == 0 {
		return filepath.Dir(b.path(o))
	}
	p, err := filepath.Abs(b.name(o))
	if err != nil {
		p = b.path(o)
	}
	return filepath.Dir(p)
}

// path is where an object's file is on this machine.
func (b *builder) path(o *load.Object) string {
	if b.opt.Paths != nil {
		return b.opt.Paths(o)
	}
	if p := b.disk(o); p != "" {
		return p
	}
	if p, err := filepath.Abs(o.Name); err == nil {
		return p
	}
	return o.Name
}

// name is the path by which the process knows an object: the one that it was opened
// by, but of a file in another root, where that path leads elsewhere, its own here.
func (b *builder) name(o *load.Object) string {
	if b.opt.Root != "" { // where its dynamic linker looks, it is the same
		return o.Path
	}
	if o.Path == b.disk(o) {
		return o.Path
	}
	if f, err := cache.Stat(o.Path); err == nil && f.Dev == o.ID.Dev && f.Ino == o.ID.Ino {
		return o.Path
	}
	return b.path(o)
}

// threadStorage takes memory for the blocks of all modules and fills it from their
// PT_TLS. b.tp stays 0 where no module has any and no C library wants it.
func (b *builder) threadStorage() {
	below, above, align := b.libc.area(b.res.Layout.TLS)
	if below+above == 0 {
		return
	}
	below = (below + align - 1) &^ (align - 1)
	b.tp = b.arena.Alloc(below+above, align) + below
	for i := range b.mem.Objects {
		o := &b.mem.Objects[i]
		if o.Module == 0 {
			continue
		}
		g := o.Object.TLS
		if init := o.Read(g.Vaddr, g.Filesz); init != nil {
			b.arena.Put(b.tp+uint64(o.Offset), init)
		}
	}
}

// thread sets the thread pointer, and what code finds through it whatever the C
// library: the pointer itself and the canary (x86-64: <tls.h>, tcbhead_t).
func (b *builder) thread() {
	if b.p.Objects[0].Header.Machine == elf.EM_X86_64 {
		b.arena.Word(b.tp, b.tp, 8)
		b.arena.Word(b.tp+0x10, b.tp, 8)
		b.plan.Do(stage.Random, b.tp+0x28, 0, ^uint64(0xff))
		b.plan.Do(stage.Random, b.tp+0x30, 8, ^uint64(0))
	}
	b.plan.Do(stage.Thread, b.tp)
}

// prSetName is PR_SET_NAME (<linux/prctl.h>).
const prSetName = 15

// Entries of the auxiliary vector (<linux/auxvec.h>).
const (
	atPhdr, atPhnum, atBase, atEntry = 3, 5, 7, 9
	atHWCap, atHWCap2, atMinSigStack = 16, 26, 51
	atExecFn                         = 31
)

// auxiliary makes the auxiliary vector speak of the program instead of the image.
func (b *builder) auxiliary() {
	o := &b.mem.Objects[0]
	if b.opt.Comm != "" {
		if n, ok := o.Machine.Linux.Lookup("prctl"); ok {
			b.plan.Do(stage.System, uint64(n), prSetName, b.plan.Text(b.opt.Comm))
		}
	}
	b.plan.Do(stage.Auxv, atPhdr, b.arena.Headers(o))
	b.plan.Do(stage.Auxv, atPhnum, uint64(len(o.Progs)))
	b.plan.Do(stage.Auxv, atEntry, o.At(o.Header.Entry))
	if i := b.linker(); i >= 0 {
		b.plan.Do(stage.Auxv, atBase, b.mem.Objects[i].Base)
	}
	if b.opt.ExecFn != "" {
		b.plan.Do(stage.Auxv, atExecFn, b.plan.Text(b.opt.ExecFn))
	}
}

// linker is the dynamic linker among the objects, or -1.
func (b *builder) linker() int {
	for i, o := range b.p.Objects {
		if o == b.p.Ld {
			return i
		}
	}
	return -1
}
