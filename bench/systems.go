package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// domains is how many protection domains the system has; Microkit takes 63.
const domains = 60

// systems measures what is done with a Microkit system description. Nothing else
// here reads the language: xmllint finds out that the file is XML, and cp writes as
// many bytes as there are images.
func systems(tool, dir string) ([]comparison, error) {
	text := filepath.Join(dir, "sixty.system")
	if err := os.WriteFile(text, []byte(sixty()), 0o666); err != nil {
		return nil, err
	}
	image, source := filepath.Join(dir, "p.elf"), filepath.Join(dir, "p.c")
	if err := os.WriteFile(source, []byte(domainSource), 0o666); err != nil {
		return nil, err
	}
	build := exec.Command("aarch64-linux-gnu-gcc", "-static", "-nostdlib", "-no-pie", "-Wl,-z,max-page-size=4096", "-o", image, source)
	if msg, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("aarch64-linux-gnu-gcc: %w: %s", err, msg)
	}
	out := filepath.Join(dir, "out")
	copies := fmt.Sprintf("mkdir -p %s && for i in $(seq %d); do cp %s %s/p$i.elf; done", out, domains, image, out)
	apply := []string{tool, "sdf", "apply", "--arch=aarch64", "-L", dir, text, "-o", out}
	return []comparison{{
		name:  fmt.Sprintf("sdf: check %d protection domains", domains),
		ours:  []string{tool, "sdf", "check", "--arch=aarch64", text},
		peers: []peer{{[]string{"xmllint", "--noout", text}, ""}},
	}, {
		name:  fmt.Sprintf("sdf: apply to %d images of 1 MB", domains),
		ours:  apply,
		peers: []peer{{[]string{"sh", "-c", copies}, "≤ 2.00"}},
	}, {
		name:  "sdf: the same, resettable",
		ours:  append(apply[:len(apply):len(apply)], "--resettable"),
		peers: []peer{{[]string{"sh", "-c", copies}, ""}},
	}}, nil
}

// domainSource is a protection domain with a large part that is initialised.
const domainSource = `
char microkit_name[64], microkit_passive;
unsigned long microkit_irqs, microkit_notifications, microkit_pps, microkit_ioports;
unsigned long v0, v1, v2, v3, v4, v5, v6, v7;
char data[1000000] = {1};
void _start(void) { for (;;) ; }
`

// sixty is a system in which each protection domain has eight mappings, an
// interrupt and two channels.
func sixty() string {
	var s strings.Builder
	s.WriteString("<system>\n")
	for i := range domains {
		for k := range 8 {
			fmt.Fprintf(&s, "  <memory_region name=\"r%d_%d\" size=\"0x1000\" />\n", i, k)
		}
		fmt.Fprintf(&s, "  <protection_domain name=\"p%d\" priority=\"%d\">\n    <program_image path=\"p.elf\" />\n    <irq irq=\"%d\" id=\"60\" />\n", i, i+1, 32+i)
		for k := range 8 {
			fmt.Fprintf(&s, "    <map mr=\"r%d_%d\" vaddr=\"%#x\" perms=\"rw\" setvar_vaddr=\"v%d\" />\n", i, k, 0x1000000*(k+1), k)
		}
		s.WriteString("  </protection_domain>\n")
	}
	for i := range domains {
		fmt.Fprintf(&s, "  <channel>\n    <end pd=\"p%d\" id=\"1\" />\n    <end pd=\"p%d\" id=\"2\" />\n  </channel>\n", i, (i+1)%domains)
	}
	return s.String() + "</system>\n"
}
