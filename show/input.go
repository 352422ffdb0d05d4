package show

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"elfwright/elffile"
)

// member says which member of which archive a file is.
type member struct {
	archive, name string
	offset        int64 // of the member's header in the archive
}

// Input is what the user named.
type Input struct {
	Path  string    // a file, an archive, "archive(member)", or "-"
	Stdin io.Reader // for "-"
}

// maxStdin bounds what is read from a pipe: it is kept in memory.
const maxStdin = 256 << 20

// Path prints what in names: an ELF file, every member of an archive, one
// member. The report is never nil; the error says that in could not be read at
// all, or is w's.
func Path(w io.Writer, in Input, opt Options) (*Report, error) {
	if in.Path == "-" {
		return showStdin(w, in.Stdin, opt)
	}
	name, only := in.Path, ""
	st, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		name, only = splitMember(name)
		st, err = os.Stat(name)
	}
	switch {
	case err != nil:
		return new(Report), plainError(name, err)
	case st.IsDir():
		return new(Report), &elffile.Error{File: name, Msg: "is a directory"}
	}
	m, err := elffile.Map(name)
	if err != nil {
		return new(Report), plainError(name, err)
	}
	defer m.Close()
	return showMapped(w, m, name, only, opt)
}

// showMapped prints a mapped file, or the archive that it is, under the name
// that the user gave it.
func showMapped(w io.Writer, m *elffile.Mapping, name, only string, opt Options) (r *Report, err error) {
	archive := false
	if err := m.Guard(func() error { archive = elffile.IsArchive(m.Bytes()); return nil }); err != nil {
		return new(Report), err
	}
	if archive {
		r = new(Report)
		gerr := m.Guard(func() error { err = showArchive(w, name, m.Bytes(), only, opt, r); return nil })
		if gerr != nil {
			r.Faults = append(r.Faults, gerr)
		}
		return r, err
	}
	if only != "" {
		return new(Report), &elffile.Error{File: name, Msg: "is not an archive with members"}
	}
	boot := false
	if err := m.Guard(func() error { boot = isLoader(m.Bytes()); return nil }); err != nil {
		return new(Report), err
	}
	if boot {
		err = m.Guard(func() (err error) { r, err = printLoader(w, name, m.Bytes(), opt); return err })
		return r, err
	}
	f, err := elffile.Open(m.Name)
	if err != nil {
		return new(Report), err
	}
	defer f.Close()
	f.Name = name
	r, err = Print(w, f, opt)
	if err == nil && opt.views() == 0 && !opt.JSON && holdsLoader(f) {
		err = m.Guard(func() error { return loaderWithin(w, name, m.Bytes(), opt, r) })
	}
	return r, err
}

// splitMember takes "libc.a(printf.o)" apart: at the first parenthesis with a
// file in front of it, for both names may have more of them; at the first one
// if there is no such file, so that the error names the archive.
func splitMember(path string) (archive, member string) {
	if !strings.HasSuffix(path, ")") {
		return path, ""
	}
	inner := path[:len(path)-1]
	first := strings.IndexByte(inner, '(')
	if first <= 0 {
		return path, ""
	}
	for i := first; i < len(inner); i++ {
		if inner[i] != '(' {
			continue
		}
		if _, err := os.Stat(inner[:i]); err == nil {
			return inner[:i], inner[i+1:]
		}
	}
	return inner[:first], inner[first+1:]
}

// plainError is a fault of the system as one of ours: the file and what is
// wrong, without the name of a system call.
func plainError(name string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return &elffile.Error{File: name, Err: pe.Err}
	}
	return err
}

func showStdin(w io.Writer, stdin io.Reader, opt Options) (*Report, error) {
	const name = "-"
	if stdin == nil {
		return new(Report), &elffile.Error{File: name, Msg: "there is no standard input"}
	}
	if m := mapStdin(stdin); m != nil {
		defer m.Close()
		return showMapped(w, m, name, "", opt)
	}
	b, err := io.ReadAll(io.LimitReader(stdin, maxStdin+1))
	if err != nil {
		return new(Report), &elffile.Error{File: name, Msg: "standard input", Err: err}
	}
	if len(b) > maxStdin {
		return new(Report), &elffile.Error{File: name, Msg: fmt.Sprintf("a pipe of more than %d bytes; a file of any size can be shown by its name", maxStdin)}
	}
	if elffile.IsArchive(b) {
		r := new(Report)
		return r, showArchive(w, name, b, "", opt, r)
	}
	if isLoader(b) {
		return printLoader(w, name, b, opt)
	}
	f, err := elffile.Parse(name, b)
	if err != nil {
		return new(Report), err
	}
	return Print(w, f, opt)
}

// mapStdin maps standard input if it is a whole regular file, which then costs
// no memory; else it returns nil.
func mapStdin(stdin io.Reader) *elffile.Mapping {
	f, ok := stdin.(*os.File)
	if !ok {
		return nil
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return nil
	}
	if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != 0 {
		return nil
	}
	m, err := elffile.Map(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		return nil
	}
	return m
}

// showArchive prints the members of an archive: all, or those of one name. A
// member that cannot be read is a fault and does not hide the others.
func showArchive(w io.Writer, name string, b []byte, only string, opt Options, r *Report) error {
	a, err := elffile.ParseArchive(name, b)
	if a == nil {
		return err
	}
	if err != nil {
		r.Faults = append(r.Faults, elffile.Leaves(err)...)
	}
	opt.Heading = true
	found := false
	for i := range a.Members {
		if only != "" && a.Members[i].Name != only {
			continue
		}
		found = true
		if err := showMember(w, a, i, opt, r); err != nil {
			return err
		}
	}
	switch {
	case only != "" && !found:
		return &elffile.Error{File: name, Msg: fmt.Sprintf("the archive has no member %q", only)}
	case !found && !opt.JSON:
		_, err = fmt.Fprintf(w, "\nFile: %s\nThe archive has no members.\n", appendName(nil, name))
		return err
	}
	return nil
}

func showMember(w io.Writer, a *elffile.Archive, i int, opt Options, r *Report) error {
	f, err := a.OpenMember(i)
	if err != nil {
		r.Faults = append(r.Faults, elffile.Leaves(err)...)
		return nil
	}
	defer f.Close()
	m := &a.Members[i]
	report, err := printFile(w, f, opt, &member{a.Name, m.Name, m.HeaderOff})
	r.Faults = append(r.Faults, report.Faults...)
	return err
}
