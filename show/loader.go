package show

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"

	"elfwright/elffile"
	"elfwright/sdf/loader"
)

// isLoader says whether a file that is no ELF file has the header of a Microkit
// loader image.
func isLoader(b []byte) bool { return !elffile.IsELF(b) && loader.Is(b) }

// printLoader prints a loader image: its header and regions. Regions that are
// loaded over each other are faults.
func printLoader(w io.Writer, name string, b []byte, opt Options) (*Report, error) {
	r := new(Report)
	img, err := loader.Parse(name, b)
	if err != nil {
		return r, err
	}
	r.Faults = overlaps(name, img)
	if opt.JSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return r, e.Encode(loaderJSON(name, img))
	}
	return r, loaderText(w, name, img, opt)
}

// holdsLoader says whether an ELF file may be a loader image: one segment, with
// all rights.
func holdsLoader(f *elffile.File) bool {
	loads := 0
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD {
			if loads++; p.Flags&(elf.PF_R|elf.PF_W|elf.PF_X) != elf.PF_R|elf.PF_W|elf.PF_X {
				return false
			}
		}
	}
	return loads == 1
}

// loaderWithin prints the loader image that an ELF file holds, if it does.
func loaderWithin(w io.Writer, name string, b []byte, opt Options, r *Report) error {
	img, err := loader.Parse(name, b)
	if err != nil {
		return nil // a program with one segment
	}
	r.Faults = append(r.Faults, overlaps(name, img)...)
	opt.Heading = false
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return loaderText(w, name, img, opt)
}

func overlaps(name string, img *loader.Image) (list []error) {
	for _, p := range img.Overlaps() {
		list = append(list, &elffile.Error{File: name, Struct: fmt.Sprintf("region %d", p[1]),
			Field: "load_addr", Off: img.Offset, Msg: fmt.Sprintf("it is loaded over region %d", p[0])})
	}
	return list
}

func regionType(t uint64) string {
	switch t {
	case loader.Data:
		return "data"
	case loader.Zero:
		return "zero"
	}
	return fmt.Sprint(t)
}

// loaderJSON is the image with what names a place in hexadecimal, as in all
// JSON of this package.
func loaderJSON(name string, img *loader.Image) any {
	hex := func(n uint64) string { return fmt.Sprintf("0x%x", n) }
	type region struct {
		Load   string `json:"load"`
		Size   uint64 `json:"size"`
		Offset string `json:"file_offset"`
		Type   string `json:"type"`
	}
	out := struct {
		Version     int      `json:"version"`
		File        string   `json:"file"`
		Kind        string   `json:"microkit_loader"`
		Word        int      `json:"word"`
		Header      string   `json:"header_offset"`
		Size        uint64   `json:"size"`
		KernelEntry string   `json:"kernel_entry"`
		TaskStart   string   `json:"task_start"`
		TaskEnd     string   `json:"task_end"`
		TaskOffset  string   `json:"task_physical_minus_virtual"`
		TaskEntry   string   `json:"task_entry"`
		Regions     []region `json:"regions"`
	}{1, name, string(img.Kind), img.Word, hex(uint64(img.Offset)), img.Size, hex(img.KernelEntry),
		hex(img.TaskStart), hex(img.TaskEnd), hex(img.TaskOffset), hex(img.TaskEntry), []region{}}
	for _, r := range img.Regions {
		out.Regions = append(out.Regions, region{hex(r.Load), r.Size, hex(uint64(r.File)), regionType(r.Type)})
	}
	return out
}

func loaderText(w io.Writer, name string, img *loader.Image, opt Options) error {
	out := []byte{}
	f := func(format string, args ...any) { out = fmt.Appendf(out, format+"\n", args...) }
	if opt.Heading {
		f("\nFile: %s", appendName(nil, name))
	}
	f("Microkit loader image, %s, words of %d bytes", img.Kind, img.Word)
	f("  Header:              file offset 0x%x, 0x%x bytes with its data", img.Offset, img.Size)
	f("  Kernel entry:        0x%x", img.KernelEntry)
	f("  Initial task:        [0x%x, 0x%x) physical, entry 0x%x", img.TaskStart, img.TaskEnd, img.TaskEntry)
	f("  Physical - virtual:  0x%x", img.TaskOffset)
	f("\n%d regions:\n  Nr  Load address        Size                File offset  Type", len(img.Regions))
	for i, r := range img.Regions {
		kind := regionType(r.Type)
		f("  %2d  0x%016x  0x%016x  0x%-9x  %s", i, r.Load, r.Size, r.File, kind)
	}
	_, err := w.Write(out)
	return err
}
