package samples

import (
	"debug/elf"
	"slices"
)

const (
	libraryName = "libsample.so"
	driverName  = "driver"
)

// Flags for all C programs: some optimisation, and frames that can be unwound
// because calls at a function's end stay calls. The directory is not recorded,
// so that equal sources give equal files.
var cFlags = []string{"-O1", "-g", "-fno-optimize-sibling-calls", "-funwind-tables", "-ffile-prefix-map=$DIR=/sample"}

// linking is one way to link a C program.
type linking struct {
	name        string
	pie, static bool
	flags       []string
}

var (
	pieLink       = linking{"pie", true, false, []string{"-fPIE", "-pie"}}
	noPIELink     = linking{"nopie", false, false, []string{"-fno-pie", "-no-pie"}}
	staticLink    = linking{"static", false, true, []string{"-fno-pie", "-static"}}
	staticPIELink = linking{"static-pie", true, true, []string{"-fPIE", "-static-pie"}}
)

// with returns the linking with more flags, under another name.
func (l linking) with(name string, flags ...string) linking {
	return linking{name, l.pie, l.static, slices.Concat(l.flags, flags)}
}

// target is one machine's C toolchain.
type target struct {
	name     string
	machine  elf.Machine
	prefix   string // of the tools
	emulator string
	sysroot  string
	libc     string // a library whose change means a new build
}

var (
	amd64 = target{"x86-64", elf.EM_X86_64, "", "qemu-x86_64", "", "/usr/lib/x86_64-linux-gnu/libc.so.6"}
	i386  = target{"i386", elf.EM_386, "i686-linux-gnu-", "qemu-i386", "/usr/i686-linux-gnu", "/usr/i686-linux-gnu/lib/libc.so.6"}
	arm64 = target{"aarch64", elf.EM_AARCH64, "aarch64-linux-gnu-", "qemu-aarch64", "/usr/aarch64-linux-gnu", "/usr/aarch64-linux-gnu/lib/libc.so.6"}
	arm   = target{"arm", elf.EM_ARM, "arm-linux-gnueabihf-", "qemu-arm", "/usr/arm-linux-gnueabihf", "/usr/arm-linux-gnueabihf/lib/libc.so.6"}
	riscv = target{"riscv64", elf.EM_RISCV, "riscv64-linux-gnu-", "qemu-riscv64", "/usr/riscv64-linux-gnu", "/usr/riscv64-linux-gnu/lib/libc.so.6"}
)

// program is the frame of a Program for a target.
func (t target) program(name, lang, libc string, l linking) Program {
	return Program{Name: t.name + "-" + name, Machine: t.machine, Lang: lang, Libc: libc,
		PIE: l.pie, Static: l.static, emulator: t.emulator, sysroot: t.sysroot}
}

// c is sample.c linked in some way.
func (t target) c(l linking) Program {
	p := t.program(l.name, "c", "glibc", l)
	flags := l.flags
	if t.machine == elf.EM_386 && !l.static {
		// The kernel runs i386 programs, but their loader is not where they expect
		// it: Debian's cross libraries are below a directory of their own.
		flags = slices.Concat(flags, []string{"-Wl,--dynamic-linker=" + t.sysroot + "/lib/ld-linux.so.2", "-Wl,-rpath," + t.sysroot + "/lib"})
	}
	p.Recipe = Recipe{
		Files: map[string]string{"sample.c": Source("sample.c")},
		Steps: [][]string{slices.Concat([]string{t.prefix + "gcc"}, cFlags, []string{"sample.c", "-o", "sample"}, flags)},
		Needs: []string{t.libc},
		Out:   "sample",
	}
	return p
}

