package capture

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/proc"
)

// Watch is what an inotify instance watches.
type Watch struct {
	WD   int
	Mask uint32
	Path string // "" where it could not be found
	file fileAt
}

// fileAt is a file as fdinfo names it.
type fileAt struct {
	dev, ino uint64
	kind     int32
	handle   string // its bytes; "": the kernel does not tell
}

// ParseWatch reads a line of fdinfo: "inotify wd:1 ino:9e7e sdev:800013 mask:100
// ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:7e9e0000640d1b6d".
func ParseWatch(line string) (w Watch, err error) {
	rest, ok := strings.CutPrefix(line, "inotify ")
	if !ok {
		return w, fmt.Errorf("%q is not a watch", line)
	}
	var dev uint64
	for word := range strings.FieldsSeq(rest) {
		key, value, _ := strings.Cut(word, ":")
		switch key {
		case "wd":
			_, err = fmt.Sscanf(value, "%d", &w.WD)
		case "ino":
			_, err = fmt.Sscanf(value, "%x", &w.file.ino)
		case "sdev":
			_, err = fmt.Sscanf(value, "%x", &dev)
		case "mask":
			_, err = fmt.Sscanf(value, "%x", &w.Mask)
		case "fhandle-type":
			_, err = fmt.Sscanf(value, "%x", &w.file.kind)
		case "f_handle":
			var b []byte
			b, err = hex.DecodeString(value)
			w.file.handle = string(b)
		}
		if err != nil {
			return w, fmt.Errorf("%q: %s: %w", line, key, err)
		}
	}
	// The kernel's own form of a device: 12 bits and 20.
	w.file.dev = unix.Mkdev(uint32(dev>>20), uint32(dev&0xfffff))
	return w, nil
}

// watches finds what an inotify instance watches, and how much it has to tell that
// was not read yet.
func (t *Target) watches(d *Descriptor) error {
	fd, err := t.Open(d.N)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if d.Queued, err = unix.IoctlGetInt(fd, unix.TIOCINQ); err != nil {
		return t.fault("descriptor %d: FIONREAD: %w", d.N, err)
	}
	for _, line := range d.Info {
		if !strings.HasPrefix(line, "inotify ") {
			continue
		}
		w, err := ParseWatch(line)
		if err != nil {
			return t.fault("descriptor %d: %w", d.N, err)
		}
		d.Watches = append(d.Watches, w)
	}
	t.byHandle(d.Watches)
	return t.byPlace(d.Watches)
}

// byHandle opens the watched files by their handles, which needs
// CAP_DAC_READ_SEARCH, and asks for their paths.
func (t *Target) byHandle(list []Watch) {
	mounts := make(map[uint64]int)
	defer func() {
		for _, fd := range mounts {
			unix.Close(fd)
		}
	}()
	for i := range list {
		w := &list[i]
		if w.file.handle == "" {
			continue
		}
		mount, ok := mounts[w.file.dev]
		if !ok {
			if mount = t.mountOf(w.file.dev); mount < 0 {
				continue
			}
			mounts[w.file.dev] = mount
		}
		fd, err := unix.OpenByHandleAt(mount, unix.NewFileHandle(w.file.kind, []byte(w.file.handle)), unix.O_PATH|unix.O_CLOEXEC)
		if err == unix.EPERM {
			return
		}
		if err != nil {
			continue
		}
		path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		unix.Close(fd)
		if err == nil && t.isAt(w, path) {
			w.Path = path
		}
	}
}

// mountOf opens a place where a device is mounted; -1: none is found.
func (t *Target) mountOf(dev uint64) int {
	b, err := t.read("mountinfo")
	if err != nil {
		return -1
	}
	want := fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev))
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 5 || f[2] != want {
			continue
		}
		fd, err := unix.Open(t.path("root")+unescape(f[4]), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
		if err == nil {
			return fd
		}
	}
	return -1
}

// unescape reads the octal numbers that mountinfo has for spaces and the like.
func unescape(s string) string {
	var out []byte
	for i := 0; i < len(s); i++ {
		var n byte
		if s[i] == '\\' && i+3 < len(s) {
			if _, err := fmt.Sscanf(s[i+1:i+4], "%o", &n); err == nil {
				out = append(out, n)
				i += 3
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// isAt says whether a path of the process leads to the watched file.
func (t *Target) isAt(w *Watch, path string) bool {
	var st unix.Stat_t
	path = t.path("root") + path
	if unix.Stat(path, &st) != nil || st.Ino != w.file.ino {
		return false
	}
	if w.file.handle == "" {
		return uint64(st.Dev) == w.file.dev
	}
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, path, 0)
	if err != nil {
		return uint64(st.Dev) == w.file.dev
	}
	return h.Type() == w.file.kind && string(h.Bytes()) == w.file.handle
}

// mostPlaces bounds the search below the working directory.
const mostPlaces = 1 << 16

// byPlace looks for watched files where a process without privilege can: the
// directories that it has to do with, what is in them, and all below the working
// directory.
func (t *Target) byPlace(list []Watch) error {
	missing := make(map[uint64][]*Watch)
	for i := range list {
		if w := &list[i]; w.Path == "" {
			missing[w.file.ino] = append(missing[w.file.ino], w)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	try := func(path string, ino uint64) {
		for _, w := range missing[ino] {
			if w.Path == "" && t.isAt(w, path) {
				w.Path = path
			}
		}
		all := true
		for _, w := range missing[ino] {
			all = all && w.Path != ""
		}
		if all {
			delete(missing, ino)
		}
	}
	places, err := t.places()
	if err != nil {
		return err
	}
	for _, p := range places {
		t.look(p, try)
	}
	cwd, err := os.Readlink(t.path("cwd"))
	if err != nil {
		return t.fault("%w", err)
	}
	queue := []string{cwd}
	for n := 0; len(queue) > 0 && len(missing) > 0 && n < mostPlaces; n++ {
		queue = append(queue[1:], t.look(queue[0], try)...)
	}
	return nil
}

// places are the directories that a process has to do with: those of its open
// files, of its program, of its mappings, and the root.
func (t *Target) places() ([]string, error) {
	seen := map[string]bool{"/": true}
	out := []string{"/"}
	add := func(path string) {
		for path != "/" && strings.HasPrefix(path, "/") && !seen[path] {
			seen[path] = true
			out = append(out, path)
			path = filepath.Dir(path)
		}
	}
	entries, err := os.ReadDir(t.path("fd"))
	if err != nil {
		return nil, t.fault("%w", err)
	}
	for _, e := range entries {
		if link, err := os.Readlink(t.path("fd/" + e.Name())); err == nil {
			add(link)
		}
	}
	maps, err := t.read("maps")
	if err != nil {
		return nil, err
	}
	list, err := proc.ParseMaps(maps)
	if err != nil {
		return nil, t.fault("%w", err)
	}
	for i := range list {
		if list[i].File() {
			add(list[i].Name)
		}
	}
	return out, nil
}

// look tries a directory and what is in it, and returns its directories.
func (t *Target) look(dir string, try func(path string, ino uint64)) (below []string) {
	var st unix.Stat_t
	root := t.path("root")
	if unix.Stat(root+dir, &st) != nil {
		return nil
	}
	try(dir, st.Ino)
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil
	}
	entries, err := os.ReadDir(root + dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if unix.Lstat(root+path, &st) != nil {
			continue
		}
		try(path, st.Ino)
		if e.IsDir() {
			below = append(below, path)
		}
	}
	return below
}
