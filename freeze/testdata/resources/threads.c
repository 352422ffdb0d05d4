static __thread int own;
static pthread_barrier_t barrier;
static pthread_t tids[4];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, recursive;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int go;
static volatile int hits;
static void hit(int s) { (void)s; __sync_fetch_and_add(&hits, 1); }
static void *body(void *p)
{
	own = (int)(long)p;
	char name[16], now[16];
	snprintf(name, sizeof name, "thread %d", own);
	pthread_setname_np(pthread_self(), name);
	sigset_t s, t;
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + own);
	pthread_sigmask(SIG_BLOCK, &s, 0);
	pthread_barrier_wait(&barrier);
	pthread_mutex_lock(&mutex);
	while (!go)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	CHECK(own == (int)(long)p);
	prctl(PR_GET_NAME, now);
	CHECK(strcmp(name, now) == 0);
	pthread_sigmask(SIG_BLOCK, 0, &t);
	CHECK(sigismember(&t, SIGRTMIN + own) && !sigismember(&t, SIGRTMIN + own + 1));
	while (hits < 4)
		usleep(100);
	return p;
}
CASE(threads, "")
{
	signal(SIGUSR1, hit);
	pthread_barrier_init(&barrier, 0, 5);
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &a);
	pthread_mutex_lock(&recursive);
	for (long i = 0; i < 4; i++)
		SETUP(pthread_create(&tids[i], 0, body, (void *)i) == 0);
	pthread_barrier_wait(&barrier);
	usleep(20000);
	stop();
	CHECK(pthread_mutex_lock(&recursive) == 0); // by the number of the thread that has it
	pthread_mutex_lock(&mutex);
	go = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_kill(tids[i], SIGUSR1) == 0);
	for (long i = 0; i < 4; i++) {
		void *r;
		CHECK(pthread_join(tids[i], &r) == 0 && r == (void *)i);
	}
}

static int blocked[2];
static void *reader(void *p)
{
	char c;
	return read(blocked[0], &c, 1) == 1 ? p : 0;
}
CASE(blocked_read, "")
{
	pthread_t t;
	SETUP(pipe(blocked) == 0 && pthread_create(&t, 0, reader, (void *)5) == 0);
	usleep(20000);
	stop();
	void *r;
	usleep(10000);
	CHECK(write(blocked[1], "x", 1) == 1 && pthread_join(t, &r) == 0 && r == (void *)5);
}

CASE(pid, "ns")
{
	int pid = getpid(), tid = syscall(SYS_gettid);
	stop();
	CHECK(getpid() == pid && (int)syscall(SYS_gettid) == tid);
	int c = fork();
	if (c == 0)
		_exit(getppid() == pid ? 9 : 8);
	int s;
	CHECK(waitpid(c, &s, 0) == c && WEXITSTATUS(s) == 9);
}

// What each thread has for itself.
static volatile int ready, end;
static void *waits(void *p)
{
	void (*f)(void) = p;
	f();
	ready++;
	while (!end)
		usleep(100);
	return p;
}
static pthread_t with(void (*f)(void))
{
	pthread_t t;
	int n = ready;
	SETUP(pthread_create(&t, 0, waits, (void *)f) == 0);
	while (ready == n)
		usleep(100);
	return t;
}
static void joins(pthread_t t)
{
	end = 1;
	CHECK(pthread_join(t, 0) == 0);
}

static void filters(void)
{
	struct sock_filter f = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
	struct sock_fprog p = {.len = 1, .filter = &f};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	SETUP(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0);
}
CASE(thread_seccomp, "refused: has seccomp mode 2") { with(filters), stop(); }

static void other_user(void) { NEED(syscall(SYS_setresuid, -1, 1, -1) == 0); }
CASE(thread_user, "refused: has user or group ids of its own") { with(other_user), stop(); }

static void weaker(void)
{
	struct { uint32_t version; int pid; } h = {0x20080522, 0};
	uint32_t d[6] = {0};
	NEED(geteuid() == 0);
	SETUP(syscall(SYS_capset, &h, d) == 0);
}
CASE(thread_capabilities, "refused: has capabilities of its own") { with(weaker), stop(); }

static void odd(void) { SETUP(personality(personality(0xffffffff) | ADDR_NO_RANDOMIZE) >= 0); }
CASE(thread_personality, "refused: has a personality of its own, ") { with(odd), stop(); }

static void own_files(void) { SETUP(unshare(CLONE_FILES) == 0); }
CASE(thread_files, "refused: has descriptors of its own") { with(own_files), stop(); }

static void own_directory(void) { SETUP(unshare(CLONE_FS) == 0); }
CASE(thread_directory, "refused: has working directory and umask of its own") { with(own_directory), stop(); }

