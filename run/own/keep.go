package own

import (
	"golang.org/x/sys/unix"

	"elfwright/run/cache"
	"elfwright/run/stage"
)

// Keep makes the image one that looks, when it starts, whether it still is that of
// its files, and has itself made again where it is not.
type Keep struct {
	Entry cache.Entry // as [Entry] gives it
	Again stage.Again
	// Variables are all strings of the environment that begin with LD_, and all that
	// begin with GLIBC_TUNABLES=.
	Variables, Tunables []string
}

// The strings of the environment that are for a dynamic linker.
const (
	loaderVariable  = "LD_"
	tunableVariable = "GLIBC_TUNABLES="
)

// LoaderVariables are what Keep has of an environment.
func LoaderVariables(env []string) (variables, tunables []string) {
	for _, e := range env {
		switch {
		case len(e) >= len(loaderVariable) && e[:len(loaderVariable)] == loaderVariable:
			variables = append(variables, e)
		case len(e) >= len(tunableVariable) && e[:len(tunableVariable)] == tunableVariable:
			tunables = append(tunables, e)
		}
	}
	return variables, tunables
}

// kept adds the looks that an image which is kept takes before all else. What is
// opened anyway is looked at then.
func (b *builder) kept() {
	k := b.opt.Keep
	if k == nil {
		return
	}
	b.plan.Keep(k.Again)
	b.same = make(map[string]stage.Stat, len(k.Entry.Files))
	for _, f := range k.Entry.Files {
		b.same[f.Path] = stage.Stat{Dev: f.Dev, Ino: f.Ino, Size: f.Size, MTime: f.MTime, CTime: f.CTime}
	}
	later := b.opened()
	b.plan.Skipped(func() {
		b.plan.Variables(loaderVariable, k.Variables)
		b.plan.Variables(tunableVariable, k.Tunables)
		b.processor()
		for _, f := range k.Entry.Files {
			if !later[f.Path] {
				b.plan.Same(f.Path, b.same[f.Path])
			}
		}
		for _, path := range k.Entry.Absent {
			b.plan.Absent(path)
		}
	})
}

// processor adds that the kernel and the processor are these: the vDSO is part of
// the image, and the search looks into directories for this processor.
func (b *builder) processor() {
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		b.plan.Kernel(u.Release, u.Version)
	}
	for _, w := range cpuWords() {
		b.plan.Do(stage.CPU, uint64(w.leaf), uint64(w.sub), w.mask, w.value)
	}
}

// cpuWord is what CPUID gives for a leaf: %ebx and, above it, %ecx.
type cpuWord struct {
	leaf, sub   uint32
	mask, value uint64
}

// opened are paths of files that the image opens to map them. By a path of another
// name the same file is looked at when it is opened by this one.
func (b *builder) opened() map[string]bool {
	paths := make(map[string]bool)
	for i := range b.mem.Objects {
		o := &b.mem.Objects[i]
		for x := range o.Segments {
			if !b.mapped(o, &o.Segments[x]) {
				continue
			}
			paths[b.keptPath(o.Object.Object)], paths[b.path(o.Object.Object)] = true, true
			break
		}
	}
	return paths
}
