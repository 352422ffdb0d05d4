// A tree of processes a case: all of it is set up, the first process stops itself,
// the tree is frozen, and each process looks at what it has again, in the tree that
// goes on and in the thawed one.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(x) do { if (!(x)) { printf("line %d, process %d: %s (errno %d)\n", __LINE__, getpid(), #x, errno); fflush(stdout); _exit(1); } } while (0)

// What all processes of a case see. A step is a place that they wait for.
struct world {
	volatile int step, ready;
	volatile pid_t pid[8];
	pthread_mutex_t lock;
	pthread_cond_t cond;
	volatile int count;
};
static struct world *w;

static void *shared(size_t n)
{
	void *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

static void nap(void) { usleep(1000); }
static void is_ready(void) { __sync_fetch_and_add(&w->ready, 1); }
static void await(int step) { while (w->step < step) nap(); }

// stop is called by the first process, when n others are ready.
static void stop(int n)
{
	while (w->ready < n) nap();
	kill(getpid(), SIGSTOP);
	w->step = 1;
}

static pid_t start(void (*fn)(void))
{
	pid_t p = fork();
	CHECK(p >= 0);
	if (p == 0) {
		fn();
		_exit(0);
	}
	return p;
}

static void ends(pid_t p, int status)
{
	int ws;
	CHECK(waitpid(p, &ws, 0) == p);
	CHECK(ws == status);
}

static void done(pid_t p) { ends(p, 0); }

static void ends_soon(void) { is_ready(); await(1); }

// Three children, each with one of its own, hand a word round through pipes.
static int ring[7][2];

static void pass(int i)
{
	char b[16] = { 0 };
	CHECK(read(ring[i][0], b, 5) == 5);
	CHECK(strncmp(b, "word", 4) == 0 && b[4] == '0' + i);
	b[4]++;
	CHECK(write(ring[i + 1][1], b, 5) == 5);
}

static int ring_number;
static void ring_grandchild(void) { is_ready(); pass(ring_number + 1); }
static void ring_child(void)
{
	pid_t p = start(ring_grandchild);
	is_ready();
	pass(ring_number);
	done(p);
}

static void t_pipes(void)
{
	pid_t p[3];
	char b[16];
	for (int i = 0; i < 7; i++)
		CHECK(pipe(ring[i]) == 0);
	for (int i = 0; i < 3; i++)
		ring_number = 2 * i, p[i] = start(ring_child);
	stop(6);
	CHECK(write(ring[0][1], "word0", 5) == 5);
	CHECK(read(ring[6][0], b, 16) == 5 && memcmp(b, "word6", 5) == 0);
	for (int i = 0; i < 3; i++)
		done(p[i]);
}

// What is in a pipe that nobody has read, whose writer is gone; and the end of it.
static int one[2];
static void reader(void)
{
	char b[8];
	close(one[1]);
	is_ready();
	await(1);
	CHECK(read(one[0], b, 8) == 4 && memcmp(b, "left", 4) == 0);
	CHECK(read(one[0], b, 8) == 0);
}
static void t_unread(void)
{
	CHECK(pipe(one) == 0 && write(one[1], "left", 4) == 4);
	pid_t p = start(reader);
	close(one[0]), close(one[1]);
	stop(1);
	done(p);
}

// A writer whose reader is gone.
static void writer(void)
{
	close(one[0]);
	signal(SIGPIPE, SIG_IGN);
	is_ready();
	await(1);
	CHECK(write(one[1], "x", 1) == -1 && errno == EPIPE);
}
static void t_reader_gone(void)
{
	CHECK(pipe(one) == 0);
	pid_t p = start(writer);
	close(one[0]), close(one[1]);
	stop(1);
	done(p);
}

// Memory that all map, and pages of it that are in no page table.
static char *mem;
static pid_t first;
static int fd;
static void adds(void)
{
	is_ready();
	await(1);
	CHECK(strcmp(mem + 40960, "before") == 0);
	for (int i = 0; i < 1000; i++)
		__sync_fetch_and_add(&w->count, 1);
}
static void t_shared_memory(void)
{
	pid_t p[3];
	mem = shared(1 << 20);
	strcpy(mem + 40960, "before");
	strcpy(mem + 81920, "dropped");
	CHECK(madvise(mem, 1 << 20, MADV_DONTNEED) == 0);
	for (int i = 0; i < 3; i++)
		p[i] = start(adds);
	stop(3);
	for (int i = 0; i < 3; i++)
		done(p[i]);
	CHECK(w->count == 3000 && strcmp(mem + 81920, "dropped") == 0);
}

// A file that is mapped, and deleted.
static void t_deleted_memory(void)
{
	fd = open("deleted", O_RDWR | O_CREAT, 0600);
	CHECK(ftruncate(fd, 1 << 20) == 0 && pwrite(fd, "before", 7, 40960) == 7);
	mem = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(mem != MAP_FAILED && close(fd) == 0 && unlink("deleted") == 0);
	pid_t p = start(adds), q = start(adds);
	stop(2);
	done(p), done(q);
	CHECK(strcmp(mem + 40960, "before") == 0 && w->count == 2000);
}

// A file that is mapped, and has got another name.
static void t_renamed_memory(void)
{
	char b[8];
	fd = open("first-name", O_RDWR | O_CREAT, 0600);
	CHECK(ftruncate(fd, 1 << 20) == 0 && pwrite(fd, "before", 7, 40960) == 7);
	mem = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(mem != MAP_FAILED && close(fd) == 0 && link("first-name", "name") == 0 && unlink("first-name") == 0);
	pid_t p = start(adds);
	stop(1);
	done(p);
	strcpy(mem, "after");
	CHECK(pread(open("name", O_RDONLY), b, 6, 0) == 6 && strcmp(b, "after") == 0);
}

// System V shared memory: with a key, and with none and removed.
static void sysv(int key, int removed)
{
	struct shmid_ds ds;
	int id = shmget(key, 100000, IPC_CREAT | IPC_EXCL | 0600);
	CHECK(id >= 0);
	mem = shmat(id, 0, 0);
	CHECK(mem != (void *)-1);
	if (removed)
		CHECK(shmctl(id, IPC_RMID, 0) == 0);
	strcpy(mem + 40960, "before");
	pid_t p = start(adds), q = start(adds);
	stop(2);
	done(p), done(q);
	CHECK(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 1 && ds.shm_segsz == 100000 && ds.shm_perm.__key == (removed ? 0 : key));
	CHECK(!(ds.shm_perm.mode & 01000) == !removed);
	CHECK(shmdt(mem) == 0);
	if (removed)
		CHECK(shmctl(id, IPC_STAT, &ds) == -1);
	else
		CHECK(shmget(key, 100000, 0) == id && shmctl(id, IPC_RMID, 0) == 0);
}
static void t_sysv(void) { sysv(getpid() + (1 << 24), 0); }
static void t_sysv_removed(void) { sysv(IPC_PRIVATE, 1); }

// A socket with a name in the file system, left over by the process that was
// killed; but one where another listens does not give way.
static void t_named_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "socket" };
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 5) == 0);
	pid_t p = start(ends_soon);
	stop(1);
	int c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(c, (struct sockaddr *)&a, sizeof a) == 0 && accept(fd, 0, 0) >= 0);
	done(p);
}

