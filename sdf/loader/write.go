package loader

import "encoding/binary"

// HeaderSize is that of the header and the descriptors of n regions, in words of
// 8 bytes.
func HeaderSize(n int) uint64 { return uint64(8 * (headerWords + n*regionWords)) }

// Encode returns the header and the descriptors, which the data follows: a region
// has its bytes Offset behind them. Words have 8 bytes.
func (img *Image) Encode() []byte {
	b := magics[0].magic[:8:8]
	for _, w := range []uint64{img.Size, img.KernelEntry, img.TaskStart, img.TaskEnd, img.TaskOffset, img.TaskEntry, uint64(len(img.Regions))} {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	for _, r := range img.Regions {
		for _, w := range []uint64{r.Load, r.Size, r.Offset, r.Type} {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	}
	return b
}
