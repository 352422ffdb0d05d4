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

static int text_of(const char *name, char *b, int size)
{
	int fd = open(name, O_RDONLY), n = fd < 0 ? -1 : read(fd, b, size - 1);
	close(fd);
	b[n < 0 ? 0 : n] = 0;
	return n;
}

static int put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY), n = write(fd, text, strlen(text));
	close(fd);
	return n == (int)strlen(text);
}

CASE(score, "")
{
	char b[20];
	SETUP(put("/proc/self/oom_score_adj", "500"));
	stop();
	CHECK(text_of("/proc/self/oom_score_adj", b, sizeof b) > 0 && atoi(b) == 500);
}

CASE(core_filter, "")
{
	char b[20];
	SETUP(put("/proc/self/coredump_filter", "0x13"));
	stop();
	CHECK(text_of("/proc/self/coredump_filter", b, sizeof b) > 0 && strtol(b, 0, 16) == 0x13);
}

CASE(core_limit, "")
{
	struct rlimit a = {0, 0}, b;
	SETUP(setrlimit(RLIMIT_CORE, &a) == 0);
	stop();
	CHECK(getrlimit(RLIMIT_CORE, &b) == 0 && b.rlim_cur == 0 && b.rlim_max == 0);
}

CASE(nice, "")
{
	SETUP(setpriority(PRIO_PROCESS, 0, 11) == 0);
	stop();
	CHECK(getpriority(PRIO_PROCESS, 0) == 11);
}

CASE(nice_raised, "")
{
	NEED(setpriority(PRIO_PROCESS, 0, -3) == 0);
	stop();
	CHECK(getpriority(PRIO_PROCESS, 0) == -3);
}

CASE(realtime, "")
{
	struct sched_param p = {.sched_priority = 7}, q;
	NEED(sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p) == 0);
	stop();
	CHECK(sched_getscheduler(0) == (SCHED_RR | SCHED_RESET_ON_FORK) && sched_getparam(0, &q) == 0 && q.sched_priority == 7);
}

CASE(idle, "")
{
	struct sched_param p = {0};
	SETUP(sched_setscheduler(0, SCHED_IDLE, &p) == 0);
	stop();
	CHECK(sched_getscheduler(0) == SCHED_IDLE);
}

CASE(deadline, "refused: SCHED_DEADLINE belongs to one thread at a time")
{
	struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; } a = {48, 6, 0, 0, 0, 1000000, 10000000, 10000000};
	NEED(syscall(SYS_sched_setattr, 0, &a, 0) == 0);
	stop();
}

CASE(io_priority, "")
{
	SETUP(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6) == 0);
	stop();
	CHECK(syscall(SYS_ioprio_get, 1, 0) == (2 << 13 | 6));
}

CASE(timer_slack, "")
{
	SETUP(prctl(PR_SET_TIMERSLACK, 777777) == 0);
	stop();
	CHECK(prctl(PR_GET_TIMERSLACK) == 777777);
}

CASE(death_signal, "warns: the signal on its parent's death (10) is that of its new parent's")
{
	SETUP(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
	stop();
	int s;
	CHECK(prctl(PR_GET_PDEATHSIG, &s) == 0 && s == SIGUSR1);
}

CASE(not_dumpable, "")
{
	SETUP(prctl(PR_SET_DUMPABLE, 0) == 0);
	NEED(geteuid() == 0); // else nobody may look at it
	stop();
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
}

CASE(keep_capabilities, "")
{
	SETUP(prctl(PR_SET_KEEPCAPS, 1) == 0);
	stop();
	CHECK(prctl(PR_GET_KEEPCAPS) == 1);
}

CASE(secure_bits, "")
{
	NEED(prctl(PR_SET_SECUREBITS, 1 << 2) == 0); // SECBIT_NO_SETUID_FIXUP
	stop();
	CHECK(prctl(PR_GET_SECUREBITS) == 1 << 2);
}

CASE(huge_pages_off, "")
{
	NEED(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	stop();
	CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
}

CASE(huge_pages_advised, "")
{
	NEED(prctl(PR_SET_THP_DISABLE, 1, 2, 0, 0) == 0); // except where advised, Linux 6.18
	stop();
	CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 3);
}

CASE(no_executable_gain, "")
{
	NEED(prctl(65, 1, 0, 0, 0) == 0); // PR_SET_MDWE, Linux 6.3
	stop();
	CHECK(prctl(66, 0, 0, 0, 0) == 1);
	CHECK(mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EACCES);
}

CASE(memory_merge, "")
{
	NEED(prctl(67, 1, 0, 0, 0) == 0); // PR_SET_MEMORY_MERGE, Linux 6.4
	stop();
	CHECK(prctl(68, 0, 0, 0, 0) == 1);
}

CASE(timestamps_off, "")
{
	NEED(prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0);
	stop();
	int v;
	CHECK(prctl(PR_GET_TSC, &v) == 0 && v == PR_TSC_SIGSEGV);
	prctl(PR_SET_TSC, PR_TSC_ENABLE);
}

CASE(memory_errors, "")
{
	SETUP(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) == 0);
	stop();
	CHECK(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_EARLY);
}