// One that goes on when the first process has ended. It writes where a pipe says that
// all who have it have ended.
static void outlives(void)
{
	is_ready();
	await(1);
	while (getppid() == first) nap();
	usleep(50000);
	CHECK(write(fd, "outlived", 8) == 8);
}
static void t_outlives(void)
{
	first = getpid();
	fd = open("outlived", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	start(outlives);
	stop(1);
}

// A memfd that one maps and another has open.
static void maps(void)
{
	char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	close(fd);
	is_ready();
	await(1);
	CHECK(strcmp(p, "here") == 0);
	strcpy(p + 4096, "there");
	w->step = 2;
}
static void t_memfd(void)
{
	char b[8];
	fd = memfd_create("both", 0);
	CHECK(fd >= 0 && ftruncate(fd, 8192) == 0 && pwrite(fd, "here", 5, 0) == 5);
	pid_t p = start(maps);
	stop(1);
	await(2);
	CHECK(pread(fd, b, 6, 4096) == 6 && strcmp(b, "there") == 0);
	done(p);
}

// A pair of sockets between two processes.
static int pair[2];
static void answers(void)
{
	char b[32];
	int n;
	close(pair[0]);
	is_ready();
	while ((n = read(pair[1], b, 32)) > 0)
		CHECK(write(pair[1], b, n) == n);
}
static void socket_pair(int type)
{
	char b[32];
	CHECK(socketpair(AF_UNIX, type, 0, pair) == 0);
	pid_t p = start(answers);
	close(pair[1]);
	stop(1);
	CHECK(write(pair[0], "question", 8) == 8);
	CHECK(read(pair[0], b, 32) == 8 && memcmp(b, "question", 8) == 0);
	if (type == SOCK_STREAM) {
		close(pair[0]);
		done(p);
	} else
		kill(p, SIGKILL), ends(p, SIGKILL);
}
static void t_socketpair(void) { socket_pair(SOCK_STREAM); }
static void t_socketpair_packets(void) { socket_pair(SOCK_SEQPACKET); }
static void t_socketpair_datagrams(void) { socket_pair(SOCK_DGRAM); }

// One open file, one position.
static void reads(void)
{
	char b[4];
	is_ready();
	await(1);
	CHECK(read(fd, b, 3) == 3 && memcmp(b, "345", 3) == 0);
}
static void t_position(void)
{
	char b[4];
	fd = open("position", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(read(fd, b, 3) == 3);
	int other = open("position", O_RDONLY);
	pid_t p = start(reads);
	stop(1);
	done(p);
	CHECK(read(fd, b, 3) == 3 && memcmp(b, "678", 3) == 0);
	CHECK(read(other, b, 3) == 3 && memcmp(b, "012", 3) == 0);
}

// Children that have ended: with a code, by a signal.
static void t_zombies(void)
{
	siginfo_t si;
	pid_t a = fork();
	if (a == 0) _exit(42);
	pid_t b = fork();
	if (b == 0) raise(SIGUSR1);
	CHECK(waitid(P_PID, a, &si, WEXITED | WNOWAIT) == 0);
	CHECK(waitid(P_PID, b, &si, WEXITED | WNOWAIT) == 0);
	stop(0);
	ends(a, 42 << 8);
	ends(b, SIGUSR1);
	CHECK(waitpid(-1, 0, 0) == -1 && errno == ECHILD);
}

// Signals of children: none is lost, none is new.
static volatile sig_atomic_t chld;
static void on_chld(int n) { chld++; }
static void t_sigchld(void)
{
	siginfo_t si;
	sigset_t set, old;
	signal(SIGCHLD, on_chld);
	pid_t a = fork();
	if (a == 0) _exit(1);
	CHECK(waitid(P_PID, a, &si, WEXITED | WNOWAIT) == 0);
	while (!chld) nap();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	chld = 0;
	stop(0);
	nap();
	CHECK(chld == 0);
	sigprocmask(SIG_BLOCK, &set, &old);
	pid_t b = fork();
	if (b == 0) _exit(2);
	CHECK(waitid(P_PID, b, &si, WEXITED | WNOWAIT) == 0);
	CHECK(chld == 0);
	sigprocmask(SIG_SETMASK, &old, 0);
	CHECK(chld == 1);
	ends(a, 256);
	ends(b, 512);
}

static void t_sigchld_pending(void)
{
	siginfo_t si;
	sigset_t set;
	signal(SIGCHLD, on_chld);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, 0);
	pid_t a = fork();
	if (a == 0) _exit(3);
	CHECK(waitid(P_PID, a, &si, WEXITED | WNOWAIT) == 0);
	stop(0);
	CHECK(chld == 0);
	sigprocmask(SIG_UNBLOCK, &set, 0);
	CHECK(chld == 1);
	ends(a, 3 << 8);
}

// Numbers: of processes, their parents, and signals by them.
static volatile sig_atomic_t usr1;
static void on_usr1(int n) { usr1++; }
static void numbers_grandchild(void)
{
	pid_t me = getpid(), p = getppid();
	w->pid[1] = me;
	is_ready();
	await(1);
	CHECK(getpid() == me && getppid() == p && gettid() == me && p == w->pid[0]);
	CHECK(kill(first, SIGUSR1) == 0);
}
static void numbers_child(void)
{
	w->pid[0] = getpid();
	pid_t p = start(numbers_grandchild);
	is_ready();
	CHECK(w->pid[0] == getpid() && getppid() == first);
	done(p);
}
static void t_numbers(void)
{
	first = getpid();
	signal(SIGUSR1, on_usr1);
	pid_t p = start(numbers_child);
	stop(2);
	CHECK(getpid() == first);
	while (!usr1) nap();
	done(p);
}

// A session that a child begins, with a group of its own in it.
static void session_grandchild(void)
{
	CHECK(setpgid(0, 0) == 0);
	is_ready();
	await(1);
	CHECK(getsid(0) == getppid() && getpgrp() == getpid());
}
static void session_member(void)
{
	is_ready();
	await(1);
	CHECK(getsid(0) == getppid() && getpgrp() == getppid());
}
static void session_child(void)
{
	CHECK(setsid() == getpid());
	pid_t a = start(session_grandchild), b = start(session_member);
	is_ready();
	await(1);
	CHECK(getsid(0) == getpid() && getpgrp() == getpid());
	done(a), done(b);
}
static void t_session(void)
{
	pid_t p = start(session_child);
	stop(3);
	CHECK(getsid(p) == p);
	done(p);
}

// A child that was there before its parent began a session.
static void left_behind(void)
{
	w->pid[0] = getpgrp();
	is_ready();
	await(1);
	CHECK(getsid(0) != getppid());
}
static void leaves(void)
{
	pid_t p = start(left_behind);
	while (w->ready < 1) nap();
	CHECK(setsid() == getpid());
	is_ready();
	done(p);
}
static void t_session_after(void)
{
	pid_t p = start(leaves);
	stop(2);
	done(p);
}

// Groups: one with its leader, one whose leader has ended.
static void grouped(void)
{
	is_ready();
	await(1);
	CHECK(getpgrp() == w->pid[0]);
	pause();
}
static void t_group(void)
{
	pid_t a = start(grouped), b = start(grouped);
	w->pid[0] = a;
	CHECK(setpgid(a, a) == 0 && setpgid(b, a) == 0);
	stop(2);
	usleep(20000);
	CHECK(getpgid(a) == a && getpgid(b) == a);
	CHECK(kill(-a, SIGTERM) == 0);
	ends(a, SIGTERM), ends(b, SIGTERM);
}
static void t_group_without_leader(void)
{
	pid_t a = start((void (*)(void))pause), b = start(grouped), c = start(grouped);
	w->pid[0] = a;
	CHECK(setpgid(a, a) == 0 && setpgid(b, a) == 0 && setpgid(c, a) == 0);
	kill(a, SIGKILL);
	ends(a, SIGKILL);
	stop(2);
	usleep(20000);
	CHECK(kill(-a, SIGTERM) == 0);
	ends(b, SIGTERM), ends(c, SIGTERM);
	CHECK(kill(-a, 0) == -1 && errno == ESRCH);
}

// A daemon, adopted: the leader of its session has ended.
static void daemon_itself(void)
{
	while (getppid() != first) nap();
	w->pid[0] = getpid();
	is_ready();
	await(1);
	CHECK(getsid(0) == w->pid[1] && getpgrp() == w->pid[1] && getppid() == first);
}
static void daemon_parent(void)
{
	w->pid[1] = setsid();
	start(daemon_itself);
}
static void t_adopted(void)
{
	first = getpid();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	done(start(daemon_parent));
	stop(1);
	done(w->pid[0]);
}

// A child that is stopped stays so.
static void spins(void)
{
	for (;;)
		w->count++, nap();
}
static void t_stopped(void)
{
	int ws;
	pid_t p = start(spins);
	while (w->count < 3) nap();
	kill(p, SIGSTOP);
	CHECK(waitpid(p, &ws, WUNTRACED) == p && WIFSTOPPED(ws));
	stop(0);
	int n = w->count;
	usleep(20000);
	CHECK(w->count == n);
	CHECK(waitpid(p, &ws, WUNTRACED | WNOHANG) == 0);
	kill(p, SIGCONT);
	while (w->count < n + 3) nap();
	kill(p, SIGKILL);
	ends(p, SIGKILL);
}

// A mutex and a condition between processes.
static void waits(void)
{
	pthread_mutex_lock(&w->lock);
	is_ready();
	while (w->count == 0)
		pthread_cond_wait(&w->cond, &w->lock);
	pthread_mutex_unlock(&w->lock);
}
static void t_mutex(void)
{
	pthread_mutexattr_t a;
	pthread_condattr_t c;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&w->lock, &a);
	pthread_condattr_init(&c);
	pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&w->cond, &c);
	pid_t p = start(waits), q = start(waits);
	while (w->ready < 2) nap();
	pthread_mutex_lock(&w->lock);
	stop(2);
	w->count = 1;
	CHECK(pthread_mutex_unlock(&w->lock) == 0);
	pthread_cond_broadcast(&w->cond);
	done(p), done(q);
}

