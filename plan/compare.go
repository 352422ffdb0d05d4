package plan

import (
	"debug/elf"
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/image"
)

// Loss is a way in which a program would find less, or something else, after
// an edit.
type Loss struct {
	image.Range
	Msg string
}

// Error prints "[0x1000, 0x2000): not mapped any more".
func (l Loss) Error() string { return fmt.Sprintf("%v: %s", l.Range, l.Msg) }

// Lost returns what of the old plan the new one does not have: addresses that
// are not mapped any more, protections that were taken away or given in excess,
// and bytes that differ. Only the segments of img, the image of the old plan,
// count, not the rest of their last pages. The ranges in except are those that
// were meant to change; addresses in them must still be mapped and readable,
// with any content. Both plans must have been made with the same bias.
func Lost(img *image.Image, old, now *Plan, except image.Ranges) ([]Loss, error) {
	var losses []Loss
	for i := range img.Segments {
		r := img.Segments[i].Range()
		r.Start += old.Bias
		for _, m := range old.Mappings {
			l, err := lostIn(old, now, &m, m.Intersect(r), except)
			losses = append(losses, l...)
			if err != nil {
				return losses, err
			}
		}
	}
	return losses, nil
}

// lostIn looks at the part r of an old mapping.
func lostIn(old, now *Plan, m *Mapping, r image.Range, except image.Ranges) ([]Loss, error) {
	if r.Empty() {
		return nil, nil
	}
	var losses []Loss
	rest := image.Ranges{r}
	for i := range now.Mappings {
		n := &now.Mappings[i]
		x := n.Intersect(r)
		if x.Empty() {
			continue
		}
		rest = rest.Minus(x)
		if n.Prot != m.Prot {
			losses = append(losses, Loss{x, fmt.Sprintf("was %s, would be %s", Prot(m.Prot), Prot(n.Prot))})
		}
		for _, part := range (image.Ranges{x}).Minus(except...) {
			l, err := differ(old, m, now, n, part)
			losses = append(losses, l...)
			if err != nil {
				return losses, err
			}
		}
	}
	for _, r := range rest {
		losses = append(losses, Loss{r, "not mapped any more"})
	}
	return losses, nil
}

func differ(old *Plan, m *Mapping, now *Plan, n *Mapping, r image.Range) ([]Loss, error) {
	var losses []Loss
	err := elffile.Diff(old.content(m, r), now.content(n, r), func(from, to int64) bool {
		losses = append(losses, Loss{image.Range{Start: r.Start + image.Addr(from), Size: uint64(to - from)}, "other bytes"})
		return len(losses) < 20
	})
	return losses, err
}

// content is what memory holds in r, which is within m: file bytes, and zeros
// where the kernel cleared or where the file has ended within the page.
func (p *Plan) content(m *Mapping, r image.Range) elffile.Data {
	if m.Off == Anonymous || p.file == nil {
		return elffile.Zeros(r.Size)
	}
	var b elffile.Body
	b.Truncate(int64(r.Size))
	off := m.Off + int64(r.Start-m.Start)
	if have := min(int64(r.Size), p.file.Size()-off); have > 0 {
		b.Put(0, elffile.Slice(p.file, off, have))
	}
	if z := m.Zeroed.Intersect(r); !z.Empty() {
		b.Clear(int64(z.Start-r.Start), int64(z.Size))
	}
	return &b
}

// Bytes reads memory as the program would find it.
func (p *Plan) Bytes(r image.Range) ([]byte, error) {
	out := make([]byte, 0, min(r.Size, 1<<20))
	for r.Size > 0 {
		m := p.At(r.Start)
		if m == nil {
			return out, fmt.Errorf("%v is not mapped", r.Start)
		}
		x := m.Intersect(r)
		b, err := elffile.Bytes(p.content(m, x))
		if err != nil {
			return out, err
		}
		out = append(out, b...)
		r = image.MakeRange(x.End(), r.End())
	}
	return out, nil
}

// Prot prints protection as /proc/PID/maps does: "r-x".
func Prot(f elf.ProgFlag) string {
	b := []byte("---")
	if f&elf.PF_R != 0 {
		b[0] = 'r'
	}
	if f&elf.PF_W != 0 {
		b[1] = 'w'
	}
	if f&elf.PF_X != 0 {
		b[2] = 'x'
	}
	return string(b)
}

// MmapProt is what mmap and mprotect take for p_flags (make_prot of
// fs/binfmt_elf.c).
func MmapProt(f elf.ProgFlag) (prot uint64) {
	for _, x := range [...]struct {
		flag elf.ProgFlag
		prot uint64
	}{{elf.PF_R, unix.PROT_READ}, {elf.PF_W, unix.PROT_WRITE}, {elf.PF_X, unix.PROT_EXEC}} {
		if f&x.flag != 0 {
			prot |= x.prot
		}
	}
	return prot
}
