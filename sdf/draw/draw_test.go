package draw_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"elfwright/sdf/desc"
	"elfwright/sdf/draw"
)

const system = `<system>
<memory_region name="ring" size="0x1000"/>
<protection_domain name="a&lt;&#9;b" priority="1"><program_image path="a.elf"/><map mr="ring" vaddr="0x1000" perms="r"/><irq irq="33" id="2" trigger="edge"/>
<protection_domain name="kid" id="7" priority="2"><program_image path="b.elf"/><map mr="ring" vaddr="0x2000" cached="false"/>
<virtual_machine name="guest"><vcpu id="0"/><map mr="ring" vaddr="0x3000"/></virtual_machine></protection_domain>
</protection_domain>
<channel><end pd="a&lt;&#9;b" id="1" pp="true"/><end pd="kid" id="1" notify="false"/></channel>
</system>`

func parse(t testing.TB) *desc.System {
	s, found := desc.Parse("two.system", []byte(system), desc.Default(desc.AArch64), desc.Options{})
	if found.Faulty() {
		t.Fatal(found)
	}
	return s
}

// The figure is well-formed XML with a box for each domain, machine and region,
// and a line for each channel and mapping; names cannot break out of it.
func TestSVG(t *testing.T) {
	var b bytes.Buffer
	if err := draw.SVG(&b, parse(t)); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	d := xml.NewDecoder(&b)
	for {
		x, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := x.(xml.StartElement); ok {
			count[e.Name.Local]++
		}
	}
	if count["rect"] != 1+4 || count["path"] != 1+4 {
		t.Error(count)
	}
}

func TestHTML(t *testing.T) {
	var a, b bytes.Buffer
	if err := draw.HTML(&a, parse(t)); err != nil {
		t.Fatal(err)
	}
	if err := draw.HTML(&b, parse(t)); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the page is another one each time", err)
	}
	for _, want := range []string{"<caption>Channels", "1: calls, notifies kid", "1: listens to", "0x1000 r", "virtual machine guest"} {
		if !strings.Contains(a.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func ExampleText() {
	s, _ := desc.Parse("one.system", []byte(`<system><memory_region name="m" size="0x1000"/>
<protection_domain name="one"><program_image path="one.elf"/><map mr="m" vaddr="0x1000" perms="r"/></protection_domain></system>`), desc.Default(desc.AArch64), desc.Options{})
	draw.Text(os.Stdout, s)
	// Output:
	// protection_domain one: priority 0
	//   image one.elf
	//   map 0x1000 r m
	// memory_region m: 0x1000
	//   one 0x1000 r
}
