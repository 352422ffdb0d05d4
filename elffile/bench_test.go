package elffile

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"elfwright/internal/elftest"
)

// largeLibrary is the largest shared library of LLVM, or of the system's C
// library where LLVM is not installed.
func largeLibrary(b testing.TB) string {
	best, size := "/usr/lib/x86_64-linux-gnu/libc.so.6", int64(0)
	paths, _ := filepath.Glob("/usr/lib/llvm-14/lib/*.so*")
	more, _ := filepath.Glob("/usr/lib/x86_64-linux-gnu/libLLVM*.so*")
	for _, p := range append(paths, more...) {
		if st, err := os.Stat(p); err == nil && st.Size() > size {
			best, size = p, st.Size()
		}
	}
	if _, err := os.Stat(best); err != nil {
		b.Skip("no library: ", err)
	}
	return best
}

func open(b testing.TB, name string) *File {
	f, err := Open(name)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f
}

func BenchmarkOpen(b *testing.B) {
	name := largeLibrary(b)
	b.ReportAllocs()
	for b.Loop() {
		f, err := Open(name)
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

func BenchmarkSymbols(b *testing.B) {
	f := open(b, largeLibrary(b))
	t, err := f.DynamicSymbolTable()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var sum uint64
	for b.Loop() {
		for i := range t.Len() {
			s := t.At(i)
			sum += s.Value + uint64(len(t.Name(s)))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(t.Len()), "ns/symbol")
}

func BenchmarkRelocs(b *testing.B) {
	f := open(b, largeLibrary(b))
	tables, err := f.DynamicRelocTables()
	if err != nil || len(tables) == 0 {
		b.Fatal(err)
	}
	b.ReportAllocs()
	t := tables[0]
	var sum uint64
	for b.Loop() {
		for i := range t.Len() {
			r := t.At(i)
			sum += r.Off + uint64(r.Addend)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(t.Len()), "ns/relocation")
}

// BenchmarkKinds decodes tables of each class and order, and the packed forms.
func BenchmarkKinds(b *testing.B) {
	for _, k := range elftest.Kinds() {
		f := &File{Format: Format{k.Class, elf.ELFDATA2LSB}}
		if k.Order.String() == "BigEndian" {
			f.Data = elf.ELFDATA2MSB
		}
		rs := sampleRelocs(f, true)
		for form, data := range map[relocForm][]byte{
			formRel: make([]byte, 2000*f.RelSize()), formRela: make([]byte, 2000*f.RelaSize()),
			formCrel: encodeCrel(rs, true, 0), formAndroidRela: encodeAndroid(f, rs, androidAddend|androidByInfo),
			formRelr: make([]byte, 2000*f.AddrSize()),
		} {
			t := &RelocTable{format: f.Format}
			if err := t.set(f, form, data, max(1, f.relocSize(form)), 2000, nil); err != nil {
				b.Fatal(err)
			}
			b.Run(k.Name+"/"+t.Kind, func(b *testing.B) {
				var sum uint64
				for b.Loop() {
					for r := range t.All() {
						sum += r.Off + uint64(r.Addend)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(t.Len()), "ns/relocation")
			})
		}
	}
}
