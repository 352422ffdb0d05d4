package musl

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/run/debugfile"
)

// symbols are where the addresses of a row come from.
func (r *Row) symbols() map[string]*uint64 {
	return map[string]*uint64{
		"__copy_tls":               &r.CopyTLS,
		"__init_tp":                &r.InitTP,
		"__init_libc":              &r.InitLibc,
		"do_init_fini":             &r.InitFini,
		"__libc":                   &r.Libc,
		"__hwcap":                  &r.HWCap,
		"ldso":                     &r.Ldso,
		"head":                     &r.Head,
		"tail":                     &r.Tail,
		"syms_tail":                &r.SymsTail,
		"tls_tail":                 &r.TLSTail,
		"tls_cnt":                  &r.TLSCount,
		"tls_offset":               &r.TLSOffset,
		"tls_align":                &r.TLSAlign,
		"static_tls_cnt":           &r.StaticCount,
		"main_ctor_queue":          &r.Queue,
		"builtin_ctor_queue":       &r.BuiltinQueue,
		"env_path":                 &r.EnvPath,
		"runtime":                  &r.Runtime,
		"debug":                    &r.Debug,
		"__malloc_replaced":        &r.Malloc,
		"__aligned_alloc_replaced": &r.AlignedAlloc,
	}
}

// versions are the releases whose structures are those that are known here.
var versions = []string{"1.2.0", "1.2.1", "1.2.2", "1.2.3", "1.2.4", "1.2.5"}

// Learn makes the row of a build of musl from the library and the file that has its
// symbols and debugging information, which is the library itself or what a
// distribution keeps beside it. The two must have the same build-id.
func Learn(ld, debug *elffile.File) (*Row, error) {
	id := ld.BuildID()
	if len(id) == 0 {
		return nil, &elffile.Error{File: ld.Name, Off: -1, Msg: "it has no build-id to know it by"}
	}
	if other := debug.BuildID(); !bytes.Equal(id, other) {
		return nil, &elffile.Error{File: debug.Name, Off: -1, Msg: fmt.Sprintf("its build-id %x is not that of %s, %x", other, ld.Name, id)}
	}
	r := &Row{BuildID: hex.EncodeToString(id), Machine: ld.Header.Machine}
	version, err := r.learnSymbols(debug)
	if err != nil {
		return nil, err
	}
	if r.Version = versionAt(ld, version); !slices.Contains(versions, r.Version) {
		return nil, &elffile.Error{File: ld.Name, Off: -1, Msg: fmt.Sprintf("it is musl %q: only the structures of %s to %s are known", r.Version, versions[0], versions[len(versions)-1])}
	}
	d, err := debugfile.DWARF(debug)
	if err != nil {
		return nil, err
	}
	if err := r.learnStructs(d); err != nil {
		return nil, &elffile.Error{File: debug.Name, Struct: ".debug_info", Off: -1, Err: err}
	}
	if err := r.check(); err != nil {
		return nil, &elffile.Error{File: debug.Name, Off: -1, Err: err}
	}
	return r, nil
}

// Is says whether a file is musl's dynamic linker, by the function in which its
// second stage goes on.
func Is(ld *elffile.File) bool {
	t, err := ld.DynamicSymbolTable()
	if err != nil || t == nil {
		return false
	}
	for i := range t.Len() {
		if s := t.At(i); s.Shndx != uint16(elf.SHN_UNDEF) && string(t.Name(s)) == "__dls2b" {
			return true
		}
	}
	return false
}

// source is the file of musl that has the static variables.
const source = "dynlink."

