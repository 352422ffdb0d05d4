package linktest

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link/model"
)

// Link is what GNU ld made of some objects, and the model of the same.
type Link struct {
	Env  *model.Env
	File *elf.File // GNU ld's output
	Log  string    // what GNU ld said

	word   int
	base   []*model.Output // by section index of File
	dynRel []dynRel        // of GNU ld's output
	sites  map[uint64]dynRel
}

// dynRel is a dynamic relocation of GNU ld's output.
type dynRel struct {
	off    uint64
	typ    uint32
	sym    string
	addend int64
}

// Run links objects and archives with a GNU ld, which must succeed, and models
// the result. Nothing is scanned yet.
func Run(t testing.TB, target model.Target, opt *model.Options, ld []string, files ...string) *Link {
	t.Helper()
	samples.Need(t, ld[0])
	dir := t.TempDir()
	out, mapFile := filepath.Join(dir, "a.out"), filepath.Join(dir, "a.map")
	args := append(append([]string{}, ld[1:]...), "-o", out, "-Map", mapFile)
	args = append(args, files...)
	msg, err := exec.Command(ld[0], args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(append(ld[:1:1], args...), " "), err, msg)
	}
	return Model(t, target, opt, out, mapFile, string(msg), files...)
}

// Model models the inputs at the addresses of a finished link.
func Model(t testing.TB, target model.Target, opt *model.Options, out, mapFile, log string, files ...string) *Link {
	t.Helper()
	f, err := elf.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	m := target.Machine()
	l := &Link{File: f, Log: log, word: m.WordSize()}
	l.Env = &model.Env{Opt: opt, Target: target, Class: 8 * m.WordSize(), Order: f.ByteOrder, Code: m.CodeOrder(f.ByteOrder),
		Table: model.NewTable(), Report: &model.Report{}}
	l.outputs()
	places := readMap(t, mapFile)
	for _, file := range files {
		for _, mem := range members(file) {
			if places[mem.name] == nil {
				continue
			}
			o := object(mem, m, l.Env.Table)
			o.Rank = int32(len(l.Env.Objects))
			l.Env.Objects = append(l.Env.Objects, o)
			l.place(o, places[mem.name])
			l.Env.Flags |= o.Flags
		}
	}
	l.settle(t)
	l.tls()
	l.readDynamic(t)
	return l
}

func (l *Link) outputs() {
	for i, s := range l.File.Sections {
		out := &model.Output{Name: s.Name, Type: s.Type, Flags: s.Flags, Addr: s.Addr, Size: s.Size, Index: i}
		l.base = append(l.base, out)
		if i > 0 {
			l.Env.Outputs = append(l.Env.Outputs, out)
		}
	}
	l.Env.SecGOT = l.whole(".got")
	if l.Env.SecGOT == nil {
		l.Env.SecGOT = l.whole(".got.plt")
	}
}

// whole is a section that fills one of the output.
func (l *Link) whole(name string) *model.Section {
	for _, out := range l.base {
		if out.Name == name {
			return &model.Section{Name: name, Obj: &model.Object{File: "<linker>", Linker: true}, Size: out.Size, Live: true, Out: out}
		}
	}
	return nil
}

// mapped is an input section's place in the map.
type mapped struct{ addr, size uint64 }

var mapLine = regexp.MustCompile(`^ ([^ *(][^ ]*)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (.+)$`)

// readMap gives for each file and section name where GNU ld put the sections of
// that name, in order.
func readMap(t testing.TB, file string) map[string]map[string][]mapped {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "Linker script and memory map")
	all := map[string]map[string][]mapped{}
	name := ""
	for line := range strings.SplitSeq(text, "\n") {
		if n := strings.TrimSpace(line); len(line) > 1 && line[0] == ' ' && line[1] != ' ' && !strings.Contains(n, " ") {
			name = n // too long for its column: the rest is on the next line
			continue
		}
		f := mapLine.FindStringSubmatch(line)
		if f == nil {
			continue
		}
		if f[1] != "" {
			name = f[1]
		}
		addr, _ := strconv.ParseUint(f[2], 16, 64)
		size, _ := strconv.ParseUint(f[3], 16, 64)
		if all[f[4]] == nil {
			all[f[4]] = map[string][]mapped{}
		}
		all[f[4]][name] = append(all[f[4]][name], mapped{addr, size})
	}
	return all
}

