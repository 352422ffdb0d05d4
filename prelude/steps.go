package prelude

import (
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// What a row of the table of steps asks for.
const (
	stepEnd   = iota
	stepLook  // look for a directory, and cover the one above if it is not there
	stepMount // mount a tree
)

// Columns of the table of steps, in words.
const (
	stepAction = iota
	stepTarget
	stepPath  // look: the directory. mount: options for EROFS; 0: no image
	stepAbove // look: the one above, which is there; 0: it is /. mount: options for tmpfs; 0: no copy
	stepTable // look: directories to make, then 0. mount: entries
	stepWidth
)

// steps goes through the table of steps.
func (s *mounter) steps(trees []Tree) {
	s.Set(s.step, s.stepTable(trees))
	s.Set(s.coversEnd, s.covers)
	mount, next, end := s.Label(), s.Label(), s.Label()
	again := s.Here()
	s.stepCol(s.action, stepAction)
	s.Equal(s.action.Get(), Int(stepEnd), end)
	s.stepText(s.target, stepTarget)
	s.Equal(s.action.Get(), Int(stepMount), mount)
	s.look(next)
	s.Jump(next)
	s.Place(mount)
	s.mount(next)
	s.Place(next)
	s.Set(s.file, Int(0))
	s.Add(s.step, s.step.Get(), Int(int64(stepWidth*s.m.WordSize())))
	s.Jump(again)
	s.Place(end)
}

// stepCol loads a column of the step at hand.
func (s *mounter) stepCol(to Word, column int) {
	s.Load(to, s.step.Get(), Int(int64(column*s.m.WordSize())))
}

// stepText loads a column that is an offset in the script as an address; 0 stays 0.
func (s *mounter) stepText(to Word, column int) {
	none := s.Label()
	s.stepCol(to, column)
	s.Equal(to.Get(), Int(0), none)
	s.Add(to, to.Get(), Base())
	s.Place(none)
}

// stepTable makes the table. A tree whose target is in another tree comes after
// that. Of the others all directories are made before any is mounted, those near
// the root first: what covers a directory hides the mounts below it.
func (s *mounter) stepTable(trees []Tree) Arg {
	var cells []Arg
	left := len(trees)
	for round := 0; left > 0; round++ {
		var now []*Tree
		depth := 0
		for i := range trees {
			if t := &trees[i]; within(trees, t) == round {
				now = append(now, t)
				depth = max(depth, strings.Count(t.Target, "/"))
			}
		}
		left -= len(now)
		for d := range depth {
			for _, t := range now {
				cells = append(cells, s.lookRow(t, d+1)...)
			}
		}
		for _, t := range now {
			cells = append(cells, s.mountRow(t)...)
		}
	}
	return s.Table(append(cells, make([]Arg, stepWidth)...)...)
}

// within counts the trees in whose targets a target is.
func within(trees []Tree, t *Tree) (n int) {
	for i := range trees {
		if strings.HasPrefix(t.Target, trees[i].Target+"/") {
			n++
		}
	}
	return n
}

// lookRow is the step for the first n names of a target.
func (s *mounter) lookRow(t *Tree, n int) []Arg {
	prefixes := prefixes(t.Target)
	if n > len(prefixes) {
		return nil
	}
	var list []Arg
	for _, p := range prefixes[n-1:] {
		list = append(list, s.Text(p))
	}
	row := make([]Arg, stepWidth)
	row[stepAction], row[stepTarget], row[stepPath] = Int(stepLook), s.Text(t.Target), s.Text(prefixes[n-1])
	if above := path.Dir(prefixes[n-1]); above != "/" {
		row[stepAbove] = s.Text(above)
	}
	row[stepTable] = s.Table(append(list, Int(0))...)
	return row
}

func (s *mounter) mountRow(t *Tree) []Arg {
	row := make([]Arg, stepWidth)
	row[stepAction], row[stepTarget] = Int(stepMount), s.Text(t.Target)
	if t.Size > 0 {
		row[stepPath] = s.padded(fmt.Sprintf("fsoffset=%d", t.Offset))
	}
	if t.Entries != nil {
		row[stepAbove] = s.Text(tmpfsOptions(t))
		row[stepTable] = entries(s.Builder, t, s.part)
	}
	return row
}

// prefixes are the directories that a path leads through, and the last.
func prefixes(p string) []string {
	var list []string
	for i := 1; i <= len(p); i++ {
		if i == len(p) || p[i] == '/' {
			list = append(list, p[:i])
		}
	}
	return list
}

// padded is Text in as much room as the largest number needs, so that a script is
// as long before it is known where in the file the image is.
func (s *mounter) padded(text string) Arg {
	return Arg{kind: Pointer, value: int64(s.append(append([]byte(text), make([]byte, 32-len(text))...))), inData: true}
}

// mount mounts the tree of the step at hand on its target, which is there.
func (s *mounter) mount(next Label) {
	refused, again := s.Label(), s.Label()
	s.Set(s.what, s.Text("mount the image"))
	s.stepText(s.n, stepPath)
	s.Equal(s.n.Get(), Int(0), again)
	s.Call("mount", s.r, refused, s.exePath.Get(), s.target.Get(), s.Text("erofs"), Int(unix.MS_RDONLY|quiet), s.n.Get())
	s.Jump(next)
	s.Place(refused)
	s.stepText(s.n, stepAbove)
	s.Equal(s.n.Get(), Int(0), s.die)
	// Not root of the host, no EROFS, none of a file, none at an offset, and a file
	// where it does not like one.
	for _, e := range []unix.Errno{unix.EPERM, unix.EACCES, unix.ENODEV, unix.ENOTBLK, unix.EINVAL, unix.EOPNOTSUPP, unix.ENOSYS} {
		s.Equal(s.r.Get(), Int(-int64(e)), again)
	}
	s.Jump(s.die)
	s.Place(again)
	s.copy(next)
}
