package input

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"

	"elfwright/elffile"
	"elfwright/ldscript"
	"elfwright/link/model"
)

// Commands are what scripts say of inputs.
type Commands struct {
	Inputs     []*ldscript.Input // INPUT and GROUP
	Startup    string            // STARTUP
	SearchDirs []string          // SEARCH_DIR
	Named      []string          // by patterns without wildcards: GNU ld opens those too
}

// Parse reads a text among the inputs as a linker script.
type Parse = func(name string, text []byte) (*ldscript.Script, error)

// Files are the inputs of a link: found, mapped, and known by their kind.
type Files struct {
	// Scripts are the texts among the inputs, in order. Their INPUT, GROUP and
	// SEARCH_DIR have been followed; all else in them is for the layout.
	Scripts []Text
	// Names are all files that were read, for --dependency-file and --trace.
	Names []string

	opt      *model.Options
	rep      *model.Report
	parse    Parse
	items    []*item
	archives map[string]*archive
	dirs     []string // of -L and SEARCH_DIR
	first    *format  // of the first object, for which libraries are looked for
	want     *format  // what all objects must be
	groups   int
}

// Text is a script among the inputs.
type Text struct {
	Tree *ldscript.Script
	At   int // index among Options.Inputs of what it is, or of the script that names it; -1: ahead of all
}

// item is an input in its place on the command line.
type item struct {
	in    model.Input
	at    int    // its index among Options.Inputs, or that of the script that names it
	from  string // the script that names it
	path  string
	group int

	data   []byte
	kind   kind
	obj    *object
	arch   *archive
	opened bool
	failed bool
	done   bool // objects: loaded
}

// format is what objects must have in common.
type format struct {
	class   elf.Class
	order   elf.Data
	machine elf.Machine
	by      string // who said so
}

func formatOf(b []byte) (f format, ok bool) {
	if !elffile.IsELF(b) || len(b) < 20 {
		return f, false
	}
	f = format{class: elf.Class(b[elf.EI_CLASS]), order: elf.Data(b[elf.EI_DATA])}
	f.machine = elf.Machine(elffile.Format{Class: f.class, Data: f.order}.U16(b[18:]))
	return f, true
}

