package note_test

import (
	"fmt"

	"elfwright/freeze/note"
)

func Example() {
	p := note.Process{Version: note.Version, PID: 42, Exe: "/bin/sleep", Threads: []note.Thread{{TID: 42}}}
	b, err := p.Encode()
	if err != nil {
		fmt.Println(err)
		return
	}
	const head = 12 + 12 // three numbers, and the owner with what follows it
	again, err := note.Decode(trim(b[head:]), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Exe, len(again.Threads))
	// Output: /bin/sleep 1
}

// trim drops the padding behind a document.
func trim(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}
