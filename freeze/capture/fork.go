package capture

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/proc"
)

// Fork has the process make a copy of itself, which never runs, and lets the
// process go on: what it writes from now on is its own, and its memory is read from
// the copy. Only what is shared, or does not survive a fork (MADV_DONTFORK,
// MADV_WIPEONFORK), is to be read before.
//
// The copy is a child that tells nobody when it ends (exit signal 0), so that the
// process hears of it by __WALL or __WCLONE only (wait4(2)).
func (t *Target) Fork() error {
	const clonePtrace = 0x2000 // CLONE_PTRACE: it is ours from its start, and stopped
	main := t.threads[0]
	before, err := t.children(main)
	if err != nil {
		return err
	}
	if t.copyID, err = t.call(main, "clone", clonePtrace, 0, 0, 0, 0); err != nil {
		return t.fault("a copy of its memory: clone: %w", err)
	}
	// The number that the process was told is that of its own namespace.
	after, err := t.children(main)
	if err != nil {
		return err
	}
	for _, pid := range after {
		if !slices.Contains(before, pid) {
			t.copy, err = proc.Open(pid)
		}
	}
	if t.copy == nil {
		return errors.Join(t.fault("the copy of its memory is gone"), err)
	}
	if ws, err := wait(t.copy.PID); err != nil || !ws.Stopped() {
		return t.fault("the copy of its memory does not stop: %v, wait status 0x%x", err, uint32(ws))
	}
	return t.release()
}

// dropCopy ends the copy. The process goes on meanwhile; it is stopped once more to
// forget the child, if it is still the same program.
func (t *Target) dropCopy() error {
	unix.Kill(t.copy.PID, unix.SIGKILL)
	if _, err := wait(t.copy.PID); err != nil {
		return t.fault("the copy of its memory: wait: %w", err)
	}
	t.copy.Close()
	t.copy = nil
	p, err := proc.Open(t.PID)
	if err != nil {
		return nil // it has ended, and who adopted the copy buries it
	}
	t.Process.Close()
	t.Process = p
	if t.stop(t.PID) != nil || len(t.threads) == 0 {
		return nil // the same
	}
	return errors.Join(t.forget(), t.release())
}

// forget has the process wait for its dead copy.
func (t *Target) forget() error {
	if err := t.registers(); err != nil {
		return err
	}
	// It may have become another program by now.
	maps, err := t.Maps()
	if err != nil {
		return err
	}
	list := make([]Map, len(maps))
	for i := range maps {
		list[i].Map = maps[i]
	}
	if err := t.findInsn(list); err != nil {
		return err
	}
	if _, err := t.call(t.threads[0], "wait4", t.copyID, 0, unix.WALL|unix.WNOHANG, 0); err != nil && err != unix.ECHILD {
		return t.fault("wait for the copy of its memory: %w", err)
	}
	return nil
}
