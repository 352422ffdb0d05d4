package bind

import (
	"bytes"
	"slices"
	"strings"

	"elfwright/elffile"
)

// lfs64 are the names to which musl gave a second one that ends in 64, for programs
// made with glibc. Since 1.2.4 libc.so does not have the second ones any more, and
// the dynamic linker takes a reference to one for the first (get_lfs64 in
// ldso/dynlink.c). Sorted.
const lfs64 = "__fxstat __fxstatat __lxstat __xstat aio_cancel aio_error aio_fsync aio_read aio_return aio_suspend aio_write alphasort creat " +
	"fallocate fgetpos fopen freopen fseeko fsetpos fstat fstatat fstatfs fstatvfs ftello ftruncate ftw getdents getrlimit glob globfree " +
	"lio_listio lockf lseek lstat mkostemp mkostemps mkstemp mkstemps mmap nftw open openat posix_fadvise posix_fallocate pread preadv prlimit " +
	"pwrite pwritev readdir scandir sendfile setrlimit stat statfs statvfs tmpfile truncate versionsort"

// withoutLFS64 is the name that stands for one that ends in 64.
func withoutLFS64(name []byte) (string, bool) {
	if string(name) == "readdir64_r" {
		return "readdir_r", true
	}
	short, ok := bytes.CutSuffix(name, []byte("64"))
	if !ok {
		return "", false
	}
	_, ok = slices.BinarySearch(strings.Fields(lfs64), string(short))
	return string(short), ok
}

// searchLFS64 looks for a name that nothing defines under its other one, from the
// dynamic linker on.
func (s *scope) searchLFS64(r *reference, steps *int) hit {
	name, ok := withoutLFS64(r.name)
	if !ok || s.ld < 0 {
		return none
	}
	return s.searchFrom(s.ld, &reference{name: []byte(name), gnu: elffile.GnuHashOf(name), class: PLT}, steps)
}