func (f format) byteOrder() binary.ByteOrder {
	if f.order == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (f format) same(g format) bool {
	return f.class == g.class && f.order == g.order && f.machine == g.machine
}

func (f format) String() string {
	bits, order := "32-bit", "little-endian"
	if f.class == elf.ELFCLASS64 {
		bits = "64-bit"
	}
	if f.order == elf.ELFDATA2MSB {
		order = "big-endian"
	}
	return fmt.Sprintf("%s %s %s", bits, order, elffile.MachineName(f.machine))
}

func orderOf(o binary.ByteOrder) elf.Data {
	if o == binary.ByteOrder(binary.BigEndian) {
		return elf.ELFDATA2MSB
	}
	return elf.ELFDATA2LSB
}

// Open finds and maps the inputs of a link. Errors go to the report: the other
// files are opened all the same.
func Open(opt *model.Options, cmds Commands, parse Parse, rep *model.Report) *Files {
	f := &Files{opt: opt, rep: rep, parse: parse, archives: map[string]*archive{}}
	f.dirs = Dirs(opt, cmds.SearchDirs...)
	f.list(cmds)
	f.addNamed(cmds.Named)
	f.openAll()
	return f
}

// list makes the items of the command line. What scripts of -T name stands where
// the first of them does (an Input with Mark MarkScript), or else in front.
func (f *Files) list(cmds Commands) {
	if cmds.Startup != "" {
		f.items = append(f.items, &item{in: model.Input{Name: cmds.Startup}, at: -1})
	}
	named := false
	expand := func(state model.Input, at int) {
		named = true
		for _, in := range cmds.Inputs {
			f.items = append(f.items, f.scriptItems(in, state, at)...)
		}
	}
	for _, in := range f.opt.Inputs {
		f.groups = max(f.groups, in.Group)
	}
	marked := false
	for _, in := range f.opt.Inputs {
		marked = marked || in.Mark == model.MarkScript
	}
	if !marked {
		expand(model.Input{StaticOnly: f.opt.Static}, -1)
	}
	for i, in := range f.opt.Inputs {
		f.items = append(f.items, &item{in: in, at: i, group: in.Group, opened: in.Mark != 0})
		if in.Mark == model.MarkScript && !named {
			expand(in, i)
		}
	}
}

// scriptItems are the files of INPUT or GROUP; state is that of the options where
// the script stands, at among the inputs.
func (f *Files) scriptItems(cmd *ldscript.Input, state model.Input, at int) []*item {
	group := state.Group
	if cmd.Group && group == 0 {
		f.groups++
		group = f.groups
	}
	var list []*item
	for _, file := range cmd.Files {
		in := model.Input{Name: file.Name, AsNeeded: state.AsNeeded || file.AsNeeded, StaticOnly: state.StaticOnly, WholeArchive: state.WholeArchive, Group: group}
		if lib, ok := strings.CutPrefix(file.Name, "-l"); ok {
			in.Name, in.Library = lib, true
		}
		list = append(list, &item{in: in, at: at, from: cmd.File.Name, group: group})
	}
	return list
}

// openAll opens what is listed, and what the scripts among it list, until there
// is nothing left. Libraries wait until the first object is known.
func (f *Files) openAll() {
	for {
		var plain, libs []*item
		for _, it := range f.items {
			switch {
			case it.opened:
			case it.in.Library:
				libs = append(libs, it)
			default:
				plain = append(plain, it)
			}
		}
		todo := plain
		if len(todo) == 0 {
			todo = libs
		}
		if len(todo) == 0 {
			break
		}
		errs := make([]error, len(todo))
		model.Each(f.opt.Workers(), len(todo), func(i int) {
			errs[i] = guard(todo[i].in.Name, func() error { return f.open(todo[i]) })
		})
		for i, it := range todo {
			it.opened = true
			if errs[i] != nil {
				it.failed = true
				f.rep.Error(errs[i])
			}
		}
		f.expandScripts()
		f.findFirst()
	}
	f.finishList()
}

// findFirst finds the format of the first object.
func (f *Files) findFirst() {
	for _, it := range f.items {
		if f.first != nil {
			return
		}
		if it.failed || it.kind != isObject && it.kind != isArchive {
			continue
		}
		b := it.data
		if it.kind == isArchive {
			b = firstMember(it.path, b)
		}
		if x, ok := formatOf(b); ok {
			x.by = it.path
			f.first = &x
		}
	}
}

// expandScripts puts what scripts name into the list, behind them.
func (f *Files) expandScripts() {
	var list []*item
	for _, it := range f.items {
		list = append(list, it)
		if it.failed || it.kind != isText || !it.opened || it.in.Script != nil || it.in.Mark != 0 {
			continue
		}
		tree, err := f.parseScript(it)
		if err != nil {
			it.failed = true
			f.rep.Error(err)
			continue
		}
		it.in.Script = tree
		state := it.in
		state.Group = it.group
		dirs, inputs := commandsOf(tree.Body)
		for _, d := range dirs {
			f.dirs = append(f.dirs, inSysroot(f.opt, d))
		}
		for _, cmd := range inputs {
			list = append(list, f.scriptItems(cmd, state, it.at)...)
		}
	}
	f.items = list
}

func (f *Files) parseScript(it *item) (*ldscript.Script, error) {
	if f.parse == nil {
		return nil, &elffile.Error{File: it.path, Off: -1, Msg: "a text, and no linker scripts are taken here"}
	}
	tree, err := f.parse(it.path, append([]byte(nil), it.data...))
	if err != nil {
		return nil, err
	}
	f.depth(it)
	return tree, nil
}

// maxScripts is how many texts there may be among the inputs: scripts that name
// each other would have no end.
const maxScripts = 1000

func (f *Files) depth(it *item) {
	f.Names = append(f.Names, it.path)
	if len(f.Names) > maxScripts {
		f.rep.Error(&elffile.Error{File: it.path, Off: -1, Msg: fmt.Sprintf("more than %d scripts among the inputs; do they name each other?", maxScripts)})
		f.parse = nil
	}
}

// commandsOf are the commands of a script that are about inputs.
func commandsOf(body []ldscript.Stmt) (dirs []string, inputs []*ldscript.Input) {
	for _, n := range body {
		switch n := n.(type) {
		case *ldscript.Input:
			inputs = append(inputs, n)
		case *ldscript.SearchDir:
			dirs = append(dirs, n.Dir)
		case *ldscript.Include:
			d, i := commandsOf(n.Body)
			dirs, inputs = append(dirs, d...), append(inputs, i...)
		}
	}
	return dirs, inputs
}

// finishList notes scripts and names in the order of the command line.
func (f *Files) finishList() {
	f.Names = f.Names[:0]
	for _, it := range f.items {
		if it.in.Mark != 0 || it.failed {
			continue
		}
		f.Names = append(f.Names, it.path)
		if it.in.Script != nil {
			f.Scripts = append(f.Scripts, Text{it.in.Script, it.at})
		}
	}
}

// open finds, maps and recognises one input.
func (f *Files) open(it *item) error {
	var err error
	if it.in.Library {
		err = f.openLibrary(it)
	} else {
		err = f.openFile(it)
	}
	if err != nil {
		return err
	}
	switch format := it.in.Format; {
	case format == "binary":
		it.kind = isBinary
		return nil
	case format != "" && format != "default" && !strings.HasPrefix(format, "elf"):
		return &elffile.Error{File: it.path, Off: -1, Msg: fmt.Sprintf("--format %s: inputs of that format are not read; ELF and binary are", format)}
	}
	k, what := kindOf(it.data)
	it.kind = k
	switch {
	case k == isOther:
		return &elffile.Error{File: it.path, Off: -1, Msg: "cannot be linked: it is " + what}
	case it.in.JustSymbols:
		if k != isObject && k != isShared && k != isProgram {
			return &elffile.Error{File: it.path, Off: -1, Msg: "--just-symbols: not an ELF object or program"}
		}
	case k == isShared:
		return &elffile.Error{File: it.path, Off: -1, Msg: "a shared object; shared objects are not linked yet (its symbols alone can be had with --just-symbols)"}
	case k == isProgram:
		return &elffile.Error{File: it.path, Off: -1, Msg: "a finished program; only relocatable objects are linked (its symbols alone can be had with --just-symbols)"}
	}
	return nil
}
