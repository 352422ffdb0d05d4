package options

import (
	"errors"
	"fmt"
	"strings"

	"elfwright/link/model"
)

func symbols() []Option {
	return []Option{
		text("-u --undefined", "SYMBOL", "as if a file needed it", func(o *model.Options, s string) { o.Undefined = append(o.Undefined, s) }),
		text("--require-defined", "SYMBOL", "like -u, and an error if nobody defines it", func(o *model.Options, s string) {
			o.Undefined, o.RequireDefined = append(o.Undefined, s), append(o.RequireDefined, s)
		}),
		text("--wrap", "SYMBOL", "references to SYMBOL go to __wrap_SYMBOL, those to __real_SYMBOL to SYMBOL", func(o *model.Options, s string) { o.Wrap = append(o.Wrap, s) }),
		flag("--allow-multiple-definition", "the first definition of a symbol counts", func(o *model.Options) { o.AllowMultiple = true }),
		ignored("--disable-multiple-abs-defs", None, "definitions of --just-symbols never clash with others"),
		flag("--no-undefined", "undefined symbols are errors in shared objects too", func(o *model.Options) { o.NoUndefined = true }),
		choice("--unresolved-symbols", names("ignore-all report-all ignore-in-object-files ignore-in-shared-libs"), "what to do with undefined symbols", func(o *model.Options, s string) { o.Unresolved = s }),
		text("--ignore-unresolved-symbol", "SYMBOL", "SYMBOL may be undefined", func(o *model.Options, s string) { o.IgnoreUnresolved = append(o.IgnoreUnresolved, s) }),
		flag("--warn-unresolved-symbols", "undefined symbols are warnings", func(o *model.Options) { o.WarnUnresolved = true }),
		flag("--error-unresolved-symbols", "undefined symbols are errors", func(o *model.Options) { o.WarnUnresolved = false }),
		flag("-d -dc -dp", "give common symbols a place even with -r", func(o *model.Options) { o.DefineCommon = true }),
		flag("--no-define-common", "give common symbols no place", func(o *model.Options) { o.NoDefineCommon = true }),
		flag("--warn-common", "tell where common symbols meet definitions and each other", func(o *model.Options) { o.WarnCommon = true }),
		text("-y --trace-symbol", "SYMBOL", "tell which files define or need SYMBOL", func(o *model.Options, s string) { o.TraceSymbols = append(o.TraceSymbols, s) }),
		ignored("--warn-once", None, "an undefined symbol is told of once"),
		ignored("--warn-constructors --warn-multiple-gp --warn-alternate-em", None, "does not occur on these machines"),
		{Names: names("--demangle"), Arg: Optional, Holder: "STYLE", What: "C++ and Rust names in messages as in the source (default, unless COLLECT_NO_DEMANGLE is in the environment); the style is found by itself", set: setDemangle},
		flag("--no-demangle", "names as in the symbol table", func(o *model.Options) { o.Demangle = new(bool) }),
	}
}

func sections() []Option {
	return []Option{
		flag("--gc-sections", "leave out sections that nothing needs", func(o *model.Options) { o.GC = true }),
		flag("--no-gc-sections", "keep all sections", func(o *model.Options) { o.GC = false }),
		flag("--print-gc-sections", "tell which are left out", func(o *model.Options) { o.PrintGC = true }),
		flag("--no-print-gc-sections", "do not", func(o *model.Options) { o.PrintGC = false }),
		flag("--gc-keep-exported", "symbols that are exported are needed", func(o *model.Options) { o.KeepExported = true }),
		flag("--eh-frame-hdr", "a table for finding unwind information", func(o *model.Options) { o.EhFrameHdr = true }),
		flag("--no-eh-frame-hdr", "none", func(o *model.Options) { o.EhFrameHdr = false }),
		ignored("--ld-generated-unwind-info --no-ld-generated-unwind-info", None, "no unwind information is made for PLTs"),
		flag("--strip-discarded", "no symbols of discarded sections (default)", func(o *model.Options) {}),
		flag("--no-strip-discarded", "as --strip-discarded: they have no place", func(o *model.Options) {}),
		flag("--check-sections", "overlapping addresses are errors (default)", func(o *model.Options) { yes := true; o.CheckSections = &yes }),
		flag("--no-check-sections", "they are not", func(o *model.Options) { no := false; o.CheckSections = &no }),
		flag("-n --nmagic", "no alignment to pages", func(o *model.Options) { o.NMagic = true }),
		flag("-N --omagic", "no alignment to pages, and writable code", func(o *model.Options) { o.OMagic = true }),
		flag("--no-omagic", "undoes -N", func(o *model.Options) { o.OMagic = false }),
	}
}

