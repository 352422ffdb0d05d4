package link

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/flat"
	"elfwright/link/emul"
	"elfwright/link/write"
)

// flatFormats are the formats of --oformat, and of OUTPUT_FORMAT, that are not
// ELF: BFD's names and ours.
var flatFormats = map[string]flat.Format{
	"binary": flat.Bin, "ihex": flat.IHex, "srec": flat.SRec, "verilog": flat.VMem,
}

// checkFormat refuses formats that the output cannot have, before anything is
// read.
func (l *linkage) checkFormat() error {
	if err := checkNames(l.script.Commands().OutputFormat, l.script.Commands().Arch); err != nil {
		return err
	}
	if l.opt.OFormat == "" {
		if f := l.script.Commands().OutputFormat; flatFormats[f] != "" {
			l.opt.OFormat = f
		}
	}
	f := l.opt.OFormat
	if f == "" || f == "elf" || flatFormats[f] != "" {
		return nil
	}
	e := emul.ByFormat(f)
	switch {
	case e == nil:
		return fmt.Errorf("--oformat: unknown format %q", f)
	case e.Machine != l.emul.Machine || e.Class != l.emul.Class || e.Data != l.emul.Data:
		return fmt.Errorf("--oformat: the output is %s, and cannot be %s", l.emul.Format(), f)
	}
	return nil
}

// checkNames refuses names of formats and architectures that mean nothing here.
func checkNames(format, arch string) error {
	if format != "" && flatFormats[format] == "" && emul.ByFormat(format) == nil {
		return fmt.Errorf("OUTPUT_FORMAT: unknown format %q", format)
	}
	known := []string{"i386", "aarch64", "arm", "riscv"} // and variants, behind a colon or a letter
	if arch != "" && !slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(strings.ToLower(arch), k) }) {
		return fmt.Errorf("OUTPUT_ARCH: unknown architecture %q", arch)
	}
	return nil
}

// writeAs writes the output: ELF bytes straight into their file, other formats by
// package flat from an ELF file in memory.
func (l *linkage) writeAs(name string) error {
	format := flatFormats[l.opt.OFormat]
	if format == "" {
		return write.File(l.env, l.segs, name)
	}
	b, err := write.Bytes(l.env, l.segs)
	if err != nil {
		return err
	}
	f, err := elffile.Parse(name, b)
	if err != nil {
		return err
	}
	res, err := flat.Flatten(f, flat.Options{Format: format, AllowGap: true, Name: name})
	if err != nil {
		return err
	}
	return res.Body.WriteFile(name, os.FileMode(0o777))
}
