package write

import (
	"debug/elf"
	"errors"
	"fmt"
	"strings"

	"elfwright/elffile"
	"elfwright/link/model"
)

// made is a section whose bytes exist before it has a place.
type made struct {
	b          []byte
	compressed bool
}

// pack makes and compresses the debug sections, where that is asked for. It comes
// before their offsets are known, since only then it is known how long they are. A
// section that does not become smaller stays as it is.
func (f *file) pack() error {
	var t elf.CompressionType
	switch f.env.Opt.CompressDebug {
	case "", "none":
		return nil
	case "zlib", "zlib-gabi":
		t = elf.COMPRESS_ZLIB
	case "zstd":
		t = elf.COMPRESS_ZSTD
	default:
		return fmt.Errorf("--compress-debug-sections=%s: known are none, zlib, zlib-gabi, zstd", f.env.Opt.CompressDebug)
	}
	var outs []*model.Output
	for _, out := range f.env.Outputs {
		if strings.HasPrefix(out.Name, ".debug") && out.Flags&elf.SHF_ALLOC == 0 && hasBytes(out) && out.Size != 0 {
			outs = append(outs, out)
		}
	}
	packed, errs := make([][]byte, len(outs)), make([]error, len(outs))
	plain := f.plain(outs)
	model.Each(f.workers, len(outs), func(i int) {
		packed[i], errs[i] = elffile.Compress(f.Format, t, outs[i].Align, plain[i])
	})
	f.made = map[*model.Output]made{}
	for i, out := range outs {
		m := made{packed[i], true}
		if uint64(len(m.b)) >= out.Size {
			m = made{plain[i], false}
		}
		f.made[out] = m
	}
	return errors.Join(errs...)
}

// plain makes the bytes of sections in memory.
func (f *file) plain(outs []*model.Output) [][]byte {
	all := make([][]byte, len(outs))
	type part struct {
		piece
		b []byte
	}
	var parts []part
	for i, out := range outs {
		all[i] = make([]byte, out.Size)
		for _, p := range cut(out, pieceCost) {
			parts = append(parts, part{p, all[i]})
		}
	}
	model.Each(f.workers, len(parts), func(i int) { parts[i].write(f.env, parts[i].b) })
	return all
}
