package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// stream freezes a program that works alone and prints. What the thawed one prints
// has to be the rest of what an undisturbed one does, from about where the output
// was when it was frozen.
func stream(r *runner, n int) error {
	want, err := r.undisturbed()
	if err != nil {
		return err
	}
	for i := 0; r.lives < n && i < 4*n; i++ {
		if !r.files {
			r.instant(want, fmt.Sprint("i", i), true, true)
			continue
		}
		// The two would work on the same files: each its own run, and the frozen one
		// is killed so that it leaves them as they were.
		r.instant(want, fmt.Sprint("i", i), true, false)
		r.instant(want, fmt.Sprint("k", i), false, true)
	}
	return nil
}

// outcome is what a run came to.
type outcome struct {
	out  []byte
	code string
	took time.Duration
}

// undisturbed runs the program three times: what it prints is the same each time,
// or nothing could be told from it.
func (r *runner) undisturbed() (outcome, error) {
	var want outcome
	for i := range 3 {
		p, err := r.start(fmt.Sprint("u", i), r.args)
		if err != nil {
			return want, err
		}
		got, err := p.end()
		if err != nil {
			return want, err
		}
		if i > 0 && (!bytes.Equal(got.out, want.out) || got.code != want.code) {
			return want, fmt.Errorf("two undisturbed runs differ (%s, %s)", got.code, want.code)
		}
		if i == 0 || got.took < want.took {
			want = got
		}
		p.clean()
	}
	return want, nil
}

// instant freezes the program once.
func (r *runner) instant(want outcome, name string, live, thaw bool) {
	p, err := r.start(name, r.args)
	if err != nil {
		r.fault("%v", err)
		return
	}
	defer p.clean()
	time.Sleep(time.Duration(r.random.Int64N(int64(want.took))))
	frozen := filepath.Join(p.dir, "frozen")
	var flags []string
	if !live {
		flags = []string{"--kill"}
	}
	before := p.written()
	ok := r.freeze(p.cmd.Process.Pid, frozen, flags...)
	after := p.written()
	got, err := p.end()
	if !ok && err == nil && got.code == want.code && bytes.Equal(got.out, want.out) {
		return // it had ended, or was refused: and was not disturbed
	}
	if live || !ok {
		r.lives++
		switch {
		case err != nil:
			r.fault("the one that went on: %v", err)
		case got.code != want.code:
			r.fault("the one that went on: %s: %s", got.code, p.complaint())
		case !bytes.Equal(got.out, want.out):
			r.fault("the one that went on: its output differs")
		default:
			r.live++
		}
	}
	if ok && thaw {
		r.thaw(want, p.dir, before, after)
	}
}

// thaw starts the frozen file; its process has printed something between before
// and after bytes.
func (r *runner) thaw(want outcome, dir string, before, after int64) {
	r.thaws++
	p, err := r.startIn(dir, "thawed", []string{filepath.Join(dir, "frozen")})
	if err != nil {
		r.fault("thawed: %v", err)
		return
	}
	got, err := p.end()
	at := int64(len(want.out) - len(got.out))
	switch {
	case err != nil:
		r.fault("thawed: %v", err)
	case got.code != want.code:
		r.fault("thawed: %s: %s", got.code, p.complaint())
	case !bytes.HasSuffix(want.out, got.out):
		r.fault("thawed: its output differs")
	case at < before || at > after:
		r.fault("thawed: its output begins at byte %d, not in [%d, %d]", at, before, after)
	default:
		r.thawed++
	}
}

// process is a program that runs in a directory, its output in files beside it.
type process struct {
	cmd      *exec.Cmd
	dir      string
	out, err *os.File
	began    time.Time
	slow     *time.Timer
}

func (r *runner) start(name string, argv []string) (*process, error) {
	dir := filepath.Join(r.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	return r.startIn(dir, "program", argv)
}

func (r *runner) startIn(dir, name string, argv []string) (*process, error) {
	p := &process{dir: dir}
	var err error
	if p.out, err = os.OpenFile(filepath.Join(dir, name+".out"), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, err
	}
	if p.err, err = os.Create(filepath.Join(dir, name+".err")); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.out, p.err
	p.cmd.Env = append(os.Environ(), "TMPDIR="+dir, "LC_ALL=C", "OPENBLAS_NUM_THREADS=2")
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.slow = time.AfterFunc(limit, func() { p.cmd.Process.Kill() })
	return p, nil
}

// written is how much it has printed.
func (p *process) written() int64 {
	st, err := p.out.Stat()
	if err != nil {
		return 0
	}
	return st.Size()
}

// end waits for its end.
func (p *process) end() (outcome, error) {
	err := p.cmd.Wait()
	took := time.Since(p.began)
	defer p.out.Close()
	defer p.err.Close()
	if !p.slow.Stop() {
		return outcome{}, fmt.Errorf("did not end in %v", limit)
	}
	if p.cmd.ProcessState == nil {
		return outcome{}, err
	}
	b, err := os.ReadFile(p.out.Name())
	return outcome{b, p.cmd.ProcessState.String(), took}, err
}

// complaint is what it said on standard error.
func (p *process) complaint() string {
	b, _ := os.ReadFile(p.err.Name())
	return string(bytes.TrimSpace(b[:min(len(b), 400)]))
}

func (p *process) clean() { os.RemoveAll(p.dir) }
