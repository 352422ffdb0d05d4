package desc_test

import (
	"fmt"
	"strings"
	"testing"

	"elfwright/sdf/desc"
)

// BenchmarkParse checks a system of 60 protection domains, each with eight
// mappings, an interrupt and two channels.
func BenchmarkParse(b *testing.B) {
	var s strings.Builder
	s.WriteString("<system>\n")
	for i := range 60 {
		for k := range 8 {
			fmt.Fprintf(&s, "  <memory_region name=\"r%d_%d\" size=\"0x1000\" />\n", i, k)
		}
		fmt.Fprintf(&s, "  <protection_domain name=\"p%d\" priority=\"%d\">\n    <program_image path=\"p.elf\" />\n    <irq irq=\"%d\" id=\"60\" />\n", i, i+1, 32+i)
		for k := range 8 {
			fmt.Fprintf(&s, "    <map mr=\"r%d_%d\" vaddr=\"%#x\" perms=\"rw\" setvar_vaddr=\"v%d\" />\n", i, k, 0x1000000*(k+1), k)
		}
		s.WriteString("  </protection_domain>\n")
	}
	for i := range 60 {
		fmt.Fprintf(&s, "  <channel>\n    <end pd=\"p%d\" id=\"1\" />\n    <end pd=\"p%d\" id=\"2\" />\n  </channel>\n", i, (i+1)%60)
	}
	s.WriteString("</system>\n")
	text := []byte(s.String())
	board := desc.Default(desc.AArch64)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, found := desc.Parse("f", text, board, desc.Options{}); len(found) > 0 {
			b.Fatal(found)
		}
	}
}
