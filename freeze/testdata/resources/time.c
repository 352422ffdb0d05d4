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
