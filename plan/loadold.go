package plan

import "debug/elf"

// oldBss is how kernels before elf_load (6.7) kept account of the memory behind
// the file bytes: one zero-fill from the highest file byte to the highest
// address seen so far.
type oldBss struct {
	fileEnd, end uint64 // without the bias
	prot         elf.ProgFlag
	index        int
	origin       Origin
	bias         uint64
}

func (o *oldBss) add(e *execve, s segment) {
	o.origin = s.origin
	if s.origin == FromProgram {
		o.bias = e.bias
	}
	o.fileEnd = max(o.fileEnd, e.sum(s.Vaddr, s.Filesz))
	if k := e.sum(s.Vaddr, s.Memsz); k > o.end {
		o.end, o.prot, o.index = k, s.prot, s.index
	}
}

// setOldBss is set_brk, in front of the next segment.
func (e *execve) setOldBss(o *oldBss) string {
	if o.end <= o.fileEnd {
		return ""
	}
	from, to := up(o.fileEnd+o.bias, e.page), up(o.end+o.bias, e.page)
	if to > from {
		if errno := e.vmBrkFlags(o.origin, o.index, from, to, o.prot); errno != "" {
			return errno
		}
	}
	e.padzero(o.fileEnd + o.bias)
	return ""
}

// lastOldBss is the zero-fill behind the last segment, where a page that cannot
// be cleared is an error.
func (e *execve) lastOldBss(o *oldBss) *failure {
	from, to := up(o.fileEnd+o.bias, e.page), up(o.end+o.bias, e.page)
	fail := func(errno, rule, msg string) *failure {
		f := e.fail(errno, rule, o.index, "%s", msg)
		f.origin = o.origin
		return f
	}
	if o.origin == FromInterp {
		if o.end <= o.fileEnd {
			return nil
		}
		if !e.padzero(o.fileEnd + o.bias) {
			return fail("EFAULT", "padzero", "the page behind the file bytes cannot be cleared")
		}
	}
	if to > from {
		if errno := e.vmBrkFlags(o.origin, o.index, from, to, o.prot); errno != "" {
			return fail(errno, "set_brk", "the zero pages behind the segments cannot be had")
		}
	}
	if o.origin == FromProgram && o.fileEnd != o.end && !e.padzero(o.fileEnd+o.bias) {
		return fail("EFAULT", "padzero", "the page behind the file bytes cannot be cleared: before 6.7 that is an error also where the segment is not writable")
	}
	return nil
}
