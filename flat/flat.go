package flat

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
)

// Options say how a program is made flat. The zero value makes a raw binary by
// physical address.
type Options struct {
	Format   Format   // "" is Bin
	Virtual  bool     // by p_vaddr in place of p_paddr
	Segments bool     // by PT_LOAD also where there are section headers
	Only     []string // START..END, or the index of a section or program header, or a section's name

	Base     *uint64 // address of the first byte of a raw binary; nil: the lowest there is
	Fill     *byte   // what gaps are filled with; nil: zeros in a raw binary, and no bytes in the others
	PadTo    *uint64 // the bytes reach up to this address at least
	AllowGap bool    // take gaps above GapLimit
	MaxSpan  uint64  // of the bytes from the first to the last; 0: SpanLimit

	Entry   *uint64 // the start record's address; nil: e_entry
	NoEntry bool    // no start address

	Name    string // what S0 says: the name of the output
	SRecLen int    // data bytes of an S-record; 0: 16
	ForceS3 bool   // S3 records also where S1 or S2 would do
	Width   int    // bytes of a word of VMem; 0: 1
	Family  uint32 // of UF2; 0: none is said
}

// check refuses options that mean nothing for the format.
func (o *Options) check() error {
	for _, x := range []struct {
		given   bool
		what    string
		formats []Format
	}{
		{o.Base != nil, "a base address", []Format{Bin}},
		{o.Entry != nil, "a start address", []Format{IHex, SRec}},
		{o.SRecLen != 0, "a length of S-records", []Format{SRec}},
		{o.ForceS3, "S3", []Format{SRec}},
		{o.Width != 0, "a width of words", []Format{VMem}},
		{o.Family != 0, "a family of boards", []Format{UF2}},
	} {
		if x.given && !slices.Contains(x.formats, o.Format) {
			return fmt.Errorf("%s is of no use for %s, only for %q", x.what, o.Format, x.formats)
		}
	}
	return nil
}

const (
	// GapLimit is the largest gap that is filled without being asked for. What a
	// linker leaves between segments is at most a large page (2 MiB, on some
	// machines 64 MiB of a huge one); the regions of a microcontroller are 128 MiB
	// and more apart (Armv7-M: code at 0 or 0x8000000, RAM at 0x20000000), and a
	// gap of this size means data that was linked to its RAM address.
	GapLimit = 64 << 20
	// SpanLimit is the address space of 32 bits, in bytes.
	SpanLimit = 4 << 30
)

// Result is what became of a program.
type Result struct {
	Body   *elffile.Body // the output
	Report *Report
}

// Refusal says that a file cannot be made flat, or back, as was asked. It is an
// answer, not a fault.
type Refusal struct {
	File string
	Msg  string
}

func (r *Refusal) Error() string { return r.File + ": " + r.Msg }

// No says that the error is the answer no.
func (r *Refusal) No() bool { return true }

// A flattening is a program on its way.
type flattening struct {
	*elffile.File
	opt    Options
	report *Report
	pieces []piece // in the order of their addresses
	marks  []piece // sections without bytes, where objcopy lets a filled gap end
	base   uint64  // the lowest address
	end    uint64  // behind the highest one
	memory *elffile.Body
}

func (fl *flattening) refusef(format string, args ...any) error {
	return &Refusal{fl.Name, fmt.Sprintf(format, args...)}
}

// Flatten makes a flat file of a program.
func Flatten(f *elffile.File, opt Options) (*Result, error) {
	if opt.Format == "" {
		opt.Format = Bin
	}
	if opt.MaxSpan == 0 {
		opt.MaxSpan = SpanLimit
	}
	fl := &flattening{File: f, opt: opt, report: newReport(f, opt)}
	if err := opt.check(); err != nil {
		return nil, err
	}
	steps := []func() error{fl.refuse, fl.collect, fl.selectOnly, fl.order, fl.fill, fl.lay, fl.entry}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	body, err := fl.encode()
	if err != nil {
		return nil, err
	}
	fl.report.Size = body.Size()
	return &Result{body, fl.report}, nil
}

// refuse says no to files that are loaded nowhere.
func (fl *flattening) refuse() error {
	switch {
	case fl.Header.Type == elf.ET_REL:
		return fl.refusef("a relocatable object is loaded nowhere; link it first")
	case fl.ProgErr != nil:
		return fl.ProgErr
	case fl.opt.PadTo != nil && *fl.opt.PadTo > fl.MaxAddr():
		return fl.refusef("--pad-to 0x%x is beyond the address space", *fl.opt.PadTo)
	}
	return nil
}

// entry decides what the start record says.
func (fl *flattening) entry() error {
	entry := fl.Header.Entry
	if fl.opt.Entry != nil {
		entry = *fl.opt.Entry
	}
	if fl.opt.NoEntry || fl.opt.Format == Bin || fl.opt.Format == UF2 || fl.opt.Format == VMem {
		return nil
	}
	if !fits32(entry) {
		return fl.refusef("the start address 0x%x does not fit the 32 bits of a start record; name another one with --entry, or say --entry=none", entry)
	}
	fl.report.Entry = new(Hex(entry))
	return nil
}

// fits32 says whether an address can be written with 32 bits: it has no more, or
// it is the sign-extended form of one that has, as BFD sees it (bfd/ihex.c).
func fits32(a uint64) bool { return a <= 0xffffffff || a >= 0xffffffff80000000 }

// encode gives the bytes their format.
func (fl *flattening) encode() (*elffile.Body, error) {
	if fl.opt.Format == Bin {
		return fl.binary(), nil
	}
	t := &text{}
	write := map[Format]func(*text) error{IHex: fl.ihex, SRec: fl.srec, UF2: fl.uf2, VMem: fl.vmem}[fl.opt.Format]
	if write == nil {
		return nil, fmt.Errorf("%q is no format; want one of %q", fl.opt.Format, Formats())
	}
	if err := write(t); err != nil {
		return nil, err
	}
	return elffile.NewBody(t), nil
}

// binary is the memory as it is; what is outside of the pieces is a hole.
func (fl *flattening) binary() *elffile.Body {
	for i := range fl.pieces {
		p := &fl.pieces[i]
		fl.report.place(p, int64(p.at-fl.base), int64(p.size()))
	}
	return fl.memory
}
