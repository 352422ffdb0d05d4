package show

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/machine/all"
)

// formats are the four ways in which an ELF file may write its numbers.
var formats = []elffile.Format{
	{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, {Class: elf.ELFCLASS64, Data: elf.ELFDATA2MSB},
	{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}, {Class: elf.ELFCLASS32, Data: elf.ELFDATA2MSB},
}

func noteContextOf(f elffile.Format, m elf.Machine, core bool) *noteContext {
	return &noteContext{Format: f, machine: m, mach: all.Lookup(m, f.Class), core: core}
}

// fieldWriter builds a descriptor; strings end with a NUL.
type fieldWriter struct {
	elffile.Format
	b []byte
}

func (w *fieldWriter) put(values ...any) *fieldWriter {
	for _, v := range values {
		switch v := v.(type) {
		case uint8:
			w.b = append(w.b, v)
		case uint16:
			w.b = append(w.b, 0, 0)
			w.PutU16(w.b[len(w.b)-2:], v)
		case uint32:
			w.b = append(w.b, 0, 0, 0, 0)
			w.PutU32(w.b[len(w.b)-4:], v)
		case uint64:
			w.b = append(w.b, 0, 0, 0, 0, 0, 0, 0, 0)
			w.PutU64(w.b[len(w.b)-8:], v)
		case int: // an address
			w.b = append(w.b, make([]byte, w.AddrSize())...)
			w.PutAddr(w.b[len(w.b)-w.AddrSize():], uint64(v))
		case string:
			w.b = append(append(w.b, v...), 0)
		case []byte:
			w.b = append(w.b, v...)
		default:
			panic(fmt.Sprintf("%T", v))
		}
	}
	return w
}

// rowJSON gives the fields of a row as encoding/json reads them back.
func rowJSON(t testing.TB, r row) map[string]any {
	t.Helper()
	o := &object{newBuffer(io.Discard)}
	o.add("{")
	r.json(o)
	o.add("}")
	fields := map[string]any{}
	if err := json.Unmarshal(o.b, &fields); err != nil {
		t.Fatalf("%v in %s", err, o.b)
	}
	return fields
}

func rowText(r row) string {
	b := newBuffer(io.Discard)
	r.text(&text{buffer: b})
	return string(b.b)
}

func parseJSON(t testing.TB, s string) map[string]any {
	t.Helper()
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(s), &fields); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return fields
}

// checkDocumented says which fields docs/show-json.md does not tell of.
func checkDocumented(t *testing.T, kinds map[string]string, prefix string, v any) {
	t.Helper()
	var list []field
	fields(prefix, v, &list)
	for _, f := range list {
		if kinds[f.path] == "" && kinds[strings.TrimSuffix(f.path, "_bytes")] == "" {
			t.Errorf("docs/show-json.md does not tell what %q is", f.path)
		}
	}
}

