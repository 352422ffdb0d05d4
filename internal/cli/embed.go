package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"elfwright/attach"
	"elfwright/elffile"
	"elfwright/erofs"
	"elfwright/payload"
)

// embedFlags are what the command line of embed's verbs says.
type embedFlags struct {
	phdrFlags
	name, mediaType, bind  string
	align                  uint64
	object, zstd, unloaded bool
	self, replace, verify  bool
	raw                    bool
}

func embedVerb() *verb {
	return &verb{
		name:  "embed",
		short: "put files, ELF objects and directories into a program, and get them out",
		children: []*verb{
			embedAddVerb(),
			embedListVerb(),
			embedCatVerb(),
			embedExtractVerb(),
			embedRmVerb(),
			embedFixVerb(),
			embedHeaderVerb(),
		},
		long: `The program runs as before, and finds what it carries by a program header: in Go by package elfwright/payload, in C by payload.h, which 'elfwright embed header' prints. The format is told of in docs/payload-format.md.

What was put in is still there, at the same offset of the file, after strip, objcopy and patchelf.`,
		examples: []example{
			{"a file in a program, and out again", "elfwright embed add /bin/ls /etc/hostname -o ls && ./ls && elfwright embed cat ls hostname"},
			{"what a program carries", "elfwright embed list /bin/ls"},
		},
	}
}

func embedAddVerb() *verb {
	opt := new(embedFlags)
	return &verb{
		name:  "add",
		short: "put files, ELF objects or directories into a program",
		usage: []string{"[flags] PROG FILE|DIR… -o OUT"},
		args:  args{min: 2, max: -1, name: "arguments (PROG and FILE|DIR…)"},
		no:    "the program has no safe place for it",
		long: `Payloads are loaded with the program: a page of them costs memory only once it is touched. The program header of type EW_PAYLOAD leads to a directory with the name, kind, size, alignment, media type and SHA-256 of each.

A directory becomes an EROFS image, which the kernel can mount straight from the program (see 'elfwright mount'): with owners, modes, times, symbolic and hard links, extended attributes and device nodes; every file in it begins at a page and can be mapped.

With --bind and --self the program, when it is started, shows its directory at that path to itself and the programs it starts, and to nobody else, by a few hundred bytes of code in front of its entry point: as root by a mount of the kernel's, else by a copy in memory in a user namespace, where all files belong to the caller. A path that does not exist is provided without making anything on the disk; only one directly below / must be there. In a dynamic program the libraries are loaded before that.

With --as-object the file offsets in the headers of an ELF file are translated (see 'elfwright shift'), so that they are right on the descriptor of the program that carries it.`,
		flags: []flag{
			{name: "name", to: &opt.name, value: "NAME", help: "name of the payload; the file's if not given"},
			{name: "as-object", to: &opt.object, help: "an ELF file whose headers are to be right on the program's descriptor"},
			{name: "media-type", to: &opt.mediaType, value: "TYPE", help: "media type, such as text/html; if not given by what the file begins with"},
			{name: "align", to: &opt.align, help: "let it begin at a multiple of this in file and memory; 4096 at least for what has a page or more"},
			{name: "zstd", to: &opt.zstd, help: "compress it; then it cannot be mapped or mounted"},
			{name: "no-load", to: &opt.unloaded, help: "keep it out of the program's memory, behind all that is loaded; strip moves it then, and eu-strip leaves the header behind"},
			{name: "bind", to: &opt.bind, value: "PATH", help: "let the directory be seen at this absolute path: by 'elfwright mount --run', or with --self"},
			{name: "self", to: &opt.self, help: "let the program itself bind its directory when it starts, in a mount namespace of its own"},
			{name: "replace", to: &opt.replace, help: "take the place of a payload of that name"},
			opt.techniqueFlag(), overlayFlag(&opt.overlay), pageSizeFlag(&opt.pageSize), opt.forceFlag("edit a dynamic linker, too"),
			opt.strictFlag(), opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag(),
		},
		examples: []example{
			{"a file, under another name", "elfwright embed add --name=motd /bin/ls /etc/hostname -o ls && ./ls"},
			{"a directory that the program shows to itself", "elfwright embed add --bind=/opt/skel --self /bin/ls /etc/skel -o ls.skel && ./ls.skel -a /opt/skel"},
			{"a library that can be loaded from the program", "elfwright embed add --as-object /bin/ls /lib64/ld-linux-x86-64.so.2 -o ls && elfwright embed list ls"},
		},
		run: func(c *call) error { return runEmbedAdd(c, opt) },
	}
}

