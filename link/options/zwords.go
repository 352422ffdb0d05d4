package options

import (
	"fmt"
	"strings"

	"elfwright/link/model"
)

// zWord is a word of -z, possibly with a value: -z stack-size=0x1000.
type zWord struct {
	word   string // "max-page-size=N"
	fate   Fate
	what   string
	set    func(o *model.Options)
	number func(o *model.Options, x uint64)
	text   func(o *model.Options, s string) error
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

var zTable = []zWord{
	{word: "max-page-size=N", what: "the largest page that the output is ready for", number: func(o *model.Options, x uint64) { o.MaxPageSize = x }},
	{word: "common-page-size=N", what: "the page that it is laid out for", number: func(o *model.Options, x uint64) { o.CommonPageSize = x }},
	{word: "separate-code", what: "code in pages of its own", set: func(o *model.Options) { o.SeparateCode = yes() }},
	{word: "noseparate-code", what: "code with what is read only", set: func(o *model.Options) { o.SeparateCode = no() }},
	{word: "relro", what: "PT_GNU_RELRO", set: func(o *model.Options) { o.Relro = yes() }},
	{word: "norelro", what: "none", set: func(o *model.Options) { o.Relro = no() }},
	{word: "now", what: "DF_BIND_NOW", set: func(o *model.Options) { o.Now = true }},
	{word: "lazy", what: "not", set: func(o *model.Options) { o.Now = false }},
	{word: "defs", what: "as --no-undefined", set: func(o *model.Options) { o.NoUndefined = true }},
	{word: "nodefs", what: "undefined symbols are allowed in shared objects", set: func(o *model.Options) { o.NoUndefined = false }},
	{word: "undefs", what: "undefined symbols are allowed", set: func(o *model.Options) { o.Unresolved = "ignore-all" }},
	{word: "muldefs", what: "as --allow-multiple-definition", set: func(o *model.Options) { o.AllowMultiple = true }},
	{word: "execstack", what: "an executable stack", set: func(o *model.Options) { o.ExecStack = yes() }},
	{word: "noexecstack", what: "none", set: func(o *model.Options) { o.ExecStack = no() }},
	{word: "nognustack", what: "no PT_GNU_STACK (lld's)", set: func(o *model.Options) { o.NoGnuStack = true }},
	{word: "stack-size=N", what: "p_memsz of PT_GNU_STACK", number: func(o *model.Options, x uint64) { o.StackSize = &x }},
	{word: "text", what: "relocations in read-only sections are errors", set: func(o *model.Options) { o.Text_, o.NoText = true, false }},
	{word: "notext", what: "they are not", set: func(o *model.Options) { o.Text_, o.NoText = false, true }},
	{word: "textoff", what: "they are not", set: func(o *model.Options) { o.Text_, o.NoText = false, true }},
	{word: "combreloc", what: "dynamic relocations sorted (default)", set: func(o *model.Options) { o.CombReloc = yes() }},
	{word: "nocombreloc", what: "as they come", set: func(o *model.Options) { o.CombReloc = no() }},
	{word: "pack-relative-relocs", what: "DT_RELR", set: func(o *model.Options) { o.PackRelative = true }},
	{word: "nopack-relative-relocs", what: "none", set: func(o *model.Options) { o.PackRelative = false }},
	{word: "start-stop-gc", what: "__start_NAME does not keep the sections NAME", set: func(o *model.Options) { o.StartStopGC = true }},
	{word: "nostart-stop-gc", what: "it does (default)", set: func(o *model.Options) { o.StartStopGC = false }},
	{word: "start-stop-visibility=V", what: "of __start_NAME: default, internal, hidden, protected", text: setStartStop},
	{word: "ibt", what: "x86: promise indirect branch tracking, and PLTs for it", set: func(o *model.Options) { o.IBT = true }},
	{word: "ibtplt", what: "x86: PLTs for it", set: func(o *model.Options) { o.IBTPLT = true }},
	{word: "shstk", what: "x86: promise a shadow stack", set: func(o *model.Options) { o.Shstk = true }},
	{word: "force-bti", what: "AArch64: promise BTI, and PLTs for it", set: func(o *model.Options) { o.BTI = "force" }},
	{word: "pac-plt", what: "AArch64: PLTs with pointer authentication", set: func(o *model.Options) { o.PAC = "plt" }},
	{word: "nodefaultlib", what: "DF_1_NODEFLIB", set: func(o *model.Options) { o.NoDefaultLib = true }},
	{word: "nodelete", what: "DF_1_NODELETE", set: func(o *model.Options) { o.NoDelete = true }},
	{word: "nodlopen", what: "DF_1_NOOPEN", set: func(o *model.Options) { o.NoDlopen = true }},
	{word: "initfirst", what: "DF_1_INITFIRST", set: func(o *model.Options) { o.InitFirst = true }},
	{word: "origin", what: "DF_ORIGIN", set: func(o *model.Options) { o.Origin = true }},
	{word: "global", what: "DF_1_GLOBAL", set: func(o *model.Options) { o.Global = true }},
	{word: "interpose", what: "DF_1_INTERPOSE", set: func(o *model.Options) { o.Interpose = true }},
	{word: "loadfltr", what: "DF_1_LOADFLTR", set: func(o *model.Options) { o.Loadfltr = true }},
	{word: "dead-reloc-in-nonalloc=PATTERN=N", what: "what a relocation of a section of debugging data against a dropped one leaves (lld's)", text: setDeadReloc},
	{word: "keep-text-section-prefix", fate: Ignored, what: "as the script says"},
	{word: "nokeep-text-section-prefix", fate: Ignored, what: "as the script says"},
	{word: "rodynamic", fate: Refused, what: "a read-only .dynamic"},
	{word: "unique-symbol", fate: Refused, what: "local symbols made unique"},
	{word: "nounique-symbol", fate: Ignored, what: "the default"},
	{word: "nodump", what: "DF_1_NODUMP", set: func(o *model.Options) { o.NoDump = true }},
	{word: "unique", what: "DF_1 flag for dlmopen", fate: Refused},
	{word: "nounique", fate: Ignored, what: "the default"},
	{word: "common", fate: Refused, what: "STT_COMMON with -r"},
	{word: "nocommon", fate: Ignored, what: "the default"},
	{word: "noreloc-overflow", fate: Refused, what: "values that do not fit are errors"},
	{word: "x86-64-v2", fate: Ignored, what: "a note of what the processor must have"},
	{word: "x86-64-v3", fate: Ignored, what: "a note of what the processor must have"},
	{word: "x86-64-v4", fate: Ignored, what: "a note of what the processor must have"},
	{word: "globalaudit", fate: Refused, what: "audit libraries"},
	{word: "dynamic-undefined-weak", fate: Ignored, what: "no shared objects are linked"},
	{word: "nodynamic-undefined-weak", fate: Ignored, what: "no shared objects are linked"},
	{word: "nocopyreloc", fate: Ignored, what: "no shared objects are linked"},
	{word: "noextern-protected-data", fate: Ignored, what: "no shared objects are linked"},
	{word: "extern-protected-data", fate: Ignored, what: "no shared objects are linked"},
	{word: "indirect-extern-access", fate: Ignored, what: "no shared objects are linked"},
	{word: "noindirect-extern-access", fate: Ignored, what: "no shared objects are linked"},
	{word: "call-nop=X", fate: Ignored, what: "x86: calls that need no GOT are padded with a prefix"},
	{word: "lam-u48", fate: Ignored, what: "x86: a report only"}, {word: "lam-u57", fate: Ignored, what: "x86: a report only"},
	{word: "lam-u48-report=X", fate: Ignored, what: "x86: a report only"}, {word: "lam-u57-report=X", fate: Ignored, what: "x86: a report only"}, {word: "lam-report=X", fate: Ignored, what: "x86: a report only"},
	{word: "cet-report=X", fate: Ignored, what: "x86: a report only"}, {word: "x86-64-baseline", fate: Ignored, what: "a note of what the processor must have"},
	{word: "report-relative-reloc", fate: Ignored, what: "a report only"},
	{word: "isa-level-report=X", fate: Ignored, what: "a report only"},
	{word: "bndplt", fate: Ignored, what: "MPX is gone"},
}

func setStartStop(o *model.Options, s string) error {
	switch s {
	case "default", "internal", "hidden", "protected":
		o.StartStopVis = s
		return nil
	}
	return fmt.Errorf("%q is no visibility", s)
}

func setDeadReloc(o *model.Options, s string) error {
	i := strings.LastIndexByte(s, '=')
	if i < 1 {
		return fmt.Errorf("%q is not PATTERN=N", s)
	}
	x, err := parseNumber(s[i+1:])
	if err == nil {
		if o.DeadReloc == nil {
			o.DeadReloc = map[string]uint64{}
		}
		o.DeadReloc[s[:i]] = x
	}
	return err
}

// setZ carries out -z WORD. ld warns of words that it does not know; here they
// are errors like other options.
func setZ(p *parser, arg string) error {
	p.opt.Zs = append(p.opt.Zs, arg)
	word, value, has := strings.Cut(arg, "=")
	for _, z := range zTable {
		name, _, takes := strings.Cut(z.word, "=")
		if name != word || has != takes {
			continue
		}
		switch {
		case z.fate == Refused:
			return fmt.Errorf("%s is not supported: %s", word, z.what)
		case z.set != nil:
			z.set(p.opt)
		case z.text != nil:
			return z.text(p.opt, value)
		case z.number != nil:
			x, err := parseNumber(value)
			if err != nil {
				return err
			}
			if strings.HasSuffix(word, "-page-size") && (x == 0 || x&(x-1) != 0) {
				return fmt.Errorf("%s: %s is not a power of two", word, value)
			}
			z.number(p.opt, x)
		}
		return nil
	}
	return fmt.Errorf("unknown word %q", arg)
}

// zWords are the words as rows for the documentation.
func zWords() []Option {
	var rows []Option
	for _, z := range zTable {
		rows = append(rows, Option{Names: []string{"-z " + z.word}, Fate: z.fate, What: z.what})
	}
	return rows
}
