package capture

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// eventFD finds out whether an eventfd is a semaphore, which kernels before 6.5 do
// not tell: what is read of 2 is 1 then. The process stands still meanwhile.
func (t *Target) eventFD(d *Descriptor) error {
	const tells = "eventfd-semaphore"
	if slices.ContainsFunc(d.Info, func(l string) bool { return strings.HasPrefix(l, tells) }) {
		return nil
	}
	fd, err := t.Open(d.N)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	fail := func(err error) error { return t.fault("descriptor %d: %s: %w", d.N, d.Link, err) }
	var before, count uint64
	for _, l := range d.Info {
		if _, err := fmt.Sscanf(l, "eventfd-count: %x", &before); err == nil {
			break
		}
	}
	const most = ^uint64(0) - 3
	if before > most {
		return fail(unix.EOVERFLOW)
	}
	b := make([]byte, 8)
	o := binary.NativeEndian
	o.PutUint64(b, 2)
	if _, err := unix.Write(fd, b); err != nil {
		return fail(err)
	}
	if _, err := unix.Read(fd, b); err != nil {
		return fail(err)
	}
	if count = o.Uint64(b); count == 1 {
		d.Info = append(d.Info, tells+": 1")
		if _, err := unix.Read(fd, b); err != nil {
			return fail(err)
		}
		return nil
	}
	d.Info = append(d.Info, tells+": 0")
	o.PutUint64(b, count-2)
	if count == 2 {
		return nil
	}
	if _, err := unix.Write(fd, b); err != nil {
		return fail(err)
	}
	return nil
}
