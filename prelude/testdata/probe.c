// What a program sees that mounts its trees when it starts. With "exit N" it ends
// with that status, with "wait" it sleeps; else it walks the directories given.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/auxv.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

extern char **environ;

static void grep(const char *file, const char *start)
{
	char line[4096];
	FILE *f = fopen(file, "re");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, start, strlen(start)))
			fputs(line, stdout);
	if (f)
		fclose(f);
}

static void content(const char *path)
{
	unsigned long sum = 5381, n = 0;
	int c;
	FILE *f = fopen(path, "re");
	if (!f) {
		printf(" unreadable %d", errno);
		return;
	}
	while ((c = getc(f)) != EOF)
		sum = (sum * 33 + c) & 0xffffffff, n++;
	fclose(f);
	printf(" %lu bytes, sum %lx", n, sum);
}

static void walk(const char *path, const char *top)
{
	struct stat st;
	char text[4096];
	ssize_t n;
	if (lstat(path, &st)) {
		printf("%s: errno %d\n", path, errno);
		return;
	}
	printf("%s %o %u:%u links %u time %lld", path + strlen(top), st.st_mode, st.st_uid, st.st_gid,
	       S_ISDIR(st.st_mode) ? 0 : (unsigned)st.st_nlink, (long long)st.st_mtime);
	if (S_ISREG(st.st_mode))
		content(path);
	if (S_ISLNK(st.st_mode) && (n = readlink(path, text, sizeof text)) >= 0)
		printf(" -> %.*s", (int)n, text);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		printf(" device %u:%u", major(st.st_rdev), minor(st.st_rdev));
	if ((n = lgetxattr(path, "user.colour", text, sizeof text)) >= 0)
		printf(" colour %.*s", (int)n, text);
	printf("\n");
	if (!S_ISDIR(st.st_mode))
		return;
	struct dirent **list;
	int count = scandir(path, &list, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char *sub;
		if (!strcmp(list[i]->d_name, ".") || !strcmp(list[i]->d_name, ".."))
			continue;
		if (asprintf(&sub, "%s/%s", path, list[i]->d_name) > 0)
			walk(sub, top);
	}
}

static int descriptors(void)
{
	int n = 0;
	for (int i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "exit"))
		return atoi(argv[2]);
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		puts("waiting");
		fflush(stdout);
		for (;;)
			pause();
	}
	mode_t mask = umask(0);
	umask(mask);
	char cwd[4096], **e = environ;
	while (*e)
		e++;
	printf("argc %d, %d variables, SAMPLE=%s, umask %03o, %d descriptors, phnum %d\n", argc, (int)(e - environ), getenv("SAMPLE"),
	       mask, descriptors(), (int)(getauxval(AT_PHNUM) > 0));
	printf("user %d %d group %d %d\n", getuid(), geteuid(), getgid(), getegid());
	grep("/proc/self/status", "Cap");
	printf("cwd %s\n", getcwd(cwd, sizeof cwd));
	if (argc > 1 && !strcmp(argv[1], "write")) {
		int fd = open(argv[2], O_WRONLY | O_CREAT, 0644);
		printf("write: errno %d\n", fd < 0 ? errno : 0);
		return 0;
	}
	for (int i = 1; i < argc; i++)
		walk(argv[i], argv[i]);
	return 0;
}
