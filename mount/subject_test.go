package mount

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// facts is what a program finds when it is started.
type facts struct {
	Args    []string
	Word    string // of the environment
	Dir     string
	UID     int
	GID     int
	Caps    string
	Exe     string
	Parent  int
	PID     int
	Sums    []string // of a file in each tree
	Entries []string // beside the mount point
	Create  string   // what becomes of a new file there
	Files   []string // open
	Stdin   string
}

// subject is the program that tests run.
func subject(args []string) int {
	switch args[0] {
	case "exit":
		n, _ := strconv.Atoi(args[1])
		return n
	case "die":
		n, _ := strconv.Atoi(args[1])
		signal.Reset()
		unix.Kill(os.Getpid(), unix.Signal(n))
		select {}
	case "signals":
		return tellSignals()
	case "pause":
		fmt.Println(os.Getpid())
		select {}
	case "facts":
		json.NewEncoder(os.Stdout).Encode(find(args[1:]))
		return 7
	}
	return 98
}

// find finds out about the process and the directories that trees are bound to.
func find(dirs []string) facts {
	f := facts{Args: os.Args, Word: os.Getenv("ELFWRIGHT_WORD"), UID: os.Getuid(), GID: os.Getgid(), Parent: os.Getppid(), PID: os.Getpid()}
	f.Dir, _ = unix.Getwd()
	f.Exe, _ = os.Readlink("/proc/self/exe")
	status, _ := os.ReadFile("/proc/self/status")
	f.Caps = strings.Join(regexp.MustCompile(`Cap(Inh|Prm|Eff|Amb):\s*[0-9a-f]+`).FindAllString(string(status), -1), " ")
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	f.Stdin = line
	for _, dir := range dirs {
		b, err := os.ReadFile(filepath.Join(dir, "d/size100"))
		f.Sums = append(f.Sums, fmt.Sprintf("%d %v %v", len(b), bytes.Equal(b, pattern(100, 2)), err))
	}
	beside := filepath.Dir(dirs[0])
	list, _ := os.ReadDir(beside)
	for _, e := range list {
		f.Entries = append(f.Entries, e.Name())
	}
	name := filepath.Join(beside, "elfwright-test-new")
	err := os.WriteFile(name, nil, 0o644)
	os.Remove(name)
	f.Create = fmt.Sprint(err)
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && !strings.HasPrefix(to, "anon_inode:") && !strings.HasSuffix(to, "/fd") {
			f.Files = append(f.Files, fd.Name())
		}
	}
	return f
}

// tellSignals prints the signals it gets until SIGTERM.
func tellSignals() int {
	c := make(chan os.Signal, 16)
	signal.Notify(c, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGTERM)
	fmt.Println("ready")
	for s := range c {
		fmt.Println(unix.SignalName(s.(unix.Signal)))
		if s == unix.SIGTERM {
			break
		}
	}
	return 5
}
