package patch

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/match"
	"elfwright/phdr"
)

// Options say how to patch. The zero value is careful.
type Options struct {
	Symbols []*elffile.File // where names and types come from, before the image itself
	NoMatch bool            // take symbols though they seem to be another program's

	Fill     byte // what follows a value that is shorter than its place
	KeepRest bool // nothing does: the bytes there stay

	Overlay  phdr.Overlay // what becomes of bytes that no header names, where the file must grow
	PageSize uint64       // of a machine that is not known here
	Force    bool         // cross the end of a symbol; write where the dynamic linker does
	Strict   bool         // take warnings for refusals

	// Demangle returns the source's spelling of a C++ or Rust name; nil: names
	// are taken as they are.
	Demangle func(string) string
}

// Result is a patched file, not yet written, and what was done.
type Result struct {
	Body   *elffile.Body
	Report *Report
}

// An applier is one use of Apply.
type applier struct {
	img      *elffile.File
	opt      Options
	res      *resolver
	mem      *memory
	bare     []*edit // of sections that are not loaded: addr is the section's index
	growths  []phdr.Growth
	grownTo  map[int]uint64
	warnings []phdr.Warning
	warned   map[string]bool
}

func (a *applier) warn(code, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !a.warned[code+text] {
		a.warned[code+text] = true
		a.warnings = append(a.warnings, phdr.Warning{Code: code, Text: text})
	}
}

func newApplier(f *elffile.File, opt Options) *applier {
	return &applier{img: f, opt: opt, mem: &memory{f: f, more: make(map[int]uint64)}, warned: make(map[string]bool), grownTo: make(map[int]uint64)}
}

// belongs says why a file's symbols are not those of an image. The entry point and
// the debuglink are not held against it: an image that can be reset, or that binds
// trees, starts elsewhere.
func belongs(img, syms *elffile.File) error {
	r := match.Files(img, syms)
	r.Checks = slices.DeleteFunc(r.Checks, func(c match.Check) bool { return c.Name == "entry" || c.Name == "debuglink" })
	return r.Err()
}

// Apply writes values into an image. The file is not changed. The error is one
// with a method No where it is these files that do not allow it.
func Apply(f *elffile.File, sets []Set, opt Options) (*Result, error) {
	if err := usable(f); err != nil {
		return nil, err
	}
	if len(sets) == 0 {
		return nil, fmt.Errorf("%s: there is nothing to set", f.Name)
	}
	for _, s := range opt.Symbols {
		if err := belongs(f, s); err != nil && !opt.NoMatch {
			return nil, fmt.Errorf("%w\n  --no-match goes on all the same", err)
		}
	}
	a := newApplier(f, opt)
	a.res = &resolver{finder: newFinder(f, opt.Symbols, opt.Demangle), opt: opt, debug: make(map[*elffile.File]*debug)}
	for i := range sets {
		if err := a.set(&sets[i]); err != nil {
			return nil, err
		}
	}
	for _, e := range a.mem.edits {
		if err := a.warnAboutPlace(e); err != nil {
			return nil, err
		}
	}
	if err := a.relocations(); err != nil {
		return nil, err
	}
	if err := a.route(); err != nil {
		return nil, err
	}
	return a.write()
}

// usable refuses files that are no images.
func usable(f *elffile.File) error {
	switch f.Header.Type {
	case elf.ET_EXEC, elf.ET_DYN:
	case elf.ET_REL:
		return refusef(f, "", "a relocatable object has no program headers; link it first")
	default:
		return refusef(f, "", "e_type 0x%x is neither an executable nor a shared object", uint16(f.Header.Type))
	}
	if f.ProgErr != nil {
		return f.ProgErr
	}
	if phdr.DebugFile(f) {
		return refusef(f, "", "a separate debug file: it has names, for --symbols, and no bytes of the program")
	}
	return f.CheckProgs()
}

// set resolves one request and makes its bytes.
func (a *applier) set(s *Set) error {
	g, err := a.target(s)
	if err != nil {
		return err
	}
	data, base, err := a.encode(g, &s.Value)
	if err != nil {
		return err
	}
	e := &edit{g: g, addr: g.addr, data: data, base: base, via: "in place"}
	if g.bare >= 0 {
		e.addr = uint64(g.bare)
		a.bare = append(a.bare, e)
		return nil
	}
	if g.thread {
		if err := a.template(e); err != nil {
			return err
		}
	}
	if _, err := a.mem.load(e.addr, uint64(data.Size())); err != nil && !g.thread {
		return refusef(a.img, g.label, "%v", err)
	}
	if data.Size() > 0 {
		a.mem.edits = append(a.mem.edits, e)
	}
	return nil
}

// target finds where a request goes.
func (a *applier) target(s *Set) (*target, error) {
	switch {
	case s.Section != "":
		g, err := a.res.section(s.Section)
		if err == nil && g == nil {
			err = refusef(a.img, s.Section, "there is no section of this name")
		}
		if g != nil {
			g.t = &typ{class: raw, name: "section"}
		}
		return g, err
	case s.Between[0] != "":
		return a.between(s.Between[0], s.Between[1])
	}
	return a.res.resolve(s.Place, s.Type)
}

// between is what lies from one place to another: __start_x and __stop_x.
func (a *applier) between(from, to string) (*target, error) {
	start, err := a.res.resolve(from, "")
	if err != nil {
		return nil, err
	}
	end, err := a.res.resolve(to, "")
	if err != nil {
		return nil, err
	}
	label := from + ".." + to
	if end.addr <= start.addr {
		return nil, refusef(a.img, label, "0x%x is not behind 0x%x", end.addr, start.addr)
	}
	return &target{label: label, addr: start.addr, room: end.addr - start.addr, t: &typ{class: raw, name: "range"},
		sym: start.sym, section: start.section, file: start.file, thread: start.thread, bare: -1}, nil
}

// template checks that a thread-local variable has bytes in the template from
// which the variables of each thread are made. Where it has none it starts as
// zeros. The template cannot grow: the memory behind its bytes is that of other
// sections (.init_array, .data), for those of .tbss have no memory in the image.
func (a *applier) template(e *edit) error {
	for i := range a.img.Progs {
		p := &a.img.Progs[i]
		if p.Type != elf.PT_TLS || e.addr < p.Vaddr || e.addr-p.Vaddr > p.Memsz {
			continue
		}
		have := p.Filesz - min(p.Filesz, e.addr-p.Vaddr)
		if used := usedUntil(e.data); used > have {
			return refusef(a.img, e.g.label, "a thread-local variable that starts as zeros (.tbss) has no bytes in the template of PT_TLS (0x%x of 0x%x), and that cannot grow: other data follows it in memory; give the variable a value other than zero in its source", p.Filesz, p.Memsz)
		}
		e.data = elffile.Slice(e.data, 0, int64(min(uint64(e.data.Size()), have)))
		return nil
	}
	return refusef(a.img, e.g.label, "0x%x is not within PT_TLS", e.addr)
}
