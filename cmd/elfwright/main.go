// Elfwright looks inside programs and makes new ones from them.
package main

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"elfwright/internal/cli"
)

func main() {
	// With a receiver for SIGPIPE a write to a closed pipe fails with EPIPE, so
	// that open temporary files are cleaned up; without one it would kill us.
	// A handler, unlike SIG_IGN, is not inherited by the programs we start.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	os.Exit(cli.Main(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}))
}
