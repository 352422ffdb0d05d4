package cli

import (
	"errors"
	"strings"

	"elfwright/attach"
	"elfwright/elffile"
)

func shiftVerb() *verb {
	opt := new(rewrite)
	var by string
	var force bool
	return &verb{
		name:  "shift",
		short: "translate the file offsets of an ELF file that is a part of another file",
		usage: []string{"--by=N FILE -o OUT"},
		args:  args{min: 1, max: 1, name: "FILE"},
		no:    "the file could not be mapped from there",
		long: `N is added to e_phoff, e_shoff and the p_offset and sh_offset of all headers; nothing else in ELF is a file offset. The tables stay where they are. With the result at offset N of another file its headers are right for that file's descriptor, and a loader can map it from there.

A negative N is the way back, and gives the same bytes as before. By how much a file is translated already is found out by where its tables make sense.`,
		flags: []flag{
			{name: "by", to: &by, value: "N", help: "how much to add: a number such as 4096, 0x1000, 4K or -4K"},
			{name: "force", to: &force, help: "also by what is not a multiple of the page, so that nothing can be mapped"},
			opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag(),
		},
		examples: []example{
			{"there", "elfwright shift --by=64K /bin/ls -o ls.64k"},
			{"and back", "elfwright shift --by=64K /bin/ls -o ls.64k && elfwright shift --by=-64K ls.64k -o ls && cmp ls /bin/ls"},
		},
		run: func(c *call) error {
			n, err := parseSigned(by)
			if by == "" {
				return c.usagef("by how much? say --by=N")
			}
			if err != nil {
				return c.usagef("flag --by: %q: %v", by, err)
			}
			return opt.run(c, c.args[0], func(f *elffile.File) (*elffile.Body, report, error) {
				s, err := attach.Shift(f, n, force)
				if err != nil {
					return nil, nil, err
				}
				return s.Body, s.Report, nil
			})
		},
	}
}

// parseSigned is parseNumber for a number that may be negative.
func parseSigned(s string) (int64, error) {
	digits, negative := strings.CutPrefix(s, "-")
	n, err := parseNumber(digits)
	switch {
	case err != nil:
		return 0, err
	case n > 1<<63-1:
		return 0, errors.New("does not fit 63 bits")
	case negative:
		return -int64(n), nil
	}
	return int64(n), nil
}