// TestNoteContents decodes one note of each kind in every format.
func TestNoteContents(t *testing.T) {
	type desc = func(w *fieldWriter)
	put := func(values ...any) desc { return func(w *fieldWriter) { w.put(values...) } }
	tests := []struct {
		owner    string
		typ      uint32
		machine  elf.Machine
		desc     desc
		typeName string
		json     string
		text     string // a part of it
	}{
		{"GNU", 1, elf.EM_X86_64, put(uint32(0), uint32(3), uint32(2), uint32(0)), "NT_GNU_ABI_TAG",
			`{"os":0,"os_name":"Linux","abi":"3.2.0"}`, "    OS: Linux\n    ABI: 3.2.0\n"},
		{"GNU", 1, elf.EM_X86_64, put(uint32(99), uint32(1), uint32(2), uint32(3)), "NT_GNU_ABI_TAG",
			`{"os":99,"os_name":"unknown (99)","abi":"1.2.3"}`, "unknown (99)"},
		{"GNU", 2, elf.EM_386, put(uint32(1), uint32(2), uint8(1), "nosegneg"), "NT_GNU_HWCAP",
			`{"count":1,"mask":"0x2","names":"1 nosegneg"}`, "Bits: 1 nosegneg"},
		{"GNU", 3, elf.EM_X86_64, put(uint8(0xde), uint8(0xad), uint8(0)), "NT_GNU_BUILD_ID",
			`{"build_id":"dead00"}`, "    Build ID: dead00\n"},
		{"GNU", 4, elf.EM_X86_64, put("gold 1.16"), "NT_GNU_GOLD_VERSION", `{"version":"gold 1.16"}`, "gold 1.16"},
		{"FDO", 0xcafe1a7e, elf.EM_X86_64, put(`{"type":"deb","os":"debian"}`, uint8(0)), "NT_FDO_PACKAGING_METADATA",
			`{"metadata":{"type":"deb","os":"debian"}}`, `    {"type":"deb","os":"debian"}`},
		{"FDO", 0xcafe1a7e, elf.EM_X86_64, put(`{"type":`), "NT_FDO_PACKAGING_METADATA", `{"metadata_text":"{\"type\":"}`, "    {\"type\":\n"},
		{"FDO", 0x407c0c0a, elf.EM_X86_64, put(`[{"soname":["libz.so.1"],"priority":"required"}]`), "NT_FDO_DLOPEN_METADATA",
			`{"metadata":[{"soname":["libz.so.1"],"priority":"required"}]}`, "libz.so.1"},
		{"Go", 4, elf.EM_X86_64, put([]byte("aBc/dEf")), "NT_GO_BUILDID", `{"build_id":"aBc/dEf"}`, "aBc/dEf"},
		{"Go", 3, elf.EM_X86_64, put([]byte("liba.so\nlibb.so\n")), "NT_GO_DEPS", `{"deps":"liba.so libb.so"}`, "Needs: liba.so libb.so"},
		{"stapsdt", 3, elf.EM_X86_64, put(0x1000, 0x2000, 0, "libc", "setjmp", "8@%rdi -4@%esi"), "NT_STAPSDT",
			`{"provider":"libc","name":"setjmp","pc":"0x1000","base":"0x2000","semaphore":"0x0","arguments":"8@%rdi -4@%esi"}`, "    Location: 0x1000\n"},
		{"GA$\x013p1113", 0x100, elf.EM_X86_64, put(0x1000, 0x2000), "NT_GNU_BUILD_ATTRIBUTE_OPEN",
			`{"attribute":"version","value":"3p1113","start":"0x1000","end":"0x2000"}`, "Attribute: version\n    Value: 3p1113\n"},
		{"GA*GOW\x00\x2a\x04", 0x101, elf.EM_X86_64, put(), "NT_GNU_BUILD_ATTRIBUTE_FUNC", `{"attribute":"GOW","value":"0x42a"}`, "Value: 0x42a"},
		{"GA+\x03", 0x100, elf.EM_X86_64, put(), "NT_GNU_BUILD_ATTRIBUTE_OPEN", `{"attribute":"relro","value":"true"}`, "relro"},
		{"FreeBSD", 1, elf.EM_X86_64, put(uint32(1302001)), "NT_FREEBSD_ABI_TAG", `{"version_code":1302001,"version":"13.2"}`, "Version: 13.2"},
		{"FreeBSD", 3, elf.EM_ARM, put("armv7"), "NT_FREEBSD_ARCH_TAG", `{"value":"armv7"}`, "armv7"},
		{"FreeBSD", 4, elf.EM_X86_64, put(uint32(0x81)), "NT_FREEBSD_FEATURE_CTL",
			`{"value":"0x81","value_names":["ASLR_DISABLE","<unknown: 80>"]}`, "Features: 0x81 (ASLR_DISABLE, <unknown: 80>)"},
		{"NetBSD", 1, elf.EM_X86_64, put(uint32(903000100)), "NT_NETBSD_IDENT", `{"version_code":903000100,"version":"9.3.1"}`, "9.3.1"},
		{"NetBSD", 2, elf.EM_X86_64, put("netbsd"), "NT_NETBSD_EMULATION", `{"emulation":"netbsd"}`, "netbsd"},
		{"PaX", 3, elf.EM_X86_64, put(uint32(2)), "NT_NETBSD_PAX", `{"value":"0x2","value_names":["NOMPROTECT"]}`, "NOMPROTECT"},
		{"OpenBSD", 1, elf.EM_X86_64, put(uint32(0)), "NT_OPENBSD_IDENT", `{"version":0}`, "Version: 0"},
		{"DragonFly", 1, elf.EM_X86_64, put(uint32(600400)), "NT_DRAGONFLY_ABI_TAG", `{"version_code":600400,"version":"6.4.0"}`, "6.4.0"},
		{"Android", 1, elf.EM_AARCH64, func(w *fieldWriter) {
			w.put(uint32(21), append([]byte("r25c"), make([]byte, 60)...), append([]byte("9519653"), make([]byte, 57)...))
		}, "NT_ANDROID_TYPE_IDENT", `{"api_level":21,"ndk_version":"r25c","ndk_build":"9519653"}`, "API level: 21"},
		{"Android", 4, elf.EM_AARCH64, put(uint32(1 | 4 | 8)), "NT_ANDROID_TYPE_MEMTAG",
			`{"value":"0xd","value_names":["async","heap","stack"]}`, "async, heap, stack"},
		{"Linux", 0x100, elf.EM_X86_64, put("6.1.0-18"), "LINUX_ELFNOTE_BUILD_SALT", `{"build_salt":"6.1.0-18"}`, "6.1.0-18"},
		{"Linux", 0x101, elf.EM_X86_64, put(uint32(0)), "LINUX_ELFNOTE_LTO_INFO", `{"lto":0}`, "LTO: 0"},
		{"Linux", 0, elf.EM_X86_64, put(uint32(0x060112)), "LINUX_VERSION_CODE", `{"version_code":"0x60112","version":"6.1.18"}`, "Kernel: 6.1.18"},
		{"Xen", 6, elf.EM_X86_64, put("linux"), "XEN_ELFNOTE_GUEST_OS", `{"value":"linux"}`, "linux"},
		{"Xen", 18, elf.EM_X86_64, put(uint32(0x1000000)), "XEN_ELFNOTE_PHYS32_ENTRY", `{"value":"0x1000000"}`, "0x1000000"},
	}
	kinds := documented(t)
	for _, f := range formats {
		for _, c := range tests {
			t.Run(fmt.Sprintf("%v/%v/%s/%x", f.Class, f.Data, c.owner, c.typ), func(t *testing.T) {
				w := &fieldWriter{Format: f}
				c.desc(w)
				ctx := noteContextOf(f, c.machine, false)
				n := &elffile.Note{Name: c.owner, Type: c.typ, Desc: w.b}
				if got := ctx.noteType(n).name; got != c.typeName {
					t.Errorf("type name %s, want %s", got, c.typeName)
				}
				r, err := ctx.decode(n)
				if r == nil || err != nil {
					t.Fatalf("%v, %v", r, err)
				}
				if diff := cmp.Diff(parseJSON(t, c.json), rowJSON(t, r)); diff != "" {
					t.Errorf("JSON (-want +got):\n%s", diff)
				}
				checkDocumented(t, kinds, "notes[].entries[]", rowJSON(t, r))
				if got := rowText(r); !strings.Contains(got, c.text) {
					t.Errorf("text %q lacks %q", got, c.text)
				}
			})
		}
	}
}

