package boot_test

import (
	"debug/elf"
	"testing"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/internal/elftest"
	"elfwright/sdf"
	"elfwright/sdf/boot"
	"elfwright/sdf/desc"
	"elfwright/sdf/loader"
)

// FuzzRuntime: whatever file is taken for a runtime is refused, or what is made is
// read again as a loader image with a table first.
func FuzzRuntime(f *testing.F) {
	b := desc.Default(desc.X86_64)
	b.Memory = []desc.Memory{{Start: 0x10000000, End: 0x10100000}}
	s, found := desc.Parse("s", []byte(`<system><protection_domain name="one"><program_image path="one.elf"/></protection_domain></system>`), b, desc.Options{})
	if found.Faulty() {
		f.Fatal(found)
	}
	program := elftest.Exec(elftest.Kinds()[0]).Bytes()
	one := sdf.Domain{Name: "one", Output: "one.elf", Stack: sdf.Space{Start: 0x20000000, End: 0x20002000}, IPCBuffer: sdf.Space{Start: 0x20003000, End: 0x20004000}}
	a := &sdf.Applied{Plan: &sdf.Plan{Domains: []sdf.Domain{one}}, Outputs: []sdf.Output{{Name: "one.elf", Body: elffile.NewBody(elffile.Buffer(program))}}}
	f.Add(smallRuntime(f))
	for _, data := range elftest.Corpus() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rt, err := elffile.Parse("runtime", data)
		if err != nil {
			return
		}
		r, err := boot.Make(s, a, rt, boot.Options{})
		if err != nil {
			return
		}
		out, err := r.Body.Bytes(0, uint64(r.Body.Size()))
		if err != nil {
			t.Fatal(err)
		}
		if img, err := loader.Parse("out", out); err != nil || len(img.Regions) < 2 || img.Regions[0].Type != loader.Data {
			t.Fatalf("%+v, %v", img, err)
		}
	})
}

// smallRuntime is a program of one segment.
func smallRuntime(f *testing.F) []byte {
	img := &image.Image{Name: "runtime", Format: elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, Type: elf.ET_EXEC, Machine: elf.EM_X86_64, Entry: 0x100000,
		Segments: []image.Segment{{Vaddr: 0x100000, Paddr: 0x100000, Filesz: 2, Memsz: 16, Flags: 7, Align: 4096, Data: elffile.Buffer{0xeb, 0xfe}, Off: image.NoOffset, Index: image.NoIndex}}}
	file, err := img.File()
	if err != nil {
		f.Fatal(err)
	}
	b := file.Encode()
	out, err := b.Bytes(0, uint64(b.Size()))
	if err != nil {
		f.Fatal(err)
	}
	return out
}