func addresses() []Option {
	return []Option{
		address("-Ttext", "address of .text", func(o *model.Options, x uint64) { o.Text = &x }),
		address("-Tdata", "address of .data", func(o *model.Options, x uint64) { o.Data = &x }),
		address("-Tbss", "address of .bss", func(o *model.Options, x uint64) { o.Bss = &x }),
		address("-Ttext-segment", `SEGMENT_START("text-segment")`, func(o *model.Options, x uint64) { o.TextSegment = &x }),
		address("-Trodata-segment", `SEGMENT_START("rodata-segment")`, func(o *model.Options, x uint64) { o.RodataSegment = &x }),
		address("-Tldata-segment", `SEGMENT_START("ldata-segment")`, func(o *model.Options, x uint64) { o.LdataSegment = &x }),
		{Names: names("--section-start"), Arg: Required, Holder: "SECTION=ADDRESS", What: "address of a section, in hexadecimal", set: func(p *parser, s string) error {
			i := strings.LastIndexByte(s, '=')
			if i < 1 {
				return fmt.Errorf("%q is not SECTION=ADDRESS", s)
			}
			x, err := parseHex(s[i+1:])
			p.opt.SectionStart = append(p.opt.SectionStart, model.SectionStart{Name: s[:i], Addr: x})
			return err
		}},
		{Names: names("--image-base"), Arg: Required, Holder: "ADDRESS", What: "as -Ttext-segment, in any base", set: func(p *parser, s string) error {
			x, err := parseNumber(s)
			p.opt.TextSegment = &x
			return err
		}},
		ignored("-G --gpsize", Required, "the compiler chooses what is small data"),
	}
}

