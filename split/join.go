package split

import (
	"debug/elf"
	"fmt"
	"hash/crc32"
	"io"

	"elfwright/elffile"
	"elfwright/match"
)

// JoinOptions say how to join.
type JoinOptions struct {
	// Force joins files that do not belong together, as long as they are of one
	// class and byte order.
	Force bool
}

// Joined is an image and its symbols in one file, ready to be written.
type Joined struct {
	Body   *elffile.Body
	Report *JoinReport
}

// JoinReport says how a program was put together.
type JoinReport struct {
	Version   int           `json:"version"`
	Image     string        `json:"image"`
	Symbols   string        `json:"symbols"`
	How       string        `json:"how"`       // "exact": by the recipe; "merged": section by section
	Identical bool          `json:"identical"` // the result is, by its CRC-32, the program that was split
	Bytes     int64         `json:"bytes"`
	Sections  int           `json:"sections"`
	Match     *match.Report `json:"match"`
	Changes   []string      `json:"changes"` // what is not as the file with symbols has it, in words
	Warnings  []Warning     `json:"warnings"`
}

// The ways to join.
const (
	Exact  = "exact"
	Merged = "merged"
)

// Join puts an image and a file with symbols together. The program is the
// image's: its header, its program headers, every byte that they name. Section
// headers, symbols, debug information and all that lies between are those of the
// file with symbols.
func Join(img, syms *elffile.File, opt JoinOptions) (*Joined, error) {
	if err := refuse(img); err != nil {
		return nil, err
	}
	if img.Format != syms.Format {
		return nil, match.Files(img, syms).Err()
	}
	if err := checkSections(syms); err != nil {
		return nil, err
	}
	if len(syms.Sections()) == 0 {
		return nil, refusef(syms, "there are no section headers, and so nothing to add to the image")
	}
	j := &joiner{img: img, syms: syms, report: &JoinReport{
		Version: ReportVersion, Image: img.Name, Symbols: syms.Name,
		Match: match.Files(img, syms), Changes: []string{}, Warnings: []Warning{},
	}}
	if err := j.report.Match.Err(); err != nil {
		if !opt.Force {
			return nil, err
		}
		j.warn("no-match", "the files do not belong together: addresses may be wrong")
	}
	body, err := j.join()
	if err != nil {
		return nil, err
	}
	j.report.Bytes = body.Size()
	return &Joined{body, j.report}, nil
}

type joiner struct {
	img, syms *elffile.File
	recipe    *recipe // nil: there is none
	intact    bool    // the recipe's offsets lead to what they led to
	report    *JoinReport
}

func (j *joiner) warn(code, format string, args ...any) {
	j.report.Warnings = append(j.report.Warnings, Warning{code, fmt.Sprintf(format, args...)})
}

func (j *joiner) change(format string, args ...any) {
	j.report.Changes = append(j.report.Changes, fmt.Sprintf(format, args...))
}

// join follows the recipe where that leads to the program; else it merges.
func (j *joiner) join() (*elffile.Body, error) {
	if err := j.readRecipe(); err != nil {
		return nil, err
	}
	if j.recipe == nil || !j.intact || !j.recipe.fits(j.img) {
		return j.merge()
	}
	if extra, err := unnamed(j.img, programExtents(j.img)); err != nil || extra.off < extra.end {
		return j.merge() // which says so
	}
	body, err := j.recipe.exact(j.img, j.syms)
	if err != nil {
		return nil, err
	}
	_, all, err := j.recipe.sums(body)
	if err != nil {
		return nil, err
	}
	j.report.How, j.report.Identical, j.report.Sections = Exact, all == j.recipe.all, len(j.recipe.secs)
	if !j.report.Identical {
		j.change("the image has other bytes than the program had when it was split")
	}
	return body, nil
}

// readRecipe finds the recipe and whether it still holds: another tool that wrote
// the file with symbols anew has moved what it speaks of.
func (j *joiner) readRecipe() error {
	r, err := readRecipe(j.syms)
	if err != nil {
		j.warn("recipe-broken", "the program is not put together by its recipe: %v", err)
		return nil
	}
	if r == nil {
		return nil
	}
	j.recipe = r
	sum := uint32(0)
	for _, s := range r.ranges {
		if s.from != fromSymbols {
			continue
		}
		err := elffile.Stream(j.syms.Body.Window(int64(s.at), int64(s.n)), func(b []byte) error {
			sum = crc32.Update(sum, crc32.IEEETable, b)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if j.intact = sum == r.rest; !j.intact {
		j.warn("symbols-changed", "the file with symbols was changed since the program was split (CRC 0x%08x, was 0x%08x): what only its recipe knows is not restored", sum, r.rest)
	}
	return nil
}

// place tells sections of a program apart.
type place struct {
	addr, size, align uint64
	tls               bool
}

func placeOf(s *elffile.Section) place { return place{s.Addr, s.Size, s.Addralign, s.Has(elf.SHF_TLS)} }

// originals are the sections that the program had, if the recipe tells.
func (j *joiner) originals() map[place]elffile.Section {
	list := make(map[place]elffile.Section)
	if j.recipe == nil {
		return list
	}
	for i := range j.recipe.secs {
		if o := &j.recipe.secs[i]; o.Has(elf.SHF_ALLOC) {
			list[placeOf(o)] = *o
		}
	}
	return list
}

// WriteText prints the report for people.
func (r *JoinReport) WriteText(w io.Writer) error {
	how := "put together as it was before it was split"
	switch {
	case r.Identical:
		how = "the program that was split, byte for byte"
	case r.How == Merged:
		how = "the image, with the section headers of the file with symbols"
	}
	_, err := fmt.Fprintf(w, "%d bytes, %d section headers: %s\n", r.Bytes, r.Sections, how)
	for _, c := range r.Changes {
		if err == nil {
			_, err = fmt.Fprintf(w, "  %s\n", c)
		}
	}
	for _, x := range r.Warnings {
		if err == nil {
			_, err = fmt.Fprintf(w, "  warning: %s (%s)\n", x.Text, x.Code)
		}
	}
	return err
}
