// Package launch is the code that stands between the kernel and a dynamic linker
// in an image that holds both a program and its dynamic linker, and the plan that
// the code carries out.
//
// The kernel gives such an image a stack that describes the image. The code makes
// it describe the program, as if the kernel had loaded the program and its
// PT_INTERP (Linux, load_elf_binary and create_elf_tables), and goes to the dynamic
// linker. A dynamic linker can also have its system calls for files go through the
// code, which then answers from the plan, or looks below another root. See package
// serve.
//
// The code is the machine's .S file here; the bytes in Go are that file, assembled.
package launch

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// Code is the code of a machine. It is position-independent.
type Code struct {
	Bytes []byte        // the plan comes right behind
	calls func() []Call // see Calls
}

// The places in Code where it is entered.
const (
	Start   = 0  // by the kernel
	Gate    = 8  // by a dynamic linker in place of a system call
	Entered = 16 // by a dynamic linker that thinks it is the program
)

// Does is what a system call does with its path.
type Does uint64

const (
	Look     Does = iota // it asks about the file
	Open                 // it opens it
	Readlink             // it reads a link
	Access               // it asks whether there is such a file
	Map                  // it maps a file
)

// Call is a system call that takes a path.
type Call struct {
	Number uint64
	Path   uint64 // which argument, from 0
	Does   Does
}

// Aux is an entry of the auxiliary vector that the program is to see.
type Aux struct {
	Type  uint64
	Value uint64
	Place bool   // Value is an address in the image
	Text  string // if not empty, Value is the address of this text
}

// File is a file that is there whatever the file system says.
type File struct {
	Path string
	Data []byte
}

// Link is a place in a library where it reads a link, which becomes a jump once the
// library is mapped. That it is the library is seen by the bytes.
type Link struct {
	Length, Offset uint64 // of the mapping, as the dynamic linker makes it
	At             uint64 // where in the mapping
	Bytes          []byte // what is there; the last of them is the system call
}

// Plan is what the code carries out. Addresses are those of the image.
type Plan struct {
	Auxv  []Aux    // entries to correct, where the kernel made one of the type
	Start uint64   // entry point of the dynamic linker
	Entry uint64   // entry point of the program
	Vars  []string // NAME=VALUE in the environment, for the dynamic linker alone; AT_ENTRY must then be Entered
	Comm  string   // name of the thread; empty: as the kernel named it
	Stop  bool     // the process stops itself before it goes to Entry; AT_ENTRY must then be Entered
	Main  uint64   // where the program has the address of __libc_start_main: the process stops itself before main; 0: it does not; AT_ENTRY must then be Entered
	Prot  uint64   // the protection of the page of Main
	Data  uint64   // where DataSize bytes of zeros are that can be written

	// For system calls that come through Gate.
	Exe   string   // what /proc/self/exe reads as; empty: what it is
	Links []Link   // where the C library is to read links by Gate, too
	Files []File   // files that are here
	Root  string   // where paths begin; empty: at /
	Dirs  []string // directories that with a Root are never those of the machine itself
}

// Lookup finds the code for files of this machine, class and byte order.
func Lookup(m elf.Machine, c elf.Class, d elf.Data) *Code {
	if c != elf.ELFCLASS64 || d != elf.ELFDATA2LSB {
		return nil
	}
	switch m {
	case elf.EM_X86_64:
		return &amd64
	case elf.EM_AARCH64:
		return &aarch64
	}
	return nil
}

// pad makes the number of variables even: the stack stays aligned, and what they
// leave free is whole entries of the auxiliary vector.
const pad = "="

func (p *Plan) vars() []string {
	if len(p.Vars)%2 == 0 {
		return p.Vars
	}
	return append(p.Vars[:len(p.Vars):len(p.Vars)], pad)
}

// DataSize is how much memory the code writes.
func (p *Plan) DataSize() uint64 { return 24 + 8*uint64(len(p.vars())) }

// words is the size of a plan's fixed part.
const words = 26

// table is a plan in the making.
type table struct {
	base  uint64 // address of the plan
	fixed [words]uint64
	rest  []byte
	last  []byte // texts, whose places are known when rest is done
	fix   []int  // words of rest that are offsets in last
	tops  []int  // and of fixed
}

func (t *table) word(v uint64) { t.rest = binary.LittleEndian.AppendUint64(t.rest, v) }

// here is the offset of what comes next.
func (t *table) here() uint64 { return 8*words + uint64(len(t.rest)) }

