package explain

import (
	"debug/elf"
	"fmt"
	"os"
	"strings"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/plan"
	"elfwright/proc"
)

// Region is a mapping of a living process, and what it is.
type Region struct {
	proc.Map
	What   string // "program header 2 of /bin/ls"
	Rule   string // who made it
	Header int    // of the file, or -1
	Bias   image.Addr

	// Changed are the byte ranges of a private file mapping that are not as in
	// the file, at most maxChanges of them; ChangedBytes counts all. Relocated is
	// how many of the changed bytes are in places that the file's relocations
	// name.
	Changed      []image.Range
	ChangedBytes uint64
	Relocated    uint64
	// Alarm says why a region of code is not what its file says, "" if it is.
	Alarm string
	Err   error // why it could not be compared
}

// Process is a living process, explained.
type Process struct {
	PID      int
	Exe      string
	StartBrk image.Addr
	Regions  []Region
}

// Suspicious says whether there is code that no file has.
func (p *Process) Suspicious() bool {
	for i := range p.Regions {
		if p.Regions[i].Alarm != "" {
			return true
		}
	}
	return false
}

// maxChanges bounds the ranges that are kept of one region.
const maxChanges = 64

// live is the explaining of a process.
type live struct {
	p     *proc.Process
	out   *Process
	maps  []proc.Map
	stat  proc.Stat
	files map[string]*object // by device and inode
}

// object is a file that is mapped.
type object struct {
	path   string
	m      *elffile.Mapping
	f      *elffile.File // nil: not ELF
	bias   image.Addr
	placed bool
	fixups []image.Range // places of relocations
	err    error
}

// Live explains a process. What it may not see is said in the regions.
func Live(pid int) (*Process, error) {
	p, err := proc.Open(pid)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	l := &live{p: p, out: &Process{PID: pid}, files: make(map[string]*object)}
	if l.maps, err = p.Maps(); err != nil {
		return nil, err
	}
	if l.stat, err = p.Stat(); err != nil {
		return nil, err
	}
	if len(l.maps) == 0 {
		return nil, fmt.Errorf("process %d: it has no memory: a thread of the kernel, or a process that has ended", pid)
	}
	defer l.close()
	l.out.StartBrk = l.stat.StartBrk
	if path, _, err := p.Exe(); err == nil {
		l.out.Exe = path
	}
	for i := range l.maps {
		l.place(&l.maps[i])
	}
	for i := range l.maps {
		r := l.region(i)
		l.compare(&r)
		l.out.Regions = append(l.out.Regions, r)
	}
	return l.out, nil
}

func (l *live) close() {
	for _, o := range l.files {
		if o.m != nil {
			o.m.Close()
		}
	}
}

func fileKey(m *proc.Map) string { return fmt.Sprintf("%s:%d", m.Dev, m.Inode) }

// object opens the file behind a mapping: by its name if that still is the same
// file, else by the mapping itself.
func (l *live) object(m *proc.Map) *object {
	key := fileKey(m)
	if o := l.files[key]; o != nil {
		return o
	}
	o := &object{path: m.Name}
	l.files[key] = o
	path := l.p.Root(m.Name)
	if m.Deleted || inode(path) != m.Inode {
		path = l.p.MapFile(m.Range)
	}
	if strings.HasPrefix(m.Name, "/dev/") {
		return o // reading a device may do things
	}
	if o.m, o.err = elffile.Map(path); o.err != nil {
		return o
	}
	o.err = o.m.Guard(func() error {
		if !elffile.IsELF(o.m.Bytes()) {
			return nil
		}
		f, err := elffile.ParseBody(m.Name, elffile.NewBody(o.m.Data()))
		if err == nil {
			o.f = f
			o.fixups = relocated(f)
		}
		return nil
	})
	return o
}

// place finds the load bias of a file by its first mapping: the one of the
// lowest offset comes from a PT_LOAD that has that offset.
func (l *live) place(m *proc.Map) {
	if !m.File() || m.Shared {
		return
	}
	o := l.object(m)
	if o.f == nil || o.placed {
		return
	}
	page := uint64(os.Getpagesize())
	for i := range o.f.Progs {
		h := &o.f.Progs[i]
		if h.Type == elf.PT_LOAD && h.Filesz > 0 && h.Off&^(page-1) == m.Off {
			o.bias, o.placed = m.Start-image.Addr(h.Vaddr&^(page-1)), true
			return
		}
	}
}

// relocated lists the places that a file's dynamic relocations name, by address
// without the bias.
func relocated(f *elffile.File) []image.Range {
	tables, _ := f.DynamicRelocTables()
	word := uint64(f.AddrSize())
	var out []image.Range
	for _, t := range tables {
		for r := range t.All() {
			out = append(out, image.Range{Start: image.Addr(r.Off), Size: word})
		}
	}
	return image.Union(out...)
}

