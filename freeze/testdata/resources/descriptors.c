CASE(eventfd, "")
{
	int fd = eventfd(5, EFD_NONBLOCK), s = eventfd(3, EFD_SEMAPHORE);
	stop();
	uint64_t n;
	CHECK(read(fd, &n, 8) == 8 && n == 5 && read(fd, &n, 8) < 0 && errno == EAGAIN);
	CHECK(read(s, &n, 8) == 8 && n == 1);
}

CASE(epoll, "")
{
	int e = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, 0), g = eventfd(1, 0);
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x123456789abc}, ev2 = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 99}, out[4];
	epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev);
	epoll_ctl(e, EPOLL_CTL_ADD, g, &ev2);
	stop();
	CHECK(epoll_wait(e, out, 4, 0) == 1 && out[0].data.u64 == 99 && epoll_wait(e, out, 4, 0) == 0);
	CHECK(eventfd_write(fd, 1) == 0 && epoll_wait(e, out, 4, 1000) == 1 && out[0].data.u64 == 0x123456789abc);
}

CASE(signalfd, "")
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, 0);
	int fd = signalfd(-1, &s, SFD_NONBLOCK);
	raise(SIGUSR2);
	stop();
	struct signalfd_siginfo i;
	CHECK(read(fd, &i, sizeof i) == sizeof i && i.ssi_signo == SIGUSR2);
}

CASE(inotify, "")
{
	int fd = inotify_init1(IN_NONBLOCK);
	stop();
	CHECK(inotify_add_watch(fd, ".", IN_CREATE) > 0);
	close(open("watched", O_CREAT | O_RDWR | O_TRUNC, 0600));
	unlink("watched");
	char b[4096];
	close(open("watched", O_CREAT | O_RDWR, 0600));
	CHECK(read(fd, b, sizeof b) > 0);
}

CASE(pidfd, "")
{
	int fd = syscall(SYS_pidfd_open, getpid(), 0);
	signal(SIGUSR1, SIG_IGN);
	stop();
	CHECK(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, 0, 0) == 0);
}

// One event of an inotify instance: which watch, and of which kind.
static int event(int fd, int *mask)
{
	char b[4096] __attribute__((aligned(8)));
	struct inotify_event *e = (void *)b;
	if (read(fd, b, sizeof b) <= 0)
		return -1;
	*mask = e->mask;
	return e->wd;
}

CASE(watches, "")
{
	mkdir("watched1", 0700), mkdir("watched1/deep", 0700);
	close(file("watched1/file", "x"));
	int fd = inotify_init1(IN_NONBLOCK), mask = 0;
	int gone = inotify_add_watch(fd, ".", IN_CREATE), a = inotify_add_watch(fd, "watched1/deep", IN_CREATE | IN_ONLYDIR);
	int b = inotify_add_watch(fd, "watched1/file", IN_OPEN);
	SETUP(gone > 0 && a > 0 && b > 0 && inotify_rm_watch(fd, gone) == 0 && event(fd, &mask) == gone);
	while (event(fd, &mask) >= 0)
		;
	stop();
	CHECK(event(fd, &mask) < 0 && errno == EAGAIN);
	close(open("watched1/deep/new", O_CREAT | O_RDWR, 0600));
	CHECK(event(fd, &mask) == a && (mask & IN_CREATE));
	close(open("watched1/file", O_RDONLY));
	CHECK(event(fd, &mask) == b && (mask & IN_OPEN));
	unlink("watched1/deep/new");
	CHECK(inotify_rm_watch(fd, a) == 0 && inotify_rm_watch(fd, gone) < 0);
}

CASE(watch_unread, "refused: bytes of events that were not read yet")
{
	int fd = inotify_init();
	SETUP(inotify_add_watch(fd, ".", IN_CREATE) > 0);
	close(file("new", "x"));
	stop();
}

CASE(watch_nameless, "refused: and its path is not to be found")
{
	int fd = inotify_init(), f = file("unnamed", "x");
	SETUP(inotify_add_watch(fd, "unnamed", IN_MODIFY) > 0);
	unlink("unnamed");
	char b[4096];
	(void)f;
	SETUP(ioctl(fd, FIONREAD, b) == 0);
	stop();
}

