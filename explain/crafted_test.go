package explain

import (
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/elftest"
	"elfwright/proc"
)

// The machine code of a program that ends with 0: at file offset codeOff.
var (
	exit64 = []byte{
		0x31, 0xff, // xor edi, edi
		0xb8, 0x3c, 0, 0, 0, // mov eax, 60 (exit)
		0x0f, 0x05, // syscall
	}
	exit32 = []byte{
		0x31, 0xdb, // xor ebx, ebx
		0xb8, 1, 0, 0, 0, // mov eax, 1 (exit)
		0xcd, 0x80, // int 0x80
	}
)

const (
	codeOff  = 0x1000
	fileSize = 0x5000
	execBase = 0x400000
	rx       = elf.PF_R | elf.PF_X
	rw       = elf.PF_R | elf.PF_W
)

// craft is a crafted executable.
type craft struct {
	typ     elf.Type
	class   elf.Class
	machine elf.Machine
	entry   uint64
	segs    []elftest.Segment
	size    int // of the file
	set     map[string]uint64
	phoff   uint64
	note    []byte // at file offset noteOff
}

func load(flags elf.ProgFlag, off, vaddr, filesz, memsz uint64) elftest.Segment {
	return elftest.Segment{Type: elf.PT_LOAD, Flags: flags, Off: off, Vaddr: vaddr, Filesz: filesz, Memsz: memsz, Align: 0x1000}
}

func aligned(s elftest.Segment, align uint64) elftest.Segment {
	s.Align = align
	return s
}

var noExecStack = elftest.Segment{Type: elf.PT_GNU_STACK, Flags: rw, Align: 16}

// interp names the interpreter, whose path is patched in at file offset 0x800.
const interpOff = 0x800

func (c craft) bytes(interp string) []byte {
	f := elftest.File{Class: elf.ELFCLASS64, Type: c.typ, Machine: c.machine, Entry: c.entry, Segments: c.segs, Phoff: c.phoff}
	code := exit64
	f.Set = map[string]uint64{}
	for k, v := range c.set {
		f.Set[k] = v
	}
	if c.machine == 0 {
		f.Machine = elf.EM_X86_64
	}
	if c.class != 0 {
		f.Class = c.class
	}
	if c.machine == elf.EM_386 {
		f.Class = elf.ELFCLASS32
		code = exit32
	}
	if interp != "" {
		f.Patch = append(f.Patch, elftest.Patch{Off: interpOff, Bytes: append([]byte(interp), 0)})
		f.Segments = append([]elftest.Segment{{Type: elf.PT_INTERP, Flags: elf.PF_R, Off: interpOff, Vaddr: interpOff, Filesz: uint64(len(interp) + 1), Memsz: uint64(len(interp) + 1)}}, c.segs...)
	}
	if c.note != nil {
		f.Patch = append(f.Patch, elftest.Patch{Off: noteOff, Bytes: c.note})
	}
	// Offsets are set afterwards, so that they do not make the file longer.
	f.Segments = append([]elftest.Segment(nil), f.Segments...)
	for i := range f.Segments {
		if f.Segments[i].Off != 0 {
			f.Set[fmt.Sprintf("phdr[%d].p_offset", i)] = f.Segments[i].Off
		}
		f.Segments[i].Off = 0
	}
	size := c.size
	if size == 0 {
		size = fileSize
	}
	if c.phoff == 0 {
		f.Patch = append(f.Patch, elftest.Patch{Off: codeOff, Bytes: code})
	}
	b := f.Bytes()
	for len(b) < size {
		b = append(b, 0xee)
	}
	return b[:size]
}

