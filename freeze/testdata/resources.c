// All cases of resources, one program: without an argument it lists them, with one
// it is that case.
#include "resources/case.h"
#ifdef __x86_64__ // AArch64 has aarch64.c
#include "resources/registers.c"
#endif
#include "resources/memory.c"
#include "resources/signals.c"
#include "resources/files.c"
#include "resources/pipes.c"
#include "resources/descriptors.c"
#include "resources/sockets.c"
#include "resources/locks.c"
#include "resources/owners.c"
#include "resources/process.c"
#include "resources/threads.c"
#include "resources/time.c"
#include "resources/terminals.c"
#include "resources/refused.c"

int main(int argc, char **argv)
{
	for (const struct test *const *t = __start_cases; t < __stop_cases; t++) {
		if (argc < 2)
			printf("%s\t%s\n", (*t)->name, (*t)->how);
		else if (strcmp(argv[1], (*t)->name) == 0) {
			free(malloc(10)); // a heap
			(*t)->run();
			printf("%s is as it was\n", argv[1]);
			return 3;
		}
	}
	return argc >= 2;
}
