package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"elfwright/elffile"
	"elfwright/reset"
	"elfwright/sdf"
	"elfwright/sdf/boot"
	"elfwright/sdf/desc"
)

// applyFlags are the rows of the table for what apply and boot have in common.
func (o *sdfFlags) applyFlags() []flag {
	return []flag{
		{name: "entry", to: &o.entries, value: "CHILD=SYMBOL", help: "write the entry point of a child into an 8-byte variable of its parent, for microkit_pd_restart; may be given again"},
		{name: "resettable", to: &o.resettable, words: []string{string(reset.Keep), string(reset.Deflate)}, bare: string(reset.Keep), help: "make each image resettable, as elfwright reset does, once it has its values; its entry point is then where a restart goes"},
		{name: "persistent", to: &o.persistent, value: "PD=WHAT", help: "with --resettable: leave this memory of a protection domain as it is, .SECTION, a variable or START..END; may be given again"},
	}
}

// applyOptions are what those flags say.
func (o *sdfFlags) applyOptions(c *call) (sdf.Options, error) {
	opt := sdf.Options{Search: o.search, Monitor: o.monitor, Loader: o.loader, Kernel: o.kernel, InitialTask: o.task}
	if (o.loader == "") != (o.kernel == "") {
		return opt, c.usagef("--loader and --kernel belong together")
	}
	for _, s := range o.entries {
		child, symbol, ok := strings.Cut(s, "=")
		if !ok || child == "" || symbol == "" {
			return opt, c.usagef("flag --entry: %q: want CHILD=SYMBOL", s)
		}
		opt.Entries = append(opt.Entries, sdf.Entry{Child: child, Symbol: symbol})
	}
	if len(o.persistent) > 0 && o.resettable == "" {
		return opt, c.usagef("--persistent is for --resettable")
	}
	opt.Reset = reset.Shape(o.resettable)
	for _, s := range o.persistent {
		domain, what, ok := strings.Cut(s, "=")
		if !ok || domain == "" || what == "" {
			return opt, c.usagef("flag --persistent: %q: want PD=WHAT", s)
		}
		opt.Persistent = append(opt.Persistent, sdf.Persistent{Domain: domain, What: what})
	}
	return opt, nil
}

func sdfBootVerb() *verb {
	o := new(sdfFlags)
	return &verb{
		name:  "boot",
		short: "make a system and a small runtime one file that boots, without Microkit and its kernel",
		usage: []string{"[flags] FILE.system --runtime RUNTIME -o OUT"},
		args:  args{min: 1, max: 1, name: "FILE.system"},
		no:    "the description has errors, the images do not fit it, or it asks for what the runtime does not have",
		long: `The system is applied as by sdf apply, and each segment, stack, buffer and region gets physical memory: the lowest that fits in --memory, without what is given. The file is an ELF program of one segment: the runtime, behind it the header of a Microkit loader image, and what the runtime has to load. elfwright show prints it, elfwright flatten makes it a raw image.

The runtime is a program that is entered at its first byte and looks for the header at its end. examples/microkit has one for AArch64, in C and assembly, with the library that protection domains link; under QEMU it runs protection domains with their priorities, channels, shared memory, faults and restarts. It has no clock and no interrupts: what a description asks for beyond it is refused, or with --lenient left out.`,
		flags: append(append(o.boardFlags(), o.applyFlags()...),
			flag{name: "runtime", to: &o.runtime, value: "RUNTIME", files: true, help: "the program that runs the protection domains"},
			flag{name: "lenient", to: &o.lenient, help: "what the runtime does not have is left out, with a warning"},
			flag{name: "json", to: &o.json, help: "print what memory everything gets as one JSON document"},
			flag{name: "output", short: "o", to: &o.output, value: "OUT", files: true, help: "the file to write"}),
		examples: []example{
			{"with a runtime that does nothing: one segment, entered at its first byte, its end a multiple of 16", sdfExample + ` && ` + sdfSmallImage + ` && echo 'ENTRY(_start) PHDRS { all PT_LOAD FLAGS(7); } SECTIONS { . = 0x100000; .all : { *(.text) . = ALIGN(16); } :all /DISCARD/ : { *(*) } }' >rt.lds && echo '.globl _start; _start: jmp .' | gcc -nostdlib -static -no-pie -Wl,--build-id=none,--no-warn-rwx-segments -T rt.lds -o rt -x assembler - && (elfwright sdf boot --arch=x86_64 --memory=0x1000000..0x2000000 two.system --runtime=rt -o boot.elf && elfwright show boot.elf)`},
			{"a program that is no runtime", sdfExample + ` && ` + sdfSmallImage + ` && (elfwright sdf boot --arch=x86_64 two.system --runtime=a.elf -o boot.elf || test $? = 2)`},
		},
		run: func(c *call) error { return runSdfBoot(c, o) },
	}
}

// sdfSmallImage is an image that a description may name, with its source.
const sdfSmallImage = `echo 'char microkit_name[64], microkit_passive; long microkit_irqs, microkit_notifications, microkit_pps, microkit_ioports; void _start(void) {}' >a.c && gcc -static -nostdlib -no-pie -o a.elf a.c`

func runSdfBoot(c *call, o *sdfFlags) error {
	if o.runtime == "" || o.output == "" {
		return c.usagef("name a runtime with --runtime, and the file to write with -o")
	}
	opt, err := o.applyOptions(c)
	if err != nil {
		return err
	}
	s, err := o.system(c)
	if err != nil {
		return err
	}
	rt, err := elffile.Open(o.runtime)
	if err != nil {
		return err
	}
	defer rt.Close()
	a, err := o.apply(c, s, opt)
	if err != nil {
		return err
	}
	defer a.Close()
	var r *boot.Result
	err = rt.Guard(func() error {
		return a.Guard(func() error {
			defer c.phase("boot")()
			if r, err = boot.Make(s, a, rt, boot.Options{Search: o.search, Lenient: o.lenient}); err != nil {
				return answer(err)
			}
			return r.Body.WriteFile(o.output, 0o755)
		})
	})
	if err != nil {
		return err
	}
	return o.bootReport(c, r.Report)
}

func (o *sdfFlags) apply(c *call, s *desc.System, opt sdf.Options) (*sdf.Applied, error) {
	defer c.phase("apply")()
	a, err := sdf.Apply(s, opt)
	if err != nil {
		return nil, answer(err)
	}
	if err := a.Warnings.WriteText(c.err); err != nil {
		a.Close()
		return nil, err
	}
	for _, d := range a.Plan.Domains {
		if d.Reset != nil {
			for _, w := range d.Reset.Warnings {
				fmt.Fprintf(c.err, "warning: protection_domain %s: %s (%s)\n", d.Name, w.Text, w.Code)
			}
		}
	}
	return a, nil
}

func (o *sdfFlags) bootReport(c *call, r *boot.Report) error {
	if o.json {
		return writeJSON(c.out, r)
	}
	if err := r.Warnings.WriteText(c.err); err != nil {
		return err
	}
	t := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "%s: loaded to %v with what follows it, header at 0x%x\n", r.Runtime, r.Load, r.Header)
	for _, p := range r.Memory {
		bootLine(t, p)
	}
	return t.Flush()
}

func bootLine(w io.Writer, p boot.Part) {
	fmt.Fprintf(w, "  %v\t0x%x bytes of the file\t%s\n", p.Space, p.Bytes, p.What)
}
