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
