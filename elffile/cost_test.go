package elffile

import (
	"bytes"
	"debug/elf"
	"fmt"
	"slices"
	"testing"
	"time"

	"elfwright/internal/elftest"
)

// TestHostileCost has files of some MiB in which many entries name the same many
// bytes. Looking at all of it takes about as long as for an honest file.
func TestHostileCost(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the race detector, which runs the short tests, has a cost of its own")
	}
	const size = 1 << 20
	k := elftest.Kinds()[0]
	text := bytes.Repeat([]byte("n"), size)
	dyn := func(tags ...elftest.Dyn) []byte { return oddDynamic(k, text, tags...).Bytes() }
	object := func(s ...elftest.Section) []byte {
		return elftest.File{Machine: elf.EM_X86_64, Type: elf.ET_REL, Sections: s}.Bytes()
	}
	words := make(elftest.Words, size/4)
	for i := range words {
		words[i] = 0xffffff00
	}
	symbols := elftest.Section{Name: ".symtab", Type: elf.SHT_SYMTAB, Entsize: 24, Link: "names", Data: make([]byte, size)}
	names := elftest.Section{Name: "names", Type: elf.SHT_STRTAB, Data: text}
	for name, data := range map[string][]byte{
		"one long name":    object(symbols, names),
		"group of nothing": object(symbols, names, elftest.Section{Name: ".group", Type: elf.SHT_GROUP, Link: ".symtab", Content: words}),
		"groups":           object(slices.Concat([]elftest.Section{symbols, names}, manyGroups(5000))...),
		"notes":            object(elftest.Section{Name: ".note", Type: elf.SHT_NOTE, Data: make([]byte, size)}),
		"hash":             dyn(elftest.Dyn{Tag: elf.DT_GNU_HASH, Addr: ".odd"}, elftest.Dyn{Tag: elf.DT_HASH, Addr: ".odd"}),
		"versions": dyn(elftest.Dyn{Tag: elf.DT_VERNEED, Addr: ".odd"}, elftest.Dyn{Tag: elf.DT_VERNEEDNUM, Val: 1 << 30},
			elftest.Dyn{Tag: elf.DT_STRTAB, Addr: ".odd"}, elftest.Dyn{Tag: elf.DT_STRSZ, Val: size}),
		"dynamic entries": dyn(slices.Repeat([]elftest.Dyn{{Tag: elf.DT_NEEDED, Val: 1}}, size/16)...),
		"relr":            object(elftest.Section{Name: ".relr", Type: shtRelr, Entsize: 8, Data: bytes.Repeat([]byte{0xff}, size)}),
		"packed":          object(elftest.Section{Name: ".packed", Type: shtAndroidRela, Data: bomb()}),
	} {
		start := time.Now()
		f, err := Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		v := &visitor{limit: 1 << 30, contents: 1 << 26}
		v.visit(f)
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s: %v", name, d)
		} else {
			t.Logf("%s: %v, %d errors", name, d, len(v.errs))
		}
	}
}

func manyGroups(n int) []elftest.Section {
	var s []elftest.Section
	for i := range n {
		s = append(s, elftest.Section{Key: fmt.Sprint(i), Type: elf.SHT_GROUP, Link: ".symtab", InfoValue: 1, Content: elftest.Words{1, uint32(i)}})
	}
	return s
}

// bomb is a few bytes that announce very many relocations.
func bomb() []byte {
	b := sleb(sleb([]byte("APS2"), 1<<60), 0)
	return sleb(sleb(sleb(sleb(b, 1<<60), androidByInfo|androidByDelta), 8), 8)
}