func dynamic() []Option {
	return []Option{
		flag("-shared -Bshareable", "write a shared object", func(o *model.Options) { o.Shared = true }),
		flag("-pie --pic-executable", "write an executable that can be loaded anywhere", func(o *model.Options) { o.PIE = true }),
		flag("-no-pie", "write one for fixed addresses", func(o *model.Options) { o.PIE = false }),
		text("-I --dynamic-linker", "FILE", "the interpreter", func(o *model.Options, s string) { o.DynamicLinker = s }),
		flag("--no-dynamic-linker", "no interpreter: it relocates itself", func(o *model.Options) { o.NoDynamicLinker = true }),
		text("-h -soname", "NAME", "DT_SONAME", func(o *model.Options, s string) { o.Soname = s }),
		text("-init", "SYMBOL", "DT_INIT", func(o *model.Options, s string) { o.Init = s }),
		text("-fini", "SYMBOL", "DT_FINI", func(o *model.Options, s string) { o.Fini = s }),
		text("-rpath", "PATH", "DT_RUNPATH or DT_RPATH", func(o *model.Options, s string) { o.Rpath = append(o.Rpath, s) }),
		ignored("-rpath-link -Y", Required, "no shared objects are linked"),
		flag("--enable-new-dtags", "DT_RUNPATH (default)", func(o *model.Options) { o.OldDtags = false }),
		flag("--disable-new-dtags", "DT_RPATH", func(o *model.Options) { o.OldDtags = true }),
		flag("-E --export-dynamic", "all global symbols are dynamic symbols", func(o *model.Options) { o.ExportDynamic = true }),
		flag("--no-export-dynamic", "only those that must be", func(o *model.Options) { o.ExportDynamic = false }),
		text("--export-dynamic-symbol", "SYMBOL", "SYMBOL, which may be a pattern, is a dynamic symbol", func(o *model.Options, s string) { o.ExportSymbols = append(o.ExportSymbols, s) }),
		text("--export-dynamic-symbol-list", "FILE", "so are those in FILE", func(o *model.Options, s string) { o.ExportLists = append(o.ExportLists, s) }),
		text("--dynamic-list", "FILE", "symbols that may be bound to another object", func(o *model.Options, s string) { o.DynamicLists = append(o.DynamicLists, s) }),
		refused("--dynamic-list-data --dynamic-list-cpp-new --dynamic-list-cpp-typeinfo", None, "kinds of symbols in a dynamic list"),
		flag("-Bsymbolic", "references are bound in the object itself", func(o *model.Options) { o.Symbolic = true }),
		flag("-Bsymbolic-functions", "those to functions are", func(o *model.Options) { o.SymbolicFunctions = true }),
		flag("-Bgroup", "DF_1_GROUP", func(o *model.Options) { o.Group = true }),
		flag("-Bno-symbolic", "neither", func(o *model.Options) { o.Symbolic, o.SymbolicFunctions = false, false }),
		text("--exclude-libs", "LIB,LIB…", "symbols of these archives are hidden; ALL for all", func(o *model.Options, s string) {
			o.ExcludeLibs = append(o.ExcludeLibs, strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ':' })...)
		}),
		choice("--hash-style", names("sysv gnu both"), "kinds of hash tables", func(o *model.Options, s string) { o.HashStyle = s }),
		number("--spare-dynamic-tags", "COUNT", "empty entries at the end of .dynamic (5)", func(o *model.Options, x uint64) { n := int(min(x, 1<<16)); o.SpareTags = &n }),
		text("-f --auxiliary", "NAME", "DT_AUXILIARY", func(o *model.Options, s string) { o.Auxiliary = append(o.Auxiliary, s) }),
		text("-F --filter", "NAME", "DT_FILTER", func(o *model.Options, s string) { o.Filter = append(o.Filter, s) }),
		flag("--undefined-version", "a version script may name symbols that are not there (default)", func(o *model.Options) { o.NoUndefinedVersion = false }),
		flag("--no-undefined-version", "it must not", func(o *model.Options) { o.NoUndefinedVersion = true }),
		refused("--default-symver --default-imported-symver", None, "versions named after the file"),
		ignored("--allow-shlib-undefined --no-allow-shlib-undefined --copy-dt-needed-entries --no-copy-dt-needed-entries --add-needed --no-add-needed", None, "no shared objects are linked"),
		ignored("-P", Required, "no shared objects are audited"),
		refused("--audit --depaudit", Required, "audit libraries"),
	}
}

