package cli

import "errors"

func docsVerb() *verb {
	return &verb{
		name:   "docs",
		short:  "write the man pages and Markdown pages",
		usage:  []string{"DIR"},
		args:   args{min: 1, max: 1, name: "DIR"},
		hidden: true,
		run:    func(c *call) error { return errors.New("not built yet") },
	}
}
