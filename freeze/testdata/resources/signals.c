CASE(handler, "")
{
	action(SIGUSR1, SA_NODEFER);
	signal(SIGUSR2, SIG_IGN);
	stop();
	raise(SIGUSR1);
	CHECK(got == SIGUSR1);
	raise(SIGUSR2);
	struct sigaction a;
	sigaction(SIGUSR1, 0, &a);
	CHECK(a.sa_flags & SA_NODEFER);
	sigaction(SIGTERM, 0, &a);
	CHECK(a.sa_handler == SIG_DFL);
}

CASE(pending, "")
{
	sigset_t s, old;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGRTMIN);
	sigaddset(&s, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &s, &old);
	action(SIGUSR1, 0), action(SIGRTMIN, 0), action(SIGRTMIN + 1, 0);
	union sigval v = {.sival_int = 77};
	sigqueue(getpid(), SIGRTMIN, v);
	v.sival_int = 78;
	sigqueue(getpid(), SIGRTMIN, v);
	pthread_kill(pthread_self(), SIGUSR1);
	stop();
	sigset_t p;
	sigpending(&p);
	CHECK(sigismember(&p, SIGUSR1) == 1 && sigismember(&p, SIGRTMIN) == 1 && sigismember(&p, SIGRTMIN + 1) == 0);
	siginfo_t i;
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN);
	CHECK(sigwaitinfo(&s, &i) == SIGRTMIN && i.si_value.sival_int == 77 && sigwaitinfo(&s, &i) == SIGRTMIN && i.si_value.sival_int == 78);
	sigprocmask(SIG_SETMASK, &old, 0);
	CHECK(got == SIGUSR1);
}

static char altstack[1 << 16];
static volatile int on_it;
static void on_alt(int s)
{
	(void)s;
	char here;
	stop();
	on_it = &here > altstack && &here < altstack + sizeof altstack;
}
CASE(alternate_stack, "")
{
	stack_t s = {.ss_sp = altstack, .ss_size = sizeof altstack}, now;
	sigaltstack(&s, 0);
	struct sigaction a = {.sa_handler = on_alt, .sa_flags = SA_ONSTACK};
	sigaction(SIGUSR1, &a, 0);
	raise(SIGUSR1);
	CHECK(on_it);
	sigaltstack(0, &now);
	CHECK(now.ss_sp == altstack && now.ss_size == sizeof altstack && now.ss_flags == 0);
}

CASE(sigchld_flags, "")
{
	struct sigaction a = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT}, b;
	sigaction(SIGCHLD, &a, 0);
	stop();
	sigaction(SIGCHLD, 0, &b);
	CHECK(b.sa_flags & SA_NOCLDWAIT);
}

CASE(all_blocked, "")
{
	sigset_t s, t;
	sigfillset(&s);
	sigprocmask(SIG_BLOCK, &s, 0);
	stop();
	sigprocmask(SIG_BLOCK, 0, &t);
	for (int i = 1; i < 65; i++)
		if (i != SIGKILL && i != SIGSTOP && i != 32 && i != 33)
			CHECK(sigismember(&t, i) == 1);
}

CASE(ignored, "")
{
	for (int i = 1; i < 32; i++)
		signal(i, SIG_IGN);
	stop();
	for (int i = 1; i < 32; i++) {
		struct sigaction a;
		if (i != SIGKILL && i != SIGSTOP)
			CHECK(sigaction(i, 0, &a) == 0 && a.sa_handler == SIG_IGN);
	}
}

CASE(handler_mask, "")
{
	struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | SA_RESETHAND}, b;
	sigaddset(&a.sa_mask, SIGHUP);
	sigaddset(&a.sa_mask, SIGRTMAX);
	sigaction(SIGUSR1, &a, 0);
	stop();
	CHECK(sigaction(SIGUSR1, 0, &b) == 0 && sigismember(&b.sa_mask, SIGHUP) && sigismember(&b.sa_mask, SIGRTMAX) && !sigismember(&b.sa_mask, SIGINT));
	CHECK((b.sa_flags & (SA_SIGINFO | SA_RESTART | SA_RESETHAND)) == (SA_SIGINFO | SA_RESTART | SA_RESETHAND));
	raise(SIGUSR1);
	sigaction(SIGUSR1, 0, &b);
	CHECK(got == SIGUSR1 && b.sa_handler == SIG_DFL);
}

static volatile int nested;
static void stops(int s)
{
	stop();
	nested += s;
}
CASE(within_handler, "")
{
	signal(SIGUSR1, stops);
	raise(SIGUSR1);
	sigset_t s;
	sigprocmask(SIG_BLOCK, 0, &s);
	CHECK(nested == SIGUSR1 && !sigismember(&s, SIGUSR1));
}

CASE(queued_in_order, "")
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + 2);
	sigprocmask(SIG_BLOCK, &s, 0);
	for (int i = 0; i < 100; i++)
		SETUP(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = i}) == 0);
	stop();
	siginfo_t n;
	for (int i = 0; i < 100; i++)
		CHECK(sigwaitinfo(&s, &n) == SIGRTMIN + 2 && n.si_value.sival_int == i && n.si_code == SI_QUEUE);
	CHECK(sigtimedwait(&s, &n, &(struct timespec){0}) < 0 && errno == EAGAIN);
}

static sigjmp_buf faults;
static void jumps(int s) { (void)s, siglongjmp(faults, 1); }
CASE(fault_handler, "")
{
	char *p = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	signal(SIGSEGV, jumps);
	stop();
	if (sigsetjmp(faults, 1) == 0) {
		p[0] = 1;
		CHECK(!"a fault");
	}
}

CASE(altstack_once, "")
{
	stack_t s = {.ss_sp = altstack, .ss_size = sizeof altstack, .ss_flags = 1u << 31 /* SS_AUTODISARM */}, now;
	NEED(sigaltstack(&s, 0) == 0);
	stop();
	CHECK(sigaltstack(0, &now) == 0 && now.ss_sp == altstack && ((unsigned)now.ss_flags & 1u << 31));
}

CASE(signalfd_queue, "")
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &s, 0);
	int fd = signalfd(-1, &s, SFD_CLOEXEC);
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 31});
	stop();
	struct signalfd_siginfo i;
	CHECK(read(fd, &i, sizeof i) == sizeof i && i.ssi_int == 31 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

CASE(terminated, "elsewhere")
{
	action(SIGTERM, 0);
	char *p = mmap(0, 64 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 64 << 20); // that the thaw takes its time
	int pid = getpid();
	stop();
	for (int i = 0; getpid() != pid && !got && i < 5000; i++)
		usleep(1000);
	CHECK(got == (getpid() == pid ? 0 : SIGTERM) && p[5 << 20] == 1);
}