func messages() []Option {
	return []Option{
		{Names: names("--version"), What: "tell the version, and nothing else", set: func(p *parser, _ string) error { p.asked.Version = true; return nil }},
		{Names: names("-v"), What: "tell the version", set: func(p *parser, _ string) error { p.asked.Banner = true; return nil }},
		{Names: names("-V"), What: "tell the version and the emulations", set: func(p *parser, _ string) error {
			p.asked.Banner, p.asked.Emulations = true, true
			return nil
		}},
		{Names: names("--help --target-help"), What: "list the options", set: func(p *parser, _ string) error { p.asked.Help = true; return nil }},
		{Names: names("--verbose -dll-verbose"), Arg: Optional, Holder: "N", What: "print the script that is used", set: func(p *parser, _ string) error { p.asked.Script = true; return nil }},
		{Names: names("--print-output-format"), What: "print the output's format", set: func(p *parser, _ string) error { p.asked.Format = true; return nil }},
		{Names: names("--print-sysroot"), What: "print the sysroot", set: func(p *parser, _ string) error { p.asked.Sysroot = true; return nil }},
		text("-Map", "FILE", "write a map: what is where, and why; - is standard output", func(o *model.Options, s string) { o.Map = s }),
		flag("-M --print-map", "print the map", func(o *model.Options) { o.PrintMap = true }),
		ignored("--print-map-discarded --no-print-map-discarded", None, "a map always has them"),
		flag("--cref", "who defines and who uses each symbol, in the map or on standard output", func(o *model.Options) { o.Cref = true }),
		flag("-t --trace", "print the inputs; twice: members of archives too", func(o *model.Options) { o.Trace++ }),
		text("--dependency-file", "FILE", "write the inputs as a rule of make", func(o *model.Options, s string) { o.DependencyFile = s }),
		flag("--print-memory-usage", "how full the regions of MEMORY are", func(o *model.Options) { o.PrintMemory = true }),
		flag("--fatal-warnings", "warnings are errors", func(o *model.Options) { o.FatalWarnings = true }),
		flag("--no-fatal-warnings", "they are not", func(o *model.Options) { o.FatalWarnings = false }),
		flag("-w --no-warnings", "no warnings", func(o *model.Options) { o.NoWarnings = true }),
		flag("--warn-rwx-segments", "warn of segments that are writable and executable (default)", func(o *model.Options) { yes := true; o.WarnRWX = &yes }),
		flag("--no-warn-rwx-segments", "do not", func(o *model.Options) { no := false; o.WarnRWX = &no }),
		flag("--warn-execstack", "warn of an executable stack", func(o *model.Options) { yes := true; o.WarnExecStack = &yes }),
		flag("--no-warn-execstack", "do not", func(o *model.Options) { no := false; o.WarnExecStack = &no }),
		flag("--warn-section-align", "warn where alignment moves a section that has an address", func(o *model.Options) { o.WarnSectionAlign = true }),
		flag("--warn-textrel --warn-shared-textrel", "warn of relocations in read-only sections", func(o *model.Options) { o.WarnTextrel = true }),
		ignored("--error-handling-script", Required, "what is undefined is told with the names that are near"),
		ignored("--warn-backrefs --color-diagnostics --no-color-diagnostics", Optional, "for command lines of lld"),
	}
}