// text adds a text and leaves its place as the next word.
func (t *table) text(s string) {
	t.fix = append(t.fix, len(t.rest))
	t.word(uint64(len(t.last)))
	t.last = append(append(t.last, s...), 0)
}

// top adds a text whose place and length are words of the fixed part.
func (t *table) top(i int, s string) {
	if s == "" {
		return
	}
	t.tops = append(t.tops, i)
	t.fixed[i] = uint64(len(t.last))
	if i != comm {
		t.fixed[i+1] = uint64(len(s))
	}
	t.last = append(append(t.last, s...), 0)
}

// rows starts a table of n rows, whose place and length are words of the fixed part.
func (t *table) rows(i, n int) { t.fixed[i], t.fixed[i+1] = t.here(), uint64(n) }

// The words of the fixed part, as in the .S files.
const (
	auxv  = 0
	start = 2
	entry = 3
	vars  = 4
	comm  = 6
	data  = 7
	calls = 8
	exe   = 10
	self  = 12
	files = 14
	root  = 16
	dirs  = 18
	stop  = 20
	links = 21
	main  = 23 // and its protection
)

// Encode returns the code with the plan behind it, for an image that has it at the
// address at.
func (c *Code) Encode(p *Plan, at uint64) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	t := &table{base: at + uint64(len(c.Bytes))}
	t.fixed[start], t.fixed[entry], t.fixed[data] = p.Start-t.base, p.Entry-t.base, p.Data-t.base
	if p.Stop {
		t.fixed[stop] = 1
	}
	if p.Main != 0 {
		t.fixed[main], t.fixed[main+1] = p.Main-t.base, p.Prot
	}
	t.rows(auxv, len(p.Auxv))
	for _, a := range p.Auxv {
		t.word(a.Type)
		switch {
		case a.Text != "":
			t.text(a.Text)
			t.word(1)
		case a.Place:
			t.word(a.Value - t.base)
			t.word(1)
		default:
			t.word(a.Value)
			t.word(0)
		}
	}
	t.rows(vars, len(p.vars()))
	for _, v := range p.vars() {
		t.text(v)
	}
	t.gate(c, p)
	out := append([]byte{}, c.Bytes...)
	return append(out, t.bytes()...), nil
}

// gate adds what is asked by system calls.
func (t *table) gate(c *Code, p *Plan) {
	t.rows(calls, len(c.Calls()))
	for _, call := range c.Calls() {
		t.word(call.Number)
		t.word(call.Path)
		t.word(uint64(call.Does))
	}
	t.rows(files, len(p.Files))
	for _, f := range p.Files {
		t.text(f.Path)
		t.word(uint64(len(f.Path)))
		t.text(string(f.Data))
		t.word(uint64(len(f.Data)))
	}
	t.rows(links, len(p.Links))
	for _, l := range p.Links {
		t.word(l.Length)
		t.word(l.Offset)
		t.word(l.At)
		t.word(uint64(len(l.Bytes)))
		t.text(string(l.Bytes))
	}
	t.rows(dirs, len(p.Dirs))
	for _, d := range p.Dirs {
		t.text(d)
		t.word(uint64(len(d)))
	}
	t.top(comm, p.Comm)
	t.top(exe, p.Exe)
	t.top(self, "/proc/self/exe")
	t.top(root, p.Root)
}

// bytes puts the parts together.
func (t *table) bytes() []byte {
	texts := t.here()
	for _, off := range t.fix {
		w := t.rest[off:]
		binary.LittleEndian.PutUint64(w, binary.LittleEndian.Uint64(w)+texts)
	}
	for _, i := range t.tops {
		t.fixed[i] += texts
	}
	var out []byte
	for _, w := range t.fixed {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return append(append(out, t.rest...), t.last...)
}

// check refuses what the code would not understand.
func (p *Plan) check() error {
	for _, v := range p.Vars {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" || strings.ContainsRune(v, 0) {
			return fmt.Errorf("variable %q is not NAME=VALUE", v)
		}
	}
	texts := append([]string{p.Comm, p.Exe, p.Root}, p.Dirs...)
	for _, a := range p.Auxv {
		texts = append(texts, a.Text)
	}
	for _, s := range texts {
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("%q has a NUL in it", s)
		}
	}
	if p.Root != "" && (p.Root[0] != '/' || strings.HasSuffix(p.Root, "/")) {
		return fmt.Errorf("root %q is not an absolute path without a slash at its end", p.Root)
	}
	return nil
}
