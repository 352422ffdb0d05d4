// Elfwright looks inside programs and makes new ones from them.
package main

import (
	"os"

	"elfwright/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.Arguments(os.Args), cli.Streams{
		In:     os.Stdin,
		Out:    os.Stdout,
		Err:    os.Stderr,
		Getenv: os.Getenv, Environ: os.Environ,
		Last: true,
	}))
}