// Threads in a child.
static void *thread(void *arg)
{
	is_ready();
	await(1);
	return arg;
}
static void has_threads(void)
{
	pthread_t t[4];
	void *v;
	for (long i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], 0, thread, (void *)i) == 0);
	for (long i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], &v) == 0 && v == (void *)i);
}
static void t_threads(void)
{
	pid_t p = start(has_threads), q = start(has_threads);
	stop(8);
	done(p), done(q);
}

// Another program as a child.
static void t_other_program(void)
{
	int to[2], from[2];
	char b[8];
	CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
	pid_t p = fork();
	if (p == 0) {
		dup2(to[0], 0), dup2(from[1], 1);
		execlp("cat", "cat", (char *)0);
		_exit(9);
	}
	close(to[0]), close(from[1]);
	CHECK(write(to[1], "a", 1) == 1 && read(from[0], b, 8) == 1);
	stop(0);
	CHECK(write(to[1], "bcd", 3) == 3 && read(from[0], b, 8) == 3 && memcmp(b, "bcd", 3) == 0);
	close(to[1]);
	CHECK(read(from[0], b, 8) == 0);
	done(p);
}

// An epoll and an eventfd that a child has inherited.
static int ep, ev;
static void polls(void)
{
	struct epoll_event e;
	uint64_t n;
	is_ready();
	while (epoll_wait(ep, &e, 1, -1) == -1) // it ends with EINTR when a process is traced
		CHECK(errno == EINTR);
	CHECK(e.data.u64 == 77);
	CHECK(read(ev, &n, 8) == 8 && n == 5);
}
static void t_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 77 };
	uint64_t n = 5;
	ep = epoll_create1(0), ev = eventfd(0, 0);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e) == 0);
	pid_t p = start(polls);
	stop(1);
	CHECK(write(ev, &n, 8) == 8);
	done(p);
}