func embedListVerb() *verb {
	opt := new(embedFlags)
	return &verb{
		name:  "list",
		short: "print what programs carry",
		usage: []string{"[flags] PROG…"},
		args:  args{min: 1, max: -1, name: "PROG"},
		no:    "a payload is damaged",
		flags: []flag{
			{name: "verify", to: &opt.verify, help: "compare the contents with their digests"},
			opt.jsonFlag("for each program"),
		},
		examples: []example{
			{"a program without payloads", "elfwright embed list /bin/ls"},
			{"with a look at the contents", "elfwright embed add /bin/ls /etc/hostname -o ls && elfwright embed list --verify ls"},
		},
		run: func(c *call) error { return runEmbedList(c, opt) },
	}
}

func embedCatVerb() *verb {
	opt := new(embedFlags)
	return &verb{
		name:  "cat",
		short: "print the contents of a payload, or of a file in a tree",
		usage: []string{"[flags] PROG NAME[/PATH]"},
		args:  args{min: 2, max: 2, name: "arguments (PROG and NAME)"},
		no:    "there is no such payload, or it is damaged",
		flags: []flag{
			{name: "raw", to: &opt.raw, help: "the bytes as they are in the file: compressed, with translated headers, a tree as its image"},
		},
		examples: []example{
			{"a file", "elfwright embed add /bin/ls /etc/hostname -o ls && elfwright embed cat ls hostname"},
			{"a file in a tree", "elfwright embed add /bin/ls /etc/skel -o ls && elfwright embed cat ls skel/.profile"},
		},
		run: func(c *call) error { return runEmbedCat(c, opt) },
	}
}

func embedExtractVerb() *verb {
	opt := new(embedFlags)
	return &verb{
		name:  "extract",
		short: "write payloads to a directory",
		usage: []string{"PROG [NAME…] -o DIR"},
		args:  args{min: 1, max: -1, name: "arguments (PROG and NAME…)"},
		no:    "there is no such payload, it is damaged, or a file of that name is there",
		long:  `Without a NAME all are written. DIR is made if it is not there; what it has is not overwritten. Owners are those of the tree for root, else the caller's.`,
		flags: []flag{
			{name: "output", short: "o", to: &opt.output, value: "DIR", files: true, help: "the directory to write to"},
		},
		examples: []example{
			{"all of them", "elfwright embed add /bin/ls /etc/hostname -o ls && elfwright embed extract ls -o out && cat out/hostname"},
			{"one", "elfwright embed add /bin/ls /etc/hostname /etc/passwd -o ls && elfwright embed extract ls passwd -o out"},
		},
		run: func(c *call) error { return runEmbedExtract(c, opt) },
	}
}

func embedRmVerb() *verb {
	opt := new(embedFlags)
	return &verb{
		name:  "rm",
		short: "take payloads out of a program, and the room they had",
		usage: []string{"[flags] PROG NAME… -o OUT"},
		args:  args{min: 2, max: -1, name: "arguments (PROG and NAME…)"},
		no:    "there is no such payload",
		flags: []flag{overlayFlag(&opt.overlay), pageSizeFlag(&opt.pageSize), opt.forceFlag("edit a dynamic linker, too"), opt.strictFlag(), opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag()},
		examples: []example{
			{"put in and taken out", "elfwright embed add /bin/ls /etc/hostname -o ls && elfwright embed rm ls hostname -o ls && ./ls"},
			{"what would be left", "elfwright embed add /bin/ls /etc/hostname /etc/passwd -o ls && elfwright embed rm ls passwd --dry-run"},
		},
		run: func(c *call) error {
			return opt.change(c, func(f *elffile.File, o attach.Options) (*attach.Result, error) {
				return attach.Remove(f, c.args[1:], o)
			})
		},
	}
}

func embedFixVerb() *verb {
	opt := new(embedFlags)
	return &verb{
		name:  "fix",
		short: "make directory and objects right again after a tool has moved them in the file",
		usage: []string{"[flags] PROG -o OUT"},
		args:  args{min: 1, max: 1, name: "PROG"},
		no:    "there is no payload, or no safe place for it",
		flags: []flag{opt.techniqueFlag(), overlayFlag(&opt.overlay), pageSizeFlag(&opt.pageSize), opt.forceFlag("edit a dynamic linker, too"), opt.strictFlag(), opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag()},
		examples: []example{
			{"what would be done", "elfwright embed add /bin/ls /etc/hostname -o ls && elfwright embed fix ls --dry-run"},
			{"in place", "elfwright embed add /bin/ls /etc/hostname -o ls && elfwright embed fix ls -o ls && ./ls"},
		},
		run: func(c *call) error { return opt.change(c, attach.Fix) },
	}
}

func embedHeaderVerb() *verb {
	return &verb{
		name:  "header",
		short: "print payload.h, by which a C or C++ program finds what it carries",
		args:  args{max: 0},
		examples: []example{
			{"for a program in C", "elfwright embed header > payload.h"},
			{"what it has", "elfwright embed header | grep -c '^PAYLOAD_UNUSED static'"},
		},
		run: func(c *call) error {
			_, err := c.out.WriteString(payload.Header)
			return err
		},
	}
}

