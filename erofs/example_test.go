package erofs_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"elfwright/erofs"
)

// A tree becomes an image; the image is read, and tells where in it a file lies.
func Example() {
	dir, err := os.MkdirTemp("", "tree")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "greeting"), []byte("hello\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	img, err := erofs.Build(dir, erofs.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer img.Close()

	tree, err := erofs.Open(img.Data, img.Data.Size())
	if err != nil {
		log.Fatal(err)
	}
	b, err := tree.ReadFile("greeting")
	if err != nil {
		log.Fatal(err)
	}
	off, size, err := tree.Extent("greeting")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s%d bytes at 0x%x of 0x%x\n", b, size, off, img.Data.Size())
	// Output:
	// hello
	// 6 bytes at 0x1000 of 0x2000
}
