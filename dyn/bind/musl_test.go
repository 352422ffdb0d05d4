package bind

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/image"
	"elfwright/internal/samples"
	"elfwright/proc"
)

// stopHeader stops a program when all is relocated, at the first constructor.
const stopHeader = `
extern int pause(void);
extern long write(int, const void *, unsigned long);
static __attribute__((constructor)) void stop_here(void) { write(1, "ready\n", 6); pause(); }
`

// TestMuslCorners builds the corner cases with musl, starts them, and reads from
// their memory where musl's dynamic linker has bound them to, for it keeps no
// account of it.
func TestMuslCorners(t *testing.T) {
	samples.Need(t, "musl-gcc")
	header := filepath.Join(t.TempDir(), "stop.h")
	if err := os.WriteFile(header, []byte(stopHeader), 0o644); err != nil {
		t.Fatal(err)
	}
	scripts, _ := filepath.Glob("testdata/corner/*.sh")
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".sh"), func(t *testing.T) {
			dir := t.TempDir()
			build(t, script, dir, "musl-gcc -include "+header)
			muslProgram(t, filepath.Join(dir, "prog"))
		})
	}
}

func muslProgram(t *testing.T, prog string) {
	p, err := load.Load(prog, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Libc != load.Musl {
		t.Fatal("not taken for a program of musl")
	}
	r, err := Bind(p, Options{})
	if err != nil {
		t.Error(err)
	}
	cmd := exec.Command(prog)
	cmd.Env = []string{}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if line == "ready\n" {
		sameMemory(t, r, cmd.Process.Pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	same(t, "not found", muslUndefined(r), muslErrors(errs.Bytes()))
}

var muslError = regexp.MustCompile(`^Error relocating (.*): (.*): symbol not found$`)

func muslErrors(text []byte) []string {
	var list []string
	for l := range bytes.Lines(text) {
		if m := muslError.FindSubmatch(bytes.TrimRight(l, "\n")); m != nil {
			list = append(list, fmt.Sprintf("%s: %s", m[1], m[2]))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func muslUndefined(r *Result) []string {
	var list []string
	for b := range r.Unresolved(false) {
		list = append(list, fmt.Sprintf("%s: %s", r.Process.Objects[b.From].Path, r.Name(b)))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// sameMemory compares the words that relocations of a process filled in with what
// they should be by our account.
func sameMemory(t *testing.T, r *Result, pid int) {
	live, err := proc.Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	bases := basesOf(t, r.Process, live)
	compared := 0
	for i, o := range r.Process.Objects {
		for _, table := range o.Relocs {
			if table.Kind != formRela {
				continue
			}
			for k := range table.Len() {
				rel := table.At(k)
				if want, ok := word(r, bases, int32(i), rel); ok {
					compared++
					place := bases[i] + rel.Off
					b, err := live.Memory(image.Range{Start: image.Addr(place), Size: 8})
					if err != nil {
						t.Fatal(err)
					}
					if got := o.U64(b); got != want {
						t.Errorf("%s: %s[%d], %s: 0x%x in memory, want 0x%x", o.Path, table.Name, k, r.scope.nameOf(int32(i), rel.Sym), got, want)
					}
				}
			}
		}
	}
	if compared == 0 {
		t.Error("no relocation was compared")
	}
}

// word is what a relocation of x86-64 puts into its place: S + A for all types that
// ask for an address.
func word(r *Result, bases []uint64, from int32, rel elffile.Reloc) (uint64, bool) {
	const r64, globDat, jumpSlot = 1, 6, 7
	if rel.Sym == 0 || rel.Type != r64 && rel.Type != globDat && rel.Type != jumpSlot {
		return 0, false
	}
	class := Plain
	if rel.Type == jumpSlot {
		class = PLT
	}
	for _, b := range r.Of(r.Process.Objects[from]) {
		if b.Symbol != rel.Sym || b.Class != class {
			continue
		}
		s, ok := r.Definition(b)
		if !ok {
			return uint64(rel.Addend), true
		}
		return bases[b.To] + s.Value + uint64(rel.Addend), true
	}
	return 0, false
}

// basesOf finds the load bias of each object in the mappings of a process.
func basesOf(t *testing.T, p *load.Process, live *proc.Process) []uint64 {
	maps, err := live.Maps()
	if err != nil {
		t.Fatal(err)
	}
	bases := make([]uint64, len(p.Objects))
	for i, o := range p.Objects {
		path, err := filepath.EvalSymlinks(o.Path)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(maps, func(m proc.Map) bool { return m.Name == path })
		if at < 0 {
			t.Fatalf("%s is not mapped", path)
		}
		for _, ph := range o.Progs {
			if ph.Type == 1 { // the first PT_LOAD
				bases[i] = uint64(maps[at].Start) - ph.Vaddr&^0xfff
				break
			}
		}
	}
	return bases
}
