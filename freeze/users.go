package freeze

import (
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/freeze/script"
)

// otherUser says whether a process of a tree is of other users or groups than the
// first one, as servers are that begin as root. Who starts the file is the user of
// the first one, and has to be one that may become the others.
func (c *compiler) otherUser() bool {
	if c.tree == nil || c.common {
		return false
	}
	a, b := &c.s.Status, &c.tree.root.c.s.Status
	return a.UIDs != b.UIDs || a.GIDs != b.GIDs || !slices.Equal(a.Groups, b.Groups)
}

// user makes the thread that runs it one of the user's. After that it may do less;
// signals on the death of its parent are forgotten.
func (c *compiler) user(says func(string) string) {
	if !c.otherUser() {
		return
	}
	a, b := &c.s.Status, &c.tree.root.c.s.Status
	if !slices.Equal(a.Groups, b.Groups) {
		var list []byte
		for _, g := range a.Groups {
			list = binary.LittleEndian.AppendUint32(list, uint32(g))
		}
		c.Call("setgroups", script.Int(len(a.Groups)), script.Int(c.Data(list, 8))).Says("%s", says("groups "+numbers(a.Groups)))
	}
	c.Call("setresgid", script.Int(a.GIDs[0]), script.Int(a.GIDs[1]), script.Int(a.GIDs[2])).Says("%s", says(fmt.Sprintf("group %d", a.GIDs[0])))
	if c.s.KeepCaps != 0 {
		c.Call("prctl", script.Int(unix.PR_SET_KEEPCAPS), zero, zero, zero, zero)
	}
	c.Call("setresuid", script.Int(a.UIDs[0]), script.Int(a.UIDs[1]), script.Int(a.UIDs[2])).Says("%s", says(fmt.Sprintf("user %d", a.UIDs[0])))
}
