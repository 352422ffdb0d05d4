package show

import (
	"debug/elf"
	"strings"
)

func progTypeName(m elf.Machine, t elf.ProgType) string {
	return strings.TrimPrefix(t.String(), "PT_")
}

func sectionTypeName(m elf.Machine, t elf.SectionType) string {
	return strings.TrimPrefix(t.String(), "SHT_")
}
