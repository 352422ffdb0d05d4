package run

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/image"
	"elfwright/run/own"
)

// own links the program. The error says why it does not; then another engine may.
func (r *Prepared) own(p *Program) error {
	if err := p.notOwn(); err != nil {
		return err
	}
	keep, err := p.keeper(r.Source.Path)
	r.NotKept = err
	path, err := r.path()
	if err != nil {
		return err
	}
	if keep != nil {
		path = r.abs // what is kept is not of one directory
		if r.Kept = keep.Find(keep.key); r.Kept != "" && !p.Renew {
			r.Engine, r.keep = Own, keep
			return nil
		}
		r.Kept = ""
	}
	proc, err := load.Load(path, r.loading)
	if err != nil {
		return err
	}
	r.proc = proc
	for _, o := range proc.Objects {
		for _, n := range o.Needs {
			if n.To == nil && n.Kind != load.Auxiliary {
				return fmt.Errorf("%s: %s is missing", o.Path, n.Name)
			}
		}
	}
	bound, err := bind.Bind(proc, bind.Options{})
	if err != nil {
		return err
	}
	r.bound = bound
	for _, v := range bound.Versions {
		if !v.Weak && !v.Warning {
			return fmt.Errorf("%s: version %s of %s is missing", v.By.Path, v.Version, v.File)
		}
	}
	for _, d := range bound.Directs() {
		if b := d.Binding; d.Fatal && !b.Lazy {
			return fmt.Errorf("%s: it uses %s directly, which is protected in %s (GNU_PROPERTY_1_NEEDED_INDIRECT_EXTERN_ACCESS)", proc.Objects[b.From].Path, bound.Name(b), proc.Objects[b.To].Path)
		}
	}
	opt := own.Options{Base: base(p.Random), Embed: p.Save, ExecFn: r.Source.Path, Exe: r.abs, Row: p.Row, Musl: p.Musl, Comm: comm(r.Source), LibraryPath: r.loading.LibraryPath, Stop: p.Stop == AtEntry, StopMain: p.Stop == AtMain}
	opt.NoFile = r.Source.Path == ""
	if keep != nil {
		if opt.Keep, r.NotKept = keep.keeping(p, proc); r.NotKept == nil {
			opt.ExecFn = keep.path
		}
	}
	if p.Root != "" {
		if err := r.inRoot(p, &opt); err != nil {
			return err
		}
	}
	opt.VDSO, _ = own.VDSO() // without it the time is asked of the kernel
	res, err := own.Build(proc, bound, opt)
	if err != nil {
		return err
	}
	f, err := res.Image.File()
	if err != nil {
		return err
	}
	r.Engine, r.Linked, r.Body, r.NoLinks = Own, res, f.Encode(), res.NoLinks
	if opt.Keep != nil {
		if err := keep.Put(keep.key, r.Body); err != nil {
			return r.unkept(p, err)
		}
		r.Kept, r.keep = keep.Fresh(keep.key), keep
	}
	return nil
}

// inRoot are the options of a program whose libraries are in another root.
func (r *Prepared) inRoot(p *Program, opt *own.Options) error {
	if r.proc.Libc != load.Glibc {
		return fmt.Errorf("%s: musl's own dynamic linker is told by its search path where another root is", r.Source.Name)
	}
	if r.proc.Ld == nil {
		return fmt.Errorf("%s: PT_INTERP: %w", r.File.Name, r.proc.Interp.Err)
	}
	root, err := openRoot(p.Root)
	if err != nil || root.dir == "" {
		return err
	}
	defer root.Close()
	opt.Root, opt.Dirs = root.dir, r.loading.Beside
	opt.Files, err = root.cache(r.proc.Ld.File)
	return err
}

// unkept makes an image that does not look whether it is the right one: this one
// could not be kept.
func (r *Prepared) unkept(p *Program, why error) error {
	once := *p
	once.Cache = ""
	err := errors.Join(r.proc.Close(), r.own(&once))
	r.NotKept = why
	return err
}

// notOwn is what the engine has no answer to.
func (p *Program) notOwn() error {
	for _, e := range p.Env {
		name, value, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "LD_") && name != "LD_LIBRARY_PATH" && name != "LD_PRELOAD" || name == "GLIBC_TUNABLES" && forLoader(value) {
			return fmt.Errorf("%s in the environment is for the dynamic linker", name)
		}
	}
	return nil
}

// forLoader says whether tunables ask the dynamic linker for something that the
// engine does not do: the order of constructors alone is that which they say.
func forLoader(tunables string) bool {
	for t := range strings.SplitSeq(tunables, ":") {
		if strings.HasPrefix(t, "glibc.rtld.") && !strings.HasPrefix(t, "glibc.rtld.dynamic_sort=") {
			return true
		}
	}
	return false
}

// told says whether the search is told what no dynamic linker is told by a variable.
func (p *Program) told() bool {
	s := &p.Search
	return s.NoCache || s.InhibitRpath != "" || s.HWCaps != nil || s.HWCapsPrepend != "" || s.HWCapsMask != ""
}

// searchable refuses options of a search that a program is not started with.
func (p *Program) searchable() error {
	known := load.Options{NoCache: p.Search.NoCache, InhibitRpath: p.Search.InhibitRpath, HWCaps: p.Search.HWCaps,
		HWCapsPrepend: p.Search.HWCapsPrepend, HWCapsMask: p.Search.HWCapsMask}
	if !reflect.DeepEqual(known, p.Search) {
		return errors.New("of a search that a program is started with, only NoCache, InhibitRpath, HWCaps, HWCapsPrepend and HWCapsMask are to be told")
	}
	return nil
}

// variable is what a variable is with a value before it.
func (p *Program) variable(name, value string) string {
	old := lookup(p.Env, name)
	if value != "" && old != "" {
		return value + ":" + old
	}
	return value + old
}

// base is an address for the first object that may go anywhere: above the first
// 4 GiB, and with 28 bits at random as Linux has them (vm.mmap_rnd_bits).
func base(random uint64) image.Addr {
	if random == 0 {
		return 0
	}
	return image.Addr(0x2000_0000_0000 + random&(1<<28-1)<<12)
}
