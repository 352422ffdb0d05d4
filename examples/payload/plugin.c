/* Opens a library that it carries, and calls a function of it. The library is in no
 * file of its own: payload_dlopen copies it into memory, where dlopen finds it.
 *
 *	gcc -shared -fPIC -o greet.so greet.c
 *	gcc -o plugin plugin.c
 *	elfwright embed add plugin greet.so -o plugin2
 *	./plugin2
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>

#include "payload.h"

int main(void)
{
	void *lib = payload_dlopen("greet.so", RTLD_NOW);
	const char *why = dlerror();
	const char *(*greet)(void);

	if (!lib) {
		fprintf(stderr, "greet.so: %s\n", why ? why : strerror(errno));
		return 1;
	}
	*(void **)&greet = dlsym(lib, "greet");
	if (!greet) {
		fprintf(stderr, "greet.so: %s\n", dlerror());
		return 1;
	}
	puts(greet());
	return 0;
}
