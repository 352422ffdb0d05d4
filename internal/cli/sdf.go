package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"elfwright/sdf"
	"elfwright/sdf/desc"
	"elfwright/sdf/draw"
)

// sdfFlags are what the command lines of sdf's verbs say.
type sdfFlags struct {
	board, arch, hypervisor       string
	cores, top, domains, schedule uint64
	smc, iommu                    bool
	pageSizes, memory, search     []string
	strict, json, dryRun          bool
	output, monitor, svg, html    string
	runtime, loader, kernel, task string
	entries, persistent           []string
	resettable                    string
	lenient                       bool
}

func sdfVerb() *verb {
	return &verb{
		name:     "sdf",
		short:    "check Microkit system descriptions, show them, and apply them to their images",
		children: []*verb{sdfCheckVerb(), sdfShowVerb(), sdfApplyVerb(), sdfBootVerb()},
		long: `A system description is an XML file that says which protection domains a system has, which memory they share, and over which channels they talk. The language is that of Microkit 2.x, for aarch64, riscv64 and x86_64.

What is right depends on the board: its machine, and how the kernel was built for it. --board names a file that tells, a JSON object:

  {"arch": "aarch64", "cores": 4, "hypervisor": true, "smc": false,
   "iommu": false, "domains": 16, "schedule": 100,
   "page_sizes": ["0x1000", "0x200000"], "user_vspace_top": "0xffffffffff",
   "memory": [{"start": "0x60000000", "end": "0x80000000"}]}

All but arch may be left out. Flags say the same, and come after the file.`,
		examples: []example{
			{"what is wrong with a description", sdfExample + " && (elfwright sdf check --arch=aarch64 two.system)"},
			{"the same, and warnings are errors, as JSON", sdfExample + " && (elfwright sdf check --arch=riscv64 --strict --json two.system)"},
		},
	}
}

const sdfExample = `echo '<system><protection_domain name="a"><program_image path="a.elf"/></protection_domain></system>' >two.system`

func sdfCheckVerb() *verb {
	o := new(sdfFlags)
	return &verb{
		name:  "check",
		short: "find all that is wrong in system descriptions",
		usage: []string{"[flags] FILE.system…"},
		args:  args{min: 1, max: -1, name: "FILE.system"},
		no:    "a description has errors; with --strict, also if there are warnings",
		long: `Each finding has its place, a level, the line, and the name of a rule. An error is what describes no system. A warning is what is seldom meant, or what Microkit's own tool lets through. Images are not looked at, but files that regions are filled with are. These are the rules:

` + ruleTable(desc.Rules),
		flags: append(o.boardFlags(),
			flag{name: "strict", to: &o.strict, help: "warnings are errors"},
			flag{name: "json", to: &o.json, help: "print the answer as one JSON document"}),
		examples: []example{
			{"for a kernel of four cores", sdfExample + " && (elfwright sdf check --arch=aarch64 --cores=4 two.system)"},
			{"for a board that a file describes", sdfExample + ` && echo '{"arch": "x86_64", "iommu": true}' >pc.json && (elfwright sdf check --board=pc.json two.system)`},
		},
		run: func(c *call) error { return runSdfCheck(c, o) },
	}
}

// boardFlags are the rows of the table that tell of the board.
func (o *sdfFlags) boardFlags() []flag {
	const group = "Board"
	return []flag{
		{name: "board", to: &o.board, value: "FILE", files: true, group: group, help: "a JSON file that describes the board"},
		{name: "arch", to: &o.arch, words: desc.Archs(), group: group, help: "the machine"},
		{name: "cores", to: &o.cores, group: group, help: "how many cores the kernel uses"},
		{name: "page-size", to: &o.pageSizes, value: "N", group: group, help: "a size of pages, the smallest first; may be given again"},
		{name: "user-top", to: &o.top, value: "ADDRESS", group: group, help: "the last address of a user (seL4_UserVSpaceTop)"},
		{name: "iommu", to: &o.iommu, group: group, help: "the kernel uses an IOMMU"},
		{name: "hypervisor", to: &o.hypervisor, words: []string{"true", "false"}, bare: "true", group: group, help: "whether the kernel is a hypervisor"},
		{name: "smc", to: &o.smc, group: group, help: "the kernel forwards secure monitor calls"},
		{name: "domains", to: &o.domains, group: group, help: "how many domains the kernel schedules"},
		{name: "schedule", to: &o.schedule, group: group, help: "how many entries their schedule may have"},
		{name: "memory", to: &o.memory, value: "START..END", group: group, help: "memory that the kernel leaves, for regions that need a physical address; may be given again"},
		{name: "search-path", short: "L", to: &o.search, value: "DIR", files: true, help: "look for images and other files here, before the current directory; may be given again"},
	}
}