// propData pads a property's data as the class wants it.
func propData(w *fieldWriter, typ uint32, data ...any) {
	d := &fieldWriter{Format: w.Format}
	d.put(data...)
	w.put(typ, uint32(len(d.b)), d.b)
	for len(w.b)%w.AddrSize() != 0 {
		w.put(uint8(0))
	}
}

func TestGNUProperties(t *testing.T) {
	for _, f := range formats {
		w := &fieldWriter{Format: f}
		propData(w, 1, 0x800000)
		propData(w, 2)
		propData(w, 0xb0008000, uint32(1))
		propData(w, 0xb0000007, uint32(0x11))
		propData(w, 0xc0000002, uint32(3))
		propData(w, 0xc0008002, uint32(1|2|0x100))
		propData(w, 0xc0010001, uint32(0))
		propData(w, 0xc0000002, uint16(1))
		propData(w, 0xe0000001, uint8(7), uint8(8))
		r, err := noteContextOf(f, elf.EM_X86_64, false).decode(&elffile.Note{Name: "GNU", Type: 5, Desc: w.b})
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Join([]string{
			"stack size: 0x800000", "no copy on protected", "1_needed: indirect external access", "type 0xb0000007: <unknown: 11>",
			"x86 feature: IBT, SHSTK", "x86 ISA needed: x86-64-baseline, x86-64-v2, <unknown: 100>", "x86 feature used: none",
			"x86 feature <wrong size>: " + map[bool]string{true: "00 01", false: "01 00"}[f.Big()], "type 0xe0000001: 07 08"}, "\n    ")
		if got := rowText(r); got != "    "+want+"\n" {
			t.Errorf("%v %v:\n%s", f.Class, f.Data, got)
		}
		props := rowJSON(t, r)["properties"].([]any)
		if diff := cmp.Diff(map[string]any{"type": "0xc0000002", "type_name": "GNU_PROPERTY_X86_FEATURE_1_AND", "value": "0x3",
			"value_names": []any{"IBT", "SHSTK"}}, props[4]); diff != "" {
			t.Error(diff)
		}

		w = &fieldWriter{Format: f}
		propData(w, 0xc0000000, uint32(7))
		propData(w, 0xc0000001, uint64(2), uint64(0x55))
		r, err = noteContextOf(f, elf.EM_AARCH64, false).decode(&elffile.Note{Name: "GNU", Type: 5, Desc: w.b})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := rowText(r), "    AArch64 feature: BTI, PAC, GCS\n    AArch64 PAuth ABI core info: platform 0x2, version 0x55\n"; got != want {
			t.Errorf("%v %v: %q", f.Class, f.Data, got)
		}
	}
}