// write puts the program in a folder.
func (c craft) write(t testing.TB, dir, name, interp string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, c.bytes(interp), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func static(segs ...elftest.Segment) craft {
	return craft{typ: elf.ET_EXEC, entry: execBase + codeOff, segs: append(segs, noExecStack)}
}

func dyn(segs ...elftest.Segment) craft {
	return craft{typ: elf.ET_DYN, entry: codeOff, segs: append(segs, noExecStack)}
}

var (
	code    = load(rx, 0, execBase, 0x2000, 0x2000)
	dynText = load(rx, 0, 0, 0x2000, 0x2000)
)

func many(n int) craft {
	c := static(code)
	for len(c.segs) < n {
		c.segs = append(c.segs, elftest.Segment{Type: elf.PT_NOTE, Flags: elf.PF_R, Align: 4})
	}
	// Beyond 73 the table does not fit in front of the code: it has its own place.
	c.phoff, c.size = 0x10000, 0x10000+n*56
	return c
}

// stack is where the stack of a program without randomisation ends.
const stack64, stack32 = 0x7ffffffff000, 0xffffe000

// crafted are executables whose loading is not as everybody thinks.
func crafted() map[string]craft {
	m := map[string]craft{
		"plain":             static(code),
		"zero-length":       static(code, load(rw, 0, 0x500000, 0, 0), load(rw, 0x2000, 0x600000, 0, 0)),
		"zero-length-first": static(load(rw, 0, 0x300000, 0, 0), code),
		"bss-only":          static(code, load(rw, 0, 0x500000, 0, 0x2345)),
		"bss-only-odd":      static(code, load(rw, 0x123, 0x500123, 0, 0x2345)),
		"bss-only-first":    static(load(rw, 0, 0x300000, 0, 0x1000), code),
		"bss-tail":          static(code, load(rw, 0x2100, 0x500100, 0x123, 0x5000)),
		"bss-in-page":       static(code, load(rw, 0x2100, 0x500100, 0x123, 0x200)),
		"bss-read-only":     static(code, load(elf.PF_R, 0x2100, 0x500100, 0x123, 0x5000)),
		"bss-no-flags":      static(code, load(0, 0x2100, 0x500100, 0x123, 0x5000)),
		"bss-executable":    static(code, load(rw|elf.PF_X, 0x2100, 0x500100, 0x123, 0x5000)),
		"bss-several":       static(code, load(rw, 0x2000, 0x500000, 0x10, 0x2000), load(rw, 0x3000, 0x600000, 0x10, 0x3000), load(rw, 0x4000, 0x700000, 0x10, 0x1000)),
		"bss-adjacent":      static(code, load(rw, 0x2000, 0x500000, 0x10, 0x2000), load(rw, 0, 0x502000, 0, 0x1000)),
		"adjacent":          static(code, load(rx, 0x2000, execBase+0x2000, 0x1000, 0x1000)),
		"adjacent-other":    static(code, load(elf.PF_R, 0x2000, execBase+0x2000, 0x1000, 0x1000)),
		"adjacent-back":     static(code, load(rw, 0x3000, 0x501000, 0x800, 0x1000), load(rw, 0x2000, 0x500000, 0x1000, 0x1000)),
		"adjacent-hole":     static(code, load(rw, 0x2000, 0x500000, 0x800, 0x1000), load(rw, 0x4000, 0x502000, 0x800, 0x1000), load(rw, 0x3000, 0x501000, 0x1000, 0x1000)),
		"overlap":           static(code, load(rw, 0x2000, 0x500000, 0x2000, 0x2000), load(elf.PF_R, 0x1000, 0x501000, 0x2000, 0x2000)),
		"overlap-inside":    static(code, load(rw, 0x2000, 0x500000, 0x3000, 0x3000), load(elf.PF_R, 0x1000, 0x501000, 0x1000, 0x1000)),
		"overlap-code":      static(code, load(rw, 0x1000, execBase+0x1000, 0x1000, 0x1000)),
		"overlap-bss":       static(code, load(rw, 0x2000, 0x500000, 0x10, 0x8000), load(elf.PF_R, 0x1000, 0x503000, 0x1000, 0x1000)),
		"overlap-by-bss":    static(code, load(rw, 0x2000, 0x500000, 0x3000, 0x3000), load(rw, 0, 0x501000, 0, 0x1000)),
		"unaligned-offset":  static(code, load(rw, 0x2010, 0x500000, 0x100, 0x100)),
		"unaligned-first":   static(load(rx, 0x10, execBase, 0x2000, 0x2000)),
		"unaligned-both":    static(code, load(rw, 0x2010, 0x500010, 0x100, 0x100)),
		"unaligned-empty":   static(code, load(rw, 0x2010, 0x500000, 0, 0x100)),
		"filesz-more":       static(code, load(rw, 0x2000, 0x500000, 0x200, 0x100)),
		"filesz-more-first": static(load(rx, 0, execBase, 0x2000, 0x100)),
		"unsorted":          static(load(rw, 0x2000, 0x600000, 0x1000, 0x3000), code),
		"beyond-file":       static(code, load(elf.PF_R, 0x10000, 0x500000, 0x1000, 0x1000)),
		"beyond-file-bss":   static(code, load(rw, 0x10000, 0x500000, 0x123, 0x1000)),
		"beyond-file-ro":    static(code, load(elf.PF_R, 0x10000, 0x500000, 0x123, 0x1000)),
		"cut-page":          {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code, noExecStack}, size: codeOff + 0x10},
		"cut-before-code":   {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code, noExecStack}, size: 0x900},
		"no-load":           {typ: elf.ET_EXEC, entry: execBase, segs: []elftest.Segment{noExecStack}},
		"no-load-dyn":       {typ: elf.ET_DYN, entry: execBase, segs: []elftest.Segment{noExecStack}},
		"no-stack":          {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code}},
		"exec-stack":        {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code, {Type: elf.PT_GNU_STACK, Flags: rw | elf.PF_X}}},
		"two-stacks":        {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{{Type: elf.PT_GNU_STACK, Flags: rw | elf.PF_X}, code, noExecStack}},
		"stack-memsz":       {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code, {Type: elf.PT_GNU_STACK, Flags: rw, Memsz: 1 << 20}}},
		"no-exec":           static(load(rw, 0, execBase, 0x2000, 0x2000)),
		"exec-only":         static(load(elf.PF_X, 0, execBase, 0x2000, 0x2000)),
		"wx":                static(load(rw|elf.PF_X, 0, execBase, 0x2000, 0x4000)),
		"page-0":            static(code, load(elf.PF_R, 0x2000, 0, 0x1000, 0x1000)),
		"low":               static(code, load(elf.PF_R, 0x2000, 0x1000, 0x1000, 0x1000)),
		"high":              static(code, load(elf.PF_R, 0x2000, 0x7ffffffff000, 0x1000, 0x1000)),
		"kernel":            static(code, load(elf.PF_R, 0x2000, 0xffffffff80000000, 0x1000, 0x1000)),
		"wrap":              static(code, load(elf.PF_R, 0x2000, 0xfffffffffffff000, 0x1000, 0x2000)),
		"huge-memsz":        static(code, load(rw, 0x2000, 0x500000, 0x1000, 1<<47)),
		"huge-memsz-wrap":   static(code, load(rw, 0x2000, 0x500000, 0x1000, ^uint64(0)-0x400000)),
		"offset-wrap":       static(code, load(rw, ^uint64(0xfff), 0x500000, 0x1000, 0x1000)),
		"offset-big":        static(code, load(elf.PF_R, 1<<44, 0x500000, 0x1000, 0x1000)),
		"offset-bigger":     static(code, load(elf.PF_R, 1<<62, 0x500000, 0x1000, 0x1000)),
		"over-stack-first":  {typ: elf.ET_EXEC, entry: stack64 - 0x2000 + 0x1000, segs: []elftest.Segment{load(rx, 0, stack64-0x2000, 0x2000, 0x2000), noExecStack}},
		"over-stack":        static(code, load(elf.PF_R, 0x2000, stack64-0x2000, 0x2000, 0x2000)),
		"over-stack-rw":     static(code, load(rw, 0x2000, stack64-0x2000, 0x2000, 0x2000)),
		"over-stack-bss":    static(code, load(rw, 0, stack64-0x1000, 0, 0x1000)),
		"below-stack":       static(code, load(elf.PF_R, 0x2000, stack64-0x23000, 0x1000, 0x1000)),
		"entry-nowhere":     {typ: elf.ET_EXEC, entry: 0x1234, segs: []elftest.Segment{code, noExecStack}},
		"entry-kernel":      {typ: elf.ET_EXEC, entry: 0xffffffff80000000, segs: []elftest.Segment{code, noExecStack}},
		"table-nowhere":     {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{load(rx, 0x1000, execBase+0x1000, 0x1000, 0x1000), noExecStack}},
		"table-twice":       static(code, load(elf.PF_R, 0, 0x500000, 0x1000, 0x1000)),
		"class-32":          {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code, noExecStack}, set: map[string]uint64{"ei_class": 1}},
		"class-9-data-2":    {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code, noExecStack}, set: map[string]uint64{"ei_class": 9, "ei_data": 2}},
		"version-9":         {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code, noExecStack}, set: map[string]uint64{"ei_version": 9, "e_version": 9, "ei_osabi": 77, "e_ehsize": 1}},
		"type-rel":          {typ: elf.ET_REL, entry: execBase + codeOff, segs: []elftest.Segment{code}},
		"machine-0":         {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code}, set: map[string]uint64{"e_machine": 0}},
		"phentsize":         {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code}, set: map[string]uint64{"e_phentsize": 57}},
		"phnum-0":           {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code}, set: map[string]uint64{"e_phnum": 0}},
		"phoff-beyond":      {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code}, set: map[string]uint64{"e_phoff": 0x123456}},
		"phoff-end":         {typ: elf.ET_EXEC, entry: execBase + codeOff, segs: []elftest.Segment{code}, set: map[string]uint64{"e_phoff": fileSize - 50}},
		"static-pie":        dyn(dynText, load(rw, 0x2000, 0x3000, 0x100, 0x5000)),
		"static-pie-2M":     dyn(aligned(dynText, 2<<20), load(rw, 0x2000, 0x3000, 0x100, 0x5000)),
		"static-pie-1G":     dyn(dynText, aligned(load(rw, 0x2000, 0x3000, 0x100, 0x5000), 1<<30)),
		"static-pie-align3": dyn(aligned(dynText, 3000), load(rw, 0x2000, 0x3000, 0x100, 0x5000)),
		"static-pie-huge":   dyn(aligned(dynText, 1<<47), load(rw, 0x2000, 0x3000, 0x100, 0x5000)),
		"static-pie-vaddr":  {typ: elf.ET_DYN, entry: 0x10000 + codeOff, segs: []elftest.Segment{load(rx, 0, 0x10000, 0x2000, 0x2000), noExecStack}},
		"static-pie-hole":   dyn(dynText, load(rw, 0x2000, 0x400000, 0x100, 0x5000)),
		"static-pie-bss1st": dyn(load(rw, 0, 0, 0, 0x1000), load(rx, 0, 0x1000, 0x2000, 0x2000)),
		"static-pie-down":   dyn(load(rw, 0x2000, 0x8000, 0x100, 0x5000), dynText),
		"static-pie-empty":  dyn(load(rw, 0, 0, 0, 0)),
		"static-pie-large":  dyn(dynText, load(rw, 0x2000, 0x3000, 0x100, 1<<40)),
		"static-pie-larger": dyn(dynText, load(rw, 0x2000, 1<<46, 0x100, 1<<20)),
	}
	for _, n := range []int{73, 74, 1170, 1171} {
		m[fmt.Sprintf("headers-%d", n)] = many(n)
	}
	for _, name := range slices.Collect(maps.Keys(m)) {
		if c := m[name]; !strings.HasPrefix(name, "headers-") && c.typ != elf.ET_REL && c.set == nil {
			m["i386-"+name] = c.to386()
		}
	}
	return m
}

