package reset

import (
	"debug/elf"
)

// warn says what may surprise.
func (n *install) warn() {
	f := n.f
	if n.mem.code && f.Header.Machine == elf.EM_ARM {
		n.warning("caches", "a writable segment is executable: in user mode the code cannot make the instruction cache agree with what it restores")
	}
	if n.opt.Shape == Deflate && !n.opt.HookEntry {
		n.warning("deflate", "a loader that does not start the program at e_entry finds writable memory without its bytes; --hook-entry helps against that")
	}
}
