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
