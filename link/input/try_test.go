package input

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"elfwright/link/model"
)

func TestTry(t *testing.T) {
	args := strings.Fields(os.Getenv("TRY"))
	if len(args) == 0 {
		t.Skip("not asked for")
	}
	opt := &model.Options{}
	for _, a := range args {
		opt.Inputs = append(opt.Inputs, model.Input{Name: a})
	}
	for range 5 {
		rep := &model.Report{}
		start := time.Now()
		f := Open(opt, Commands{}, nil, rep)
		mid := time.Now()
		s := f.Load(Settings{Entry: "_start"}, model.NewTable())
		if os.Getenv("TRYLIST") != "" {
			for _, o := range s.Objects() {
				fmt.Println("OBJ", o.File)
			}
			return
		}
		fmt.Println(len(s.Objects()), "objects", mid.Sub(start), time.Since(mid))
		for _, e := range rep.Errors()[:min(5, len(rep.Errors()))] {
			fmt.Println(e)
		}
	}
}

func TestGC(t *testing.T) {
	args := strings.Fields(os.Getenv("TRYGC"))
	if len(args) == 0 {
		t.Skip("not asked for")
	}
	opt := &model.Options{Emulation: "x"}
	for _, a := range args {
		opt.Inputs = append(opt.Inputs, model.Input{Name: a})
	}
	rep := &model.Report{}
	table := model.NewTable()
	s := Open(opt, Commands{}, nil, rep).Load(Settings{Entry: "_start"}, table)
	env := &model.Env{Opt: opt, Objects: s.Objects(), Table: table, Report: rep}
	for _, o := range s.Objects() {
		for _, x := range o.Sections {
			if x == nil {
				continue
			}
			for _, p := range []string{".init", ".fini", ".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors", ".jcr", ".eh_frame", ".gcc_except_table", "__libc_freeres_fn", ".note.GNU"} {
				if x.Name == p || strings.HasPrefix(x.Name, p+".") {
					x.Keep = p != ".gcc_except_table" && p != "__libc_freeres_fn" && p != ".note.GNU"
				}
			}
		}
	}
	start := time.Now()
	list := collect(env, Roots{[]*model.Symbol{table.Get("_start")}})
	fmt.Println(time.Since(start))
	for _, o := range s.Objects() {
		for _, x := range o.Sections {
			if x != nil && x.Dropped == model.Duplicate && x.Size > 0 {
				list = append(list, x)
			}
		}
	}
	for _, x := range list {
		fmt.Printf("GC %s %s\n", x.Name, x.Obj.File)
	}
}

func TestAttrs(t *testing.T) {
	args := strings.Fields(os.Getenv("TRYATTR"))
	if len(args) == 0 {
		t.Skip("not asked for")
	}
	opt := &model.Options{}
	for _, a := range args {
		opt.Inputs = append(opt.Inputs, model.Input{Name: a})
	}
	rep := &model.Report{}
	s := Open(opt, Commands{}, nil, rep).Load(Settings{Entry: "_start"}, model.NewTable())
	fmt.Printf("%#x %v %v\n", s.Flags, rep.Errors(), rep.Warnings())
	for _, o := range s.Objects() {
		for _, x := range o.Sections {
			if x != nil && strings.HasSuffix(x.Name, ".attributes") && x.Live {
				fmt.Printf("%q\n", x.Data)
				os.WriteFile("/tmp/attr.bin", x.Data, 0o644)
			}
		}
	}
}
