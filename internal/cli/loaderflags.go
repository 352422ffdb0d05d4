package cli

import "elfwright/dyn/load"

// loaderFlags are options of a dynamic linker that deps and run share: how it is
// started, but for its root, and the variables for it.
type loaderFlags struct {
	noCache                                              bool
	inhibitRpath, hwcaps, prepend, mask, tunables, audit string
	secure                                               bool
}

// rows are the flags of both verbs.
func (f *loaderFlags) rows(group string) []flag {
	return []flag{
		{name: "hwcaps", to: &f.hwcaps, value: "NAMES", group: group, help: "as if the processor had these; as a rule it is this machine's for its own programs, else the least one"},
		{name: "hwcaps-prepend", to: &f.prepend, value: "NAMES", group: group, help: "look into these sub-directories of glibc-hwcaps first, as --glibc-hwcaps-prepend of ld.so says"},
		{name: "hwcaps-mask", to: &f.mask, value: "NAMES", group: group, help: "of those of the processor look into these alone, as --glibc-hwcaps-mask of ld.so says"},
		{name: "inhibit-cache", to: &f.noCache, group: group, help: "do not use ld.so.cache"},
		{name: "inhibit-rpath", to: &f.inhibitRpath, value: "FILES", group: group, help: "RPATH and RUNPATH of these do not count; paths as they were loaded by, colons between them; the program has an empty name"},
	}
}

// options puts the flags into options.
func (f *loaderFlags) options(opt load.Options) load.Options {
	opt.NoCache, opt.InhibitRpath, opt.HWCaps = f.noCache, f.inhibitRpath, hwcapsOf(f.hwcaps)
	opt.HWCapsPrepend, opt.HWCapsMask = f.prepend, f.mask
	opt.Audit, opt.Secure = f.audit, f.secure
	if f.tunables != "" {
		opt.Tunables = f.tunables
	}
	return opt
}
