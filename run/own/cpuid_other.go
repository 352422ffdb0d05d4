//go:build !amd64

package own

// cpuWords are none: directories for processors are those of x86-64.
func cpuWords() []cpuWord { return nil }
