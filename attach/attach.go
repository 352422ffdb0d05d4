package attach

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"elfwright/elffile"
	"elfwright/payload"
	"elfwright/phdr"
)

// Item is a payload to be put into a program.
type Item struct {
	Name string // one element of a path
	Kind payload.Kind
	// Data are the contents: of a Tree an EROFS image, of an Object an ELF file. It
	// is read by another goroutine, so a mapped file is not for it that may shrink.
	Data      elffile.Data
	MediaType string      // "": by what the contents begin with
	Mode      fs.FileMode // permission bits; 0: 0644
	Align     uint64      // at least; 0: as is good for the kind
	Zstd      bool        // compress it; not for an Object
	Unloaded  bool        // keep it out of the program's memory
	Bind      string      // of a Tree: an absolute path to show it at
	Self      bool        // the program itself is to do so when it starts
}

// Options say how to change a file.
type Options struct {
	phdr.Options
	Replace bool   // an item takes the place of a payload that has its name
	TempDir string // for what is compressed; "": as os.CreateTemp
}

// Result is a changed file, not yet written. The digests of new payloads may still
// be reckoned; who reads Body up to the directory waits for them. Close it
// afterwards.
type Result struct {
	Body   *elffile.Body
	Report func() (*Report, error) // what was done; it waits for the digests

	settle func() error
	sums   []*digest
	temp   []io.Closer
}

// Close frees what the body needs to be read.
func (r *Result) Close() error {
	for _, g := range r.sums {
		g.wait() // nobody reads an item's data any more
	}
	var first error
	for _, c := range r.temp {
		if err := c.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Add puts payloads into a file, which is not changed itself.
func Add(f *elffile.File, items []Item, opt Options) (*Result, error) {
	list, err := members(f)
	if err != nil {
		return nil, err
	}
	res := &Result{}
	for i := range items {
		m, err := res.take(&items[i], opt)
		if err != nil {
			res.Close()
			return nil, fmt.Errorf("%s: payload %q: %w", f.Name, items[i].Name, err)
		}
		at := slices.IndexFunc(list, func(o *member) bool { return o.Name == m.Name })
		switch {
		case at < 0:
			list = append(list, m)
		case opt.Replace:
			list[at] = m
		default:
			res.Close()
			return nil, &Refusal{f.Name, fmt.Sprintf("it has a payload named %q already; --replace puts the new one in its place", m.Name)}
		}
	}
	if err := res.rebuild("add", f, list, opt); err != nil {
		res.Close()
		return nil, err
	}
	return res, nil
}

// Remove takes payloads out of a file, and the room they had.
func Remove(f *elffile.File, names []string, opt Options) (*Result, error) {
	list, err := members(f)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		at := slices.IndexFunc(list, func(m *member) bool { return m.Name == name })
		if at < 0 {
			return nil, &Refusal{f.Name, fmt.Sprintf("no payload is named %q", name)}
		}
		list = slices.Delete(list, at, at+1)
	}
	res := &Result{}
	return res, res.rebuild("rm", f, list, opt)
}

// Fix writes the directory and the headers of objects anew, after another tool
// has moved them in the file.
func Fix(f *elffile.File, opt Options) (*Result, error) {
	list, err := members(f)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, &Refusal{f.Name, payload.ErrNone.Error()}
	}
	res := &Result{}
	return res, res.rebuild("fix", f, list, opt)
}

// take makes a member of an item: its digest, its compressed form.
func (r *Result) take(it *Item, opt Options) (*member, error) {
	if err := it.check(); err != nil {
		return nil, err
	}
	m := &member{data: it.Data, loaded: !it.Unloaded, Entry: payload.Entry{
		Name: it.Name, Kind: it.Kind, MediaType: it.MediaType, Mode: it.Mode, Align: it.Align,
		Size: uint64(it.Data.Size()), Zstd: it.Zstd, Bind: it.Bind, Self: it.Self,
	}}
	if m.Mode == 0 {
		m.Mode = 0o644
	}
	if m.MediaType == "" {
		t, err := mediaType(it.Data)
		if err != nil {
			return nil, err
		}
		m.MediaType = t
	}
	m.sum = newDigest(it.Data)
	r.sums = append(r.sums, m.sum)
	if it.Zstd {
		z, err := r.compress(io.NewSectionReader(it.Data, 0, it.Data.Size()), opt.TempDir)
		if err != nil {
			return nil, err
		}
		m.data = z
	}
	m.Stored = uint64(m.data.Size())
	return m, nil
}

