package ldcache

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Files is the tree that configuration files are read from.
type Files interface {
	Read(name string, limit int64) ([]byte, error)
	Names(dir string) ([]string, error)
	Exists(name string) bool
}

// Limits of a configuration: files that include each other without end.
const (
	maxConf     = 1 << 20
	maxIncludes = 1 << 10
	maxDirs     = 1 << 16
)

// Conf reads a configuration file of ldconfig with all that it includes, and
// returns the directories in their order, each once (parse_conf of
// elf/ldconfig.c). Files that can not be read are told of in the error; the rest
// is returned with it.
func Conf(files Files, name string) ([]string, error) {
	c := &conf{files: files, seen: make(map[string]bool), reading: make(map[string]bool)}
	c.file(name)
	if len(c.errs) == 0 {
		return c.dirs, nil
	}
	return c.dirs, errors.Join(c.errs...)
}

type conf struct {
	files   Files
	dirs    []string
	seen    map[string]bool // directories
	reading map[string]bool // files whose include lines are under way
	read    int
	errs    []error
}

func (c *conf) fault(err error) {
	if len(c.errs) < 20 {
		c.errs = append(c.errs, err)
	}
}

func (c *conf) file(name string) {
	switch {
	case c.reading[name]:
		c.fault(fmt.Errorf("%s: includes itself", name))
		return
	case c.read == maxIncludes:
		c.fault(fmt.Errorf("%s: more than %d files are included", name, maxIncludes))
		c.read++
		return
	case c.read > maxIncludes:
		return
	}
	c.read++
	b, err := c.files.Read(name, maxConf)
	if err != nil {
		c.fault(err)
		return
	}
	c.reading[name] = true
	defer delete(c.reading, name)
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(strings.TrimRight(line, "\n"), "#")
		if line = strings.TrimLeft(line, " \t\v\f\r"); line != "" {
			c.line(name, line)
		}
	}
}

func (c *conf) line(name, line string) {
	word := line
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		word = line[:i]
	}
	switch {
	case word == "include" && word != line:
		for _, pattern := range strings.Fields(line[len("include"):]) {
			c.include(name, pattern)
		}
	case word == "hwcap" && word != line: // ignored since 2.33
	default:
		c.dir(name, line)
	}
}

// include reads the files of a pattern, in the order of their names. One that
// begins with no slash is relative to the file it stands in.
func (c *conf) include(name, pattern string) {
	if !strings.HasPrefix(pattern, "/") {
		pattern = path.Dir(name) + "/" + pattern
	}
	for _, file := range c.glob(path.Clean(pattern)) {
		c.file(file)
	}
}

// glob finds the names that match a pattern; wildcards may stand in every part
// of it.
func (c *conf) glob(pattern string) []string {
	list := []string{""}
	for part := range strings.SplitSeq(strings.TrimPrefix(pattern, "/"), "/") {
		var next []string
		for _, dir := range list {
			next = append(next, c.matches(dir, part)...)
		}
		list = next
	}
	return list
}

func (c *conf) matches(dir, part string) []string {
	if !strings.ContainsAny(part, "*?[\\") {
		if name := dir + "/" + part; c.files.Exists(name) {
			return []string{name}
		}
		return nil
	}
	names, err := c.files.Names(dir + "/")
	if err != nil {
		return nil
	}
	var list []string
	for _, n := range names {
		if strings.HasPrefix(n, ".") && !strings.HasPrefix(part, ".") { // FNM_PERIOD
			continue
		}
		if ok, err := path.Match(part, n); err != nil {
			c.fault(fmt.Errorf("%s/%s: %w", dir, part, err))
			return nil
		} else if ok && len(list) < maxIncludes {
			list = append(list, dir+"/"+n)
		}
	}
	return list
}

// dir takes a line that is a directory; "=TYPE" at its end was for libc 5
// (add_dir_1).
func (c *conf) dir(name, line string) {
	if i := strings.IndexByte(line, '='); i >= 0 {
		line = line[:i]
	}
	line = strings.TrimRight(line, " \t\v\f\r")
	for len(line) > 1 && strings.HasSuffix(line, "/") {
		line = line[:len(line)-1]
	}
	if line != "" && line[0] != '/' {
		c.fault(fmt.Errorf("%s: %q is not an absolute path", name, line))
		return
	}
	if line == "" || c.seen[line] || len(c.dirs) == maxDirs {
		return
	}
	c.seen[line] = true
	c.dirs = append(c.dirs, line)
}
