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

CASE(watches, "refused: watches files, and the kernel does not tell which")
{
	int fd = inotify_init();
	SETUP(inotify_add_watch(fd, ".", IN_CREATE) > 0);
	stop();
}
