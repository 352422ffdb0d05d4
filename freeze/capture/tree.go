package capture

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/proc"
)

// Tree is a process with all that descend from it, all stopped.
type Tree struct {
	Targets []*Target // parents before their children
	Zombies []Zombie  // have ended, and nobody has waited for them
}

// Zombie is what is left of a process that has ended.
type Zombie struct {
	PID, Outer             int // its number as it knew it, and as it is known here
	Parent, Group, Session int // the parent as it is known here
	Comm                   string
	Status                 int // as wait4 gives it
	ExitSignal             int // that its parent got
}

// WithTree stops a process and all its descendants, calls fn, and lets them go on;
// they are killed instead if fn asked for that by [Tree.Kill] and returned no
// error.
func WithTree(pid int, fn func(*Tree) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := supported(); err != nil {
		return err
	}
	t := &Tree{}
	defer t.close()
	err := t.seize(pid)
	if err == nil {
		err = t.apart()
	}
	if err == nil {
		err = fn(t)
	}
	if err != nil {
		for _, p := range t.Targets {
			p.kill = false
		}
	}
	return errors.Join(err, t.release())
}

// Stopped says how long the first one stood still, once it goes on.
func (t *Tree) Stopped() time.Duration { return t.Targets[0].Stopped() }

// Kill has all processes killed in the end.
func (t *Tree) Kill() {
	for _, p := range t.Targets {
		p.kill = true
	}
}

func (t *Tree) close() {
	for _, p := range t.Targets {
		if p.pidfd != 0 {
			unix.Close(p.pidfd)
		}
		p.Close()
	}
}

