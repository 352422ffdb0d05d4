// Package ldcase holds two linkers against each other over a corpus of small
// cases: linker scripts, options, and inputs in assembler that every machine
// takes. What they make is compared by meaning: sections, segments, symbols,
// relocations, entry point; or that both refuse.
//
// A file of cases is text. It has three kinds of items, which begin with "==":
//
//	== source NAME       assembler; NAME.o is an input of the cases of this file
//	== defaults          keys for all cases that follow
//	== case GROUP/NAME   a case: keys, then its files
//
// Keys are lines "key: value":
//
//	machines: x86-64 i386   or "all"; the default is x86-64 i386
//	objects: a.o b.o        inputs, behind the script on the command line
//	needs: a.o b.o          more that are there, but not on the command line
//	archive: lib.a a.o b.o  made of sources; "thin:" makes a thin one
//	shared: libx.so a.o     a shared object, by GNU ld; more words are options
//	args: …                 options before the script
//	line: …                 the whole command line but -m and -o, instead of
//	                        "ARGS -T t.lds OBJECTS"
//	output: FILE            no -o: the script or the default names the output
//	error: REGEXP           both linkers refuse; their messages match
//	warning: REGEXP         both say so, and link
//	want: FACT=VALUE …      what GNU ld makes of it (see Summary.Fact)
//	vary: X = a | b | c     a case for each value, which stands for @X@
//	dialect: RULE FACT …    where ld.lld means otherwise: the name of the rule,
//	                        and facts of which at least one differs
//	ignore: REGEXP          lines of the summary that are not compared
//	differs: WHAT           a known difference of the linker under test: text of
//	                        the lines that differ
//	beyond: FACT=VALUE …    GNU ld fails (see "error"), the linker under test
//	                        links, and makes this of it
//	refuses: REGEXP         the linker under test refuses what GNU ld links
//
// Then come the files of the case: a line "-- NAME" begins one, "--" alone
// begins t.lds. In all of it @format@ and @arch@ are the machine's names for
// OUTPUT_FORMAT and OUTPUT_ARCH, @emu@ is what -m takes.
//
// The corpus is in testdata/ldscript. GNU ld runs when the test runs: nothing
// that it says is recorded. Of a linker's tests, Run, RunDialect and RunPrograms
// are a line each.
package ldcase
