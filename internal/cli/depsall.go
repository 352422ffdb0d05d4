package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"elfwright/deps"
	"elfwright/dyn/load"
)

// runDepsAll looks through directories. Each that is a root of its own is judged by
// itself.
func runDepsAll(c *call, f *depsFlags) error {
	var plain, roots []string
	for _, dir := range c.args {
		if clean, err := filepath.Abs(dir); f.root == "" && err == nil && clean != "/" && deps.IsRoot(dir) {
			roots = append(roots, dir)
			continue
		}
		plain = append(plain, dir)
	}
	var bad error
	no := false
	if len(plain) > 0 {
		ok, err := f.scan(c, f.root, plain)
		no, bad = !ok, err
	}
	for _, root := range roots {
		if !f.json {
			fmt.Fprintf(c.out, "%s, a root of its own:\n", root)
		}
		ok, err := f.scan(c, root, []string{root})
		no, bad = no || !ok, errors.Join(bad, err)
	}
	if bad == nil && no {
		return errNo
	}
	return bad
}

// scan looks through directories of one root. ok is false where something is
// broken.
func (f *depsFlags) scan(c *call, root string, dirs []string) (ok bool, err error) {
	opt := f.options(false)
	opt.Root = root
	l, err := load.New(opt)
	if err != nil {
		return false, err
	}
	defer l.Close()
	done := c.phase("load and bind")
	r, err := deps.Scan(l, deps.ScanOptions{Dirs: dirs})
	done()
	if err != nil {
		return false, err
	}
	for i, fault := range r.Faults {
		if i == maxErrors {
			fmt.Fprintf(c.err, "%s: %d more files that cannot be read are not shown\n", name, len(r.Faults)-i)
			break
		}
		fmt.Fprintf(c.err, "%s: warning: %s\n", name, strings.ReplaceAll(fault.Error(), "\n", "\n  "))
	}
	if f.json {
		return len(r.Broken) == 0, r.JSON(c.out)
	}
	r.Text(c.out, c.style(f.color))
	return len(r.Broken) == 0, nil
}
