package glibc

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
)

var learn = flag.String("learn", "", "make a built-in row: LD.SO:DEBUGFILE[:LIBC.SO.6]")

const ldSO = "/lib64/ld-linux-x86-64.so.2"

// TestLearnHere holds the built-in row of this system's glibc, if there is one,
// against what its debugging information says today.
func TestLearnHere(t *testing.T) {
	samples.Need(t, ldSO)
	ld := parse(t, ldSO)
	id := hex.EncodeToString(ld.BuildID())
	debug := filepath.Join("/usr/lib/debug/.build-id", id[:2], id[2:]+".debug")
	samples.Need(t, debug)
	r, err := Learn(ld, parse(t, debug), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want, err := rows.ReadFile("rows/" + id + ".json")
	if err != nil {
		t.Skipf("glibc %s, build-id %s: no built-in row", r.Version, id)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the built-in row of glibc %s is not what Learn makes now", r.Version)
	}
}

// TestLearnRow writes a row when it is asked to.
func TestLearnRow(t *testing.T) {
	if *learn == "" {
		t.Skip("-learn is not given")
	}
	names := filepath.SplitList(*learn)
	var libc *elffile.File
	if len(names) > 2 {
		libc = parse(t, names[2])
	}
	r, err := Learn(parse(t, names[0]), parse(t, names[1]), libc)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Encode()
	if err == nil {
		err = os.WriteFile("rows/"+r.BuildID+".json", b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRows(t *testing.T) {
	list, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		b, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if file, _ := rows.ReadFile("rows/" + r.BuildID + ".json"); !bytes.Equal(b, file) {
			t.Errorf("glibc %s: the file of its row is not named by its build-id, or not as Encode writes it", r.Version)
		}
	}
}

func parse(t *testing.T, name string) *elffile.File {
	t.Helper()
	f, err := elffile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