static void has_keyring(void) { NEED(syscall(SYS_keyctl, 0, -1, 1) > 0); }
CASE(thread_keyring, "refused: has a keyring of its own (keyrings(7))") { with(has_keyring), stop(); }

static void *slacks(void *p)
{
	prctl(PR_SET_TIMERSLACK, 4000000), prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0), prctl(PR_SET_NAME, "slack");
	setpriority(PRIO_PROCESS, 0, 5);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	ready++;
	while (!end)
		usleep(100);
	char b[16];
	prctl(PR_GET_NAME, b);
	CHECK(prctl(PR_GET_TIMERSLACK) == 4000000 && prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_LATE && strcmp(b, "slack") == 0);
	CHECK(getpriority(PRIO_PROCESS, 0) == 5 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	return p;
}
CASE(thread_attributes, "")
{
	pthread_t t;
	int nice = getpriority(PRIO_PROCESS, 0);
	SETUP(pthread_create(&t, 0, slacks, 0) == 0);
	while (!ready)
		usleep(100);
	stop();
	CHECK(prctl(PR_GET_TIMERSLACK) == 50000 && getpriority(PRIO_PROCESS, 0) == nice && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	joins(t);
}

static void has_pending(void)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &s, 0);
	pthread_kill(pthread_self(), SIGUSR2);
}
static void *keeps_pending(void *p)
{
	has_pending();
	ready++;
	while (!end)
		usleep(100);
	sigset_t s;
	sigpending(&s);
	CHECK(sigismember(&s, SIGUSR2) == 1);
	return p;
}
CASE(thread_pending, "")
{
	pthread_t t;
	sigset_t s;
	SETUP(pthread_create(&t, 0, keeps_pending, 0) == 0);
	while (!ready)
		usleep(100);
	stop();
	sigpending(&s);
	CHECK(sigismember(&s, SIGUSR2) == 0);
	joins(t);
}

CASE(thread_new, "")
{
	stop();
	pthread_t t[20];
	ready = 0;
	for (int i = 0; i < 20; i++)
		SETUP(pthread_create(&t[i], 0, waits, (void *)own_files) == 0);
	end = 1;
	for (int i = 0; i < 20; i++)
		CHECK(pthread_join(t[i], 0) == 0);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static void *reads_locked(void *p)
{
	ready++;
	pthread_rwlock_rdlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
	return p;
}
CASE(thread_waits_for_lock, "")
{
	pthread_t t;
	pthread_rwlock_wrlock(&rwlock);
	SETUP(pthread_create(&t, 0, reads_locked, 0) == 0);
	while (!ready)
		usleep(100);
	usleep(10000);
	stop();
	pthread_rwlock_unlock(&rwlock);
	CHECK(pthread_join(t, 0) == 0);
}

static pthread_mutex_t robust;
static void *dies_with_it(void *p)
{
	pthread_mutex_lock(&robust);
	ready++;
	while (!end)
		usleep(100);
	return p;
}
CASE(robust_mutex, "")
{
	pthread_t t;
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &a);
	SETUP(pthread_create(&t, 0, dies_with_it, 0) == 0);
	while (!ready)
		usleep(100);
	stop();
	joins(t);
	CHECK(pthread_mutex_lock(&robust) == EOWNERDEAD);
}

static pthread_key_t key;
static volatile int destroyed;
static void destroy(void *p) { destroyed = p == &key; }
static void *has_key(void *p)
{
	pthread_setspecific(key, &key);
	ready++;
	while (!end)
		usleep(100);
	return pthread_getspecific(key) == &key ? p : 0;
}
CASE(thread_key, "")
{
	pthread_t t;
	pthread_key_create(&key, destroy);
	SETUP(pthread_create(&t, 0, has_key, &key) == 0);
	while (!ready)
		usleep(100);
	stop();
	joins(t);
	CHECK(destroyed);
}

CASE(thread_cancelled, "")
{
	pthread_t t;
	void *r;
	SETUP(pipe(blocked) == 0 && pthread_create(&t, 0, reader, 0) == 0);
	usleep(20000);
	stop();
	CHECK(pthread_cancel(t) == 0 && pthread_join(t, &r) == 0 && r == PTHREAD_CANCELED);
}

static void *spins(void *p)
{
	ready++;
	for (volatile unsigned long n = 0; !end; n++)
		;
	return p;
}
CASE(thread_spins, "")
{
	pthread_t t[2];
	for (int i = 0; i < 2; i++)
		SETUP(pthread_create(&t[i], 0, spins, 0) == 0);
	while (ready < 2)
		usleep(100);
	stop();
	end = 1;
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(t[i], 0) == 0);
}
