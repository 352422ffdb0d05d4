package phdr

import (
	"debug/elf"
	"errors"
	"fmt"
	"strings"

	"elfwright/elffile"
)

// A technique makes room for entries in the program header table.
type technique struct {
	name string
	does string
	room func(*draft) error // a notHere says why it does not apply
}

// techniques are tried in this order.
var techniques = [...]technique{
	{"slots", "unused entries (PT_NULL) of the table are taken", (*draft).reuse},
	{"slack", "the table grows over bytes that nothing names", (*draft).slack},
	{"insert", "the table is loaded nowhere, and what follows it moves in the file alone", (*draft).insert},
	{"evict", "what is behind the table goes elsewhere; the notes stay in the first page of the file", (*draft).evict},
	{"front", "a page is put in front of the file, and the first PT_LOAD begins a page lower", (*draft).front},
	{"evict-notes", "what is behind the table goes to a new PT_LOAD, notes too", (*draft).evictNotes},
	{"extend", "what is behind the table goes behind .bss in the last PT_LOAD, which saves an entry", (*draft).extend},
	{"far", "the table goes to a new PT_LOAD with the bias of the first one", (*draft).far},
}

// Techniques returns the names of the ways to make room for the table, in the
// order in which they are tried, and what each does.
func Techniques() (names, does []string) {
	for _, t := range techniques {
		names, does = append(names, t.name), append(does, t.does)
	}
	return names, does
}

// Add adds program headers to a file, with bytes or memory of their own or
// naming what is there. The file is not changed. The error is a [*Refusal] where
// it is the file that does not allow it.
func Add(f *elffile.File, headers []Header, opt Options) (*Result, error) {
	if err := refuse(f, opt); err != nil {
		return nil, err
	}
	if err := knownTechnique(opt.Technique); err != nil {
		return nil, err
	}
	var tried []Attempt
	known := new(facts)
	for _, t := range techniques {
		if opt.Technique != "" && opt.Technique != t.name {
			continue
		}
		d, err := newAddition(f, headers, opt)
		if err != nil {
			return nil, err
		}
		d.facts = known
		err = d.add(t)
		if reason, no := reasonOf(err); no {
			tried = append(tried, Attempt{t.name, reason})
			continue
		}
		if err != nil {
			return nil, err
		}
		return d.finish("add", t.name, t.does, tried)
	}
	return nil, &Refusal{f.Name, "no safe place for a longer program header table was found", tried}
}

func knownTechnique(name string) error {
	names, _ := Techniques()
	for _, n := range names {
		if name == n || name == "" {
			return nil
		}
	}
	return fmt.Errorf("technique %q is not one of %s", name, strings.Join(names, ", "))
}

// newAddition makes a draft and decides which PT_LOADs the headers need.
func newAddition(f *elffile.File, headers []Header, opt Options) (*draft, error) {
	d, err := newDraft(f, opt)
	if err != nil {
		return nil, err
	}
	if err := d.findOverlay(); err != nil {
		return nil, err
	}
	if d.requests, err = newRequests(d, headers); err != nil {
		return nil, err
	}
	d.newSegments()
	return d, nil
}

// add carries a technique out, and what follows whichever it is.
func (d *draft) add(t technique) error {
	entries := 0
	if t.name == "slots" {
		entries = len(d.Progs) // what is left over stays unused
	}
	brk := d.memoryEnd()
	if err := t.room(d); err != nil {
		return err
	}
	if err := d.place(); err != nil {
		return err
	}
	if err := d.describe(); err != nil {
		return err
	}
	d.arrange(entries)
	if err := d.writeSections(); err != nil {
		return err
	}
	d.warnAbout(brk)
	return nil
}

// memoryEnd is the end of the highest PT_LOAD, after which brk starts.
func (d *draft) memoryEnd() uint64 { return topOf(d.loadPages(nil)) }

func (d *draft) warnAbout(brk uint64) {
	program := d.Header.Type == elf.ET_EXEC || progIndex(d.Progs, elf.PT_INTERP) >= 0 // of a static PIE it starts elsewhere
	if end := d.memoryEnd(); end != brk && program && d.bare == nil {
		d.cost("brk starts at 0x%x or above, 0x%x bytes higher than before", end, end-brk)
	}
	if n := len(d.Progs); n > maxHeaders(d.File) {
		d.warn("many-headers", "%d program headers: Linux before 6.17 and gVisor start files with up to %d", n, maxHeaders(d.File))
	}
	if len(d.secs) == 0 && len(d.segments) > 0 {
		d.warn("no-sections", "the file has no section headers: strip and objcopy could not keep the new bytes")
	}
	for _, s := range d.segments {
		if s.memsz-s.filesz >= 1<<30 {
			d.warn("large-memory", "0x%x zero bytes: execve fails where the kernel does not overcommit so much", s.memsz-s.filesz)
		}
	}
}

// finish proves that nothing was lost, and gives the file out.
func (d *draft) finish(action, technique, why string, tried []Attempt) (*Result, error) {
	d.changesHeads()
	body, proof, err := d.prove()
	if err != nil {
		return nil, err
	}
	r := d.report(action, technique, why, tried)
	r.Headers = d.changedEntries()
	r.Proof = *proof
	r.Size = Sizes{d.old.Body.Size(), body.Size()}
	if d.opt.Strict && len(d.warnings) > 0 {
		var all []error
		for _, w := range d.warnings {
			all = append(all, refusef(d.old, "%s (%s; a refusal because of --strict)", w.Text, w.Code))
		}
		return nil, errors.Join(all...)
	}
	return &Result{body, r}, nil
}
