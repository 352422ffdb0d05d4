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
		fmt.Println(len(s.Objects()), "objects", mid.Sub(start), time.Since(mid))
		for _, e := range rep.Errors()[:min(5, len(rep.Errors()))] {
			fmt.Println(e)
		}
	}
}
