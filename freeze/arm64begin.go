package freeze

import (
	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// Requests of ptrace(2).
const (
	ptraceDetach    = 17
	ptraceSetRegset = 0x4205
	ptraceSeize     = 0x4206
	ptraceInterrupt = 0x4207
)

const waitAll = 0x40000000 // __WALL

// beginArm gives the process its keys, and moves the kernel's code out of the way.
func (c *compiler) beginArm() {
	c.pointerKeys()
	c.parkVDSO()
}

// pointerKeys gives the process the keys by which it has signed pointers. Only a
// tracer can set them: a child is it for a moment. All threads get them from this
// one. Then a pointer is signed: processors do so by different ciphers.
func (c *compiler) pointerKeys() {
	first := &c.s.Threads[0]
	keys := first.Set(capture.NotePACKeys)
	if keys == nil {
		return
	}
	const setTracer, anybody = 0x59616d61, -1 // PR_SET_PTRACER of Yama, PR_SET_PTRACER_ANY
	child, end, status := c.Slot(), c.Label(), c.Words(0)
	childStart := c.Label()
	c.Call("prctl", script.Int(setTracer), script.Int(anybody), zero, zero, zero)
	c.Fork(childStart, "clone", zero).To(child).Says("a process that sets the keys of pointer authentication")
	c.Call("wait4", child.Get(), status, script.Int(waitAll), zero).Says("keys of pointer authentication")
	c.Call("prctl", script.Int(setTracer), zero, zero, zero, zero)
	c.Do(script.Equal4, status, zero).Or(end)
	c.Do(script.Exit, script.Int(125)) // the child has said why
	c.Place(childStart)
	c.setKeys(first)
	c.Place(end)
	c.checkSigning(first)
}

// setKeys is the child.
func (c *compiler) setKeys(t *capture.Thread) {
	const what = "keys of pointer authentication, which only a tracer can set"
	parent := c.Slot()
	trace := func(request int, note uint32, data script.Arg, says string) {
		c.Call("ptrace", script.Int(request), parent.Get(), script.Int(note), data).Says("%s: %s", what, says)
	}
	c.Call("getppid").To(parent)
	trace(ptraceSeize, 0, zero, "PTRACE_SEIZE")
	trace(ptraceInterrupt, 0, zero, "PTRACE_INTERRUPT")
	c.Call("wait4", parent.Get(), zero, script.Int(waitAll), zero).Says("%s: wait4", what)
	for _, note := range []uint32{capture.NotePACKeys, capture.NotePACGeneric} {
		if set := t.Set(note); set != nil {
			trace(ptraceSetRegset, note, c.Words(c.Data(set, 8), uint64(len(set))), "PTRACE_SETREGSET")
		}
	}
	trace(ptraceDetach, 0, zero, "PTRACE_DETACH")
	c.Do(script.Exit, zero)
}

// checkSigning signs what was signed when the process was frozen, with its keys.
func (c *compiler) checkSigning(t *capture.Thread) {
	cpu := c.s.CPU.Arm
	if v := t.Set(capture.NotePACEnabled); cpu == nil || v != nil && word(v) != allKeys {
		return
	}
	ok := c.Label()
	c.Do(script.Sign, script.Int(capture.SignPointer), script.Int(capture.SignModifier)).To(c.tmp)
	c.Do(script.Equal, c.tmp.Get(), script.Int(cpu.Signed)).Or(ok)
	c.Do(script.Fail).Says("this processor signs pointers in another way")
	c.Place(ok)
}

// The kernel has no call that maps the vDSO, as x86 has. The one that this process
// got is moved: behind the script while all else is unmapped, then to where it was
// in the old process, or, if it is another, to where nobody is. It has to be
// somewhere, for handlers of signals return to it.
const mayMoveFixed = unix.MREMAP_MAYMOVE | unix.MREMAP_FIXED

// parked is what is known of the vDSO while it is behind the script.
type parked struct {
	at         uint64 // its data; the code follows
	data, code script.Slot
	codeAt     script.Slot
}

// parkVDSO finds the vDSO and the data before it, by what is mapped around the
// address that the kernel tells, and moves both.
func (c *compiler) parkVDSO() {
	const atSysinfoEhdr = 33
	p := &c.parked
	p.at = uint64(c.stubAt.End()) - c.arch.parking
	p.data, p.code, p.codeAt = c.Slot(), c.Slot(), c.Slot()
	at, start, end := c.Slot(), c.Slot(), c.Slot()
	one := script.Int(c.Data(make([]byte, 1), 1))
	c.Do(script.Aux, script.Int(atSysinfoEhdr)).To(at).Says("this kernel has no vDSO")
	c.Do(script.Store, end.Addr(), at.Get())
	c.Do(script.Store, start.Addr(), at.Get())
	up, top := c.Here(), c.Label()
	c.Call("mincore", end.Get(), script.Int(page), one).Or(top)
	c.Do(script.Add, end.Get(), script.Int(page)).To(end)
	c.Jump(up)
	c.Place(top)
	down, bottom := c.Here(), c.Label()
	c.Do(script.Subtract, start.Get(), script.Int(page)).To(c.tmp)
	c.Call("mincore", c.tmp.Get(), script.Int(page), one).Or(bottom)
	c.Do(script.Store, start.Addr(), c.tmp.Get())
	c.Jump(down)
	c.Place(bottom)
	fits := c.Label()
	c.Do(script.Subtract, end.Get(), start.Get()).To(c.tmp)
	c.Do(script.Below, c.tmp.Get(), script.Int(c.arch.parking+1)).Or(fits)
	c.Do(script.Fail).Says("this kernel's vDSO and its data have more than %#x bytes", c.arch.parking)
	c.Place(fits)
	c.Do(script.Subtract, at.Get(), start.Get()).To(p.data)
	c.Do(script.Subtract, end.Get(), at.Get()).To(p.code)
	c.Do(script.Add, p.data.Get(), script.Int(p.at)).To(p.codeAt)
	c.move(start.Get(), p.data, script.Int(p.at), "data of the vDSO")
	c.move(at.Get(), p.code, p.codeAt.Get(), "vDSO")
}

// move moves mappings of a size.
func (c *compiler) move(from script.Arg, size script.Slot, to script.Arg, what string) {
	none := c.Label()
	c.Do(script.Equal, size.Get(), zero).Or(none)
	c.Call("mremap", from, size.Get(), size.Get(), script.Int(mayMoveFixed), to).Says("move the %s", what)
	c.Place(none)
}

// mapVDSOArm puts the vDSO to its place.
func (c *compiler) mapVDSOArm() {
	p := &c.parked
	free, done := uint64(c.stubAt.End()), c.Label()
	if vdso, data := kernelMaps(c.s, c.arch.taskSizes[0]); vdso != nil {
		other, sized := c.Label(), c.Label()
		c.Do(script.Equal, c.sameVDSO.Get(), zero).Or(other)
		c.Do(script.Equal, p.data.Get(), script.Int(uint64(vdso.Start)-data)).Or(sized)
		c.Jump(other)
		c.Place(sized)
		c.move(script.Int(p.at), p.data, script.Int(data), "data of the vDSO back")
		c.move(p.codeAt.Get(), p.code, script.Int(uint64(vdso.Start)), "vDSO back")
		c.Jump(done)
		c.Place(other)
		c.oldVDSO(vdso)
	}
	to := c.Slot()
	c.Do(script.Add, p.data.Get(), script.Int(free)).To(to)
	c.move(script.Int(p.at), p.data, script.Int(free), "data of the vDSO away")
	c.move(p.codeAt.Get(), p.code, to.Get(), "vDSO away")
	c.Place(done)
}
