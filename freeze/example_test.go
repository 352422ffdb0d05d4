package freeze_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"elfwright/freeze"
)

func Example() {
	dir, err := os.MkdirTemp("", "freeze")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	null, err := os.Open(os.DevNull)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer null.Close()
	run := freeze.Run{
		Args: []string{"sh", "-c", "kill -STOP $$; echo and on"}, In: null, Out: os.Stdout, Err: os.Stderr,
		Options: freeze.Options{Kill: true, FDs: map[int]string{}},
	}
	name := filepath.Join(dir, "frozen")
	if _, _, err := run.Start(name); err != nil {
		fmt.Println(err)
		return
	}
	out, err := exec.Command(name).Output()
	fmt.Printf("%s%v\n", out, err)
	// Output:
	// and on
	// <nil>
}