func machines() []Option {
	return []Option{
		flag("--be8", "Arm: big-endian data, little-endian code", func(o *model.Options) { o.BE8 = true }),
		flag("--target1-rel", "Arm: R_ARM_TARGET1 is R_ARM_REL32", func(o *model.Options) { o.Target1Rel = true }),
		flag("--target1-abs", "Arm: R_ARM_TARGET1 is R_ARM_ABS32", func(o *model.Options) { o.Target1Rel = false }),
		choice("--target2", names("rel abs got-rel"), "Arm: what R_ARM_TARGET2 is", func(o *model.Options, s string) { o.Target2 = s }),
		flag("--fix-v4bx", "Arm: BX becomes MOV PC", func(o *model.Options) { o.FixV4BX = 1 }),
		flag("--fix-v4bx-interworking", "Arm: BX goes through a veneer", func(o *model.Options) { o.FixV4BX = 2 }),
		flag("--use-blx", "Arm: BLX is used whatever the architecture", func(o *model.Options) { o.UseBLX = true }),
		text("--thumb-entry", "SYMBOL", "Arm: the program starts at SYMBOL, in Thumb", func(o *model.Options, s string) { o.Entry, o.ThumbEntry = s, true }),
		flag("--fix-cortex-a8", "Arm: erratum 657417", func(o *model.Options) { yes := true; o.FixCortexA8 = &yes }),
		flag("--no-fix-cortex-a8", "Arm: not", func(o *model.Options) { no := false; o.FixCortexA8 = &no }),
		flag("--fix-arm1176", "Arm: no BLX before Armv6T2 (default)", func(o *model.Options) { o.NoFixARM1176 = false }),
		flag("--no-fix-arm1176", "Arm: BLX from Armv5T on", func(o *model.Options) { o.NoFixARM1176 = true }),
		refused("--fix-stm32l4xx-629360 --vfp11-denorm-fix", Optional, "errata of single processors"),
		flag("--no-merge-exidx-entries", "Arm: keep equal entries of the unwind table", func(o *model.Options) { o.NoMergeExidx = true }),
		flag("--merge-exidx-entries", "Arm: merge them (default)", func(o *model.Options) { o.NoMergeExidx = false }),
		ignored("--no-enum-size-warning --no-wchar-size-warning", None, "Arm: sizes of enum and wchar_t are not compared"),
		flag("--pic-veneer", "Arm: veneers that can be loaded anywhere", func(o *model.Options) { o.PicVeneer = true }),
		flag("--long-plt", "Arm: PLT entries for any distance", func(o *model.Options) { o.LongPLT = true }),
		{Names: names("--stub-group-size"), Arg: Required, Holder: "N", What: "Arm, AArch64: how far apart groups of veneers are", set: func(p *parser, s string) error {
			_, err := fmt.Sscan(s, &p.opt.StubGroupSize)
			return err
		}},
		flag("--fix-cortex-a53-835769", "AArch64: erratum 835769", func(o *model.Options) { o.FixCortexA53_835769 = true }),
		flag("--no-fix-cortex-a53-835769", "AArch64: not", func(o *model.Options) { o.FixCortexA53_835769 = false }),
		{Names: names("--fix-cortex-a53-843419"), Arg: Optional, Holder: "full|adr|adrp", What: "AArch64: erratum 843419", set: func(p *parser, s string) error {
			switch s {
			case "", "full", "adr", "adrp":
				p.opt.FixCortexA53_843419, p.opt.Fix843419 = true, s
				return nil
			}
			return errors.New("is full, adr or adrp")
		}},
		flag("--no-fix-cortex-a53-843419", "AArch64: not", func(o *model.Options) { o.FixCortexA53_843419 = false }),
		flag("--no-apply-dynamic-relocs", "AArch64: places of dynamic relocations stay zero", func(o *model.Options) { o.NoApplyDynamic = true }),
	}
}

// ours are options that GNU ld has not.
func ours() []Option {
	return []Option{
		{Names: names("--add-phdr"), Arg: Required, Holder: "'TYPE [flags=rw] [sections=PATTERN] [size=N] [align=N] [vaddr=A]'", What: "one more program header: over sections, over a range, or over new zeros", set: func(p *parser, s string) error {
			p.opt.AddPhdrs = append(p.opt.AddPhdrs, model.AddPhdr{Text: s})
			return nil
		}},
		number("--spare-program-headers", "N", "N empty entries at the end of the table, for later (also mold's)", func(o *model.Options, x uint64) { o.SpareProgramHeaders = int(min(x, 1<<15)) }),
		choice("--dialect", names("gnu lld"), "whose rules count where GNU ld and lld differ; see docs/ldscript-support.md", func(o *model.Options, s string) { o.Dialect = s }),
		text("--map-html", "FILE", "the picture of the output as a page", func(o *model.Options, s string) { o.MapHTML = s }),
		{Names: names("--timing"), What: "how long each pass took", set: func(p *parser, _ string) error { p.asked.Timing = true; return nil }},
		number("--threads", "N", "work on N processors", func(o *model.Options, x uint64) { o.Threads = int(min(x, 1024)) }),
		number("--error-limit", "N", "stop after N errors; 0: never (20)", func(o *model.Options, x uint64) { n := int(min(x, 1<<30)); o.ErrorLimit = n; o.NoErrorLimit = n == 0 }),
		{Names: names("-z"), Arg: Required, Holder: "WORD", What: "see below", set: setZ},
	}
}

// setDemangle takes the styles of BFD: which scheme a name is of it shows itself.
func setDemangle(p *parser, style string) error {
	on := true
	switch style {
	case "", "auto", "gnu-v3", "rust":
	case "none":
		on = false
	case "java", "gnat", "dlang":
		return fmt.Errorf("names of the style %s are not spelled as in the source", style)
	default:
		return fmt.Errorf("unknown style %q", style)
	}
	p.opt.Demangle = &on
	return nil
}
