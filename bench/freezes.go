package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// memory is the size of the large process, in MiB.
const memory = 1024

// freezes compares freezing with copying the same bytes, and thawed programs, to
// their first byte of output, with the same programs started as usual. The
// processes that are frozen stand still meanwhile; done ends them.
func freezes(tool, dir string) (list []comparison, done func(), err error) {
	var pids []int
	done = func() {
		for _, pid := range pids {
			if p, err := os.FindProcess(pid); err == nil {
				p.Kill()
				p.Wait()
			}
		}
	}
	if err := freezeSources(dir); err != nil {
		return nil, done, err
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	stand := func(argv ...string) (string, error) {
		pid, err := standing(argv...)
		pids = append(pids, pid)
		return strconv.Itoa(pid), err
	}
	small, err := stand(at("heap"), "1")
	if err != nil {
		return nil, done, err
	}
	large, err := stand(at("heap"), strconv.Itoa(memory))
	if err != nil {
		return nil, done, err
	}
	python, err := stand("/usr/bin/python3", at("start.py"))
	if err != nil {
		return nil, done, err
	}
	busy, err := ticking(at("ticks"), at("pause"))
	if err != nil {
		return nil, done, err
	}
	pids = append(pids, busy.pid)
	ticks := strconv.Itoa(busy.pid)
	for file, argv := range map[string][]string{
		"small.frozen": {small}, "large.frozen": {large}, "large.lazy": {"--lazy", large}, "python.frozen": {python}, "python.lazy": {"--lazy", python},
	} {
		argv = append([]string{"freeze", "-o", at(file)}, argv...)
		if msg, err := exec.Command(tool, argv...).CombinedOutput(); err != nil {
			return nil, done, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, msg)
		}
	}
	freeze := func(pid string, more ...string) []string {
		return append(append([]string{tool, "freeze", "-o", at("out")}, more...), pid)
	}
	first := func(name, file string, peers ...peer) comparison {
		return comparison{name: "freeze: " + name, ours: []string{at(file)}, peers: peers, first: true}
	}
	cold := peer{[]string{"/usr/bin/python3", at("start.py"), "go on"}, ""}
	plain := []string{at("fresh"), at("large.bytes")}
	return []comparison{
		{name: "freeze: elfwright alone", ours: []string{tool, "version"}},
		{name: "freeze: 1 MiB", ours: freeze(small), clean: at("out"), peers: gcores(small, dir)},
		{name: "freeze: Python with numpy", ours: freeze(python), clean: at("out"), peers: gcores(python, dir)},
		{name: "freeze: 1 GiB", ours: freeze(large), clean: at("out"), peers: []peer{{[]string{"cp", at("large.bytes"), at("out")}, "1.2"}}},
		{name: "freeze: stop of a process of 1 GiB", ours: freeze(ticks), pause: busy, clean: at("out"), peers: []peer{{[]string{"sleep", "0.5"}, ""}}},
		{name: "freeze: stop of a process of 1 GiB, --snapshot", ours: freeze(ticks, "--snapshot"), pause: busy, clean: at("out"), peers: []peer{{[]string{"sleep", "0.5"}, ""}, {goal: "20 ms"}}},
		first("thaw of 1 MiB", "small.frozen", peer{[]string{at("heap"), "1", "go on"}, ""}, peer{goal: "2 ms"}),
		first("thaw of Python with numpy", "python.frozen", cold, peer{goal: "20 ms"}),
		first("thaw of Python with numpy, lazy", "python.lazy", cold, peer{goal: "3 ms"}),
		first("thaw of 1 GiB", "large.frozen", peer{plain, "1.1"}),
		first("thaw of 1 GiB, lazy", "large.lazy", peer{plain, ""}, peer{goal: "3 ms"}),
	}, done, nil
}

func gcores(pid, dir string) []peer {
	if _, err := exec.LookPath("gcore"); err != nil {
		return nil
	}
	return []peer{{[]string{"gcore", "-o", filepath.Join(dir, "core"), pid}, "1"}}
}

