CASE(itimer, "")
{
	action(SIGALRM, 0);
	struct itimerval v = {.it_value.tv_usec = 200000, .it_interval.tv_sec = 100}, now;
	setitimer(ITIMER_REAL, &v, 0);
	stop();
	while (!got)
		usleep(1000);
	getitimer(ITIMER_REAL, &now);
	CHECK(now.it_interval.tv_sec == 100);
}

CASE(posix_timer, "")
{
	timer_t a, b, c;
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 4711};
	SETUP(timer_create(CLOCK_REALTIME, &e, &a) == 0);
	SETUP(timer_create(CLOCK_MONOTONIC, &e, &b) == 0);
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	SETUP(timer_create(CLOCK_MONOTONIC, &none, &c) == 0);
	timer_delete(a);
	action(SIGUSR1, 0);
	struct itimerspec v = {.it_value.tv_nsec = 200000000}, w = {.it_value.tv_sec = 1000}, now;
	timer_settime(b, 0, &v, 0);
	timer_settime(c, 0, &w, 0);
	stop();
	CHECK(timer_gettime(a, &now) < 0);
	CHECK(timer_gettime(c, &now) == 0 && now.it_value.tv_sec > 900);
	while (!got)
		usleep(1000);
	CHECK(value == 4711);
}

CASE(sleep, "")
{
	struct timespec a, b, d = {0, 300000000};
	clock_gettime(CLOCK_MONOTONIC, &a);
	stop();
	CHECK(nanosleep(&d, 0) == 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK(b.tv_sec >= a.tv_sec && time(0) > 1000000000 && sched_getcpu() >= 0);
}

CASE(timerfd, "")
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), e = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec v = {.it_value.tv_nsec = 1, .it_interval.tv_sec = 1000}, w = {.it_value.tv_nsec = 100000000}, now;
	timerfd_settime(fd, 0, &v, 0);
	timerfd_settime(e, 0, &w, 0);
	usleep(1000);
	stop();
	uint64_t n = 0;
	CHECK(read(fd, &n, 8) == 8 && n == 1);
	CHECK(read(fd, &n, 8) < 0 && errno == EAGAIN);
	CHECK(timerfd_gettime(fd, &now) == 0 && now.it_interval.tv_sec == 1000 && now.it_value.tv_sec > 900);
	CHECK(read(e, &n, 8) == 8 && n == 1);
}

static struct itimerspec in(long s, long ns, long every) { return (struct itimerspec){.it_value = {s, ns}, .it_interval.tv_sec = every}; }
static int signals(clockid_t clock, int signo, timer_t *t)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signo, .sigev_value.sival_int = 99};
	action(signo, 0);
	return timer_create(clock, &e, t) == 0;
}

CASE(itimer_virtual, "")
{
	action(SIGVTALRM, 0);
	struct itimerval v = {.it_value.tv_usec = 50000}, now;
	SETUP(setitimer(ITIMER_VIRTUAL, &v, 0) == 0);
	stop();
	for (volatile unsigned long n = 0; !got; n++)
		;
	CHECK(got == SIGVTALRM && getitimer(ITIMER_VIRTUAL, &now) == 0 && now.it_value.tv_usec == 0);
}

CASE(itimer_processor, "")
{
	struct itimerval v = {.it_value.tv_sec = 500, .it_interval.tv_sec = 3}, now;
	SETUP(setitimer(ITIMER_PROF, &v, 0) == 0);
	stop();
	CHECK(getitimer(ITIMER_PROF, &now) == 0 && now.it_value.tv_sec > 490 && now.it_interval.tv_sec == 3);
}

CASE(alarm, "")
{
	action(SIGALRM, 0);
	alarm(1000);
	stop();
	unsigned left = alarm(0);
	CHECK(left > 990 && left <= 1000);
}

CASE(timer_periodic, "")
{
	timer_t t;
	struct itimerspec v = {.it_value.tv_nsec = 10000000, .it_interval.tv_nsec = 10000000}, now;
	SETUP(signals(CLOCK_MONOTONIC, SIGUSR1, &t));
	timer_settime(t, 0, &v, 0);
	usleep(50000);
	stop();
	got = 0;
	while (!got)
		usleep(1000);
	CHECK(value == 99 && timer_gettime(t, &now) == 0 && now.it_interval.tv_nsec == 10000000);
}

CASE(timer_numbers, "")
{
	timer_t t[40];
	struct itimerspec v, now;
	for (int i = 0; i < 40; i++)
		SETUP(signals(i % 2 ? CLOCK_REALTIME : CLOCK_BOOTTIME, SIGUSR1 + i % 2 * 2, &t[i]));
	for (int i = 0; i < 40; i++)
		if (i % 3 == 0)
			timer_delete(t[i]);
		else
			v = in(1000 + i, 0, i), timer_settime(t[i], 0, &v, 0);
	stop();
	for (int i = 0; i < 40; i++)
		if (i % 3 == 0)
			CHECK(timer_gettime(t[i], &now) < 0);
		else
			CHECK(timer_gettime(t[i], &now) == 0 && now.it_interval.tv_sec == i && now.it_value.tv_sec > 900 && now.it_value.tv_sec <= 1000 + i);
}