// A socket that two processes accept connections from.
static int lis;
static void accepts(void)
{
	is_ready();
	int c = accept(lis, 0, 0);
	CHECK(c >= 0 && write(c, "hello", 5) == 5);
}
static void t_listening(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char b[8];
	sprintf(a.sun_path + 1, "elfwright-tree-%d-%d", getpid(), rand());
	lis = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind(lis, (struct sockaddr *)&a, sizeof a) == 0 && listen(lis, 5) == 0);
	pid_t p = start(accepts), q = start(accepts);
	stop(2);
	for (int i = 0; i < 2; i++) {
		int c = socket(AF_UNIX, SOCK_STREAM, 0);
		CHECK(connect(c, (struct sockaddr *)&a, sizeof a) == 0);
		CHECK(read(c, b, 8) == 5);
		close(c);
	}
	done(p), done(q);
}

// A descriptor of a child.
static void t_pidfd(void)
{
	pid_t p = start(ends_soon);
	int f = syscall(SYS_pidfd_open, p, 0);
	CHECK(f >= 0);
	struct pollfd pf = { f, POLLIN, 0 };
	stop(1);
	CHECK(poll(&pf, 1, 10000) == 1);
	done(p);
}

// A lock that is of the open file, which a child has, too.
static void locked(void)
{
	is_ready();
	await(1);
	CHECK(flock(fd, LOCK_UN) == 0);
}
static void t_lock(void)
{
	fd = open("lock", O_RDWR | O_CREAT, 0600);
	CHECK(flock(fd, LOCK_EX) == 0);
	pid_t p = start(locked);
	stop(1);
	int other = open("lock", O_RDWR);
	done(p);
	CHECK(flock(other, LOCK_EX | LOCK_NB) == 0);
}

