// Who gets the signals of an open file (fcntl(2), F_SETOWN).
static void with_info(int s, siginfo_t *i, void *u) { got = s; value = i->si_fd; (void)u; }
static void on_io(int s)
{
	struct sigaction a = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO};
	sigaction(s, &a, 0);
}

CASE(async_pipe, "")
{
	int fd[2];
	SETUP(pipe(fd) == 0 && fcntl(fd[0], F_SETOWN, getpid()) == 0 && fcntl(fd[0], F_SETSIG, SIGRTMIN + 3) == 0);
	on_io(SIGRTMIN + 3);
	SETUP(fcntl(fd[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
	stop();
	CHECK(fcntl(fd[0], F_GETOWN) == getpid() && fcntl(fd[0], F_GETSIG) == SIGRTMIN + 3 && fcntl(fd[0], F_GETFL) == (O_ASYNC | O_NONBLOCK));
	CHECK(got == 0 && write(fd[1], "x", 1) == 1 && got == SIGRTMIN + 3 && value == fd[0]);
}

CASE(async_socket, "")
{
	int s[2];
	SETUP(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && fcntl(s[1], F_SETOWN, getpid()) == 0 && fcntl(s[1], F_SETFL, O_ASYNC) == 0);
	action(SIGIO, 0);
	stop();
	CHECK(fcntl(s[1], F_GETFL) & O_ASYNC);
	CHECK(got == 0 && write(s[0], "x", 1) == 1 && got == SIGIO);
}

CASE(owner_group, "")
{
	int s[2];
	SETUP(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && fcntl(s[1], F_SETOWN, -getpgrp()) == 0);
	stop();
	struct f_owner_ex o;
	CHECK(fcntl(s[1], F_GETOWN_EX, &o) == 0 && o.type == F_OWNER_PGRP && o.pid == getpgrp());
}

static volatile int its_tid, seen_by;
static void who(int s) { (void)s; seen_by = syscall(SYS_gettid); }
static void *owner_body(void *p)
{
	its_tid = syscall(SYS_gettid);
	while (!seen_by)
		usleep(100);
	return p;
}
static void owner_thread(void)
{
	int fd[2];
	pthread_t t;
	signal(SIGIO, who);
	SETUP(pipe(fd) == 0 && pthread_create(&t, 0, owner_body, 0) == 0);
	while (!its_tid)
		usleep(100);
	struct f_owner_ex o = {F_OWNER_TID, its_tid};
	SETUP(fcntl(fd[0], F_SETOWN_EX, &o) == 0 && fcntl(fd[0], F_SETFL, O_ASYNC) == 0);
	stop();
	CHECK(write(fd[1], "x", 1) == 1 && pthread_join(t, 0) == 0 && seen_by == its_tid);
}
CASE(owner_thread, "ns") { owner_thread(); }
CASE(owner_thread_renumbered, "new refused: which gets another number; --pid=ns or --pid=keep lets it go on") { owner_thread(); }

CASE(owner_other, "refused: sends its signals to another one, process ")
{
	int fd[2];
	SETUP(pipe(fd) == 0 && fcntl(fd[0], F_SETOWN, getppid()) == 0);
	stop();
}

CASE(dnotify, "refused: sends signals when it changes (F_NOTIFY)")
{
	int fd = open(".", O_RDONLY);
	NEED(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT) == 0);
	stop();
}

CASE(async_input, "warns: that it sends signals (F_SETOWN, F_SETSIG, O_ASYNC) is not restored")
{
	int fd = open("/dev/null", O_RDONLY);
	SETUP(dup2(fd, 0) == 0 && close(fd) == 0 && fcntl(0, F_SETSIG, SIGUSR1) == 0);
	stop();
}
