package write

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"

	"elfwright/elffile"
	"elfwright/link/model"
)

// file is a file that is being made.
type file struct {
	elffile.Format
	env     *model.Env
	segs    []*model.Segment
	workers int

	made  map[*model.Output]made
	names *strtab // section names
	syms  *symtab // nil with --strip-all
	extra []extra // the sections behind all others

	relocs      []*relocs
	relOf       map[*model.Output]*relocs
	groups      []*grouped
	inGroup     map[*model.Output]bool     // it has members of groups
	signature   map[*model.Symbol]*grouped // those that are nothing else
	sectionSyms map[*model.Output]int      // indices of section symbols
	regular     int                        // section headers before those of extra
	shoff       int64
	size        int64

	b   []byte  // the whole file
	out *output // that b is of; nil: memory
}

// extra is a section that is in no script: symbols, strings.
type extra struct {
	elffile.Section
	name string
}

// ErrNothing tells that nothing was written since the Report has errors.
var ErrNothing = errors.New("nothing is written after an error")

// File writes the output under its name, or nothing if there is an error, in
// the Report as well; --noinhibit-exec has it written all the same.
func File(env *model.Env, segs []*model.Segment, name string) error {
	f, err := plan(env, segs)
	if err != nil {
		return err
	}
	mode := os.FileMode(0o777)
	if env.Opt.Relocatable {
		mode = 0o666
	}
	o, err := create(name, f.size, mode)
	if err != nil {
		return err
	}
	f.b, f.out = o.b, o
	f.fill()
	if env.Report.Failed() && !env.Opt.NoInhibitExec {
		o.discard()
		return ErrNothing
	}
	return o.finish()
}

// Bytes makes the same file in memory.
func Bytes(env *model.Env, segs []*model.Segment) ([]byte, error) {
	f, err := plan(env, segs)
	if err != nil {
		return nil, err
	}
	f.b = make([]byte, f.size)
	f.fill()
	if env.Report.Failed() && !env.Opt.NoInhibitExec {
		return nil, ErrNothing
	}
	return f.b, nil
}

// plan decides where everything is that layout has not placed.
func plan(env *model.Env, segs []*model.Segment) (*file, error) {
	f := &file{env: env, segs: segs, workers: env.Opt.Workers(), names: newStrtab()}
	f.Class, f.Data = elf.ELFCLASS64, elf.ELFDATA2LSB
	if env.Class == 32 {
		f.Class = elf.ELFCLASS32
	}
	if env.Order == binary.ByteOrder(binary.BigEndian) {
		f.Data = elf.ELFDATA2MSB
	}
	f.planRelocs()
	f.planGroups()
	f.index()
	if err := f.pack(); err != nil {
		return nil, err
	}
	end := f.place()
	f.tables(end)
	if f.syms != nil && f.syms.names > math.MaxUint32 {
		return nil, fmt.Errorf(".strtab: %#x bytes of names are more than st_name can tell (0xffffffff); -s, -S or -x leave symbols out", f.syms.names)
	}
	if f.Class == elf.ELFCLASS32 && f.size > math.MaxUint32 {
		return nil, fmt.Errorf("the file would have %#x bytes; a 32-bit ELF file has at most 0xffffffff", f.size)
	}
	return f, nil
}

// index numbers the sections: groups come first, and relocations behind what they
// are about, as in GNU ld.
func (f *file) index() {
	n := 1
	for _, g := range f.groups {
		g.index = n
		n++
	}
	for _, out := range f.env.Outputs {
		out.Index = n
		n++
		if r := f.relOf[out]; r != nil {
			r.index = n
			n++
		}
	}
	f.regular = n
}

// hasSymtab says whether there is a symbol table: relocations need one.
func (f *file) hasSymtab() bool { return f.env.Opt.Strip != model.StripAll || f.emits() }

// count is the number of section headers.
func (f *file) count() int {
	n := f.regular + 1 // .shstrtab
	if f.hasSymtab() {
		n += 2
		if n >= elffile.ShnLoReserve {
			n++
		}
	}
	return n
}

// fill makes the bytes.
func (f *file) fill() {
	f.contents()
	for i := range f.extra {
		if x := &f.extra[i]; x.name == ".shstrtab" {
			copy(f.b[x.Off:], f.names.b)
		}
	}
	if f.syms != nil {
		f.syms.write(f, f.bytesOf(".symtab"), f.bytesOf(".strtab"), f.bytesOf(".symtab_shndx"))
	}
	f.writeRelocs()
	f.writeGroups()
	for out, m := range f.made {
		copy(f.b[out.FileOff:], m.b)
	}
	f.headers()
	f.buildID()
}

func (f *file) bytesOf(name string) []byte {
	for i := range f.extra {
		if x := &f.extra[i]; x.name == name {
			return f.b[x.Off : x.Off+x.Size]
		}
	}
	return nil
}