// Where output goes: a child's to a file, a grandchild's where the first one's does.
static void tells(void)
{
	is_ready();
	await(1);
	CHECK(write(5, "through\n", 8) == 8);
}
static void redirected(void)
{
	CHECK(dup2(1, 5) == 5);
	int f = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(dup2(f, 1) == 1 && close(f) == 0);
	CHECK(write(1, "one ", 4) == 4);
	pid_t p = start(tells);
	is_ready();
	await(1);
	CHECK(write(1, "two", 3) == 3);
	done(p);
}
static void t_output(void)
{
	char b[16] = { 0 };
	pid_t p = start(redirected);
	stop(2);
	done(p);
	CHECK(read(open("out", O_RDONLY), b, 16) == 7 && strcmp(b, "one two") == 0);
}

// A signal on the death of the parent.
static void on_death(void)
{
	prctl(PR_SET_PDEATHSIG, SIGUSR2);
	w->pid[0] = getpid();
	is_ready();
	pause();
}
static void dies(void)
{
	start(on_death);
	is_ready();
	await(1);
}
static void t_death_signal(void)
{
	int ws;
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	pid_t p = start(dies);
	stop(2);
	done(p);
	CHECK(waitpid(w->pid[0], &ws, 0) == w->pid[0] && ws == SIGUSR2);
}

