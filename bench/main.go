// Bench times elfwright's verbs against the programs that people use today for
// the same work, on the same file, in one run: A B A B …, the median of each,
// and the ratio. It writes the table it prints to -o, with the machine and the
// versions of the tools, which is how the files in bench/results are made:
//
//	go run ./bench -o bench/results/NAME.md
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	runs := flag.Int("n", 11, "counted runs of each command, after one that is not counted")
	out := flag.String("o", "", "also write the table to `FILE`")
	file := flag.String("file", "", "measure on `FILE` instead of the largest library of llvm-14")
	only := flag.String("only", "", "only comparisons whose name contains `TEXT`")
	sets := flag.String("make", "", "only write the objects that linkers are timed on to the directory `DIR`")
	flag.Parse()
	// What this was started with besides 0, 1 and 2 is none of the commands' business.
	unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if *sets != "" {
		if err := makeSets(*sets); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(*runs, *out, *file, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(runs int, out, file, only string) error {
	dir, err := os.MkdirTemp("", "elfwright-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tool := filepath.Join(dir, "elfwright")
	build := exec.Command("go", "build", "-o", tool, "./cmd/elfwright")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as README.md says
	if msg, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, msg)
	}
	if file == "" {
		if file, err = largest("/usr/lib/x86_64-linux-gnu/libLLVM-14.so*", "/usr/lib/llvm-14/lib/*.so*"); err != nil {
			return err
		}
	}
	var table bytes.Buffer
	w := io.MultiWriter(os.Stdout, &table)
	header(w, file, runs)
	all := comparisons(tool, file, dir)
	if strings.Contains("link:", only) || strings.HasPrefix(only, "link:") {
		list, err := links(tool, dir)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	if strings.Contains("deps:", only) || strings.HasPrefix(only, "deps:") {
		list, err := dependencies(tool)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	if strings.Contains("reset:", only) || strings.HasPrefix(only, "reset:") {
		list, err := resets(tool, dir)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	if strings.Contains("run:", only) || strings.HasPrefix(only, "run:") {
		list, err := starts(tool, dir)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	if strings.Contains("freeze:", only) || strings.HasPrefix(only, "freeze:") {
		list, done, err := freezes(tool, dir)
		defer done()
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	if strings.Contains("sdf:", only) || strings.HasPrefix(only, "sdf:") {
		list, err := systems(tool, dir)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	for _, c := range all {
		if !strings.Contains(c.name, only) {
			continue
		}
		if err := c.measure(w, runs); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if out == "" {
		return nil
	}
	return os.WriteFile(out, table.Bytes(), 0o644)
}

// largest returns the largest file that matches one of the patterns.
func largest(patterns ...string) (string, error) {
	var best string
	var size int64
	for _, p := range patterns {
		names, _ := filepath.Glob(p)
		for _, n := range names {
			if real, err := filepath.EvalSymlinks(n); err == nil {
				n = real
			}
			if st, err := os.Stat(n); err == nil && st.Size() > size {
				best, size = n, st.Size()
			}
		}
	}
	if best == "" {
		return "", errors.New("no library of llvm-14 here (Debian package llvm-14); name a file with -file")
	}
	return best, nil
}

// header tells the machine, the file and the tools.
func header(w io.Writer, file string, runs int) {
	st, _ := os.Stat(file)
	fmt.Fprintf(w, "# Measured\n\n- file: %s, %.1f MB\n- machine: %s, %d CPUs, %s\n- %d runs of each command in turn, after one that is not counted; medians; output to /dev/null\n",
		filepath.Base(file), float64(st.Size())/1e6, cpu(), runtime.NumCPU(), kernel(), runs)
	for _, t := range [][]string{{"go", "version"}, {"readelf", "--version"}, {"eu-readelf", "--version"}, {"llvm-readelf-14", "--version"}, {"patchelf", "--version"}, {"ld.bfd", "--version"}, {"ld.lld-14", "--version"}, {"ldd", "--version"}, {"libtree", "--version"}, {"/usr/bin/python3", "/usr/bin/lddtree", "--version"}} {
		msg, err := exec.Command(t[0], t[1:]...).Output()
		if err != nil {
			fmt.Fprintf(w, "- %s: not here\n", filepath.Base(t[len(t)-2]))
			continue
		}
		for line := range strings.Lines(string(msg)) {
			if strings.ContainsAny(line, "0123456789") {
				fmt.Fprintf(w, "- %s: %s\n", t[0], strings.TrimSpace(line))
				break
			}
		}
	}
	fmt.Fprintf(w, "\n| what | command | wall ms | CPU ms | peak MiB | ours / theirs (wall) | goal |\n|---|---|---|---|---|---|---|\n")
}

func cpu() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return "Linux " + strings.TrimSpace(string(b))
}

// comparison is one of our command lines and the peers' for the same work.
type comparison struct {
	name  string
	ours  []string
	peers []peer
	clean string  // output file, removed before each run
	first bool    // to the first byte of standard output; then it is killed
	pause *ticker // a program whose longest pause is what counts

	before []string // a command that makes what the peers need
}

// peer is another command; without one it is a goal that is no ratio.
type peer struct {
	argv []string
	goal string
}

// sample is what one run cost.
type sample struct {
	wall, cpu time.Duration
	peak      int64 // KiB
}

func (c *comparison) measure(w io.Writer, runs int) error {
	if c.before != nil {
		if msg, err := exec.Command(c.before[0], c.before[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(c.before, " "), err, msg)
		}
	}
	argvs := [][]string{c.ours}
	goal := ""
	peers := slices.DeleteFunc(slices.Clone(c.peers), func(p peer) bool {
		if p.argv == nil {
			goal = p.goal
		}
		return p.argv == nil
	})
	for _, p := range peers {
		argvs = append(argvs, p.argv)
	}
	samples := make([][]sample, len(argvs))
	for i := range runs + 1 {
		for k, argv := range argvs {
			s, err := c.once(argv)
			if err != nil {
				return fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
			}
			if i > 0 {
				samples[k] = append(samples[k], s)
			}
		}
	}
	ours := median(samples[0])
	row(w, c.name, c.ours, ours, "", goal)
	for k, p := range peers {
		theirs := median(samples[k+1])
		row(w, "", p.argv, theirs, fmt.Sprintf("%.2f", float64(ours.wall)/float64(theirs.wall)), p.goal)
	}
	return nil
}

// A command of more than mostWords words is cut in the table to the first few.
const (
	mostWords = 60
	fewWords  = 5
)

func row(w io.Writer, name string, argv []string, s sample, ratio, goal string) {
	words := slices.Clone(argv)
	if len(words) > mostWords {
		words = append(words[:fewWords:fewWords], "…")
	}
	for i := range words {
		words[i] = filepath.Base(words[i])
	}
	fmt.Fprintf(w, "| %s | `%s` | %.1f | %.1f | %.1f | %s | %s |\n", name, strings.Join(words, " "),
		float64(s.wall.Microseconds())/1000, float64(s.cpu.Microseconds())/1000, float64(s.peak)/1024, ratio, goal)
}

func (c *comparison) once(argv []string) (sample, error) {
	if c.clean != "" {
		os.Remove(c.clean)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = &stderr
	var wall time.Duration
	var err error
	switch {
	case c.first:
		wall, err = firstByte(cmd)
	case c.pause != nil:
		wall, err = c.pause.longest(cmd)
	default:
		start := time.Now()
		err = cmd.Run()
		wall = time.Since(start)
	}
	if err != nil {
		return sample{}, fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	s := sample{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.peak = ru.Maxrss
	}
	return s, nil
}

// firstByte runs a command until it prints, and kills it.
func firstByte(cmd *exec.Cmd) (time.Duration, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, err = out.Read(make([]byte, 1))
	wall := time.Since(start)
	if err != nil {
		return 0, errors.Join(err, cmd.Wait())
	}
	cmd.Process.Kill()
	cmd.Wait()
	return wall, nil
}

// median takes the median of each figure by itself.
func median(s []sample) sample {
	pick := func(get func(sample) int64) int64 {
		v := make([]int64, len(s))
		for i := range s {
			v[i] = get(s[i])
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	return sample{
		time.Duration(pick(func(x sample) int64 { return int64(x.wall) })),
		time.Duration(pick(func(x sample) int64 { return int64(x.cpu) })),
		pick(func(x sample) int64 { return x.peak }),
	}
}
