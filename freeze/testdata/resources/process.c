CASE(directory_and_umask, "")
{
	mkdir("below", 0700);
	SETUP(chdir("below") == 0);
	umask(0027);
	char a[4096], b[4096];
	SETUP(getcwd(a, sizeof a));
	stop();
	CHECK(getcwd(b, sizeof b) && strcmp(a, b) == 0 && umask(0) == 0027);
}

CASE(limits, "")
{
	struct rlimit a = {123, 1000}, b = {1 << 20, 2 << 20}, c;
	SETUP(setrlimit(RLIMIT_NOFILE, &a) == 0 && setrlimit(RLIMIT_MEMLOCK, &b) == 0);
	stop();
	getrlimit(RLIMIT_NOFILE, &c);
	CHECK(c.rlim_cur == 123 && c.rlim_max == 1000);
	getrlimit(RLIMIT_MEMLOCK, &c);
	CHECK(c.rlim_cur == 1 << 20 && c.rlim_max == 2 << 20);
}

CASE(scheduling, "")
{
	SETUP(setpriority(PRIO_PROCESS, 0, 7) == 0);
	struct sched_param p = {0};
	SETUP(sched_setscheduler(0, SCHED_BATCH, &p) == 0);
	cpu_set_t s, t;
	CPU_ZERO(&s);
	CPU_SET(sched_getcpu(), &s);
	SETUP(sched_setaffinity(0, sizeof s, &s) == 0);
	stop();
	CHECK(getpriority(PRIO_PROCESS, 0) == 7 && sched_getscheduler(0) == SCHED_BATCH);
	CPU_ZERO(&t);
	CHECK(sched_getaffinity(0, sizeof t, &t) == 0 && CPU_EQUAL(&s, &t));
}

CASE(prctl, "")
{
	SETUP(prctl(PR_SET_NAME, "an odd name") == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && prctl(PR_SET_TIMERSLACK, 12345) == 0);
	SETUP(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	stop();
	char b[16];
	int n;
	prctl(PR_GET_NAME, b);
	CHECK(strcmp(b, "an odd name") == 0);
	CHECK(prctl(PR_GET_CHILD_SUBREAPER, &n) == 0 && n == 1 && prctl(PR_GET_TIMERSLACK) == 12345);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
}

CASE(personality, "")
{
	SETUP(personality(personality(0xffffffff) | ADDR_NO_RANDOMIZE) >= 0);
	stop();
	CHECK(personality(0xffffffff) & ADDR_NO_RANDOMIZE);
}

CASE(bounds, "")
{
	stop();
	char b[4096];
	int fd = open("/proc/self/cmdline", O_RDONLY), n = read(fd, b, sizeof b);
	CHECK(n > 0 && strcmp(b + strlen(b) + 1, "bounds") == 0);
	FILE *f = fopen("/proc/self/maps", "r");
	int stack = 0, heap = 0;
	while (fgets(b, sizeof b, f)) {
		stack |= strstr(b, "[stack]") != 0;
		heap |= strstr(b, "[heap]") != 0;
	}
	CHECK(stack && heap);
}