// TestNoteFaults cuts every kind of note at every length: what is left is
// decoded or told to be short, and never more.
func TestNoteFaults(t *testing.T) {
	for _, f := range formats {
		ctx := noteContextOf(f, elf.EM_X86_64, false)
		w := &fieldWriter{Format: f}
		w.put(0x1000, 0x2000, 0, "libc", "setjmp", "8@%rdi")
		for n := range w.b {
			if r, err := ctx.decode(&elffile.Note{Name: "stapsdt", Type: 3, Desc: w.b[:n]}); err == nil {
				t.Errorf("%d of %d bytes of a probe: %v", n, len(w.b), r)
			}
		}
		w = &fieldWriter{Format: f}
		w.put(uint32(1), uint32(0xffffffff), uint64(1))
		if _, err := ctx.decode(&elffile.Note{Name: "GNU", Type: 5, Desc: w.b}); err == nil || !strings.Contains(err.Error(), "0xffffffff") {
			t.Errorf("a property longer than its note: %v", err)
		}
		w = &fieldWriter{Format: f}
		w.put(1<<30, 4096)
		core := noteContextOf(f, elf.EM_X86_64, true)
		if _, err := core.decode(&elffile.Note{Name: "CORE", Type: ntFile, Desc: w.b}); err == nil || !strings.Contains(err.Error(), "1073741824") {
			t.Errorf("NT_FILE with a count beyond its bytes: %v", err)
		}
	}
}