// seize stops a process, then its children, then theirs. A process that is stopped
// starts no others, so that nobody is left out; who ends meanwhile leaves children
// that are no longer of the tree.
func (t *Tree) seize(pid int) error {
	if err := t.add(pid, true); err != nil {
		return err
	}
	for i := 0; i < len(t.Targets); i++ {
		kids, err := t.Targets[i].allChildren()
		if err != nil {
			return err
		}
		for _, kid := range kids {
			if err := t.add(kid, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// add stops one process. A child may end before that, and may then be a zombie.
func (t *Tree) add(pid int, first bool) error {
	if !first && t.zombie(pid) {
		return nil
	}
	p, err := proc.Open(pid)
	if err == nil {
		err = checkTarget(p)
	}
	if err == nil {
		target := &Target{Process: p, began: time.Now(), steps: stepsOf(abi), inTree: true}
		t.Targets = append(t.Targets, target)
		if err = target.seize(); err == nil {
			return nil
		}
		if len(target.threads) == 0 {
			t.Targets = t.Targets[:len(t.Targets)-1]
		}
	}
	// One that is about to end has no program any more, and is no zombie yet.
	for range 200 {
		if first || gone(pid) || t.zombie(pid) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if !first && (gone(pid) || len(t.Zombies) > 0 && t.Zombies[len(t.Zombies)-1].Outer == pid) {
		return nil
	}
	return err
}

func gone(pid int) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return os.IsNotExist(err)
}

// zombie notes a process that has ended.
func (t *Tree) zombie(pid int) bool {
	p, err := proc.Open(pid)
	if err != nil {
		return false
	}
	defer p.Close()
	s, err := p.Stat()
	if err != nil || s.State != 'Z' {
		return false
	}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil || len(tasks) != 1 {
		return false // its first thread alone has ended
	}
	z := Zombie{pid, pid, s.Parent, s.Group, s.Session, s.Comm, s.ExitCode, s.ExitSignal}
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err == nil {
		if st, err := ParseStatus(b); err == nil && len(st.NSpid) > 1 {
			z.PID, z.Group, z.Session = last(st.NSpid), last(st.NSpgid), last(st.NSsid)
		}
	}
	t.Zombies = append(t.Zombies, z)
	return true
}

// allChildren lists the children of all threads.
func (t *Target) allChildren() ([]int, error) {
	var out []int
	for _, th := range t.threads {
		kids, err := t.children(th)
		if err != nil {
			return nil, err
		}
		out = append(out, kids...)
	}
	slices.Sort(out)
	return out, nil
}

// apart refuses processes that have a table in common, by clone(2) with one of the
// flags that make threads.
func (t *Tree) apart() error {
	for i, p := range t.Targets {
		for _, q := range t.Targets[:i] {
			for _, k := range []struct {
				kind uintptr
				what string
			}{{1, "memory"}, {2, "descriptors"}, {3, "working directory and umask"}, {4, "signal handlers"}} { // KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND
				r, _, e := unix.Syscall6(unix.SYS_KCMP, uintptr(q.PID), uintptr(p.PID), k.kind, 0, 0, 0)
				if e != 0 {
					return p.fault("kcmp: %w", e)
				}
				if r == 0 {
					return p.fault("has its %s in common with process %d (clone or vfork); such processes are not restored", k.what, q.PID)
				}
			}
		}
	}
	return nil
}

// release lets go of all, after all that are to be killed are.
func (t *Tree) release() error {
	for _, p := range t.Targets {
		if p.kill {
			unix.Kill(p.PID, unix.SIGKILL)
		}
	}
	var errs []error
	for _, p := range t.Targets {
		errs = append(errs, p.release())
	}
	return errors.Join(errs...)
}

// Snapshots reads what the processes are, in the order of Targets. Descriptors
// that share an open file have the same File, from process to process, too.
func (t *Tree) Snapshots() ([]*Snapshot, error) {
	var out []*Snapshot
	own := make(map[int]bool)
	for _, p := range t.Targets {
		s, err := p.Snapshot()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
		own[p.PID] = true
	}
	if err := outside(own, out...); err != nil {
		return nil, err
	}
	return out, t.sameFiles(out)
}

// openFile is a descriptor by which an open file is known.
type openFile struct{ pid, fd, id int }

// sameFiles numbers the open files of all processes from 1 on.
func (t *Tree) sameFiles(all []*Snapshot) error {
	known := make(map[[3]any][]openFile)
	count := 0
	for n, s := range all {
		pid := t.Targets[n].PID
		ids := make(map[int]int)
		for i := range s.Descriptors {
			d := &s.Descriptors[i]
			if d.Same != d.N {
				d.File = ids[d.Same]
				continue
			}
			key := [3]any{d.Link, d.Dev, d.Ino}
			for _, o := range known[key] {
				r, _, e := unix.Syscall6(unix.SYS_KCMP, uintptr(pid), uintptr(o.pid), kcmpFile, uintptr(d.N), uintptr(o.fd), 0)
				if e != 0 {
					return fmt.Errorf("process %d, descriptor %d: kcmp: %w", pid, d.N, e)
				}
				if r == 0 {
					d.File = o.id
					break
				}
			}
			if d.File == 0 {
				count++
				d.File = count
				known[key] = append(known[key], openFile{pid, d.N, count})
			}
			ids[d.N] = d.File
		}
	}
	return nil
}

// Outside finds who else, besides the tree, has one of the objects that links such
// as "pipe:[123]" name: for each that is found, a process that has it. It does not
// see into processes of other users.
func (t *Tree) Outside(links map[string]bool) map[string]int {
	found, own := make(map[string]int), make(map[int]bool)
	for _, p := range t.Targets {
		own[p.PID] = true
	}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || own[pid] {
			continue
		}
		dir := "/proc/" + e.Name() + "/fd/"
		fds, _ := os.ReadDir(dir)
		for _, fd := range fds {
			if l, err := os.Readlink(dir + fd.Name()); err == nil && links[l] {
				found[l] = pid
			}
		}
	}
	return found
}

// KillDescendants kills all that descend from a process, which it stops, and which
// is left to the caller.
func KillDescendants(pid int) {
	unix.Kill(pid, unix.SIGSTOP)
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, th := range threads {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, th.Name()))
		kids, _ := ints(string(b))
		for _, kid := range kids {
			KillDescendants(kid)
			unix.Kill(kid, unix.SIGKILL)
		}
	}
}