// nolibc is nolibc.c, which needs no library and no relocation.
func (t target) nolibc(l linking, more ...string) Program {
	p := t.program("nolibc-"+l.name, "nolibc", "", l)
	p.Static = true
	// -static-pie is unknown to some gcc targets; this is what it means.
	link := []string{"-fno-pie", "-static"}
	if l.pie {
		link = []string{"-fPIE", "-static", "-Wl,-pie,--no-dynamic-linker,-z,text"}
	}
	p.Recipe = Recipe{
		Files: map[string]string{"nolibc.c": Source("nolibc.c"), "spare.lds": Source("spare.lds")},
		Steps: [][]string{slices.Concat([]string{t.prefix + "gcc"}, cFlags,
			[]string{"-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-nostdlib", "-fno-stack-protector", "-fno-tree-loop-distribute-patterns", "nolibc.c", "-o", "sample"},
			link, more, []string{"-lgcc", "-Wl,--build-id"})},
		Out: "sample",
	}
	return p
}

// needs adds tools that a recipe's compiler calls.
func (p Program) needs(tools ...string) Program {
	p.Recipe.Needs = slices.Concat(p.Recipe.Needs, tools)
	return p
}

// stripped adds a strip step.
func (p Program) stripped(strip string) Program {
	p.Name += "-stripped"
	p.Stripped = true
	p.Recipe.Steps = append(slices.Clone(p.Recipe.Steps), []string{strip, p.Recipe.Out})
	return p
}

// noSections cuts the file at its section header table.
func (p Program) noSections() Program {
	p.Name += "-no-sections"
	p.NoSections, p.Stripped = true, true
	p.Recipe.Edit, p.Recipe.EditName = cutSectionHeaders, "cutSectionHeaders 1"
	return p
}

// Programs is the matrix: every machine, libc, linker and kind of linking that
// edited programs must survive. The order does not change.
func Programs() []Program {
	return slices.Concat(amd64Glibc(), amd64Linkers(), amd64Forms(), amd64Musl(), goPrograms(), rustPrograms(), otherMachines())
}

func amd64Glibc() []Program {
	return []Program{
		amd64.c(pieLink),
		amd64.c(noPIELink),
		amd64.c(staticLink),
		amd64.c(staticPIELink),
		amd64Shared(),
		amd64CXX(pieLink.with("c++")),
		amd64CXX(staticLink.with("c++-static")),
		amd64.nolibc(staticLink),
		amd64.nolibc(staticPIELink),
		// Four PT_NULL slots that an edit can take.
		amd64.nolibc(staticLink.with("spare"), "-Wl,-T,spare.lds"),
	}
}

// amd64Shared is the sample as a library, with a driver beside it.
func amd64Shared() Program {
	p := amd64.program("shared", "c", "glibc", pieLink)
	p.Library = true
	p.Recipe = Recipe{
		Files: map[string]string{"sample.c": Source("sample.c"), "driver.c": Source("driver.c")},
		Steps: [][]string{
			slices.Concat([]string{"gcc"}, cFlags, []string{"-DSAMPLE_MAIN=sample_main", "-DSAMPLE_IS_LIBRARY", "-fPIC", "-shared",
				"-Wl,-soname," + libraryName, "sample.c", "-o", libraryName}),
			{"gcc", "driver.c", "-o", driverName, "-L.", "-lsample"},
		},
		Needs: []string{amd64.libc},
		Out:   libraryName,
	}
	return p
}

func amd64CXX(l linking) Program {
	p := amd64.program(l.name, "c++", "glibc", l)
	p.Recipe = Recipe{
		Files: map[string]string{"sample.c": Source("sample.c"), "sample.cc": Source("sample.cc")},
		Steps: [][]string{
			slices.Concat([]string{"gcc"}, cFlags, []string{"-DSAMPLE_MAIN=sample_main", "-fPIC", "-c", "sample.c", "-o", "c.o"}),
			slices.Concat([]string{"g++"}, cFlags, []string{"-pthread", "sample.cc", "c.o", "-o", "sample"}, l.flags),
		},
		Needs: []string{amd64.libc},
		Out:   "sample",
	}
	return p
}

