/* steps FILE MIB: until there is FILE, a large array that is walked over again and again; before each step it must be as
 * the steps before left it, and so must memory that is shared and memory that no
 * child would have. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	size_t n = ((size_t)atol(argv[2]) << 20) / sizeof(uint64_t), more = 2048;
	int flags = MAP_ANONYMOUS | MAP_POPULATE;
	volatile uint64_t *v = mmap(0, n * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags, -1, 0);
	volatile uint64_t *shared = mmap(0, more * 8, PROT_READ | PROT_WRITE, MAP_SHARED | flags, -1, 0);
	volatile uint64_t *alone = mmap(0, more * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags, -1, 0);
	volatile uint64_t *wiped = mmap(0, more * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags, -1, 0);
	madvise((void *)alone, more * 8, MADV_DONTFORK);
	madvise((void *)wiped, more * 8, MADV_WIPEONFORK);
	puts("ready");
	fflush(stdout);
	uint64_t step = 0;
	for (uint64_t turn = 1; access(argv[1], F_OK) != 0; turn++)
		for (size_t i = 0; i < n; i += 64, step++) {
			size_t k = step % more, l = (step + more - 1) % more;
			if (v[i] != turn - 1 || (step && (shared[l] != step - 1 || alone[l] != step - 1 || wiped[l] != step - 1))) {
				printf("step %llu: torn\n", (unsigned long long)step);
				return 9;
			}
			v[i] = turn;
			shared[k] = alone[k] = wiped[k] = step;
		}
	if (waitpid(-1, 0, __WALL | WNOHANG) != -1) {
		puts("there is a child");
		return 8;
	}
	puts("all as it was");
	return 3;
}