// Deep and wide.
static int depth;
static void deeper(void)
{
	is_ready();
	if (++depth < 12) {
		pid_t p = start(deeper), q = depth % 4 ? 0 : start(ends_soon);
		await(1);
		done(p);
		if (q)
			done(q);
	}
	await(1);
}
static void t_deep(void)
{
	pid_t p = start(deeper), q[10];
	for (int i = 0; i < 10; i++)
		q[i] = start(ends_soon);
	stop(12 + 2 + 10);
	done(p);
	for (int i = 0; i < 10; i++)
		done(q[i]);
}

// Memory in common without being a thread: refused.
static int waits_for_step(void *arg) { is_ready(); await(1); return 0; }
static void t_common_memory(void)
{
	static char stack[65536];
	pid_t p = clone(waits_for_step, stack + sizeof stack, CLONE_VM | SIGCHLD, 0);
	stop(1);
	done(p);
}

// A socket to a process that is not of the tree, but of the one that began it:
// refused.
static void t_outside(void)
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pid_t p = fork();
	if (p == 0) {
		if (fork() == 0) {
			close(1), close(2);
			sleep(2);
		}
		_exit(0);
	}
	done(p);
	pid_t q = start(ends_soon);
	stop(1);
	done(q);
}

// Work that takes some time and has always the same output, by processes that
// hand on to each other: through pipes, memory and a mutex.
static int work_in[4][2];
static void work_grandchild(void)
{
	for (;;) {
		pthread_mutex_lock(&w->lock);
		int n = w->count;
		pthread_mutex_unlock(&w->lock);
		if (n >= 60)
			return;
		usleep(500);
	}
}
static void work_child(void)
{
	int i = ring_number, n;
	pid_t p = start(work_grandchild);
	for (int k = i; k < 4; k++)
		if (k != i) close(work_in[k][0]);
	for (int k = 0; k < 4; k++)
		if (k != i + 1) close(work_in[k][1]);
	while (read(work_in[i][0], &n, sizeof n) == sizeof n) {
		pthread_mutex_lock(&w->lock);
		w->count++;
		pthread_mutex_unlock(&w->lock);
		n += i;
		usleep(1000);
		CHECK(write(work_in[i + 1][1], &n, sizeof n) == sizeof n);
	}
	done(p);
}
static void work(void)
{
	pid_t p[3];
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&w->lock, &a);
	for (int i = 0; i < 4; i++)
		CHECK(pipe(work_in[i]) == 0);
	for (int i = 0; i < 3; i++)
		ring_number = i, p[i] = start(work_child);
	for (int i = 0; i < 4; i++) {
		if (i != 3) close(work_in[i][0]);
		if (i != 0) close(work_in[i][1]);
	}
	for (int i = 0; i < 20; i++) {
		int n = i;
		CHECK(write(work_in[0][1], &n, sizeof n) == sizeof n);
		CHECK(read(work_in[3][0], &n, sizeof n) == sizeof n);
		printf("%d %d\n", i, n);
		fflush(stdout);
		pid_t q = fork();
		if (q == 0) {
			usleep(500 * i);
			_exit(i);
		}
		ends(q, i << 8);
	}
	close(work_in[0][1]);
	for (int i = 0; i < 3; i++)
		done(p[i]);
}

