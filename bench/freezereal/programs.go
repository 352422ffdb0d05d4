package main

// A program is a row of the table.
type program struct {
	name, what string
	needs      []string // commands
	version    string   // a line of shell that prints it
	build      string   // lines of shell that make it
	args       []string // of the program, which runs in a directory below the one with what was made
	flags      []string // of freeze
	files      bool     // it works on files that both would change
	how        func(r *runner, n int) error
}

const gcc = "gcc --version | head -1"

var programs = []program{
	{name: "C, static", what: "sorts, prints, sleeps", needs: []string{"gcc"}, version: gcc, build: "gcc -O1 -static -o prog compute.c", args: []string{"../prog"}, how: stream},
	{name: "C, static PIE", what: "the same", needs: []string{"gcc"}, version: gcc, build: "gcc -O1 -static-pie -o prog compute.c", args: []string{"../prog"}, how: stream},
	{name: "C, PIE", what: "the same", needs: []string{"gcc"}, version: gcc, build: "gcc -O1 -o prog compute.c", args: []string{"../prog"}, how: stream},
	{name: "C, not PIE", what: "the same", needs: []string{"gcc"}, version: gcc, build: "gcc -O1 -no-pie -o prog compute.c", args: []string{"../prog"}, how: stream},
	{name: "C, musl", what: "the same", needs: []string{"musl-gcc"}, version: "dpkg-query -W -f '${Version}' musl", build: "musl-gcc -O1 -o prog compute.c", args: []string{"../prog"}, how: stream},
	{name: "C, musl, static", what: "the same", needs: []string{"musl-gcc"}, version: "dpkg-query -W -f '${Version}' musl", build: "musl-gcc -O1 -static -o prog compute.c", args: []string{"../prog"}, how: stream},
	{name: "C++ threads", what: "9 threads, condition variables, exceptions, thread-local storage", needs: []string{"g++"}, version: "g++ --version | head -1", build: "g++ -O1 -o prog threads.cc -pthread", args: []string{"../prog"}, how: stream},
	{name: "Rust, tokio", what: "3 workers and blocking threads: tasks, channels, timers, a socket pair, a listener", needs: []string{"cargo"}, version: `rustc --version | cut -d" " -f1,2; basename /usr/share/cargo/registry/tokio-1.*`, build: tokio, args: []string{"../prog"}, how: stream},
	{name: "Go, HTTP server", what: "netpoller, timers, GC, a loop that only signals interrupt; asked over and over", needs: []string{"go"}, version: "go version | cut -d' ' -f3", build: "go build -o prog server/main.go", args: []string{"../prog"}, how: server(httpServer)},
	{name: "Python, numpy", what: "products of matrices in the threads of OpenBLAS, FFT, sorting", needs: []string{"/usr/bin/python3"}, version: `/usr/bin/python3 -c 'import numpy, sys; print(sys.version.split()[0], "numpy", numpy.__version__)'`, args: []string{"/usr/bin/python3", "../numbers.py"}, how: stream},
	{name: "Python, asyncio", what: "tasks, queues, timers, a pool of threads", needs: []string{"/usr/bin/python3"}, version: "/usr/bin/python3 --version", args: []string{"/usr/bin/python3", "../tasks.py"}, how: stream},
	{name: "Node", what: "timers, promises, 3 worker threads", needs: []string{"node"}, version: "node --version", args: []string{"node", "../workers.js"}, how: stream},
	{name: "OpenJDK", what: "GC (G1) under load, a pool of threads, JIT", needs: []string{"java", "javac"}, version: "java -version 2>&1 | head -1", build: "javac -d . Load.java", args: []string{"java", "-Xmx48m", "-XX:-UsePerfData", "-cp", "..", "Load"}, how: stream},
	{name: "OpenJDK, with its performance file", what: "the same; /tmp/hsperfdata_USER/PID is mapped, and the JVM removes it when it ends", needs: []string{"java", "javac"}, version: "java -version 2>&1 | head -1", build: "javac -d . Load.java", args: []string{"java", "-Xmx48m", "-cp", "..", "Load"}, files: true, how: stream},
	{name: "Perl", what: "hashes, regular expressions, closures", needs: []string{"perl"}, version: "perl -e 'print $^V'", args: []string{"perl", "../words.pl"}, how: stream},
	{name: "Ruby", what: "fibers, a thread, garbage", needs: []string{"ruby"}, version: "ruby --version | cut -d' ' -f2", args: []string{"ruby", "../fibers.rb"}, how: stream},
	{name: "Lua", what: "tables, coroutines", needs: []string{"lua5.4"}, version: "lua5.4 -v | cut -d' ' -f2", args: []string{"lua5.4", "../tables.lua"}, how: stream},
	{name: "SQLite", what: "inside a transaction on a file that is locked", needs: []string{"sqlite3"}, version: "sqlite3 --version | cut -d' ' -f1", args: []string{"sqlite3", "file.db", ".read ../transaction.sql"}, files: true, how: stream},
	{name: "SQLite, locks by a file", what: "the same with the VFS unix-dotfile", needs: []string{"sqlite3"}, version: "sqlite3 --version | cut -d' ' -f1", args: []string{"sqlite3", "-vfs", "unix-dotfile", "file.db", ".read ../transaction.sql"}, files: true, how: stream},
	{name: "SQLite, in memory", what: "the same without a file", needs: []string{"sqlite3"}, version: "sqlite3 --version | cut -d' ' -f1", args: []string{"sqlite3", ":memory:", ".read ../transaction.sql"}, how: stream},
	{name: "sort", what: "two threads, temporary files", needs: []string{"sort"}, version: "sort --version | head -1", build: "seq 1 400000 | sha1sum >/dev/null; for i in $(seq 1 30); do seq $i 7 99999; done | rev >lines", args: []string{"sort", "--parallel=2", "-S", "2M", "../lines"}, files: true, how: stream},
	{name: "gzip", what: "in the middle of a file", needs: []string{"gzip"}, version: "gzip --version | head -1", build: "seq 1 700000 | rev >lines", args: []string{"gzip", "-c", "-9", "../lines"}, how: stream},
	{name: "Redis", what: "jemalloc, background threads, Lua; asked over and over", needs: []string{"redis-server"}, version: "redis-server --version | cut -d' ' -f3", args: []string{"redis-server", "--save", "", "--port"}, how: server(redisServer)},
	{name: "bash with children", what: "a tree: pipelines, a coprocess, a child in the background", needs: []string{"bash", "seq"}, version: "bash -c 'echo $BASH_VERSION'", args: []string{"bash", "../children.sh"}, flags: []string{"--tree"}, how: stream},
	{name: "Python, multiprocessing", what: "a tree: a pool of three processes, pipes, locks", needs: []string{"/usr/bin/python3"}, version: "/usr/bin/python3 --version", args: []string{"/usr/bin/python3", "../pool.py"}, flags: []string{"--tree"}, how: stream},
	{name: "vim", what: "in a terminal; text is typed before and after", needs: []string{"vim"}, version: "vim --version | head -1 | cut -d' ' -f1-5", args: []string{"vim", "-u", "NONE", "-i", "NONE", "-n", "text"}, how: terminal},
}

// tokio is built of Debian's sources of it, without a net.
const tokio = `cd tokio
mkdir -p .cargo
printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "/usr/share/cargo/registry"\n' >.cargo/config.toml
cargo build --release --offline --quiet --target-dir target
mv target/release/tasks ../prog`
