package erofs

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// xattrPrefixes are what a name begins with, by the number that stands for it in
// the image. The two ACLs are whole names.
var xattrPrefixes = [...]string{
	1: "user.",
	2: "system.posix_acl_access",
	3: "system.posix_acl_default",
	4: "trusted.",
	5: "lustre.",
	6: "security.",
}

// splitXattr returns the number for a name's prefix, and the rest of the name.
func splitXattr(name string) (index byte, rest string, ok bool) {
	for i, p := range xattrPrefixes {
		if p == "" {
			continue
		}
		rest, found := strings.CutPrefix(name, p)
		if found && (rest == "") == !strings.HasSuffix(p, ".") {
			return byte(i), rest, true
		}
	}
	return 0, "", false
}

// joinXattr is the way back.
func joinXattr(index byte, rest string) (name string, ok bool) {
	if int(index) >= len(xattrPrefixes) || xattrPrefixes[index] == "" {
		return "", false
	}
	p := xattrPrefixes[index]
	return p + rest, (rest == "") == !strings.HasSuffix(p, ".")
}

// readXattrs returns a file's extended attributes as the image has them: sorted by
// name, behind a header that says that none is in the shared area.
func (t *tree) readXattrs(path string) ([]byte, error) {
	names, err := listXattrs(t.path(path))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	b := make([]byte, xattrHeaderSize)
	for _, name := range names {
		value, err := getXattr(t.path(path), name)
		if err != nil {
			return nil, err
		}
		index, rest, ok := splitXattr(name)
		switch {
		case !ok:
			return nil, t.fault(path, "extended attribute %q: EROFS has no place for names like this", name)
		case len(value) > 0xffff:
			return nil, t.fault(path, "extended attribute %q has 0x%x bytes, at most 0xffff are possible", name, len(value))
		}
		b = append(b, byte(len(rest)), index, byte(len(value)), byte(len(value)>>8))
		b = append(append(b, rest...), value...)
		b = append(b, make([]byte, roundUp(len(b), 4)-len(b))...)
	}
	const most = xattrHeaderSize + (0xffff-1)*4 // i_xattr_icount has 16 bits
	if len(b) > most {
		return nil, t.fault(path, "the extended attributes take 0x%x bytes, at most 0x%x are possible", len(b), most)
	}
	return b, nil
}

// listXattrs returns the names of a file's extended attributes, sorted. A file
// system without any has none.
func listXattrs(path string) ([]string, error) {
	list, err := growing(func(b []byte) (int, error) { return unix.Llistxattr(path, b) })
	if err == unix.ENOTSUP {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "llistxattr", Path: path, Err: err}
	}
	names := strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 })
	slices.Sort(names)
	return names, nil
}

func getXattr(path, name string) ([]byte, error) {
	value, err := growing(func(b []byte) (int, error) { return unix.Lgetxattr(path, name, b) })
	if err != nil {
		return nil, &os.PathError{Op: fmt.Sprintf("lgetxattr %q of", name), Path: path, Err: err}
	}
	return value, nil
}

// growing asks how large an answer is, and asks again if it has grown since.
func growing(get func([]byte) (int, error)) ([]byte, error) {
	for {
		n, err := get(nil)
		if err != nil || n == 0 {
			return nil, err
		}
		b := make([]byte, n)
		if n, err = get(b); err == nil {
			return b[:n], nil
		} else if err != unix.ERANGE {
			return nil, err
		}
	}
}
