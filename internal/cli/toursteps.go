package cli

import _ "embed"

//go:embed tour/finder.go.txt
var tourFinder string

//go:embed tour/message.txt
var tourMessage string

// tourSteps is the tour: first a look at a program of this machine, then one
// that is given headers of its own. Without Go the second part is about
// elfwright itself.
func tourSteps(system string, hasGo bool) []step {
	steps := []step{
		{
			title: "What a program says of itself",
			line:  "elfwright show -h " + system,
			look:  "Type: EXEC runs at fixed addresses, DYN wherever the kernel puts it. The entry point is the address of its first instruction.",
		},
		{
			title: "What the kernel reads",
			line:  "elfwright show -l " + system,
			look:  "To run a program the kernel reads these headers and nothing else: every LOAD becomes memory, INTERP names the program that finds the libraries. Sections are for linkers and debuggers.",
		},
		{
			title: "What it needs",
			line:  "elfwright show -d " + system,
			show:  []string{"NEEDED", "RUNPATH", "no dynamic section"},
			look:  "NEEDED are the libraries that must be found before main.",
		},
		{
			title: "Which build it is",
			line:  "elfwright show -n " + system,
			look:  "The build ID is how a debugger finds the symbols that were taken out.",
		},
		{
			title: "Where it lies: in the file, and in memory",
			line:  "elfwright show --map " + system,
			max:   40,
			look:  "What lies side by side is the same bytes. .bss has no bytes in the file. With --html=FILE the same becomes a page to zoom and search in.",
		},
		{
			title: "What Linux would do to start it",
			line:  "elfwright explain " + system,
			show:  []string{" file ", " zero ", "cleared", "[stack]", "load bias", "start_brk", "  pc "},
			look:  "Each line names the header that causes it and the kernel's function. With --check the program is started for a moment and the kernel is held to it.",
		},
	}
	if hasGo {
		return append(steps, finderSteps()...)
	}
	return append(steps, selfSteps()...)
}

// finderSteps reshape a program that looks for what they add.
func finderSteps() []step {
	return []step{
		{
			title: "A program that looks at its own headers",
			line:  "go build -o finder finder.go && ./finder",
			look:  "It walks its program headers in memory. There is none of the type it looks for, yet.",
		},
		{
			title: "Where a longer table could go",
			line:  "elfwright phdr list finder",
			look:  "The table of program headers lies between other things. To add a row is to find room.",
		},
		{
			title: "A header of one's own, in a finished program",
			line:  "elfwright phdr add --type=0x65770001 --file=message.txt finder -o reshaped",
			look:  "The report says where the table and the bytes went, by which technique, and what it costs.",
		},
		{
			title: "What that changed, and what it did not",
			line:  "elfwright show --diff finder reshaped || test $? = 1",
			show:  []string{"Program headers", "  + ", "  ~ ", "total", "all segments"},
			look:  "Two headers came, and nothing went: no byte of code or data differs. As with diff, exit code 1 says that the files are not the same.",
		},
		{
			title: "Memory of one's own, too",
			line:  "elfwright phdr add --type=LOAD --flags=rw --memsz=1M reshaped -o reshaped",
			look:  "Zero-filled memory takes no room in the file. Adding again works as adding once.",
		},
		{
			title: "The reshaped program runs",
			line:  "./reshaped",
			look:  "The same program, not linked again, finds the message in its memory: the kernel mapped it with everything else.",
		},
	}
}

// selfSteps reshape elfwright.
func selfSteps() []step {
	return []step{
		{
			title: "A header of one's own, in a finished program",
			line:  `elfwright phdr add --type=0x65770001 --file=message.txt "$(command -v elfwright)" -o reshaped`,
			look:  "The report says where the table and the bytes went, by which technique, and what it costs.",
		},
		{
			title: "The reshaped program runs, and looks at itself",
			line:  "./reshaped phdr list ./reshaped",
			look:  "The header of type 0x65770001 was not there when this program was linked.",
		},
	}
}
