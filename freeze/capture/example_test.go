package capture_test

import (
	"fmt"
	"os/exec"

	"elfwright/freeze/capture"
)

func Example() {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	err := capture.With(cmd.Process.Pid, func(t *capture.Target) error {
		s, err := t.Snapshot()
		if err == nil {
			fmt.Println(len(s.Threads), "thread,", len(s.Children), "children")
		}
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: 1 thread, 0 children
}