CASE(memory_policy, "")
{
	unsigned long node = 1, mask[16] = {0};
	int mode = -1;
	NEED(syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &node, 64) == 0);
	stop();
	CHECK(syscall(SYS_get_mempolicy, &mode, mask, 1024, 0, 0) == 0 && mode == 2 && mask[0] == 1);
}

CASE(membarrier, "")
{
	NEED(syscall(SYS_membarrier, 1 << 4, 0, 0) == 0); // REGISTER_PRIVATE_EXPEDITED
	stop();
	CHECK(syscall(SYS_membarrier, 1 << 3, 0, 0) == 0);
}

CASE(dispatch, "refused: has its system calls dispatched to itself (PR_SET_SYSCALL_USER_DISPATCH)")
{
	static char selector; // 0: calls are allowed
	NEED(prctl(59, 1, 0, 0, &selector) == 0);
	stop();
}

#ifdef __x86_64__
struct segment { unsigned entry, base, limit, flags; };

CASE(descriptor_table, "refused: has a table of segments (modify_ldt)")
{
	struct segment d = {0, 0x1000, 1, 0x51};
	NEED(syscall(SYS_modify_ldt, 1, &d, sizeof d) == 0 && d.limit);
	stop();
}

CASE(segments, "refused: has segments of its own (set_thread_area)")
{
	struct segment d = {-1, 0x1000, 1, 0x51};
	NEED(syscall(SYS_set_thread_area, &d) == 0 && d.limit);
	stop();
}

CASE(ports, "refused: may use ports of devices (ioperm)")
{
	NEED(syscall(SYS_ioperm, 0x80, 1, 1) == 0);
	stop();
}
#endif

CASE(keyring, "refused: has a keyring of its own (keyrings(7))")
{
	NEED(syscall(SYS_keyctl, 0, -2, 1) > 0); // KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING
	stop();
}

CASE(user_ids, "refused: user ids ")
{
	NEED(setresuid(-1, 1, -1) == 0);
	stop();
}

CASE(group_ids, "refused: group ids ")
{
	NEED(setresgid(-1, 1, -1) == 0);
	stop();
}

CASE(no_capability, "warns: capabilities (effective ")
{
	NEED(prctl(PR_CAPBSET_DROP, 30, 0, 0, 0) == 0); // CAP_AUDIT_CONTROL
	stop();
}

CASE(other_root, "refused: a thawed process has that of whoever starts it")
{
	mkdir("jail", 0700);
	NEED(chroot("jail") == 0);
	stop();
}

CASE(other_namespace, "warns: the process is in another uts namespace than this one")
{
	NEED(unshare(CLONE_NEWUTS) == 0);
	stop();
}

CASE(auxiliary_vector, "")
{
	char a[2000], b[2000];
	int n = text_of("/proc/self/auxv", a, sizeof a);
	stop();
	CHECK(n > 0 && text_of("/proc/self/auxv", b, sizeof b) == n && memcmp(a, b, n) == 0);
}

extern char **environ;
CASE(environment, "")
{
	char b[100000];
	stop();
	int n = text_of("/proc/self/environ", b, sizeof b);
	CHECK(n > 0 && strcmp(b, environ[0]) == 0 && getenv("PATH") != 0);
}

CASE(clock, "")
{
	struct timespec a, b;
	clock_gettime(CLOCK_REALTIME, &a);
	time_t t = time(0);
	stop();
	clock_gettime(CLOCK_REALTIME, &b);
	CHECK(b.tv_sec >= a.tv_sec && b.tv_sec < a.tv_sec + 1000 && time(0) >= t && clock_getres(CLOCK_MONOTONIC, &a) == 0);
}

CASE(umask, "")
{
	umask(0137);
	stop();
	int fd = open("masked", O_CREAT | O_EXCL | O_RDWR, 0777);
	struct stat st;
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0640 && unlink("masked") == 0);
}

CASE(children_of_its_own, "")
{
	stop();
	int s, p = fork();
	if (p == 0)
		_exit(6);
	CHECK(waitpid(p, &s, 0) == p && WEXITSTATUS(s) == 6);
	p = vfork();
	if (p == 0) {
		execl("/bin/sh", "sh", "-c", "exit 7", (char *)0);
		_exit(1);
	}
	CHECK(waitpid(p, &s, 0) == p && WEXITSTATUS(s) == 7);
}