// theBoard is what file and flags say.
func (o *sdfFlags) theBoard(c *call) (desc.Board, error) {
	b := desc.Default(desc.Arch(o.arch))
	switch {
	case o.board != "":
		text, err := os.ReadFile(o.board)
		if err != nil {
			return b, err
		}
		if b, err = desc.ParseBoard(o.board, text); err != nil {
			return b, err
		}
		if o.arch != "" {
			b.Arch = desc.Arch(o.arch)
		}
	case o.arch == "":
		return b, c.usagef("which machine? name one with --arch, or a file with --board")
	}
	for _, f := range []struct {
		name string
		from uint64
		to   *desc.Number
	}{{"cores", o.cores, &b.Cores}, {"user-top", o.top, &b.UserTop}, {"domains", o.domains, &b.Domains}, {"schedule", o.schedule, &b.Schedule}} {
		if c.changed(f.name) {
			*f.to = desc.Number(f.from)
		}
	}
	if o.hypervisor != "" {
		b.Hypervisor = o.hypervisor == "true"
	}
	b.SMC, b.IOMMU = b.SMC || o.smc, b.IOMMU || o.iommu
	if err := o.lists(c, &b); err != nil {
		return b, err
	}
	if err := b.Check(); err != nil {
		return b, c.usagef("%v", err)
	}
	return b, nil
}

func (o *sdfFlags) lists(c *call, b *desc.Board) error {
	if len(o.pageSizes) > 0 {
		b.PageSizes = nil
	}
	for _, s := range o.pageSizes {
		n, err := parseNumber(s)
		if err != nil {
			return c.usagef("flag --page-size: %v", err)
		}
		b.PageSizes = append(b.PageSizes, desc.Number(n))
	}
	for _, s := range o.memory {
		from, to, ok := strings.Cut(s, "..")
		start, err := parseNumber(from)
		end, err2 := parseNumber(to)
		if !ok || err != nil || err2 != nil {
			return c.usagef("flag --memory: %q: want START..END", s)
		}
		b.Memory = append(b.Memory, desc.Memory{Start: desc.Number(start), End: desc.Number(end)})
	}
	return nil
}

// maxDescription bounds what is read; a system of 63 protection domains has far
// less.
const maxDescription = 16 << 20

// parse reads a description; a dash is standard input.
func (o *sdfFlags) parse(c *call, name string, board desc.Board) (*desc.System, desc.Findings, error) {
	name, in, err := c.input(name)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxDescription+1))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > maxDescription {
		return nil, nil, fmt.Errorf("%s: more than %d bytes is no system description", name, maxDescription)
	}
	defer c.phase("check")()
	s, found := desc.Parse(name, text, board, desc.Options{Length: sdf.Length(o.search)})
	return s, found, nil
}

