// What a program of glibc may ask of the dynamic linker while it runs.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <iconv.h>
#include <link.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

extern "C" int thrower(int);
extern thread_local int shared_tls;
extern int imported;
static thread_local int mine = 3;
int exported_by_program(int x) { return x + 1; }

static int objects, names;
static int count(struct dl_phdr_info *info, size_t, void *)
{
	objects++;
	if (strstr(info->dlpi_name, "libc.so"))
		names++;
	return 0;
}

static void *cancelled(void *)
{
	for (;;)
		sleep(10);
}

static pthread_key_t key;
static int destroyed;
static void destroy(void *) { __sync_fetch_and_add(&destroyed, 1); }

static void at_exit() { puts("atexit"); }
static jmp_buf env;

int main(int argc, char **argv)
{
	setvbuf(stdout, nullptr, _IONBF, 0);
	setlocale(LC_ALL, "C.UTF-8");
	printf("args %d %s, canary of aux %d\n", argc, argv[argc - 1], getauxval(AT_PHDR) != 0);
	printf("phnum %lu base %d entry %d\n", getauxval(AT_PHNUM), getauxval(AT_BASE) != 0, getauxval(AT_ENTRY) != 0);
	atexit(at_exit);

	try {
		thrower(1);
	} catch (const std::runtime_error &e) {
		printf("caught %s\n", e.what());
	}
	std::vector<std::thread> threads;
	int total = 0;
	for (int i = 0; i < 8; i++)
		threads.emplace_back([i, &total] {
			mine += i;
			shared_tls += i;
			try {
				thrower(2);
			} catch (int n) {
				__sync_fetch_and_add(&total, n + mine + shared_tls);
			}
		});
	for (auto &t : threads)
		t.join();
	printf("threads %d, here %d %d, imported %d\n", total, mine, shared_tls, imported);

	pthread_t t;
	void *result;
	pthread_key_create(&key, destroy);
	pthread_create(&t, nullptr, [](void *) -> void * { pthread_setspecific(key, &key); return nullptr; }, nullptr);
	pthread_join(t, &result);
	pthread_create(&t, nullptr, cancelled, nullptr);
	pthread_cancel(t);
	pthread_join(t, &result);
	printf("cancelled %d, destroyed %d\n", result == PTHREAD_CANCELED, destroyed);

	pthread_attr_t attr;
	void *stack;
	size_t size;
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &stack, &size);
	printf("on the stack %d\n", (char *)&attr >= (char *)stack && (char *)&attr < (char *)stack + size);

	dl_iterate_phdr(count, nullptr);
	printf("libc %d of several objects %d\n", names, objects > 4);
	Dl_info info;
	if (dladdr((void *)thrower, &info))
		printf("dladdr %s %s\n", info.dli_sname ? info.dli_sname : "?", strrchr(info.dli_fname, '/'));

	void *plug = dlopen("libplug.so", RTLD_NOW);
	if (!plug)
		printf("dlopen: %s\n", dlerror());
	else {
		auto f = (int (*)(int))dlsym(plug, "plug");
		printf("plug %d\n", f ? f(5) : -1);
		std::thread([&] { printf("plug in a thread %d\n", f(6)); }).join();
		try {
			((void (*)())dlsym(plug, "plug_throws"))();
		} catch (const std::exception &e) {
			printf("plug threw %s\n", e.what());
		}
		printf("closed %d\n", dlclose(plug));
	}
	void *again = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	printf("libc again %d %d\n", again != nullptr, dlsym(again, "printf") == dlsym(RTLD_DEFAULT, "printf"));
	printf("nothing %s\n", dlopen("libnowhere.so.9", RTLD_NOW) ? "?" : dlerror());
	printf("global %d\n", dlsym(dlopen(nullptr, RTLD_NOW), "_Z19exported_by_programi") != nullptr);
	void *ns = dlmopen(LM_ID_NEWLM, "libplain.so", RTLD_NOW);
	if (!ns)
		printf("dlmopen: %s\n", dlerror());
	else
		printf("namespace %d\n", ((int (*)())dlsym(ns, "plain"))());

	struct passwd *pw = getpwuid(0);
	printf("root %s\n", pw ? pw->pw_name : "?");
	struct addrinfo *ai, hints = {};
	hints.ai_family = AF_INET;
	printf("localhost %d\n", getaddrinfo("localhost", nullptr, &hints, &ai));
	iconv_t cd = iconv_open("UTF-16LE", "KOI8-R");
	char in[] = "\xc1\xc2", out[16] = {};
	char *ip = in, *op = out;
	size_t il = 2, ol = sizeof out;
	printf("iconv %d %zu\n", cd != (iconv_t)-1, cd == (iconv_t)-1 ? 99 : iconv(cd, &ip, &il, &op, &ol));

	if (pid_t pid = fork()) {
		int status;
		waitpid(pid, &status, 0);
		printf("child %d\n", WEXITSTATUS(status));
	} else
		exit(thrower(0));
	fflush(stdout);
	printf("system %d\n", system("exit 3") >> 8);
	FILE *p = popen("echo through a pipe", "r");
	char line[64] = {};
	if (p && fgets(line, sizeof line, p))
		printf("%s", line);
	pclose(p);
	if (setjmp(env) == 0)
		longjmp(env, 1);
	else
		puts("longjmp");
	std::string big(1 << 20, 'x');
	char *brk0 = (char *)sbrk(0);
	printf("sbrk %d %zu\n", sbrk(4096) == brk0, big.size());
	signal(SIGUSR1, [](int) { write(1, "signal\n", 7); });
	raise(SIGUSR1);
	printf("%s\n", program_invocation_short_name);
	return 5;
}