// check refuses what no file could take.
func (it *Item) check() error {
	if err := payload.CheckName(it.Name); err != nil {
		return err
	}
	switch {
	case it.Mode&^(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0:
		return fmt.Errorf("mode %v has more than permissions", it.Mode)
	case it.Kind == payload.Object && it.Zstd:
		return fmt.Errorf("a compressed object could not be mapped from the file")
	case it.Bind != "" && it.Kind != payload.Tree:
		return fmt.Errorf("only a directory can be bound to a directory")
	case it.Bind != "" && (!path.IsAbs(it.Bind) || path.Clean(it.Bind) != it.Bind || it.Bind == "/"):
		return fmt.Errorf("bind %q is not a clean absolute path below /", it.Bind)
	case it.Bind != "" && it.Zstd:
		return fmt.Errorf("a compressed tree cannot be mounted")
	case it.Self && it.Bind == "":
		return fmt.Errorf("the program can only bind a tree that has a directory to be bound to")
	case it.Self && it.Unloaded:
		return fmt.Errorf("tools move what is not loaded, and the program would no longer find it to bind it")
	}
	return nil
}

// compress writes what is read to a temporary file without a name, in one zstd
// frame. One goroutine: the same bytes give the same frame.
func (r *Result) compress(from io.Reader, dir string) (elffile.Data, error) {
	tmp, err := os.CreateTemp(dir, "elfwright.*.zst")
	if err != nil {
		return nil, err
	}
	r.temp = append(r.temp, tmp)
	if err := os.Remove(tmp.Name()); err != nil {
		return nil, err
	}
	z, err := zstd.NewWriter(tmp, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(z, from); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	st, err := tmp.Stat()
	if err != nil {
		return nil, err
	}
	return elffile.Reader{R: tmp, N: st.Size()}, nil
}

// mediaType tells the formats that matter here by their first bytes. There is no
// registered type for EROFS.
func mediaType(d elffile.Data) (string, error) {
	head := make([]byte, min(d.Size(), 1028))
	if _, err := d.ReadAt(head, 0); err != nil && err != io.EOF {
		return "", err
	}
	switch {
	case len(head) >= 4 && string(head[:4]) == "\x7fELF":
		return "application/x-elf", nil
	case len(head) == 1028 && string(head[1024:]) == "\xe2\xe1\xf5\xe0": // EROFS_SUPER_MAGIC_V1
		return "application/x-erofs", nil
	}
	return "application/octet-stream", nil
}

// rebuild makes a file that carries these payloads and no others.
func (r *Result) rebuild(action string, f *elffile.File, list []*member, opt Options) error {
	plain, err := bare(f, opt.Options)
	if err != nil {
		return err
	}
	rep := newReport(action, f)
	r.settle = sync.OnceValue(func() error { return settle(list) })
	r.Report = sync.OnceValues(func() (*Report, error) {
		err := r.settle()
		rep.payloads(list)
		return rep, err
	})
	if len(list) == 0 {
		r.Body = plain.Encode()
		rep.Size.After = r.Body.Size()
		return nil
	}
	layouts, err := layOut(f, list)
	if err != nil {
		return err
	}
	added, now, err := r.put(f, plain, layouts, list, opt.Options)
	if err != nil {
		return err
	}
	rep.tell(added, now, list)
	if err := r.check(f.Name, list); err != nil {
		return err
	}
	r.promise(now.Format, layouts)
	return nil
}

// bare is a file without its payloads, and without the prelude that binds them.
func bare(f *elffile.File, opt phdr.Options) (*elffile.File, error) {
	f, err := withoutPrelude(f, opt)
	if err != nil {
		return nil, err
	}
	return detach(f, opt)
}

// layOut gives payloads that are loaded, and those that are not, their places
// among each other.
func layOut(f *elffile.File, list []*member) ([]*layout, error) {
	var layouts []*layout
	for _, loaded := range []bool{true, false} {
		part := slices.DeleteFunc(slices.Clone(list), func(m *member) bool { return m.loaded != loaded })
		if len(part) == 0 {
			continue
		}
		l, err := newLayout(part, loaded)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		layouts = append(layouts, l)
	}
	return layouts, nil
}

// put adds the program headers of layouts, and of a prelude where a tree wants one,
// and writes what depends on their places.
func (r *Result) put(f, plain *elffile.File, layouts []*layout, list []*member, opt phdr.Options) (*phdr.Report, *elffile.File, error) {
	var headers []phdr.Header
	for _, l := range layouts {
		headers = append(headers, l.header())
	}
	start, err := newStarter(f, plain, list)
	if err != nil {
		return nil, nil, err
	}
	if start != nil {
		headers = append(headers, start.header)
		opt.Force = false // what is before ld.so's own start is not for a prelude
	}
	added, err := phdr.Add(plain, headers, opt)
	if err != nil {
		return nil, nil, err
	}
	r.Body = added.Body
	now, err := elffile.ParseBody(f.Name, r.Body)
	if err != nil {
		return nil, nil, err
	}
	if err := r.fill(now, layouts); err != nil {
		return nil, nil, err
	}
	if start != nil {
		if added, err = start.enter(plain, added); err != nil {
			return nil, nil, err
		}
		r.Body = added.Body
	}
	return added.Report, now, nil
}

// promise puts directories in the place of those without digests.
func (r *Result) promise(format elffile.Format, layouts []*layout) {
	for _, l := range layouts {
		r.Body.Put(int64(l.off), promise(int64(l.dir), func() ([]byte, error) {
			if err := r.settle(); err != nil {
				return nil, err
			}
			return l.directory(format, l.off), nil
		}))
	}
}

// fill finds the headers of the layouts, which are the only ones of their type.
func (r *Result) fill(now *elffile.File, layouts []*layout) error {
	for i := range now.Progs {
		p := &now.Progs[i]
		for _, l := range layouts {
			if p.Type == payload.ProgType && p.Memsz > 0 == l.loaded {
				if err := l.fill(now.Format, r.Body, p.Off); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// check reads the result as a program would: every payload is found, where it
// should be.
func (r *Result) check(name string, list []*member) error {
	f, err := elffile.ParseBody(name, r.Body)
	if err != nil {
		return err
	}
	dirs, err := payload.Read(f)
	if err != nil {
		return fmt.Errorf("%s: nothing is written, because the result would not be right: %w", name, err)
	}
	for _, m := range list {
		_, e, err := payload.Find(dirs, m.Name)
		if err != nil || *e != m.Entry {
			return fmt.Errorf("%s: nothing is written, because payload %q would not be right (%v)", name, m.Name, err)
		}
	}
	return nil
}
