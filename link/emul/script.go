package emul

import (
	"bytes"
	"debug/elf"
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"text/template"
)

// Kind says which default script is wanted.
type Kind struct {
	Relocatable  bool
	Shared, PIE  bool
	NMagic       bool // -n
	OMagic       bool // -N
	Now          bool // -z now, with RELRO: all of the GOT is read only
	SeparateCode *bool
	Dirs         []string // SEARCH_DIRs
}

//go:embed default.lds.tmpl
var executableText string

//go:embed relocatable.lds.tmpl
var relocatableText string

var (
	executable  = once("default", executableText)
	relocatable = once("relocatable", relocatableText)
)

// once parses a template when it is first asked for: no other verb needs it.
func once(name, text string) func() *template.Template {
	return sync.OnceValue(func() *template.Template { return template.Must(template.New(name).Parse(text)) })
}

// Script is the text of the default script.
func (e *Emulation) Script(k Kind) string {
	v := e.view(k)
	t := executable
	if k.Relocatable {
		t = relocatable
	}
	var b bytes.Buffer
	if err := t().Execute(&b, v); err != nil {
		panic(err) // our own template
	}
	return b.String()
}

// view is what the templates see.
type view struct {
	E struct {
		Name, Arch string
		Bare, Arm  bool
	}
	L struct {
		Relr, Large, Small, BssBounds, PltAlign, GotWhole bool
		Fill, Attributes                                  string
		Plts                                              []string
	}
	Words                        []string
	Format, Big, Little          string
	Dirs                         []string
	Shared, OMagic, Iplt         bool
	Combine, SeparateCode, Relro bool
	Headers                      bool
	GotFirst, GotWhole, GotPlt   bool
	DataStart                    bool
	Base, RelroGot               string
	Word                         int
	Rels                         []rels
	Each                         []row // of all Rels, side by side
	Tables                       []string
	Debug, Unwind, UnwindRW      []row
}

// rels are the sections of dynamic relocations of a form.
type rels struct {
	Name, Under string // ".rela", "__rela"
	Kinds       []string
	Each        []row
}

// bounded are rels, and whether symbols mark those of indirect functions.
type bounded struct {
	Rels   rels
	Bounds bool
}

// Of is for the template that places a form's relocations of indirect functions.
func (v *view) Of(r rels) bounded { return bounded{r, v.Iplt} }

// row is an output section and what goes into it.
type row struct{ Name, Patterns string }

// First is the first of the patterns.
func (r row) First() string {
	first, _, _ := strings.Cut(r.Patterns, " ")
	return first
}

// Zero is the address that keeps a section for debuggers from any other.
func (r row) Zero() string {
	if r.Name == ".gnu.build.attributes" {
		return ""
	}
	return " 0"
}

// Symbol defines a symbol, in a shared object only if somebody asks for it.
func (v *view) Symbol(name string) string {
	if v.Shared {
		return "PROVIDE (" + name + " = .);"
	}
	return name + " = .;"
}

func (e *Emulation) view(k Kind) *view {
	v := &view{Dirs: k.Dirs, Shared: k.Shared, OMagic: k.OMagic}
	v.E.Name, v.E.Arch, v.E.Bare, v.E.Arm = e.Name, e.Arch, e.Bare, e.look.arm
	l := e.look
	v.L.Relr, v.L.Large, v.L.Small, v.L.BssBounds = len(l.plts) > 0, l.large, l.small, l.bssBounds
	v.L.PltAlign, v.L.GotWhole, v.L.Attributes, v.L.Plts, v.L.Fill = l.pltAlign, l.gotWhole, l.attributes, l.plts, l.fill

	v.Format, v.Little, v.Big = e.Format(), e.Formats.Little, e.Formats.Big
	if v.Big == "" {
		v.Big = v.Little
	}
	v.Headers = !e.Bare || k.Shared || k.PIE
	v.Word = 8
	if e.Class == elf.ELFCLASS32 {
		v.Word = 4
	}
	v.Base = fmt.Sprintf("%#x", e.base)
	if k.Shared || k.PIE {
		v.Base = "0"
	}
	v.Iplt = !k.Shared && !k.PIE
	v.SeparateCode = l.separateCode
	if k.SeparateCode != nil {
		v.SeparateCode = *k.SeparateCode
	}
	if k.OMagic || k.NMagic {
		v.SeparateCode = false
	}
	v.Combine = !k.OMagic && !k.NMagic && !k.Relocatable
	v.DataStart = l.bssBounds
	v.Words = k.words(v.SeparateCode)
	e.got(v, k)
	v.Tables = []string{".ctors", ".dtors"}
	v.Debug, v.Unwind, v.UnwindRW = debug, unwind, unwindRW
	if l.rel {
		v.Rels = append(v.Rels, e.rels(".rel"))
	}
	if l.rela {
		v.Rels = append(v.Rels, e.rels(".rela"))
	}
	for i := range v.Rels[0].Each {
		for _, r := range v.Rels {
			v.Each = append(v.Each, r.Each[i])
		}
	}
	return v
}

// got says how the GOT lies about the end of what RELRO makes read only.
func (e *Emulation) got(v *view, k Kind) {
	l := e.look
	now := k.Now && !k.OMagic
	v.Relro = !k.OMagic && !e.Bare
	v.RelroGot = "0"
	switch {
	case l.small: // RISC-V has its GOT with the small data
	case l.gotWhole: // Arm
		v.GotFirst, v.GotWhole = now && !e.Bare, true
	case now:
		v.GotFirst, v.GotWhole = true, true
	default:
		v.GotFirst, v.GotPlt = true, true
		switch reserved := 3 * v.Word; {
		case len(l.plts) > 0: // x86: only if .got.plt has its reserved words
			v.RelroGot = fmt.Sprintf("SIZEOF (.got.plt) >= %d ? %d : 0", reserved, reserved)
		default:
			v.RelroGot = fmt.Sprint(reserved)
		}
	}
}