// to386 makes the same program for i386, with addresses that it has.
func (c craft) to386() craft {
	c.machine = elf.EM_386
	c.segs = append([]elftest.Segment(nil), c.segs...)
	low := func(v uint64) uint64 {
		if v > 0x7fff00000000 && v < 1<<47 {
			return v - stack64 + stack32
		}
		return uint64(uint32(v))
	}
	c.entry = low(c.entry)
	for i := range c.segs {
		s := &c.segs[i]
		s.Vaddr, s.Off, s.Memsz = low(s.Vaddr), uint64(uint32(s.Off)), uint64(uint32(s.Memsz))
		s.Align = uint64(uint32(s.Align))
	}
	return c
}

// fileSystemsHere are folders on as many kinds of file system as there are.
func fileSystemsHere(t testing.TB) map[string]string {
	dirs := map[string]string{}
	for _, parent := range []string{"", "/dev/shm", "/tmp", "/var/tmp"} {
		dir := t.TempDir()
		if parent != "" {
			var err error
			if dir, err = os.MkdirTemp(parent, "elfwright-"); err != nil {
				continue
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
		}
		fs := proc.FileSystemOf(dir)
		if _, ok := dirs[fs.Name]; !ok && !fs.NoExec {
			dirs[fs.Name] = dir
		}
	}
	return dirs
}

// TestCrafted holds the crafted family against the kernel, on every kind of
// file system that is here.
func TestCrafted(t *testing.T) {
	needKernel(t)
	for fs, dir := range fileSystemsHere(t) {
		for name, c := range crafted() {
			hold(t, c.write(t, dir, name, ""), Options{})
		}
		t.Logf("%s: %d programs", fs, len(crafted()))
	}
}