// TestCoreNotes decodes a core file for each machine.
func TestCoreNotes(t *testing.T) {
	for _, m := range []struct {
		machine elf.Machine
		format  elffile.Format
	}{
		{elf.EM_X86_64, formats[0]}, {elf.EM_386, formats[2]}, {elf.EM_AARCH64, formats[0]}, {elf.EM_AARCH64, formats[1]},
		{elf.EM_ARM, formats[2]}, {elf.EM_ARM, formats[3]}, {elf.EM_RISCV, formats[0]}, {elf.EM_S390, formats[1]}, {elf.EM_PPC, formats[3]},
	} {
		t.Run(fmt.Sprintf("%v/%v", m.machine, m.format.Data), func(t *testing.T) {
			mach := all.Lookup(m.machine, m.format.Class)
			count := 20
			if mach != nil {
				count = len(mach.Status.Slots)
			}
			regs := make([]uint64, count)
			for i := range regs {
				regs[i] = 0x1000 + uint64(i)
			}
			notes := elftest.Notes{
				elftest.Prstatus(77, 11, regs...), elftest.Prpsinfo(77, "sleep", "sleep 10"),
				elftest.Auxv(6, 4096, 3, 0x400040, 1000, 5),
				elftest.Files(4096, elftest.MappedFile{Start: 0x400000, End: 0x401000, Page: 2, Name: "/bin/sleep"}),
			}.Encode(&elftest.Env{Class: m.format.Class, Order: m.format.Order()})
			f := elftest.File{Class: m.format.Class, Order: m.format.Order(), Type: elf.ET_CORE, Machine: m.machine,
				Segments: []elftest.Segment{{Type: elf.PT_NOTE, Data: notes, Align: 4}}, NoSectionHeaders: true}
			file, err := elffile.Parse("core", f.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			report, err := Print(&out, file, Options{Views: Notes, JSON: true})
			if err != nil || len(report.Faults) > 0 {
				t.Fatal(err, report.Faults)
			}
			doc := parseJSON(t, out.String())
			checkDocumented(t, documented(t), "notes", doc["notes"])
			list := doc["notes"].([]any)[0].(map[string]any)["entries"].([]any)
			checkCore(t, list, mach != nil)
		})
	}
}

func checkCore(t *testing.T, list []any, known bool) {
	t.Helper()
	notes := make([]map[string]any, len(list))
	for i := range list {
		notes[i] = list[i].(map[string]any)
	}
	s := notes[0]
	if s["signal"] != 11.0 || s["signal_name"] != "SIGSEGV" || s["pid"] != 77.0 || s["ppid"] != 1.0 {
		t.Errorf("NT_PRSTATUS: %v", s)
	}
	if known {
		regs := s["registers"].(map[string]any)
		if len(regs) < 17 {
			t.Errorf("%d registers", len(regs))
		}
		for name, v := range regs {
			if !strings.Contains(v.(string), "10") {
				t.Errorf("%s = %v", name, v)
			}
		}
	} else if len(s["register_bytes"].(string)) < 2*20*4 {
		t.Errorf("registers are cut: %v", s)
	}
	if p := notes[1]; p["fname"] != "sleep" || p["psargs"] != "sleep 10" || p["pid"] != 77.0 || p["state_name"] != "R" || p["flags"] != "0x400000" {
		t.Errorf("NT_PRPSINFO: %v", p)
	}
	want := []any{
		map[string]any{"type": 6.0, "type_name": "AT_PAGESZ", "value": "0x1000"},
		map[string]any{"type": 3.0, "type_name": "AT_PHDR", "value": "0x400040"},
		map[string]any{"type": 1000.0, "type_name": "0x3e8", "value": "0x5"},
		map[string]any{"type": 0.0, "type_name": "AT_NULL", "value": "0x0"},
	}
	if diff := cmp.Diff(want, notes[2]["auxv"]); diff != "" {
		t.Errorf("NT_AUXV: %s", diff)
	}
	file := []any{map[string]any{"start": "0x400000", "end": "0x401000", "page": 2.0, "name": "/bin/sleep"}}
	if diff := cmp.Diff(file, notes[3]["files"]); diff != "" || notes[3]["page_size"] != 4096.0 {
		t.Errorf("NT_FILE: %s", diff)
	}
}

// FuzzNote decodes any bytes as a note of any owner and type: both outputs are
// made without a panic, and the JSON is JSON.
func FuzzNote(f *testing.F) {
	for key := range noteTypes {
		f.Add(key.owner, key.typ, uint16(elf.EM_X86_64), uint8(len(key.owner)), make([]byte, 400))
	}
	f.Add("GNU", uint32(5), uint16(elf.EM_AARCH64), uint8(0), []byte("\x00\x00\x00\xc0\x04\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00"))
	f.Add("FDO", uint32(noteFDOPackage), uint16(elf.EM_X86_64), uint8(0), []byte(`{"a":[1,2]}`))
	f.Fuzz(func(t *testing.T, owner string, typ uint32, machine uint16, kind uint8, desc []byte) {
		ctx := noteContextOf(formats[kind&3], elf.Machine(machine), kind&4 != 0)
		n := &elffile.Note{Name: owner, Type: typ, Desc: desc}
		body, _ := ctx.decode(n)
		r := &noteRow{note: n, class: ctx.noteType(n), body: body}
		rowJSON(t, r)
		if s := rowText(r); strings.ContainsAny(s, "\x00\r\x1b") {
			t.Errorf("control characters in %q", s)
		}
	})
}