func (k Kind) words(separate bool) []string {
	var w []string
	for _, o := range []struct {
		set  bool
		word string
	}{
		{k.Shared, "-shared"}, {k.PIE, "-pie"}, {k.NMagic, "-n"}, {k.OMagic, "-N"},
		{separate, "-z separate-code"}, {k.Now, "-z now"},
	} {
		if o.set {
			w = append(w, o.word)
		}
	}
	return w
}

// kinds are what an object's dynamic relocations are sorted by: the section that
// they are in, and how long gcc 3 named its like in .gnu.linkonce.
var kinds = []struct{ of, once string }{
	{".init", ""}, {".text", "t"}, {".fini", ""}, {".rodata", "r"}, {".data.rel.ro", "d.rel.ro"}, {".data", "d"},
	{".tdata", "td"}, {".tbss", "tb"}, {".ctors", ""}, {".dtors", ""}, {".got", ""},
	{".sdata", "s"}, {".sbss", "sb"}, {".sdata2", "s2"}, {".sbss2", "sb2"}, {".bss", "b"},
	{".ldata", "l"}, {".lbss", "lb"}, {".lrodata", "lr"}, {".ifunc", ""},
}

func (e *Emulation) rels(prefix string) rels {
	r := rels{Name: prefix, Under: "__" + prefix[1:]}
	l := e.look
	for _, k := range kinds {
		switch k.of {
		case ".sdata", ".sbss", ".sdata2", ".sbss2":
			if !l.small {
				continue
			}
		case ".ldata", ".lbss", ".lrodata":
			if !l.large {
				continue
			}
		case ".ifunc":
			if l.arm {
				continue
			}
		}
		name := prefix + k.of
		patterns := name
		if k.once != "" {
			patterns = name + " " + name + ".* " + prefix + ".gnu.linkonce." + k.once + ".*"
		}
		r.Each = append(r.Each, row{name, patterns})
		if k.of != ".data.rel.ro" || prefix == ".rel" {
			r.Kinds = append(r.Kinds, patterns)
		}
	}
	return r
}

// unwind are the tables that are read only or written, as the inputs have them.
var unwind = []row{
	{".eh_frame", "KEEP (*(.eh_frame))"}, {".sframe", "*(.sframe)"}, {".gcc_except_table", "*(.gcc_except_table)"},
	{".gnu_extab", "*(.gnu_extab*)"}, {".exception_ranges", "*(.exception_ranges)"},
}

var unwindRW = []row{
	{".eh_frame", "KEEP (*(.eh_frame))"}, {".sframe", "*(.sframe)"}, {".gnu_extab", "*(.gnu_extab)"},
	{".gcc_except_table", "*(.gcc_except_table)"}, {".exception_ranges", "*(.exception_ranges)"},
}

// debug are sections for debuggers and people, in the order of GNU ld.
var debug = []row{
	{".stab", ".stab"}, {".stabstr", ".stabstr"}, {".stab.excl", ".stab.excl"}, {".stab.exclstr", ".stab.exclstr"},
	{".stab.index", ".stab.index"}, {".stab.indexstr", ".stab.indexstr"}, {".comment", ".comment"},
	{".gnu.build.attributes", ".gnu.build.attributes .gnu.build.attributes.*"},
	{".debug", ".debug"}, {".line", ".line"}, {".debug_srcinfo", ".debug_srcinfo"}, {".debug_sfnames", ".debug_sfnames"},
	{".debug_aranges", ".debug_aranges"}, {".debug_pubnames", ".debug_pubnames"},
	{".debug_info", ".debug_info .gnu.linkonce.wi.*"}, {".debug_abbrev", ".debug_abbrev"},
	{".debug_line", ".debug_line .debug_line.* .debug_line_end"}, {".debug_frame", ".debug_frame"}, {".debug_str", ".debug_str"},
	{".debug_loc", ".debug_loc"}, {".debug_macinfo", ".debug_macinfo"}, {".debug_weaknames", ".debug_weaknames"},
	{".debug_funcnames", ".debug_funcnames"}, {".debug_typenames", ".debug_typenames"}, {".debug_varnames", ".debug_varnames"},
	{".debug_pubtypes", ".debug_pubtypes"}, {".debug_ranges", ".debug_ranges"}, {".debug_addr", ".debug_addr"},
	{".debug_line_str", ".debug_line_str"}, {".debug_loclists", ".debug_loclists"}, {".debug_macro", ".debug_macro"},
	{".debug_names", ".debug_names"}, {".debug_rnglists", ".debug_rnglists"}, {".debug_str_offsets", ".debug_str_offsets"},
	{".debug_sup", ".debug_sup"},
}

// triples are the directories of Debian's multiarch that an emulation's libraries
// are in.
var triples = map[string]string{
	"elf_x86_64": "x86_64-linux-gnu", "elf_i386": "i386-linux-gnu", "aarch64linux": "aarch64-linux-gnu",
	"armelf_linux_eabi": "arm-linux-gnueabihf", "elf64lriscv": "riscv64-linux-gnu",
}

// SearchDirs are where libraries are searched after -L: "=" is the sysroot.
func (e *Emulation) SearchDirs() []string {
	if e.Bare {
		return nil
	}
	var dirs []string
	if t := triples[e.Name]; t != "" {
		dirs = append(dirs, "=/usr/local/lib/"+t, "=/lib/"+t, "=/usr/lib/"+t, "=/usr/"+t+"/lib")
	}
	return append(dirs, "=/usr/local/lib", "=/lib", "=/usr/lib")
}