// Memory that a process outside maps, too: refused.
static void t_memory_outside(void)
{
	pid_t p = fork();
	if (p == 0) {
		if (fork() == 0) {
			close(1), close(2);
			sleep(2);
		}
		_exit(0);
	}
	done(p);
	stop(0);
}

static const struct { const char *name; void (*fn)(void); } tests[] = {
#define T(name) { #name, t_##name }
	T(pipes), T(unread), T(reader_gone), T(shared_memory), T(deleted_memory), T(renamed_memory), T(memory_outside), T(outlives), T(sysv), T(sysv_removed), T(named_socket), T(memfd), T(socketpair), T(socketpair_packets), T(socketpair_datagrams), T(position),
	T(zombies), T(sigchld), T(sigchld_pending), T(numbers), T(session), T(session_after), T(group), T(group_without_leader), T(adopted), T(stopped),
	T(mutex), T(threads), T(other_program), T(epoll), T(listening), T(pidfd), T(lock), T(output), T(death_signal), T(deep),
	T(common_memory), T(outside),
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		if (argc < 2)
			puts(tests[i].name);
		else if (strcmp(argv[1], tests[i].name) == 0) {
			w = shared(sizeof *w);
			tests[i].fn();
			printf("%s is as it was\n", argv[1]);
			return 3;
		}
	}
	if (argc > 1 && strcmp(argv[1], "work") == 0) {
		w = shared(sizeof *w);
		work();
		return 5;
	}
	return argc < 2 ? 0 : 2;
}
