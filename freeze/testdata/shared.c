/* Memory of kinds that a core tells little of: one that is named, then some time to
   be stopped in. What goes on looks whether it is as it was. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

enum { SIZE = 3 * 4096 };
static char *map(int flags, int fd) { return mmap(0, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0); }

int main(int argc, char **argv)
{
	const char *kind = argv[1];
	char *p = 0, *q = 0;
	int fd;
	if (!strcmp(kind, "anonymous")) {
		p = map(MAP_SHARED | MAP_ANONYMOUS, -1);
		q = map(MAP_SHARED | MAP_ANONYMOUS, -1);
		strcpy(q, "another");
	} else if (!strcmp(kind, "twice")) {
		fd = memfd_create("twice", 0);
		ftruncate(fd, SIZE);
		p = map(MAP_SHARED, fd);
		q = map(MAP_SHARED, fd);
	} else if (!strcmp(kind, "file") || !strcmp(kind, "private") || !strcmp(kind, "read")) {
		fd = open("data", O_RDWR | O_CREAT, 0600);
		ftruncate(fd, SIZE);
		if (!strcmp(kind, "read")) {
			pwrite(fd, "as it was", 10, 4096);
			p = mmap(0, SIZE, PROT_READ, MAP_SHARED, fd, 0);
		} else
			p = map(kind[0] == 'f' ? MAP_SHARED : MAP_PRIVATE, fd);
	} else if (!strcmp(kind, "tree")) {
		p = map(MAP_SHARED | MAP_ANONYMOUS, -1);
		if (fork() == 0)
			for (;;)
				pause();
	} else if (!strcmp(kind, "sysv")) {
		fd = shmget(IPC_PRIVATE, SIZE, 0600);
		p = shmat(fd, 0, 0);
		shmctl(fd, IPC_RMID, 0);
	}
	if (strcmp(kind, "read"))
		strcpy(p + 4096, "as it was");
	puts("ready");
	fflush(stdout);
	usleep(500000);
	if (strcmp(p + 4096, "as it was") || (q && strcmp(kind, "anonymous") == 0 && strcmp(q, "another")))
		return 1;
	puts("the same");
	return 3;
}