// amd64Linkers are the other linkers; those above use ld.bfd.
func amd64Linkers() []Program {
	var list []Program
	for _, l := range []linking{pieLink, noPIELink, staticLink} {
		list = append(list,
			amd64.c(l.with("gold-"+l.name, "-fuse-ld=gold")).needs("ld.gold"),
			lld(l.with("lld-"+l.name)),
			amd64.c(l.with("mold-"+l.name, "-fuse-ld=mold")).needs("mold"))
	}
	// ld.bfd writes PT_GNU_STACK always.
	return append(list, lld(pieLink.with("nognustack", "-Wl,-z,nognustack")))
}

// lld links with LLVM's linker. gcc looks for ld.lld, and Debian's name has the
// version.
func lld(l linking) Program {
	p := amd64.c(l.with(l.name, "-B.", "-fuse-ld=lld")).needs("ld.lld-14")
	find := []string{"sh", "-c", "ln -s $(command -v ld.lld-14) ld.lld"}
	p.Recipe.Steps = slices.Concat([][]string{find}, p.Recipe.Steps)
	return p
}

// amd64Forms are options of the linker, and what tools make of a finished file.
func amd64Forms() []Program {
	form := func(name string, l linking, flags ...string) Program { return amd64.c(l.with(name, flags...)) }
	return []Program{
		form("noseparate-code", pieLink, "-Wl,-z,noseparate-code"),
		form("noseparate-code-nopie", noPIELink, "-Wl,-z,noseparate-code"),
		form("relr", pieLink, "-Wl,-z,pack-relative-relocs"),
		form("sysv-hash", pieLink, "-Wl,--hash-style=sysv"),
		form("both-hashes", noPIELink, "-Wl,--hash-style=both"),
		form("page-2M", pieLink, "-Wl,-z,max-page-size=0x200000"),
		form("page-2M-nopie", noPIELink, "-Wl,-z,max-page-size=0x200000"),
		form("norelro", pieLink, "-Wl,-z,norelro"),
		form("now", pieLink, "-Wl,-z,now"),
		form("no-build-id", pieLink, "-Wl,--build-id=none"),
		form("prelinked-address", noPIELink, "-Wl,-Ttext-segment=0x10000"),
		amd64.c(pieLink).stripped("strip"),
		amd64.c(noPIELink).stripped("strip"),
		amd64.c(staticLink).stripped("strip"),
		amd64.c(staticPIELink).stripped("strip"),
		amd64.c(pieLink).noSections(),
		amd64.c(noPIELink).noSections(),
		amd64.c(staticLink).noSections(),
	}
}

const muslDir = "/usr/lib/x86_64-linux-musl/"

func amd64Musl() []Program {
	// musl's gcc specs make no .eh_frame_hdr and know no -static-pie.
	flags := []string{"-DSAMPLE_DL_FIND_OBJECT", "-Wl,--eh-frame-hdr", "-Wl,--build-id"}
	musl := func(l linking, front, back []string) Program {
		p := amd64.program("musl-"+l.name, "c", "musl", l)
		p.Recipe = Recipe{
			Files: map[string]string{"sample.c": Source("sample.c")},
			Steps: [][]string{slices.Concat([]string{"musl-gcc"}, cFlags, flags, l.flags, front, []string{"sample.c", "-o", "sample"}, back)},
			Needs: []string{muslDir + "libc.a"},
			Out:   "sample",
		}
		return p
	}
	staticPIE := staticPIELink
	staticPIE.flags = []string{"-fPIE", "-static", "-nostartfiles", "-Wl,-pie,--no-dynamic-linker,-z,text"}
	return []Program{
		musl(pieLink, nil, nil),
		musl(noPIELink, nil, nil),
		musl(staticLink, nil, nil),
		musl(staticPIE, []string{muslDir + "rcrt1.o", muslDir + "crti.o"}, []string{muslDir + "crtn.o"}),
	}
}