CASE(timer_processor_time, "")
{
	timer_t t;
	struct itimerspec v = in(0, 50000000, 0);
	SETUP(signals(CLOCK_PROCESS_CPUTIME_ID, SIGUSR1, &t));
	timer_settime(t, 0, &v, 0);
	stop();
	for (volatile unsigned long n = 0; !got; n++)
		;
	CHECK(value == 99);
}

static timer_t threads_timer;
static void makes_timer(void) { SETUP(signals(CLOCK_THREAD_CPUTIME_ID, SIGUSR1, &threads_timer)); }
CASE(timer_thread_time, "refused: counts the time of one thread, and the kernel does not tell of which") { with(makes_timer), stop(); }

CASE(timer_of_number, "new refused: which gets another number; --pid=ns or --pid=keep lets it go on")
{
	timer_t t;
	clockid_t c;
	SETUP(clock_getcpuclockid(getpid(), &c) == 0 && signals(c, SIGUSR1, &t));
	stop();
}

CASE(timer_of_other, "refused: counts the time of another process, ")
{
	timer_t t;
	clockid_t c;
	SETUP(clock_getcpuclockid(getppid(), &c) == 0);
	NEED(signals(c, SIGUSR1, &t));
	stop();
}

static volatile int ticks;
static void ticked(union sigval v) { ticks += v.sival_int; }
CASE(timer_thread, "")
{
	timer_t t;
	struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = ticked, .sigev_value.sival_int = 5};
	struct itimerspec v = in(0, 100000000, 0);
	SETUP(timer_create(CLOCK_MONOTONIC, &e, &t) == 0);
	timer_settime(t, 0, &v, 0);
	stop();
	while (!ticks)
		usleep(1000);
	CHECK(ticks == 5);
}

CASE(timerfd_calendar, "")
{
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec v = {.it_value.tv_sec = time(0) + 5000}, now;
	SETUP(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &v, 0) == 0);
	stop();
	char path[40], b[500];
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	CHECK(text_of(path, b, sizeof b) > 0 && strstr(b, "settime flags: 03") && strstr(b, "clockid: 0"));
	CHECK(timerfd_gettime(fd, &now) == 0);
	long end = time(0) + now.it_value.tv_sec;
	CHECK(end >= v.it_value.tv_sec - 2 && end <= v.it_value.tv_sec + 2);
}

CASE(timerfd_disarmed, "")
{
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK);
	stop();
	struct itimerspec now;
	uint64_t n;
	CHECK(timerfd_gettime(fd, &now) == 0 && now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0 && read(fd, &n, 8) < 0 && errno == EAGAIN);
}

CASE(timerfd_ticks, "")
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec v = {.it_value.tv_nsec = 1000000, .it_interval.tv_sec = 0, .it_interval.tv_nsec = 1000000};
	timerfd_settime(fd, 0, &v, 0);
	usleep(20000);
	stop();
	uint64_t n = 0;
	CHECK(read(fd, &n, 8) == 8 && n >= 10);
}

// Calls that are interrupted by the freeze.
CASE(sleeps_until, "")
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 200000000;
	if (t.tv_nsec >= 1000000000)
		t.tv_sec++, t.tv_nsec -= 1000000000;
	stop();
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, 0) == 0);
	struct timespec n;
	clock_gettime(CLOCK_REALTIME, &n);
	CHECK(n.tv_sec > t.tv_sec || (n.tv_sec == t.tv_sec && n.tv_nsec >= t.tv_nsec));
}

static void *sleeps(void *p)
{
	struct timespec t = {0, 300000000};
	ready++;
	return nanosleep(&t, 0) == 0 ? p : 0;
}
static void *polls(void *p)
{
	ready++;
	return epoll_wait(epoll_create1(0), &(struct epoll_event){0}, 1, 300) == 0 && usleep(1) == 0 ? p : 0;
}
static void *selects(void *p)
{
	struct timeval t = {0, 300000};
	ready++;
	return select(0, 0, 0, 0, &t) == 0 ? p : 0;
}
CASE(interrupted_sleep, "")
{
	pthread_t t[2];
	void *r;
	SETUP(pthread_create(&t[0], 0, sleeps, &r) == 0 && pthread_create(&t[1], 0, selects, &r) == 0);
	while (ready < 2)
		usleep(100);
	usleep(10000);
	stop();
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(t[i], &r) == 0 && r == &r);
}

CASE(interrupted_wait, "")
{
	pthread_t t;
	SETUP(pthread_create(&t, 0, polls, 0) == 0);
	while (!ready)
		usleep(100);
	usleep(10000);
	stop();
	CHECK(pthread_join(t, 0) == 0);
}
