// What a program sees of how it was started. Addresses are compared here and not
// printed, so that the output is the same each time.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
extern void _start(void);
static __thread int local = 5;
static jmp_buf back;

static int first(struct dl_phdr_info *i, size_t n, void *p) {
	*(const void **)p = i->dlpi_phdr;
	return 1;
}
static void *thread(void *p) { return (void *)(long)(local += 2); }
static void handler(int s) { longjmp(back, s); }
static const char *base(const char *s) { const char *b = strrchr(s, '/'); return b ? b + 1 : s; }

int main(int argc, char **argv) {
	for (int i = 1; i < argc; i++)
		printf("argument %s\n", argv[i]);
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "PATH=", 5))
			printf("variable %.40s\n", *e);

	const void *ph;
	dl_iterate_phdr(first, &ph);
	printf("AT_PHDR %d, AT_PHNUM %lu\n", getauxval(AT_PHDR) == (unsigned long)ph, getauxval(AT_PHNUM));
	printf("AT_ENTRY %d, AT_SECURE %lu\n", getauxval(AT_ENTRY) == (unsigned long)_start, getauxval(AT_SECURE));
	printf("AT_BASE %d\n", memcmp((void *)getauxval(AT_BASE), ELFMAG, SELFMAG) == 0);
	printf("AT_EXECFN %s\n", base((char *)getauxval(AT_EXECFN)));
	char **e = environ;
	while (*e++)
		;
	ElfW(auxv_t) *a = (void *)e;
	while (a->a_type != AT_NULL && a->a_type != AT_ENTRY)
		a++;
	printf("behind the environment %d\n", a->a_un.a_val == (unsigned long)_start);

	char exe[4096] = "";
	if (readlink("/proc/self/exe", exe, sizeof exe - 1) < 0)
		perror("readlink");
	printf("exe %s\n", base(exe));
	char small[4];
	printf("exe cut to %d\n", (int)readlink("/proc/self/exe", small, 3));
	char *real = realpath("/proc/self/exe", NULL);
	printf("real %s\n", real ? base(real) : "none");
	char name[16] = "";
	prctl(PR_GET_NAME, name);
	printf("name %s\n", name);

	pthread_t t;
	void *r;
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, &r);
	printf("thread %ld, here %d\n", (long)r, local);
	void *m = dlopen("libm.so.6", RTLD_NOW);
	double (*cosine)(double) = m ? (double (*)(double))dlsym(m, "cos") : NULL;
	printf("cos 0 = %g\n", cosine ? cosine(0) : -1);
	signal(SIGUSR1, handler);
	int s = setjmp(back);
	if (s == 0)
		raise(SIGUSR1);
	printf("signal %d\n", s == SIGUSR1);
	printf("brk %d\n", sbrk(1 << 20) != (void *)-1 && memset(malloc(1 << 20), 1, 1 << 20) != NULL);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(9);
	int status;
	waitpid(pid, &status, 0);
	printf("child %d\n", WEXITSTATUS(status));
	printf("open file %d\n", fcntl(7, F_GETFD) >= 0);
	return 3;
}
