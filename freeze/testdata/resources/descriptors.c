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
