package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

func versionVerb() *verb {
	return &verb{
		name:  "version",
		short: "print the version, and what it was built from",
		usage: []string{""},
		examples: []example{
			{"which elfwright is this", "elfwright version"},
			{"only the version", "elfwright version | cut -d ' ' -f 2"},
		},
		run: func(c *call) error {
			info, _ := debug.ReadBuildInfo()
			fmt.Fprintln(c.out, versionLine(info))
			return nil
		},
	}
}

// versionLine tells the module's version, the revision it was built from if
// the build recorded one, the Go release and the system.
func versionLine(info *debug.BuildInfo) string {
	words := []string{name, "(devel)"}
	if info != nil {
		if info.Main.Version != "" {
			words[1] = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				words = append(words, s.Value)
			case s.Key == "vcs.modified" && s.Value == "true":
				words = append(words, "(modified)")
			}
		}
	}
	return strings.Join(append(words, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH), " ")
}