// change carries out a change of a program's payloads.
func (o *embedFlags) change(c *call, do func(*elffile.File, attach.Options) (*attach.Result, error)) error {
	return o.rewrite.run(c, c.args[0], func(f *elffile.File) (*elffile.Body, report, error) {
		r, err := do(f, attach.Options{Options: o.options(), Replace: o.replace})
		if err != nil {
			return nil, nil, err
		}
		o.data = append([]io.Closer{r}, o.data...) // it reads the others
		return r.Body, lateReport{r}, nil
	})
}

// lateReport is a report that is complete only when the file is written.
type lateReport struct{ *attach.Result }

func (l lateReport) WriteText(w io.Writer) error {
	r, err := l.Report()
	if err != nil {
		return err
	}
	return r.WriteText(w)
}

func (l lateReport) MarshalJSON() ([]byte, error) {
	r, err := l.Report()
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

func runEmbedAdd(c *call, o *embedFlags) error {
	if o.name != "" && len(c.args) > 2 {
		return c.usagef("flag --name: there are %d payloads, and they cannot all have it", len(c.args)-1)
	}
	return o.change(c, func(f *elffile.File, opt attach.Options) (*attach.Result, error) {
		var items []attach.Item
		for _, arg := range c.args[1:] {
			it, err := o.item(c, arg)
			if err != nil {
				return nil, err
			}
			items = append(items, it)
		}
		return attach.Add(f, items, opt)
	})
}

// item makes of a file or directory what package attach takes.
func (o *embedFlags) item(c *call, arg string) (attach.Item, error) {
	it := attach.Item{
		Name: o.name, Kind: payload.File, MediaType: o.mediaType, Align: o.align,
		Zstd: o.zstd, Unloaded: o.unloaded, Bind: o.bind, Self: o.self,
	}
	if it.Name == "" {
		abs, err := filepath.Abs(arg)
		if err != nil {
			return it, err
		}
		it.Name = filepath.Base(abs)
	}
	st, err := os.Stat(arg)
	if err != nil {
		return it, err
	}
	it.Mode = st.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	if st.IsDir() {
		return it, o.tree(&it, arg)
	}
	if o.object {
		it.Kind = payload.Object
	}
	it.Data, err = o.storedData(arg)
	return it, err
}

// storedData is openData without a mapping, whose pages would count as memory
// when all of it is read.
func (o *embedFlags) storedData(name string) (elffile.Data, error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(real))
	if err != nil {
		return nil, err
	}
	o.data = append(o.data, dir)
	if d, err := elffile.Stored(dir, filepath.Base(real)); err == nil {
		return d, nil
	}
	return o.openData(name)
}

// tree makes of a directory what package attach takes.
func (o *embedFlags) tree(it *attach.Item, dir string) error {
	if o.object {
		return fmt.Errorf("%s: --as-object: it is a directory", dir)
	}
	img, err := erofs.Build(dir, erofs.Options{})
	if err != nil {
		return err
	}
	o.data = append(o.data, img)
	it.Kind, it.Data = payload.Tree, img.Data
	return nil
}

func runEmbedList(c *call, o *embedFlags) error {
	var unread, bad error
	for _, name := range c.args {
		p, err := payload.OpenFile(name)
		if err != nil {
			unread = errors.Join(unread, err)
			continue
		}
		l, fault := attach.List(p.ELF(), o.verify)
		bad = errors.Join(bad, fault)
		switch {
		case o.json:
			err = writeJSON(c.out, l)
		case len(c.args) > 1:
			fmt.Fprintf(c.out, "%s:\n", name)
			fallthrough
		default:
			err = l.WriteText(c.out)
		}
		p.Close()
		unread = errors.Join(unread, err)
		if c.out.closed() {
			break
		}
	}
	if unread != nil {
		return errors.Join(unread, bad)
	}
	return faulty(bad)
}

func runEmbedCat(c *call, o *embedFlags) error {
	p, err := payload.Open(c.args[0])
	if err != nil {
		return answer(err)
	}
	defer p.Close()
	var r io.ReadCloser
	if o.raw {
		r, err = p.Raw(c.args[1])
	} else {
		r, err = p.Contents(c.args[1])
	}
	if err != nil {
		return faulty(err)
	}
	defer r.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{c.out}, struct{ io.Reader }{r}, make([]byte, 1<<18))
	return faulty(err)
}

func runEmbedExtract(c *call, o *embedFlags) error {
	if o.output == "" {
		return c.usagef("where to? name a directory with -o")
	}
	p, err := payload.Open(c.args[0])
	if err != nil {
		return answer(err)
	}
	defer p.Close()
	return faulty(p.Extract(o.output, c.args[1:]...))
}
