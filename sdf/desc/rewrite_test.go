package desc_test

import (
	"bytes"
	"testing"

	"elfwright/sdf/desc"
)

// What is not changed stays as it is: white space, quotes, comments, prefixes.
func TestRewrite(t *testing.T) {
	const text = `<?xml version="1.0"?>
<s:system xmlns:s="x"><!-- path="no" -->
<memory_region	name='m'  size="0x1000"/><memory_region size="0x1000" phys_addr = '0x5000' name="path"/>
<protection_domain name="path='a'"><program_image
   path_for_symbols = "old&amp;syms"
   s:path='a>b.elf'   />
</protection_domain>
<protection_domain name="b"><program_image path="b.elf"></program_image><map mr="m" vaddr="0x1000"/><map mr="path" vaddr="0x2000"/></protection_domain>
</s:system>
`
	const want = `<?xml version="1.0"?>
<s:system xmlns:s="x"><!-- path="no" -->
<memory_region phys_addr="0x7000"	name='m'  size="0x1000"/><memory_region size="0x1000" phys_addr = '0x5000' name="path"/>
<protection_domain name="path='a'"><program_image
   path_for_symbols = "x&#34;y"
   s:path='new&#39;&lt;.elf'   />
</protection_domain>
<protection_domain name="b"><program_image path="c.elf"></program_image><map mr="m" vaddr="0x1000"/><map mr="path" vaddr="0x2000"/></protection_domain>
</s:system>
`
	parse := func(text string) *desc.System {
		s, found := desc.Parse("f", []byte(text), desc.Default(desc.AArch64), desc.Options{})
		if found.Faulty() {
			t.Fatal(found)
		}
		return s
	}
	s := parse(text)
	got := s.Rewrite(desc.Changes{
		Images: map[*desc.PD]desc.Image{s.PDs[0]: {Path: "new'<.elf", SymbolsPath: `x"y`}, s.PDs[1]: {Path: "c.elf"}},
		Paddr:  map[*desc.Region]uint64{s.Regions[0]: 0x7000},
	})
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again := parse(string(got))
	if p := again.PDs[0]; p.Path != "new'<.elf" || p.SymbolsPath != `x"y` || again.PDs[1].Path != "c.elf" || again.Regions[0].Paddr != 0x7000 {
		t.Errorf("%+v", p)
	}
	if same := s.Rewrite(desc.Changes{}); !bytes.Equal(same, []byte(text)) {
		t.Errorf("nothing was to be changed:\n%s", same)
	}
}

// In every valid case a path can be replaced, and nothing else is.
func TestRewriteCorpus(t *testing.T) {
	for _, path := range corpusFiles(t) {
		list, _ := readCorpus(t, path)
		for _, c := range list {
			if !c.valid {
				continue
			}
			opt := desc.Options{Length: length}
			s, _ := desc.Parse("f", []byte(c.text), c.board, opt)
			change, back := desc.Changes{Images: map[*desc.PD]desc.Image{}}, desc.Changes{Images: map[*desc.PD]desc.Image{}}
			for _, p := range s.PDs {
				change.Images[p] = desc.Image{Path: "changed.elf"}
			}
			now, found := desc.Parse("f", s.Rewrite(change), c.board, opt)
			if found.Faulty() {
				t.Fatalf("%s: %v", c.head, found)
			}
			for i, p := range now.PDs {
				if p.Path != "changed.elf" {
					t.Errorf("%s: %s", c.head, p.Path)
				}
				back.Images[p] = desc.Image{Path: s.PDs[i].Path}
			}
			if got := now.Rewrite(back); string(got) != c.text {
				t.Errorf("%s: back again it is\n%s", c.head, got)
			}
		}
	}
}