// standing starts a program that stops itself.
func standing(argv ...string) (pid int, err error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	pid = cmd.Process.Pid
	for range 10000 {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return pid, err
		}
		if strings.Contains(string(b), ") T ") {
			return pid, nil
		}
		time.Sleep(time.Millisecond)
	}
	return pid, errors.New(argv[0] + ": does not stop itself")
}

// ticker is a program that looks at the clock all the time and notes its longest pause
// in a file: nanoseconds, as 8 bytes. It stands still when nobody asks.
type ticker struct {
	pid  int
	file string
}

// ticking starts one, and waits until it notes.
func ticking(prog, file string) (*ticker, error) {
	if err := os.WriteFile(file, make([]byte, 8), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.Command(prog, strconv.Itoa(memory), file)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t := &ticker{cmd.Process.Pid, file}
	for range 10000 {
		if b, err := os.ReadFile(file); err == nil && binary.NativeEndian.Uint64(b) != 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return t, unix.Kill(t.pid, unix.SIGSTOP)
}

// longest runs a command, and returns the longest pause meanwhile.
func (t *ticker) longest(cmd *exec.Cmd) (time.Duration, error) {
	f, err := os.OpenFile(t.file, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	unix.Kill(t.pid, unix.SIGCONT)
	defer unix.Kill(t.pid, unix.SIGSTOP)
	time.Sleep(100 * time.Millisecond) // it has noted that it stood still
	b := make([]byte, 8)
	if _, err := f.WriteAt(b, 0); err != nil {
		return 0, err
	}
	if err := cmd.Run(); err != nil {
		return 0, err
	}
	if _, err := f.ReadAt(b, 0); err != nil {
		return 0, err
	}
	return time.Duration(binary.NativeEndian.Uint64(b)), nil
}

// freezeSources makes the programs that are frozen, and the bytes that cp copies.
func freezeSources(dir string) error {
	for name, text := range map[string]string{"ticks.c": ticksSource, "heap.c": heapSource, "fresh.c": freshSource, "start.py": numpySource} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, line := range []string{"gcc -O1 -o heap heap.c", "gcc -O1 -o fresh fresh.c", "gcc -O1 -o ticks ticks.c", fmt.Sprintf("head -c %dM /dev/urandom >large.bytes", memory)} {
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = dir
		if msg, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, msg)
		}
	}
	return nil
}

const heapSource = `
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Memory full of numbers; it stops itself, prints, and waits to be killed. */
int main(int argc, char **argv)
{
	size_t n = (atol(argv[1]) << 20) / 8;
	uint64_t *v = malloc(8 * n), x = 1;
	for (size_t i = 0; i < n; i++)
		v[i] = x = x * 6364136223846793005u + 1442695040888963407u;
	if (argc < 3)
		raise(SIGSTOP);
	write(1, "x\n", 2);
	pause();
	return v[77] == 0;
}
`

const freshSource = `
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What no thaw can do without: a file read into memory that is new. */
int main(int argc, char **argv)
{
	int fd = open(argv[1], O_RDONLY);
	off_t size = lseek(fd, 0, SEEK_END);
	char *p = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (off_t done = 0; done < size;) {
		ssize_t n = pread(fd, p + done, size - done, done);
		if (n <= 0)
			return 1;
		done += n;
	}
	write(1, "x\n", 2);
	pause();
	return 0;
}
`

const ticksSource = `
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Memory full of numbers, and the longest pause between two looks at the clock. */
int main(int argc, char **argv)
{
	size_t n = (atol(argv[1]) << 20) / 8;
	uint64_t *v = malloc(8 * n), x = 1;
	for (size_t i = 0; i < n; i++)
		v[i] = x = x * 6364136223846793005u + 1442695040888963407u;
	volatile uint64_t *longest = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open(argv[2], O_RDWR), 0);
	for (uint64_t last = now();;) {
		uint64_t t = now();
		if (t - last > *longest)
			*longest = t - last;
		last = t;
	}
}
`

const numpySource = `
import os, signal, sys
import numpy, json, asyncio, decimal, email, http.client, logging, unittest, xml.dom.minidom
value = numpy.arange(100000.0).reshape(100, 1000)
if len(sys.argv) < 2:
    os.kill(os.getpid(), signal.SIGSTOP)
os.write(1, b"%f\n" % value[3].sum())
signal.pause()
`