CASE(eventfd_large, "")
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	SETUP(eventfd_write(fd, 0xfffffffffffffffe) == 0);
	stop();
	uint64_t n = 1;
	CHECK(write(fd, &n, 8) < 0 && errno == EAGAIN && read(fd, &n, 8) == 8 && n == 0xfffffffffffffffe && fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

CASE(eventfd_dup, "")
{
	int fd = eventfd(1, 0), d = dup(fd);
	stop();
	uint64_t n;
	CHECK(eventfd_write(d, 4) == 0 && read(fd, &n, 8) == 8 && n == 5);
}

CASE(epoll_edge, "")
{
	int e = epoll_create1(0), fd = eventfd(1, 0);
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.fd = fd}, out;
	SETUP(epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev) == 0 && fcntl(e, F_GETFD) == 0);
	stop();
	epoll_wait(e, &out, 1, 0);
	CHECK(epoll_wait(e, &out, 1, 0) == 0 && eventfd_write(fd, 1) == 0 && epoll_wait(e, &out, 1, 0) == 1 && out.data.fd == fd);
}

CASE(epoll_spent, "")
{
	int e = epoll_create1(0), fd = eventfd(1, 0);
	struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = 8}, out;
	SETUP(epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev) == 0 && epoll_wait(e, &out, 1, 0) == 1);
	stop();
	CHECK(epoll_wait(e, &out, 1, 0) == 0 && epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev) < 0 && errno == EEXIST);
	CHECK(epoll_ctl(e, EPOLL_CTL_MOD, fd, &ev) == 0 && epoll_wait(e, &out, 1, 0) == 1 && out.data.u32 == 8);
}

CASE(epoll_of_epoll, "")
{
	int a = epoll_create1(0), b = epoll_create1(0), fd = eventfd(0, 0);
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = 1}, ev2 = {.events = EPOLLIN, .data.u32 = 2}, out;
	SETUP(epoll_ctl(b, EPOLL_CTL_ADD, fd, &ev) == 0 && epoll_ctl(a, EPOLL_CTL_ADD, b, &ev2) == 0);
	stop();
	CHECK(epoll_wait(a, &out, 1, 0) == 0 && eventfd_write(fd, 1) == 0 && epoll_wait(a, &out, 1, 0) == 1 && out.data.u32 == 2 && epoll_wait(b, &out, 1, 0) == 1 && out.data.u32 == 1);
}

CASE(epoll_closed, "refused: and is not any more; --fd ")
{
	int e = epoll_create1(0), fd = eventfd(0, 0), d = dup(fd);
	struct epoll_event ev = {.events = EPOLLIN};
	SETUP(epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev) == 0 && close(fd) == 0 && d >= 0);
	stop();
}

CASE(epoll_many, "")
{
	int e = epoll_create1(0), fd[300];
	for (int i = 0; i < 300; i++) {
		struct epoll_event ev = {.events = EPOLLIN, .data.u64 = (uint64_t)i << 33};
		fd[i] = eventfd(0, 0);
		SETUP(epoll_ctl(e, EPOLL_CTL_ADD, fd[i], &ev) == 0);
	}
	stop();
	struct epoll_event out[300];
	for (int i = 0; i < 300; i += 7)
		eventfd_write(fd[i], 1);
	int n = epoll_wait(e, out, 300, 0);
	CHECK(n == 43);
	for (int i = 0; i < n; i++)
		CHECK(out[i].data.u64 == (uint64_t)i * 7 << 33);
}

CASE(pidfd_other, "refused: is of another process, ")
{
	int fd = syscall(SYS_pidfd_open, getppid(), 0);
	NEED(fd >= 0);
	stop();
}

CASE(performance, "refused: anon_inode:[perf_event]: is not restored; --fd ")
{
	struct { uint32_t type, size; uint64_t config, rest[14]; } a = {1, 128, 0, {0}};
	NEED(syscall(SYS_perf_event_open, &a, 0, -1, -1, 0) >= 0);
	stop();
}

CASE(bpf_map, "refused: anon_inode:bpf-map: is not restored; --fd ")
{
	uint32_t a[32] = {2 /* BPF_MAP_TYPE_ARRAY */, 4, 8, 1};
	NEED(syscall(SYS_bpf, 0 /* BPF_MAP_CREATE */, a, sizeof a) >= 0);
	stop();
}

CASE(fanotify, "refused: anon_inode:[fanotify]: is not restored; --fd ")
{
	NEED(syscall(SYS_fanotify_init, 0, O_RDONLY) >= 0);
	stop();
}

CASE(ruleset, "refused: anon_inode:[landlock-ruleset]: is not restored; --fd ")
{
	uint64_t a = 1;
	NEED(syscall(444, &a, sizeof a, 0) >= 0); // landlock_create_ruleset
	stop();
}

CASE(io_uring_descriptor, "refused: anon_inode:[io_uring]: is not restored; --fd ")
{
	char p[120] = "";
	NEED(syscall(425, 4, p) >= 0);
	stop();
}

CASE(session, "warns: the process leads a session, which is not restored")
{
	NEED(getpgrp() != getpid() && setsid() > 0);
	stop();
}
