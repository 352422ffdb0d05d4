package depcheck

// levels orders the packages of this module: a package imports only from the
// lines above its own. Two packages of one level do not know of each other.
// A word that ends in /... stands for all packages below it.
var levels = [...]string{
	0:  "sdf/loader elffile machine ldscript internal/term internal/samples internal/near internal/depcheck show/thumb",
	1:  "freeze/note freeze/core freeze/unwind dyn/sysroot dyn/ldcache sdf/desc link/model image erofs machine/amd64 machine/i386 machine/aarch64 machine/arm machine/riscv64 internal/elftest internal/ldcase link/emul",
	2:  "freeze/saved sdf/draw reset/table run/stage run/launch run/cache bench/linkset machine/all plan proc freeze/script flat payload match link/input link/layout link/synth link/write link/lines link/options link/x86 link/aarch64 link/arm link/riscv sdf/paging",
	3:  "dyn/object run/serve run/source link phdr split freeze/capture oci show compare explain picture",
	4:  "dyn/load run/interp internal/linktest freeze patch prelude reset page mount",
	5:  "dyn/bind run/place attach bundle sdf run/debugfile",
	6:  "deps run/memory sdf/boot",
	7:  "run/reloc run/glibc run/musl",
	8:  "run/own",
	9:  "run",
	10: "internal/cli",
	11: "cmd/... bench bench/freezereal examples/...",
}

// everywhere is the word for any package.
const everywhere = "..."

// A library is code from elsewhere, and the packages that may import it.
type library struct {
	prefix string // of the import path
	code   string // packages whose code imports it
	tests  string // packages whose tests import it, besides
}

// libraries are all that may be imported. The longest prefix counts. Code may
// import what is here only in the packages named; docs/notes/001 tells why
// each is worth having.
var libraries = [...]library{
	{prefix: "github.com/spf13/", code: "internal/cli"},
	{prefix: "golang.org/x/sys/unix", code: everywhere},
	{prefix: "golang.org/x/arch/", code: "show run/serve", tests: everywhere},
	{prefix: "github.com/ianlancetaylor/demangle", code: "show"},
	{prefix: "github.com/klauspost/compress/", code: "elffile payload attach freeze internal/elftest", tests: everywhere},
	{prefix: "github.com/hanwen/go-fuse/", code: "mount"},
	{prefix: "github.com/cyphar/filepath-securejoin", code: "dyn/sysroot"},
	{prefix: "github.com/google/go-cmp/", tests: everywhere},
	{prefix: "github.com/rogpeppe/go-internal/", tests: "internal/cli"},

	// From the standard library, what only some may use.
	{prefix: "log", code: "mount", tests: everywhere}, // libraries return what they have to say; go-fuse takes a Logger, to say nothing
	{prefix: "plugin"}, //
	{prefix: "syscall", code: "bench bench/freezereal proc mount", tests: everywhere},                          // x/sys/unix has it all, and more; but os.ProcessState.SysUsage and os.ProcAttr.Sys have its types
	{prefix: "flag", code: "bench bench/freezereal", tests: everywhere},                                        // internal/cli has the table of flags
	{prefix: "net", code: "bench/freezereal", tests: "freeze"},                                                 // nothing else here talks to a network
	{prefix: "net/url", code: everywhere},                                                                      //
	{prefix: "math/rand", code: "internal/elftest internal/samples bench bench/freezereal", tests: everywhere}, // output is reproducible
	{prefix: "testing", code: "internal/samples internal/elftest internal/ldcase internal/linktest", tests: everywhere},
}

// ignoring are the packages that may have files for other systems only. In all
// others such a file is one whose name ends in _arm.go or the like, which Go
// takes for a build constraint and drops without a word.
const ignoring = "run run/own proc"

// assembling are the packages with assembly beside them that Go does not
// assemble: it is the source of bytes in a Go file, for which a test stands.
const assembling = "machine/... run/stage run/launch"