// learnSymbols takes the symbols from .symtab. What has a name that other files of
// musl have as well ("head") counts if it is of dynlink.c.
func (r *Row) learnSymbols(debug *elffile.File) (version uint64, err error) {
	i := debug.SectionByType(elf.SHT_SYMTAB)
	if i < 0 {
		return 0, &elffile.Error{File: debug.Name, Off: -1, Msg: "there is no symbol table (SHT_SYMTAB)"}
	}
	t, err := debug.SymbolTable(i)
	if err != nil {
		return 0, err
	}
	want := r.symbols()
	ours := false
	for i := range t.Len() {
		s := t.At(i)
		name := string(t.Name(s))
		if s.Type() == elf.STT_FILE {
			ours = strings.HasPrefix(name, source)
			continue
		}
		hidden := strings.HasPrefix(name, "__") // in one file alone, whichever
		switch at := want[name]; {
		case s.Shndx == uint16(elf.SHN_UNDEF) || s.Value == 0:
		case name == "__libc_version":
			version = s.Value
		case at != nil && (ours || hidden):
			*at = s.Value
		}
	}
	return version, nil
}

// versionAt is the text at an address of the library; "" if none is.
func versionAt(ld *elffile.File, at uint64) string {
	if at == 0 {
		return ""
	}
	b, err := ld.BytesAt(at, 16)
	if err != nil {
		return ""
	}
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}

// members of struct dso, which the state is made by.
var members = map[string]int64{
	"base": dsoBase, "name": dsoName, "dynv": dsoDynv, "next": dsoNext, "prev": dsoPrev, "phdr": dsoPhdr, "phnum": dsoPhnum, "phentsize": dsoPhentsize,
	"syms": dsoSyms, "hashtab": dsoHashtab, "ghashtab": dsoGhashtab, "versym": dsoVersym, "strings": dsoStrings, "syms_next": dsoSymsNext,
	"map": dsoMap, "map_len": dsoMapLen, "dev": dsoDev, "ino": dsoIno, "relocated": dsoRelocated, "kernel_mapped": dsoKernelMapped,
	"bfs_built": dsoBfsBuilt, "deps": dsoDeps, "needed_by": dsoNeededBy, "rpath_orig": dsoRpathOrig, "rpath": dsoRpath, "tls": dsoTLS, "tls_id": dsoTLSID,
	"ndeps_direct": dsoDirect, "relro_start": dsoRelro, "shortname": dsoShortname,
}

// learnStructs takes the size of struct pthread, and holds struct dso against what is
// known of it.
func (r *Row) learnStructs(d *dwarf.Data) error {
	dso := false
	for rd := d.Reader(); !dso || r.Thread == 0; {
		e, err := rd.Next()
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		size, complete := e.Val(dwarf.AttrByteSize).(int64)
		name, _ := e.Val(dwarf.AttrName).(string)
		if e.Tag == dwarf.TagStructType && complete && (name == "pthread" || name == "__pthread") && size > 0 {
			r.Thread = uint64(size)
		}
		if e.Tag == dwarf.TagStructType && complete && name == "dso" && !dso {
			if err := checkDSO(d, e.Offset); err != nil {
				return err
			}
			dso = true
		}
		if e.Tag != dwarf.TagCompileUnit {
			rd.SkipChildren()
		}
	}
	if !dso {
		return fmt.Errorf("struct dso is not in it")
	}
	return nil
}

func checkDSO(d *dwarf.Data, at dwarf.Offset) error {
	t, err := d.Type(at)
	if err != nil {
		return fmt.Errorf("struct dso: %w", err)
	}
	s, ok := t.(*dwarf.StructType)
	if !ok {
		return fmt.Errorf("struct dso is a %v", t)
	}
	have := make(map[string]int64)
	for _, m := range s.Field {
		have[m.Name] = m.ByteOffset
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if off, ok := have[name]; !ok || off != members[name] {
			return fmt.Errorf("struct dso has no member %s at %d: it is not that of a musl that is known", name, members[name])
		}
	}
	if s.ByteSize > dsoSize {
		return fmt.Errorf("struct dso has %d bytes, more than %d: it is not that of a musl that is known", s.ByteSize, dsoSize)
	}
	return nil
}
