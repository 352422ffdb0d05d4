// What a program of musl may ask of its library, which is its dynamic linker.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern int *one_tls(void), one(int);
extern int shared, order;
__thread int x = 4;
static __thread char wide[100] __attribute__((aligned(128))) = "wide";
static int objects;

static int count(struct dl_phdr_info *info, size_t size, void *data)
{
	objects++;
	return 0;
}

static void *thread(void *arg)
{
	x++;
	++*one_tls();
	return (void *)(long)(x + *one_tls());
}

__attribute__((constructor)) static void begin(void) { printf("program begins, %d\n", order); }
__attribute__((destructor)) static void end(void) { puts("program ends"); }

int main(int argc, char **argv)
{
	pthread_t t;
	void *r;
	Dl_info info;
	setvbuf(stdout, 0, _IONBF, 0);
	pthread_create(&t, 0, thread, 0);
	pthread_join(t, &r);
	printf("%d %s %ld %d %d %d\n", argc, argv[argc - 1], (long)r, x, *one_tls(), shared);
	printf("%s %d\n", wide, ((unsigned long)wide & 127) == 0);
	printf("%s %s\n", getenv("HOME") ? "home" : "-", strrchr(program_invocation_name, '/'));
	dl_iterate_phdr(count, 0);
	printf("%d\n", objects > 2);
	if (dladdr((void *)one, &info))
		printf("%s\n", info.dli_sname);
	printf("%d\n", dlsym(RTLD_DEFAULT, "one") == (void *)one);
	void *h = dlopen("libplug.so", RTLD_NOW);
	if (h)
		printf("%d\n", ((int (*)(int))dlsym(h, "plug"))(4));
	else
		puts(dlerror());
	printf("%s\n", dlopen("libnowhere.so", RTLD_NOW) ? "?" : dlerror());
	char *big = malloc(1 << 22);
	free(big);
	int status;
	pid_t pid = fork();
	if (!pid)
		exit(one(8));
	waitpid(pid, &status, 0);
	printf("child %d\n", WEXITSTATUS(status));
	return 3;
}
