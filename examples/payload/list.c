/* Lists what it carries, and prints a payload.
 *
 *	elfwright embed header > payload.h
 *	gcc -o list list.c
 *	elfwright embed add list notes.txt -o list2
 *	./list2 notes.txt
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>

#include "payload.h"

int main(int argc, char **argv)
{
	struct payload p;
	const struct payload_directory *d;
	uint32_t i;

	if (argc > 1) {
		if (payload_find(argv[1], &p) != 0) {
			fprintf(stderr, "no payload is named %s\n", argv[1]);
			return 1;
		}
		fwrite(p.bytes, 1, (size_t)p.stored, stdout);
		return 0;
	}
	d = payload_own();
	if (!d) {
		fprintf(stderr, "it carries nothing\n");
		return 1;
	}
	for (i = 0; payload_entry_at(d, i, &p) == 0; i++)
		printf("%s: kind %u, %lu bytes, %s\n", p.name, p.kind, (unsigned long)p.size, p.media_type);
	return 0;
}