// golang is the sample in Go.
func golang(t target, name, goarch string, l linking, cgo bool, flags ...string) Program {
	p := t.program(name, "go", "", l)
	extra := Source("pure.go.txt")
	env := []string{"GOARCH=" + goarch, "GOOS=linux", "GOFLAGS=", "GO111MODULE=off", "CGO_ENABLED=0"}
	if cgo {
		extra, p.Libc = Source("cgo.go.txt"), "glibc"
		env[len(env)-1] = "CGO_ENABLED=1"
	}
	p.Recipe = Recipe{
		Files: map[string]string{"main.go": Source("main.go.txt"), "extra.go": extra},
		Steps: [][]string{slices.Concat([]string{"go", "build", "-trimpath", "-buildvcs=false", "-o", "sample"}, flags, []string{"main.go", "extra.go"})},
		Env:   env,
		Out:   "sample",
	}
	if cgo {
		p = p.needs("gcc", t.libc)
	}
	return p
}

func goPrograms() []Program {
	stripped := golang(amd64, "go-stripped", "amd64", staticLink, false, "-ldflags=-s -w")
	stripped.Stripped = true
	return []Program{
		golang(amd64, "go", "amd64", staticLink, false),
		golang(amd64, "go-pie", "amd64", pieLink, false, "-buildmode=pie"),
		golang(amd64, "go-cgo", "amd64", pieLink, true, "-ldflags=-linkmode=external", "-buildmode=pie"),
		stripped,
		golang(i386, "go", "386", staticLink, false),
		golang(arm64, "go", "arm64", staticLink, false),
	}
}

func rustPrograms() []Program {
	rust := func(name string, l linking, flags ...string) Program {
		p := amd64.program(name, "rust", "glibc", l)
		p.Recipe = Recipe{
			Files: map[string]string{"sample.rs": Source("sample.rs")},
			Steps: [][]string{slices.Concat([]string{"rustc", "-O", "--edition=2021", "sample.rs", "-o", "sample"}, flags)},
			Needs: []string{"gcc", amd64.libc},
			Out:   "sample",

			Optional: true, // Rust is large, and few have it from Debian
		}
		return p
	}
	return []Program{
		rust("rust", pieLink),
		rust("rust-static-pie", staticPIELink, "-C", "target-feature=+crt-static"),
	}
}

// otherMachines run under qemu-user, i386 on the kernel if that can. Debian's
// glibc for Arm and RISC-V has no rcrt1.o, so static PIE is made without a libc.
func otherMachines() []Program {
	var list []Program
	for _, t := range []target{i386, arm64, arm, riscv} {
		list = append(list, t.c(pieLink), t.c(noPIELink), t.c(staticLink))
		if t.machine == elf.EM_386 || t.machine == elf.EM_AARCH64 {
			list = append(list, t.c(staticPIELink))
		}
		list = append(list, t.nolibc(staticPIELink), t.c(pieLink).stripped(t.prefix+"strip"))
	}
	return list
}

// BigEndian is data for machines the project does not edit code of, but whose
// files it must read and change: 64 and 32 bit, big endian.
func BigEndian() []Program {
	be := func(name string, m elf.Machine, goarch string) Program {
		return golang(target{name: name, machine: m, emulator: "qemu-" + name}, "go", goarch, staticLink, false)
	}
	return []Program{
		be("s390x", elf.EM_S390, "s390x"),
		be("ppc64", elf.EM_PPC64, "ppc64"),
		be("mips", elf.EM_MIPS, "mips"),
	}
}

// Narrow says whether the program has room for one or two more program headers
// alone: what lies behind its notes is code, or a table that code has the address
// of, and below its first PT_LOAD there is no page left.
func (p Program) Narrow() bool { return slices.Contains(narrow, p.Name) }

var narrow = []string{
	"aarch64-nolibc-static-pie", "arm-nolibc-static-pie", "arm-static", "riscv64-nolibc-static-pie", "riscv64-static",
}