// place puts the sections where the map says; those that it does not name are
// dropped.
func (l *Link) place(o *model.Object, at map[string][]mapped) {
	for _, s := range o.Sections {
		if s == nil || len(at[s.Name]) == 0 {
			continue
		}
		m := at[s.Name][0]
		at[s.Name] = at[s.Name][1:]
		for _, out := range l.base[1:] {
			alloc := s.Flags&elf.SHF_ALLOC != 0
			if alloc != (out.Flags&elf.SHF_ALLOC != 0) || !alloc && out.Name != s.Name {
				continue
			}
			if s.Flags&elf.SHF_TLS != out.Flags&elf.SHF_TLS || m.addr < out.Addr || m.addr+m.size > out.Addr+out.Size {
				continue
			}
			s.Live, s.Out, s.Off = true, out, m.addr-out.Addr
			if s.Flags&elf.SHF_MERGE == 0 {
				out.Items = append(out.Items, model.Item{Off: s.Off, Size: m.size, Section: s})
			}
			break
		}
	}
}

// settle gives symbols that no object defines the values of the output.
func (l *Link) settle(t testing.TB) {
	syms, err := l.File.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		sym := l.Env.Table.Get(s.Name)
		if elf.ST_BIND(s.Info) == elf.STB_LOCAL && s.Name != "_GLOBAL_OFFSET_TABLE_" && (sym == nil || sym.State == model.Defined) {
			continue // hidden symbols of the linker and of scripts are local in the output
		}
		switch s.Name {
		case "_GLOBAL_OFFSET_TABLE_":
			l.Env.GOT = s.Value
		case "__global_pointer$":
			l.Env.GP = s.Value
		}
		if s.Section == elf.SHN_UNDEF {
			continue
		}
		if sym == nil || sym.State == model.Defined && (sym.Sec == nil || sym.Sec.Live) {
			continue
		}
		// A linker's own, a script's, or a common one.
		sym.State, sym.Script, sym.Sec, sym.Value = model.Defined, true, nil, s.Value
		if s.Section < elf.SHN_LORESERVE {
			sym.Out = l.base[s.Section]
			sym.Value -= sym.Out.Addr
		}
	}
	for _, sym := range l.Env.Table.Sorted() {
		if l.Env.Opt.Shared && sym.Vis == elf.STV_DEFAULT || l.Env.PIC() && !l.Env.Opt.NoDynamicLinker && sym.State == model.Undefined {
			sym.Preempt = true
		}
	}
}

func (l *Link) tls() {
	for _, p := range l.File.Progs {
		if p.Type == elf.PT_TLS {
			l.Env.TLSStart, l.Env.TLSSize, l.Env.TLSAlign = p.Vaddr, p.Memsz, p.Align
		}
	}
}

// bytesAt gives the output's bytes from an address on.
func (l *Link) bytesAt(addr uint64) []byte {
	for _, s := range l.File.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Type != elf.SHT_NOBITS && addr >= s.Addr && addr < s.Addr+s.Size {
			d, err := s.Data()
			if err != nil {
				panic(err)
			}
			return d[addr-s.Addr:]
		}
	}
	return nil
}

func (l *Link) readDynamic(t testing.TB) {
	l.sites = map[uint64]dynRel{}
	var names []string
	if syms, err := l.File.DynamicSymbols(); err == nil {
		for _, s := range syms {
			names = append(names, s.Name)
		}
	}
	for _, s := range l.File.Sections {
		if s.Type != elf.SHT_RELA && s.Type != elf.SHT_REL || s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		d, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		for ; len(d) >= int(s.Entsize) && s.Entsize > 0; d = d[s.Entsize:] {
			r := reloc(d, l.Env.Order, l.word, s.Type == elf.SHT_RELA)
			x := dynRel{off: r.Off, typ: r.Type, addend: r.Addend}
			if s.Type == elf.SHT_REL {
				if b := l.bytesAt(r.Off); len(b) >= 4 {
					x.addend = int64(int32(l.Env.Order.Uint32(b)))
				}
			}
			if r.Sym != 0 {
				x.sym = names[r.Sym-1]
			}
			l.dynRel = append(l.dynRel, x)
			l.sites[r.Off] = x
		}
	}
}
