package show

import (
	"strings"
	"sync"
	"testing"
)

// TestDecodeTogether decodes in several goroutines: the race detector, under which
// these tests run too, complains where a decoder keeps something for itself.
func TestDecodeTogether(t *testing.T) {
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			nop := []byte{0x1f, 0x20, 0x03, 0xd5} // AArch64
			if x := decodeA64(nop, 0); strings.TrimSpace(x.text) != "nop" {
				t.Errorf("AArch64: %q", x.text)
			}
		})
	}
	group.Wait()
}
