package serve

import (
	"bytes"
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/run/launch"
)

// Links says where a C library reads links, in the mappings that glibc's dynamic
// linker will make of it on a machine with pages of this size (elf/dl-map-segments.h,
// _dl_map_segments).
func Links(libc *elffile.File, page uint64) ([]launch.Link, error) {
	sites, err := FindLinksIn(libc, "readlink", "readlinkat")
	if err != nil { // it keeps its functions elsewhere
		sites, err = FindLinks(libc)
	}
	if err != nil {
		return nil, err
	}
	if len(sites.List) == 0 {
		return nil, fmt.Errorf("%s: none of its system calls is a readlink", libc.Name)
	}
	var out []launch.Link
	for _, s := range sites.List {
		n := s.Next - s.Vaddr
		b, err := libc.BytesAt(s.Vaddr, n)
		if err != nil {
			return nil, err
		}
		if l, ok := mapping(libc, s.Vaddr, page); ok && n <= maxReplaced {
			l.Bytes = bytes.Clone(b)
			out = append(out, l)
		}
	}
	return out, nil
}

// maxReplaced is how many bytes the code is ready for.
const maxReplaced = 32

// mapping is the one that an address is in.
func mapping(f *elffile.File, at, page uint64) (launch.Link, bool) {
	low, high, found := ^uint64(0), uint64(0), -1
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		low, high = min(low, p.Vaddr&^(page-1)), max(high, p.Vaddr+p.Memsz)
		if at >= p.Vaddr && at-p.Vaddr < p.Filesz {
			found = i
		}
	}
	if found < 0 {
		return launch.Link{}, false
	}
	p := &f.Progs[found]
	start := p.Vaddr &^ (page - 1)
	l := launch.Link{Offset: p.Off &^ (page - 1), At: at - start, Length: (p.Vaddr+p.Filesz+page-1)&^(page-1) - start}
	if start == low { // the first mapping has room for all
		l.Length = high - low
	}
	return l, true
}
