package desc_test

import (
	"strings"
	"testing"

	"elfwright/sdf/desc"
)

func TestParseBoard(t *testing.T) {
	b, err := desc.ParseBoard("b", []byte(`{"arch":"aarch64","cores":"0x4","hypervisor":false,"memory":[{"start":"0x6000_0000","end":1879048192}]}`))
	if err != nil || b.Cores != 4 || b.Hypervisor || b.UserTop != 0xffffffffff || len(b.Memory) != 1 || b.Memory[0].End != 0x70000000 {
		t.Errorf("%+v, %v", b, err)
	}
	for text, want := range map[string]string{
		``:                                                  "b:1:",
		`{}`:                                                "arch is missing",
		`{"arch":"mips"}`:                                   `"mips" is not known`,
		`{"arch":"aarch64","core":1}`:                       `unknown field "core"`,
		`{"arch":"aarch64"} {}`:                             "b:1:",
		`{"arch":"aarch64","cores":0}`:                      "cores: 0 is not within",
		`{"arch":"aarch64","cores":"four"}`:                 `"four" is no number`,
		`{"arch":"riscv64","smc":true}`:                     "smc:",
		`{"arch":"riscv64","hypervisor":true}`:              "hypervisor:",
		`{"arch":"aarch64","iommu":true}`:                   "iommu:",
		`{"arch":"aarch64","domains":257}`:                  "domains: 257",
		`{"arch":"aarch64","user_vspace_top":1}`:            "user_vspace_top: 0x1",
		`{"arch":"aarch64","page_sizes":[]}`:                "page_sizes: there is none",
		`{"arch":"aarch64","page_sizes":[4097]}`:            "page_sizes[0]: 0x1001",
		`{"arch":"aarch64","page_sizes":[65536]}`:           "page_sizes[0]: 0x10000",
		`{"arch":"aarch64","memory":[{"start":2,"end":2}]}`: "memory[0]: start 0x2",
	} {
		if _, err := desc.ParseBoard("b", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzParseBoard(f *testing.F) {
	f.Add([]byte(`{"arch":"x86_64","cores":"0x4","iommu":true,"memory":[{"start":"0x6000_0000","end":1879048192}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := desc.ParseBoard("b", text)
		if err != nil {
			return
		}
		if err := b.Check(); err != nil {
			t.Error(err)
		}
		desc.Parse("f", []byte(`<system><protection_domain name="a"><program_image path="p"/></protection_domain></system>`), b, desc.Options{})
	})
}