func runSdfCheck(c *call, o *sdfFlags) error {
	board, err := o.theBoard(c)
	if err != nil {
		return err
	}
	all := desc.Findings{}
	for _, name := range c.args {
		_, found, err := o.parse(c, name, board)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	if o.json {
		err = writeJSON(c.out, struct {
			Version  int           `json:"version"`
			Findings desc.Findings `json:"findings"`
		}{1, all})
	} else {
		err = all.WriteText(c.out)
	}
	if err == nil && (all.Faulty() || o.strict && len(all) > 0) {
		err = errNo
	}
	return err
}

func sdfShowVerb() *verb {
	o := new(sdfFlags)
	return &verb{
		name:  "show",
		short: "print a system, or draw it",
		usage: []string{"[flags] FILE.system"},
		args:  args{min: 1, max: 1, name: "FILE.system"},
		no:    "the description has errors",
		long:  `Protection domains, their channels with ids and directions, interrupts, ports, and mappings; memory regions, and who maps them where and with what rights. Without --svg and --html this is text.`,
		flags: append(o.boardFlags(),
			flag{name: "svg", to: &o.svg, value: "OUT", files: true, help: "write a figure; a dash is standard output"},
			flag{name: "html", to: &o.html, value: "OUT", files: true, help: "write a page with the figure and tables, which needs no other file and no network"}),
		examples: []example{
			{"as text", sdfExample + " && (elfwright sdf show --arch=aarch64 two.system)"},
			{"as a page for a browser", sdfExample + " && (elfwright sdf show --arch=aarch64 --html=two.html two.system)"},
		},
		run: func(c *call) error { return runSdfShow(c, o) },
	}
}

func runSdfShow(c *call, o *sdfFlags) error {
	if o.svg == "-" && o.html == "-" {
		return c.usagef("only one picture can go to standard output")
	}
	s, err := o.system(c)
	if err != nil {
		return err
	}
	if o.svg == "" && o.html == "" {
		return draw.Text(c.out, s)
	}
	if o.svg != "" {
		if err := c.create(o.svg, func(w io.Writer) error { return draw.SVG(w, s) }); err != nil {
			return err
		}
	}
	if o.html == "" {
		return nil
	}
	return c.create(o.html, func(w io.Writer) error { return draw.HTML(w, s) })
}

func sdfApplyVerb() *verb {
	o := new(sdfFlags)
	return &verb{
		name:  "apply",
		short: "write the values of a system into its images, and tell every address",
		usage: []string{"[flags] FILE.system -o DIR"},
		args:  args{min: 1, max: 1, name: "FILE.system"},
		no:    "the description has errors, or the images do not fit it",
		long: `Of each protection domain the image is read, and where the description gives path_for_symbols, that file's symbol table. Written to DIR are

  NAME.elf          the image with its values
  NAME.symbols.elf  the file of path_for_symbols as it is, where there is one
  monitor.elf       with --monitor, the monitor's image with its values; so
                    loader.elf and initial_task.elf
  FILE.system       the description, which names these images, and gives regions
                    the physical addresses that the images were told
  plan.json         every address: segments, stack, guard page, IPC buffer,
                    mappings, physical memory, and each variable

A variable is found by its name in the symbol table alone, as Microkit's tool does; one of a setvar must have 8 bytes. All six variables of Microkit's library must be there: microkit_name, microkit_passive, microkit_irqs, microkit_notifications, microkit_pps and microkit_ioports. One that starts as zero gets bytes in the file; in memory nothing moves.

With --resettable a protection domain that is restarted at its entry point has its memory as at first, with the values of the system; the entry point is a new one, which --entry gives to the parent. Microkit's microkit_pd_restart then needs no help from the program. Give FILE.system to Microkit's own tool: it writes the values once more, which a reset does not see, and by that file they are the same.

A physical address that a setvar asks for and the description does not give is chosen: the lowest that fits in --memory, without those that are given.

Nothing is written before all fits.`,
		flags: append(append(o.boardFlags(), o.applyFlags()...),
			flag{name: "monitor", to: &o.monitor, value: "IMAGE", files: true, help: "patch Microkit's monitor, too"},
			flag{name: "loader", to: &o.loader, value: "IMAGE", files: true, help: "patch Microkit's loader, too: the page tables that it starts the kernel with"},
			flag{name: "kernel", to: &o.kernel, value: "IMAGE", files: true, help: "the kernel that those map; it is only read"},
			flag{name: "initial-task", to: &o.task, value: "IMAGE", files: true, help: "patch the initial task, too: where its program header table is in memory"},
			flag{name: "dry-run", to: &o.dryRun, help: "tell the plan, and write nothing"},
			flag{name: "json", to: &o.json, help: "print the plan as one JSON document"},
			flag{name: "output", short: "o", to: &o.output, value: "DIR", files: true, help: "the directory to write to, which is made if it is not there"}),
		examples: []example{
			{"an image that lacks the variables of Microkit's library is refused", sdfExample + ` && echo 'void _start(void) {}' | gcc -static -nostdlib -no-pie -o a.elf -xc - && (elfwright sdf apply --arch=x86_64 two.system -o out || test $? = 1)`},
			{"what would be done", sdfExample + ` && echo 'char microkit_name[64], microkit_passive; long microkit_irqs, microkit_notifications, microkit_pps, microkit_ioports; void _start(void) {}' | gcc -static -nostdlib -no-pie -o a.elf -xc - && (elfwright sdf apply --arch=x86_64 --dry-run two.system)`},
		},
		run: func(c *call) error { return runSdfApply(c, o) },
	}
}

// system reads a description that must be right, and prints its warnings.
func (o *sdfFlags) system(c *call) (*desc.System, error) {
	board, err := o.theBoard(c)
	if err != nil {
		return nil, err
	}
	s, found, err := o.parse(c, c.args[0], board)
	if err != nil {
		return nil, err
	}
	if found.Faulty() {
		return nil, faulty(&desc.Refusal{Findings: found})
	}
	return s, found.WriteText(c.err)
}

func runSdfApply(c *call, o *sdfFlags) error {
	if o.output == "" && !o.dryRun {
		return c.usagef("where to? name a directory with -o, or say --dry-run")
	}
	opt, err := o.applyOptions(c)
	if err != nil {
		return err
	}
	s, err := o.system(c)
	if err != nil {
		return err
	}
	a, err := o.apply(c, s, opt)
	if err != nil {
		return err
	}
	defer a.Close()
	if !o.dryRun {
		done := c.phase("write")
		err := a.Guard(func() error { return o.writeAll(c, a) })
		done()
		if err != nil {
			return err
		}
	}
	if o.json {
		return writeJSON(c.out, a.Plan)
	}
	return a.Plan.WriteText(c.out)
}

func (o *sdfFlags) writeAll(c *call, a *sdf.Applied) error {
	if err := os.MkdirAll(o.output, 0o777); err != nil {
		return err
	}
	for _, f := range a.Outputs {
		if err := f.Body.WriteFile(filepath.Join(o.output, f.Name), f.Mode); err != nil {
			return err
		}
	}
	return c.create(filepath.Join(o.output, "plan.json"), func(w io.Writer) error { return writeJSON(w, a.Plan) })
}
