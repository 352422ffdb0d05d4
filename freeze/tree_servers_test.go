package freeze_test

import (
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// TestTreeNginx freezes a server of several processes, which listen at one socket.
func TestTreeNginx(t *testing.T) {
	samples.Need(t, "nginx")
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	config := "worker_processes 2;\npid pid;\nerror_log error.log;\nevents { worker_connections 32; }\nhttp { access_log off;\n"
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		config += name + "_temp_path " + name + ";\n"
	}
	config += "server { listen " + address + "; location / { return 200 \"worker $pid\\n\"; } } }\n"
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("nginx", "-p", dir, "-c", "conf", "-e", "error.log", "-g", "daemon off;")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Process.Kill()
	before := answers(t, address)
	frozen := filepath.Join(dir, "frozen")
	r, err := freeze.Freeze(server.Process.Pid, frozen, freeze.Options{Tree: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Processes != 3 {
		t.Errorf("%d processes", r.Processes)
	}
	answers(t, address)
	server.Process.Signal(unix.SIGQUIT)
	if err := server.Wait(); err != nil {
		t.Error("the server that goes on: ", err)
	}
	samples.Settle(t, frozen)
	again := exec.Command(frozen)
	var told bytes.Buffer
	again.Stderr = &told
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	defer again.Process.Kill()
	if after := answers(t, address); !maps.Equal(before, after) {
		t.Errorf("workers %v answer, not %v", after, before)
	}
	again.Process.Signal(unix.SIGQUIT)
	if err := again.Wait(); err != nil {
		t.Error("thawed: ", err, told.String())
	}
}

// answers asks a server until two workers have answered.
func answers(t *testing.T, address string) map[string]bool {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	got := make(map[string]bool)
	for end := time.Now().Add(10 * time.Second); len(got) < 2; {
		if time.Now().After(end) {
			t.Fatalf("answers so far: %v", got)
		}
		r, err := client.Get("http://" + address)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		got[string(b)] = true
	}
	return got
}

// TestTreePostgres freezes a server whose processes have memory of all three kinds
// in common, and signals, and its socket's name in the file system.
func TestTreePostgres(t *testing.T) {
	const bin = "/usr/lib/postgresql/15/bin/"
	samples.Need(t, "setpriv", "psql", bin+"initdb")
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	as := func(args ...string) *exec.Cmd {
		if os.Geteuid() == 0 { // as which it does not run
			args = append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, args...)
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		return cmd
	}
	if os.Geteuid() == 0 {
		os.Chown(dir, 65534, 65534)
	}
	do := func(want string, args ...string) {
		t.Helper()
		out, err := as(args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
	do("", bin+"initdb", "-D", dir+"/data", "-A", "trust", "-U", "user", "--no-sync")
	server := as(bin+"postgres", "-D", dir+"/data", "-k", dir, "-c", "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "fsync=off")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Process.Kill()
	ask := func(want, query string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			out, err := as("psql", "-h", dir, "-U", "user", "-d", "postgres", "-Atc", query).CombinedOutput()
			if err == nil && strings.TrimSpace(string(out)) == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %v, %s; want %s", query, err, out, want)
			}
		}
	}
	ask("SELECT 1000", "create table numbers as select generate_series(1, 1000) n")
	frozen := filepath.Join(dir, "frozen")
	client, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // until there is a process for it
	_, err = freeze.Freeze(server.Process.Pid, frozen, freeze.Options{Tree: true})
	if err == nil || !strings.Contains(err.Error(), "is a socket that is connected to another process") {
		t.Errorf("with a client: %v", err)
	}
	client.Close()
	ask("1000", "select count(*) from numbers")
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) { // until the processes of the clients are gone
		_, err := freeze.Freeze(server.Process.Pid, frozen, freeze.Options{Tree: true, Kill: true, Mode: 0o755})
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	server.Wait()
	samples.Settle(t, frozen)
	again := as(frozen)
	var told bytes.Buffer
	again.Stderr = &told
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	defer again.Process.Kill()
	ask("500500", "select sum(n) from numbers")
	ask("INSERT 0 1", "insert into numbers values (1)")
	ask("CHECKPOINT", "checkpoint")
	again.Process.Signal(unix.SIGINT) // a fast shutdown
	if err := again.Wait(); err != nil {
		t.Error("thawed: ", err, told.String())
	}
}