// region says what a mapping is.
func (l *live) region(i int) Region {
	m := l.maps[i]
	r := Region{Map: m, Header: -1}
	switch {
	case m.Name == "[stack]":
		r.What, r.Rule = "the main thread's stack", "setup_arg_pages"
	case m.Name == "[heap]":
		r.What, r.Rule = fmt.Sprintf("the heap, from %v", l.stat.StartBrk), "brk(2)"
	case m.Name == "[vsyscall]":
		r.What, r.Rule = "the kernel's page of old system calls, the same in every process", "vsyscall"
	case strings.HasPrefix(m.Name, "[v"):
		r.What, r.Rule = "the kernel's "+m.Name, "arch_setup_additional_pages"
	case m.File():
		l.fileRegion(&r)
	default:
		l.anonymous(&r)
	}
	return r
}

// loader is who maps a file's segments.
func (l *live) loader(o *object) string {
	if o.path == l.out.Exe {
		return "execve, elf_load"
	}
	for _, x := range l.files {
		if x.path == l.out.Exe && x.f != nil {
			if _, path := (&plan.Program{File: x.f}).Interp(); path != "" && inode(l.p.Root(path)) == inode(o.m.Name) {
				return "execve, load_elf_interp"
			}
		}
	}
	return "the dynamic linker, or dlopen"
}

// fileRegion explains a mapping of a file: by the PT_LOAD that has its bytes.
func (l *live) fileRegion(r *Region) {
	o := l.object(&r.Map)
	switch {
	case o.f == nil || !o.placed:
		r.What, r.Rule = fmt.Sprintf("bytes of %s from 0x%x", r.Name, r.Off), "mmap(2)"
	default:
		r.Bias = o.bias
		r.Rule = l.loader(o)
		if h := o.header(r.Start); h >= 0 {
			r.Header = h
			r.What = fmt.Sprintf("program header %d of %s", h, r.Name)
			r.Rule += o.protChange(r, h)
		} else {
			r.What = fmt.Sprintf("bytes of %s from 0x%x, of no segment", r.Name, r.Off)
		}
	}
	if r.Deleted {
		r.What += ", which was deleted or replaced"
	}
}

// header is the last PT_LOAD whose pages have an address, or -1.
func (o *object) header(a image.Addr) int {
	page := uint64(os.Getpagesize())
	for i := len(o.f.Progs) - 1; i >= 0; i-- {
		h := &o.f.Progs[i]
		if h.Type != elf.PT_LOAD {
			continue
		}
		r, ok := (image.Range{Start: image.Addr(h.Vaddr) + o.bias, Size: h.Memsz}).Pages(page)
		if ok && r.Contains(a) {
			return i
		}
	}
	return -1
}

// protChange tells of a protection that is not the header's.
func (o *object) protChange(r *Region, h int) string {
	want := o.f.Progs[h].Flags & 7
	if r.Prot == want {
		return ""
	}
	for i := range o.f.Progs {
		g := &o.f.Progs[i]
		start := image.Addr(g.Vaddr) + o.bias
		relro := image.MakeRange(start.Down(uint64(os.Getpagesize())), start+image.Addr(g.Memsz))
		if g.Type == elf.PT_GNU_RELRO && relro.Contains(r.Start) && r.Prot == elf.PF_R {
			return fmt.Sprintf("; then mprotect(2) to r-- by PT_GNU_RELRO, header %d", i)
		}
	}
	return fmt.Sprintf("; mprotect(2) made it %s, p_flags says %s", plan.Prot(r.Prot), plan.Prot(want))
}

// anonymous explains memory without a file.
func (l *live) anonymous(r *Region) {
	for _, o := range l.files {
		if o.f == nil || !o.placed {
			continue
		}
		if h := o.header(r.Start); h >= 0 {
			r.Header, r.Bias = h, o.bias
			r.What = fmt.Sprintf("zero pages (.bss) of program header %d of %s", h, o.path)
			r.Rule = l.loader(o)
			break
		}
	}
	switch {
	case r.What != "":
	case strings.HasPrefix(r.Name, "["):
		r.What, r.Rule = "memory named "+r.Name, "mmap(2), prctl(PR_SET_VMA)"
	case r.Prot == 0:
		r.What, r.Rule = "a reserved range: a guard, or room for more", "mmap(2)"
	default:
		r.What, r.Rule = "memory of the program's own", "mmap(2)"
	}
	if r.Prot&elf.PF_X != 0 {
		r.Alarm = "code that no file has: made at run time, or injected"
	}
}
