package options

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"elfwright/link/emul"
	"elfwright/link/model"
)

// table has every option, in the groups of the documentation; it is made when it is
// first asked for, since most runs link nothing.
var table = sync.OnceValue(func() []Option {
	return slicesOf(inputs(), outputs(), scripts(), symbols(), sections(), addresses(), dynamic(), messages(), machines(), ours())
})

func slicesOf(groups ...[]Option) []Option {
	var all []Option
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

// Groups are the table's parts, with their titles.
func Groups() []Group {
	return []Group{
		{"Inputs", inputs()}, {"The output", outputs()}, {"Scripts", scripts()}, {"Symbols", symbols()}, {"Sections", sections()},
		{"Addresses", addresses()}, {"Dynamic linking", dynamic()}, {"Messages and reports", messages()}, {"Machines", machines()},
		{"Only here", ours()}, {"-z", zWords()},
	}
}

// Group is a part of the table.
type Group struct {
	Title   string
	Options []Option
}

// names splits the names of a row.
func names(s string) []string { return strings.Fields(s) }

// flag is an option without an argument.
func flag(n, what string, set func(o *model.Options)) Option {
	return Option{Names: names(n), What: what, set: func(p *parser, _ string) error { set(p.opt); return nil }}
}

// text is an option with an argument.
func text(n, holder, what string, set func(o *model.Options, s string)) Option {
	return Option{Names: names(n), Arg: Required, Holder: holder, What: what, set: func(p *parser, s string) error { set(p.opt, s); return nil }}
}

// number is an option whose argument is a number.
func number(n, holder, what string, set func(o *model.Options, x uint64)) Option {
	return Option{Names: names(n), Arg: Required, Holder: holder, What: what, set: func(p *parser, s string) error {
		x, err := parseNumber(s)
		if err == nil {
			set(p.opt, x)
		}
		return err
	}}
}

// address is like number, but always hexadecimal, as ld has it for -Ttext.
func address(n, what string, set func(o *model.Options, x uint64)) Option {
	return Option{Names: names(n), Arg: Required, Holder: "ADDRESS", What: what, set: func(p *parser, s string) error {
		x, err := parseHex(s)
		if err == nil {
			set(p.opt, x)
		}
		return err
	}}
}

// choice is an option whose argument is one of some words.
func choice(n string, words []string, what string, set func(o *model.Options, s string)) Option {
	holder := strings.Join(words, "|")
	return Option{Names: names(n), Arg: Required, Holder: holder, What: what, set: func(p *parser, s string) error {
		for _, w := range words {
			if s == w {
				set(p.opt, s)
				return nil
			}
		}
		return fmt.Errorf("%q is not one of %s", s, strings.Join(words, ", "))
	}}
}

// state is an option that says how the files after it are taken.
func state(n, what string, set func(in *model.Input)) Option {
	return Option{Names: names(n), What: what, set: func(p *parser, _ string) error { set(&p.state); return nil }}
}

func ignored(n string, arg Arg, why string) Option {
	return Option{Names: names(n), Arg: arg, Holder: "X", Fate: Ignored, What: why}
}

func refused(n string, arg Arg, why string) Option {
	return Option{Names: names(n), Arg: arg, Holder: "X", Fate: Refused, What: why}
}

// parseNumber reads a number as ld does: 0x, 0 or decimal, with K or M.
func parseNumber(s string) (uint64, error) {
	t, scale := s, uint64(1)
	switch {
	case strings.HasSuffix(t, "K") || strings.HasSuffix(t, "k"):
		t, scale = t[:len(t)-1], 1<<10
	case strings.HasSuffix(t, "M") || strings.HasSuffix(t, "m"):
		t, scale = t[:len(t)-1], 1<<20
	}
	x, err := strconv.ParseUint(t, 0, 64)
	if err != nil || scale > 1 && x > ^uint64(0)/scale {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return x * scale, nil
}

func parseHex(s string) (uint64, error) {
	t := strings.TrimPrefix(strings.TrimPrefix(s, "0x"), "0X")
	x, err := strconv.ParseUint(t, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a hexadecimal number", s)
	}
	return x, nil
}

func inputs() []Option {
	return []Option{
		{Names: names("-l --library"), Arg: Required, Holder: "NAME", What: "search libNAME.a along -L; -l:FILE searches FILE", set: func(p *parser, s string) error {
			in := p.state
			in.Name, in.Library = s, true
			p.opt.Inputs = append(p.opt.Inputs, in)
			return nil
		}},
		text("-L --library-path", "DIR", "search libraries and scripts in DIR; = or $SYSROOT at its start is the sysroot", func(o *model.Options, s string) { o.LibPaths = append(o.LibPaths, s) }),
		text("--sysroot", "DIR", "the root of paths that begin with =", func(o *model.Options, s string) { o.Sysroot = s }),
		{Names: names("-( --start-group"), What: "search the archives up to --end-group until nothing new is found", set: func(p *parser, _ string) error {
			if p.groups++; p.groups > 1 {
				return errors.New("groups do not nest")
			}
			p.group++
			p.state.Group = p.group
			return nil
		}},
		{Names: names("-) --end-group"), What: "end of --start-group", set: func(p *parser, _ string) error {
			if p.groups--; p.groups < 0 {
				p.groups = 0
				return errors.New("there is no --start-group before it")
			}
			p.state.Group = 0
			return nil
		}},
		state("--start-lib", "objects up to --end-lib are taken like members of an archive", func(in *model.Input) { in.StartLib = true }),
		state("--end-lib", "end of --start-lib", func(in *model.Input) { in.StartLib = false }),
		state("--whole-archive", "take all members of the archives that follow", func(in *model.Input) { in.WholeArchive = true }),
		state("--no-whole-archive", "take members that are needed", func(in *model.Input) { in.WholeArchive = false }),
		state("--as-needed", "of shared objects that follow, name those that are needed", func(in *model.Input) { in.AsNeeded = true }),
		state("--no-as-needed", "name all of them", func(in *model.Input) { in.AsNeeded = false }),
		{Names: names("-Bstatic -dn -non_shared -static"), What: "do not search shared libraries", set: func(p *parser, _ string) error {
			p.state.StaticOnly, p.opt.Static = true, true
			return nil
		}},
		{Names: names("-Bdynamic -dy -call_shared"), What: "search shared libraries too", set: func(p *parser, _ string) error {
			p.state.StaticOnly = false
			return nil
		}},
		{Names: names("--push-state"), What: "remember how files are taken", set: func(p *parser, _ string) error {
			p.stack = append(p.stack, p.state)
			return nil
		}},
		{Names: names("--pop-state"), What: "as before --push-state", set: func(p *parser, _ string) error {
			if len(p.stack) == 0 {
				return errors.New("there is no --push-state before it")
			}
			group := p.state.Group
			p.state, p.stack = p.stack[len(p.stack)-1], p.stack[:len(p.stack)-1]
			p.state.Group = group
			return nil
		}},
		{Names: names("-b --format"), Arg: Required, Holder: "FORMAT", What: "of the files that follow: binary, or default and ELF formats, which are found out by themselves", set: setFormat},
		{Names: names("-R --just-symbols"), Arg: Required, Holder: "FILE", What: "take the addresses of FILE's symbols and nothing else", set: func(p *parser, s string) error {
			in := p.state
			in.Name, in.JustSymbols = s, true
			p.opt.Inputs = append(p.opt.Inputs, in)
			return nil
		}},
		{Names: names("-m"), Arg: Required, Holder: "EMULATION", What: "what the output is for; else as the first object", set: func(p *parser, s string) error {
			if emul.ByName(s) == nil {
				return fmt.Errorf("unknown emulation %q; there are %s", s, strings.Join(emul.Names(), " "))
			}
			p.opt.Emulation = s
			return nil
		}},
		flag("-EB", "big-endian objects", func(o *model.Options) { o.Big, o.Little = true, false }),
		flag("-EL", "little-endian objects", func(o *model.Options) { o.Big, o.Little = false, true }),
		flag("-nostdlib", "do not search the script's SEARCH_DIRs", func(o *model.Options) { o.NoStdlib = true }),
		ignored("-A --architecture", Required, "objects tell their architecture themselves"),
		ignored("-a", Required, "HP-UX"),
		ignored("--accept-unknown-input-arch --no-accept-unknown-input-arch", None, "objects of unknown machines are always refused"),
		refused("-c --mri-script", Required, "MRI scripts"),
		ignored("--no-warn-mismatch", None, "objects that do not fit together are always refused"),
		ignored("--no-warn-search-mismatch", None, "there is no such warning"),
	}
}

func setFormat(p *parser, s string) error {
	switch {
	case s == "binary":
		p.state.Format = s
	case s == "default" || s == "elf" || emul.ByFormat(s) != nil:
		p.state.Format = ""
	default:
		return fmt.Errorf("unknown format %q", s)
	}
	return nil
}

func outputs() []Option {
	return []Option{
		text("-o --output", "FILE", "write FILE; else a.out", func(o *model.Options, s string) { o.Output = s }),
		flag("-r -i --relocatable", "write an object that can be linked again", func(o *model.Options) { o.Relocatable = true }),
		flag("-q --emit-relocs", "keep relocations in the output", func(o *model.Options) { o.EmitRelocs = true }),
		text("--oformat", "FORMAT", "binary, ihex, srec, verilog, or the ELF format of the machine", func(o *model.Options, s string) { o.OFormat = s }),
		flag("-s --strip-all", "no symbols", func(o *model.Options) { o.Strip = model.StripAll }),
		flag("-S --strip-debug", "no debugging sections", func(o *model.Options) { o.Strip = max(o.Strip, model.StripDebug) }),
		flag("-x --discard-all", "no local symbols", func(o *model.Options) { o.DiscardLocals = model.DiscardAll }),
		flag("-X --discard-locals", "no local symbols that begin with .L", func(o *model.Options) { o.DiscardLocals = model.DiscardTemporary }),
		flag("--discard-none", "all local symbols", func(o *model.Options) { o.DiscardLocals = model.DiscardNone }),
		text("--retain-symbols-file", "FILE", "keep only the symbols listed in FILE", func(o *model.Options, s string) { o.RetainSymbols = s }),
		{Names: names("--build-id"), Arg: Optional, Holder: "STYLE", What: "a note that names the build: sha1 (default), md5, uuid, fast, tree, 0xHEX, none", set: setBuildID},
		choice("--compress-debug-sections", names("none zlib zlib-gabi zstd"), "compress them", func(o *model.Options, s string) { o.CompressDebug = s }),
		{Names: names("-O"), Arg: Required, Holder: "LEVEL", What: "optimize: from 2 on merge strings that end alike more carefully", set: func(p *parser, s string) error {
			x, err := parseNumber(s)
			p.opt.Optimize = int(min(x, 9))
			return err
		}},
		flag("--relax", "shorten instruction sequences", func(o *model.Options) { o.Relax, o.NoRelax = true, false }),
		flag("--no-relax", "do not", func(o *model.Options) { o.Relax, o.NoRelax = false, true }),
		flag("--noinhibit-exec", "write the output in spite of errors", func(o *model.Options) { o.NoInhibitExec = true }),
		refused("-Ur", None, "constructor tables of C++ compilers before ELF"),
		refused("--out-implib --cmse-implib --in-implib", Required, "import libraries"),
		refused("--split-by-file --split-by-reloc", Optional, "outputs cut into parts"),
		refused("--embedded-relocs", None, "MIPS only"),
		refused("--package-metadata", Optional, "notes of packages; see elfwright embed"),
		ignored("--force-exe-suffix", None, "names are taken as given"),
		ignored("--traditional-format", None, "there is one format"),
		ignored("-g", None, "as in ld"),
		ignored("-qmagic -Qy -flto -flto-partition -fuse-ld --map-whole-files --no-map-whole-files", Optional, "as in ld, which ignores it too"),
		ignored("-assert", Required, "as in ld, which ignores it too"),
		ignored("-plugin", Required, "objects with nothing but LTO bytecode are refused by name; all others need no plugin"),
		ignored("-plugin-opt", Required, "belongs to -plugin"),
		ignored("--no-keep-memory --reduce-memory-overheads --stats", None, "inputs are mapped and never read twice"),
		ignored("--hash-size --max-cache-size", Required, "tables grow as needed"),
		ignored("--ctf-variables --no-ctf-variables", None, "CTF sections are copied"),
		ignored("--ctf-share-types", Required, "CTF sections are copied"),
	}
}

func setBuildID(p *parser, s string) error {
	switch s {
	case "":
		s = "sha1"
	case "sha1", "md5", "uuid", "fast", "tree", "none":
	default:
		hex, ok := strings.CutPrefix(strings.ToLower(s), "0x")
		clean := strings.NewReplacer("-", "", ":", "").Replace(hex)
		if !ok || clean == "" || len(clean)%2 != 0 || strings.Trim(clean, "0123456789abcdef") != "" {
			return fmt.Errorf("unknown style %q", s)
		}
		s = "0x" + clean
	}
	p.opt.BuildID = s
	return nil
}

func scripts() []Option {
	return []Option{
		{Names: names("-T --script"), Arg: Required, Holder: "FILE", What: "lay out as FILE says; one with INSERT adds to the default", set: func(p *parser, s string) error {
			p.opt.Scripts = append(p.opt.Scripts, s)
			p.mark(s, model.MarkScript)
			return nil
		}},
		text("-dT --default-script", "FILE", "FILE in the place of the default script", func(o *model.Options, s string) { o.DefaultScript = s }),
		text("-e --entry", "SYMBOL", "where the program starts: a symbol or a number", func(o *model.Options, s string) { o.Entry = s }),
		{Names: names("--defsym"), Arg: Required, Holder: "SYMBOL=EXPRESSION", What: "define a symbol", set: func(p *parser, s string) error {
			p.opt.Defsyms = append(p.opt.Defsyms, model.Defsym{Text: s})
			p.mark(s, model.MarkDefsym)
			return nil
		}},
		text("--version-script", "FILE", "versions of symbols", func(o *model.Options, s string) { o.VersionScripts = append(o.VersionScripts, s) }),
		ignored("--version-exports-section", Required, "as in ld for ELF"),
		choice("--sort-section", names("name alignment none"), "order of what a pattern without SORT matches", func(o *model.Options, s string) { o.SortSection = s }),
		{Names: names("--sort-common"), Arg: Optional, Holder: "ascending|descending", What: "order of common symbols by alignment", set: func(p *parser, s string) error {
			switch s {
			case "", "descending":
				p.opt.SortCommon = "descending"
			case "ascending":
				p.opt.SortCommon = s
			default:
				return fmt.Errorf("%q is neither ascending nor descending", s)
			}
			return nil
		}},
		{Names: names("--orphan-handling"), Arg: Required, Holder: "place|warn|error|discard", What: "of sections that no pattern matches", set: func(p *parser, s string) error {
			switch s {
			case "place", "warn", "error", "discard":
				p.opt.Orphans = s
				return nil
			}
			return fmt.Errorf("%q is not one of place, warn, error, discard", s)
		}},
		{Names: names("--unique"), Arg: Optional, Holder: "SECTION", What: "do not merge orphans, or sections of this name", set: func(p *parser, s string) error {
			p.opt.Unique = append(p.opt.Unique, s)
			return nil
		}},
		refused("--enable-non-contiguous-regions --enable-non-contiguous-regions-warnings", None, "sections that move on to another region when one is full"),
		flag("--force-group-allocation", "dissolve section groups in the output of -r too", func(o *model.Options) { o.ForceGroup = true }),
		refused("--task-link", Required, "VxWorks"),
	}
}
