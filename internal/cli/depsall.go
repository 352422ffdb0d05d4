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
		dirs, err := below(f.root, plain)
		if err != nil {
			return err
		}
		ok, err := f.scan(c, f.root, dirs)
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

// below are directories of this machine that lie in a root: named so, or as they are
// called in it.
func below(root string, dirs []string) ([]string, error) {
	if root == "" {
		return dirs, nil
	}
	root, err := resolve(root)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, dir := range dirs {
		real, err := resolve(dir)
		if err == nil && inside(root, real) {
			list = append(list, real)
			continue
		}
		if real, err = resolve(filepath.Join(root, dir)); err != nil {
			return nil, err
		}
		if !inside(root, real) {
			return nil, fmt.Errorf("%s: leads out of %s, to %s", dir, root, real)
		}
		list = append(list, real)
	}
	return list, nil
}

// resolve is the absolute path of a directory without symbolic links in it.
func resolve(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

func inside(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(rel)
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
