package cache_test

import (
	"fmt"
	"os"
	"path/filepath"

	"elfwright/elffile"
	"elfwright/run/cache"
)

// The image of a program is kept, and found by what it depends on besides files.
func ExampleCache() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	c := cache.Cache{Dir: filepath.Join(dir, "images")}
	k := cache.Key{Program: "/bin/ls", Options: []string{"LD_LIBRARY_PATH=/opt/lib"}}
	fmt.Println(c.Find(k) == "")
	if err := c.Put(k, elffile.NewBody(elffile.Buffer("an image"))); err != nil {
		fmt.Println(err)
	}
	fmt.Println(c.Find(k) == c.Name(k), c.Find(cache.Key{Program: "/bin/ls"}) == "")
	// Output:
	// true
	// true true
}
