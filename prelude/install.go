package prelude

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/machine"
	"elfwright/machine/all"
	"elfwright/phdr"
	"elfwright/plan"
)

// Install adds the machine's prelude and a script to a program, in a PT_LOAD, and
// makes it the program's entry point. The file is not changed. The error is a
// *phdr.Refusal where it is the file that does not allow it; what phdr.Add refuses
// is refused here, too, an interpreter even with Options.Force.
func Install(f *elffile.File, script []byte, opt phdr.Options) (*phdr.Result, error) {
	h, err := Header(f, script)
	if err != nil {
		return nil, err
	}
	opt.Force = false
	r, err := phdr.Add(f, []phdr.Header{h}, opt)
	if err != nil {
		return nil, err
	}
	return Enter(f, h, r)
}

// Header asks phdr.Add for the PT_LOAD of a prelude: Install in two steps, for who
// has more to add to the file.
func Header(f *elffile.File, script []byte) (phdr.Header, error) {
	m, err := refuse(f)
	if err != nil {
		return phdr.Header{}, err
	}
	if _, err := Parse(m, script); err != nil {
		return phdr.Header{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	return phdr.Header{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Data: elffile.Buffer(segment(m, script)), Section: ".ew.prelude"}, nil
}

// Enter makes the prelude that phdr.Add has added to f, as Header asked for it, the
// entry point, and proves that nothing else has changed.
func Enter(f *elffile.File, h phdr.Header, r *phdr.Result) (*phdr.Result, error) {
	m, segment := all.Lookup(f.Header.Machine, f.Class), h.Data.(elffile.Buffer)
	added, err := elffile.ParseBody(f.Name, r.Body)
	if err != nil {
		return nil, err
	}
	p, err := find(added, segment)
	if err != nil {
		return nil, err
	}
	at := headSize + uint64(len(m.Prelude)) // of the script in the segment
	now := *added
	now.Body = r.Body.Clone()
	fields := binary.LittleEndian.AppendUint64(nil, f.Header.Entry-p.Vaddr-at)
	fields = binary.LittleEndian.AppendUint64(fields, p.Off+at)
	fields = binary.LittleEndian.AppendUint64(fields, checksum(segment[at:]))
	now.Body.Put(int64(p.Off+at)+entryField, elffile.Buffer(fields))
	now.Header.Entry = p.Vaddr + headSize
	body := now.Encode()
	changed := image.Range{Start: image.Addr(p.Vaddr + at + entryField), Size: uint64(len(fields))}
	if err := prove(added, body, changed); err != nil {
		return nil, fmt.Errorf("%s: nothing is written, because the result would not be right: %w", f.Name, err)
	}
	report := *r.Report
	report.Costs = append(report.Costs[:len(report.Costs):len(report.Costs)],
		fmt.Sprintf("e_entry was 0x%x and is 0x%x, the prelude's; AT_ENTRY follows", f.Header.Entry, now.Header.Entry))
	return &phdr.Result{Body: body, Report: &report}, nil
}

// segment is what the PT_LOAD of a prelude holds, but for what Enter fills in.
func segment(m *machine.Machine, script []byte) []byte {
	b := make([]byte, headSize, headSize+len(m.Prelude)+len(script))
	copy(b, Magic)
	binary.LittleEndian.PutUint32(b[8:], Version)
	binary.LittleEndian.PutUint32(b[12:], uint32(len(m.Prelude)))
	return append(append(b, m.Prelude...), script...)
}

// refuse says no to files that cannot have a prelude.
func refuse(f *elffile.File) (*machine.Machine, error) {
	m := all.Lookup(f.Header.Machine, f.Class)
	switch {
	case m == nil:
		return nil, refusef(f, "%s: no prelude yet", elffile.MachineName(f.Header.Machine))
	case m.Prelude == nil:
		return nil, refusef(f, "%s: no prelude yet", m.Name)
	case f.Data != elf.ELFDATA2LSB:
		return nil, refusef(f, "%s, big-endian: no prelude yet", m.Name)
	case f.Header.Type != elf.ET_EXEC && f.Header.Type != elf.ET_DYN:
		return nil, refusef(f, "e_type 0x%x is no program's, and nothing would run a prelude", uint16(f.Header.Type))
	case f.Header.Entry == 0:
		return nil, refusef(f, "e_entry is 0: a shared library is not started, and its prelude would not run")
	case f.Header.OSABI() != elf.ELFOSABI_NONE && f.Header.OSABI() != elf.ELFOSABI_LINUX:
		return nil, refusef(f, "it is for %v, and a prelude makes system calls of Linux", f.Header.OSABI())
	case f.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0:
		return nil, refusef(f, "its mode is %v: a prelude in it would act for whoever starts it with the rights of its owner", f.Mode())
	case library(f):
		return nil, refusef(f, "a shared library is not started, and its prelude would not run")
	}
	if _, err := Installed(f); err == nil {
		return nil, refusef(f, "there is a prelude at e_entry 0x%x already", f.Header.Entry)
	} else if _, no := errors.AsType[*absent](err); !no {
		return nil, err
	}
	i := loadWith(f, f.Header.Entry)
	if i < 0 || f.Progs[i].Flags&elf.PF_X == 0 {
		return nil, refusef(f, "e_entry 0x%x is in no executable PT_LOAD", f.Header.Entry)
	}
	return m, nil
}

// library says whether a file with an entry is a library all the same: old linkers
// set e_entry to the start of .text in all. A static PIE needs no library and has
// no name, and a dynamic program has PT_INTERP.
func library(f *elffile.File) bool {
	if f.Header.Type != elf.ET_DYN {
		return false
	}
	for i := range f.Progs {
		if f.Progs[i].Type == elf.PT_INTERP {
			return false
		}
	}
	dyn, _ := f.Dynamic()
	_, named := dyn.Value(elf.DT_SONAME)
	_, needs := dyn.Value(elf.DT_NEEDED)
	return named || needs
}

func refusef(f *elffile.File, format string, args ...any) error {
	return &phdr.Refusal{File: f.Name, Reason: fmt.Sprintf(format, args...)}
}

// loadWith returns the PT_LOAD that has an address, or -1.
func loadWith(f *elffile.File, vaddr uint64) int {
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Vaddr <= vaddr && vaddr-p.Vaddr < p.Memsz {
			return i
		}
	}
	return -1
}

// find returns the program header of the segment that phdr.Add was given.
func find(f *elffile.File, segment []byte) (*elffile.Prog, error) {
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD || p.Flags != elf.PF_R|elf.PF_X || p.Filesz != uint64(len(segment)) {
			continue
		}
		if b, err := f.Body.Bytes(p.Off, p.Filesz); err == nil && string(b) == string(segment) {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s: the PT_LOAD of the prelude is not there", f.Name)
}

// prove compares the file with the prelude added and the one that also starts with
// it: what Linux maps is the same but for the entry and the script's way to it.
func prove(before *elffile.File, body *elffile.Body, script image.Range) error {
	now, err := elffile.ParseBody(before.Name, body)
	if err != nil {
		return err
	}
	except := []image.Range{script}
	field, size := uint64(24), uint64(now.AddrSize()) // e_entry
	for i := range now.Progs {
		if p := &now.Progs[i]; p.Type == elf.PT_LOAD && p.Off <= field && field+size <= p.Off+p.Filesz {
			except = append(except, image.Range{Start: image.Addr(p.Vaddr + field - p.Off), Size: size})
		}
	}
	old := image.FromFile(before)
	was, err := plan.Map(old, plan.Options{})
	if err != nil {
		return err
	}
	is, err := plan.Map(image.FromFile(now), plan.Options{})
	if err != nil {
		return err
	}
	lost, err := plan.Lost(old, was, is, image.Union(except...))
	if err != nil {
		return err
	}
	var all []error
	for _, l := range lost {
		all = append(all, l)
	}
	if got, err := Installed(now); err != nil {
		all = append(all, err)
	} else if got.Entry != before.Header.Entry {
		all = append(all, fmt.Errorf("the prelude would go to 0x%x, and not to 0x%x", got.Entry, before.Header.Entry))
	}
	return errors.Join(all...)
}

// Found is a prelude in a file.
type Found struct {
	Machine *machine.Machine
	Entry   uint64 // where the program starts after it
	Script  []byte
}

// absent says that a file has no prelude.
type absent struct{ file string }

func (a *absent) Error() string { return a.file + ": there is no prelude at e_entry" }

// No says that this error is the answer no.
func (a *absent) No() bool { return true }

// Installed returns the prelude that a file starts with. The error has a method
// No where it has none.
func Installed(f *elffile.File) (*Found, error) {
	none := &absent{f.Name}
	i := loadWith(f, f.Header.Entry)
	if i < 0 || f.Data != elf.ELFDATA2LSB {
		return nil, none
	}
	p := &f.Progs[i]
	at := f.Header.Entry - p.Vaddr
	if at < headSize || at >= p.Filesz {
		return nil, none
	}
	head, err := f.Body.Bytes(p.Off+at-headSize, headSize)
	if err != nil || string(head[:8]) != Magic {
		return nil, none
	}
	m := all.Lookup(f.Header.Machine, f.Class)
	version, size := binary.LittleEndian.Uint32(head[8:]), uint64(binary.LittleEndian.Uint32(head[12:]))
	place := func(field string, off uint64, format string, args ...any) error {
		return &elffile.Error{File: f.Name, Struct: "prelude", Field: field, Off: int64(p.Off + at - headSize + off), Msg: fmt.Sprintf(format, args...)}
	}
	switch {
	case m == nil:
		return nil, place("magic", 0, "machine %s has no prelude", elffile.MachineName(f.Header.Machine))
	case version != Version:
		return nil, place("version", 8, "%d is unknown; %d is known", version, Version)
	case size%8 != 0 || size > p.Filesz-at:
		return nil, place("code size", 12, "0x%x is no multiple of 8 within the segment's 0x%x bytes", size, p.Filesz-at)
	}
	script, err := f.Body.Bytes(p.Off+at+size, p.Filesz-at-size)
	if err != nil {
		return nil, place("script", headSize+size, "read: %v", err)
	}
	s, err := Parse(m, script)
	if err != nil {
		if e, ok := errors.AsType[*elffile.Error](err); ok {
			e.File, e.Off = f.Name, e.Off+int64(p.Off+at+size)
		}
		return nil, err
	}
	return &Found{m, (f.Header.Entry + size + uint64(s.Entry)) & f.MaxAddr(), script}, nil
}
