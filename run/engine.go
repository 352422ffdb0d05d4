package run

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/image"
	"elfwright/run/cache"
	"elfwright/run/own"
)

// own links the program. The error says why it does not; then another engine may.
func (r *Prepared) own(p *Program) error {
	if err := r.notOwn(p); err != nil {
		return err
	}
	keep, key := cache.Cache{Dir: p.Cache}, r.key(p)
	if p.Cache != "" && (p.Save || r.abs == "" || p.Row != nil) {
		keep.Dir, r.NotKept = "", errors.New("what is saved, has no file, or is made by a row from elsewhere is not kept for the next start")
	}
	path, err := r.path()
	if err != nil {
		return err
	}
	if keep.Dir != "" {
		path = r.abs // what is kept is not of one directory
		if r.Kept = keep.Find(key); r.Kept != "" {
			r.Engine = Own
			return nil
		}
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
	opt := own.Options{Base: base(p.Random), Embed: p.Save, ExecFn: r.Source.Path, Exe: r.abs, Row: p.Row, Comm: comm(r.Source), LibraryPath: r.loading.LibraryPath, Stop: p.Stop == AtEntry, StopMain: p.Stop == AtMain}
	opt.NoFile = r.Source.Path == ""
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
	if keep.Dir == "" {
		return nil
	}
	entry, err := own.Entry(proc)
	if err == nil {
		r.Kept, err = keep.Put(key, entry, r.Body)
	}
	r.NotKept = err
	return nil
}

// key is what an image depends on, besides files: what the search and the kernel are
// told, and the processor, by which directories of libraries are chosen.
func (r *Prepared) key(p *Program) cache.Key {
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	flags := ""
	for line := range strings.Lines(string(cpu)) {
		if strings.HasPrefix(line, "flags") || strings.HasPrefix(line, "Features") {
			flags = line
			break
		}
	}
	// With another kernel the vDSO is another.
	var kernel unix.Utsname
	unix.Uname(&kernel)
	built := unix.ByteSliceToString(kernel.Release[:]) + " " + unix.ByteSliceToString(kernel.Version[:])
	return cache.Key{Program: r.abs, Options: []string{r.Source.Path, r.loading.LibraryPath, r.loading.Preload, flags, built, string(p.Stop)}}
}

// notOwn is what the engine has no answer to.
func (r *Prepared) notOwn(p *Program) error {
	switch {
	case p.Root != "":
		return errors.New("libraries of another root are left to its dynamic linker")
	}
	for _, e := range p.Env {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "LD_") && name != "LD_LIBRARY_PATH" && name != "LD_PRELOAD" || name == "GLIBC_TUNABLES" && strings.Contains(e, "glibc.rtld.") {
			return fmt.Errorf("%s in the environment is for the dynamic linker", name)
		}
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
