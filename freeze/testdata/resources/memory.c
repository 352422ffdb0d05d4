CASE(anonymous, "")
{
	char *p = mmap(0, 64 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 64; i += 7)
		p[(long)i << 20] = i + 1;
	stop();
	for (int i = 0; i < 64; i++)
		CHECK(p[(long)i << 20] == (i % 7 ? 0 : i + 1));
	CHECK(madvise(p, 64 << 20, MADV_DONTNEED) == 0 && p[7 << 20] == 0);
	char *q = mremap(p, 64 << 20, 80 << 20, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q[70 << 20] == 0);
}

CASE(protections, "")
{
	char *p = mmap(0, 5 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 'x', 5 * 4096);
	mprotect(p, 4096, PROT_NONE);
	mprotect(p + 2 * 4096, 4096, PROT_READ);
	stop();
	int fd[2];
	CHECK(pipe(fd) == 0);
	CHECK(write(fd[1], p, 1) < 0 && errno == EFAULT);
	CHECK(write(fd[1], p + 2 * 4096, 1) == 1 && read(fd[0], p + 2 * 4096, 1) < 0 && errno == EFAULT);
	CHECK(p[4096] == 'x' && p[4 * 4096] == 'x');
	CHECK(mprotect(p, 4096, 3) == 0 && p[5] == 'x');
}

CASE(private_file, "")
{
	int fd = file("private", "hello, file\n");
	char *p = mmap(0, 4096, 3, MAP_PRIVATE, fd, 0), *q = mmap(0, 4096, 1, MAP_PRIVATE, fd, 0);
	p[0] = 'J';
	stop();
	CHECK(strcmp(p, "Jello, file\n") == 0 && strcmp(q, "hello, file\n") == 0);
}

CASE(shared_file, "")
{
	int fd = file("shared", "0123456789");
	char *p = mmap(0, 4096, 3, MAP_SHARED, fd, 0);
	close(fd);
	stop();
	p[3] = 'x';
	char b[11] = "";
	fd = open("shared", O_RDONLY);
	CHECK(read(fd, b, 10) == 10 && b[3] == 'x' && b[4] == '4');
}

CASE(shared_anonymous, "")
{
	char *p = mmap(0, 3 * 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(p + 4096, "shared");
	char *q = mremap(p + 4096, 0, 4096, MREMAP_MAYMOVE); // a second mapping of it
	SETUP(q != MAP_FAILED && strcmp(q, "shared") == 0);
	stop();
	CHECK(strcmp(q, "shared") == 0);
	strcpy(p + 4096, "changed");
	CHECK(strcmp(q, "changed") == 0);
	if (fork() == 0) {
		strcpy(p, "child");
		_exit(0);
	}
	wait(0);
	CHECK(strcmp(p, "child") == 0);
}

CASE(memfd, "")
{
	int fd = memfd_create("mine", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	SETUP(ftruncate(fd, 8192) == 0 && pwrite(fd, "memfd", 5, 4096) == 5);
	char *p = mmap(0, 8192, 3, MAP_SHARED, fd, 0);
	SETUP(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0 && lseek(fd, 4097, SEEK_SET) == 4097);
	stop();
	char b[5] = "";
	CHECK(memcmp(p + 4096, "memfd", 5) == 0 && read(fd, b, 4) == 4 && memcmp(b, "emfd", 4) == 0);
	CHECK(pwrite(fd, "M", 1, 4096) == 1 && p[4096] == 'M');
	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_SHRINK) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(ftruncate(fd, 4096) < 0);
}

CASE(brk, "")
{
	char *p = sbrk(10000);
	strcpy(p, "heap");
	void *end = sbrk(0);
	stop();
	CHECK(sbrk(0) == end && strcmp(p, "heap") == 0);
	char *q = sbrk(1 << 20);
	CHECK(q == end);
	memset(q, 1, 1 << 20);
	CHECK(sbrk(-(1 << 20)) != (void *)-1);
}

static int deep(int n)
{
	volatile char b[4096];
	b[0] = n;
	return n ? deep(n - 1) + b[0] : 0;
}
CASE(stack_grows, "")
{
	stop();
	CHECK(deep(1000) != 0);
	CHECK(smaps(page, "rd"));
}

CASE(madvise, "")
{
	char *p = mmap(0, 4 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 4 << 20);
	SETUP(madvise(p, 4096, MADV_DONTFORK) == 0);
	SETUP(madvise(p + 8192, 4096, MADV_WIPEONFORK) == 0);
	SETUP(madvise(p + 16384, 4096, MADV_DONTDUMP) == 0);
	madvise(p + (2 << 20), 2 << 20, MADV_HUGEPAGE);
	int huge = smaps(p + (3 << 20), "hg");
	stop();
	CHECK(smaps(p, "dc") && smaps(p + 8192, "wf") && smaps(p + 16384, "dd") && !smaps(p + 4096, "dc") && smaps(p + (3 << 20), "hg") == huge);
	CHECK(p[0] == 1 && p[8192] == 1);
}

CASE(guard_pages, "")
{
	char *p = mmap(0, 4 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 4 * 4096);
	int there = madvise(p + 4096, 4096, 102) == 0; // MADV_GUARD_INSTALL, Linux 6.13
	stop();
	int fd[2];
	CHECK(pipe(fd) == 0 && write(fd[1], p, 1) == 1);
	if (there)
		CHECK(write(fd[1], p + 4096, 1) < 0 && errno == EFAULT);
	CHECK(p[2 * 4096] == 1);
}

CASE(lock_memory, "")
{
	char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SETUP(mlock(p, 4096) == 0);
	stop();
	CHECK(smaps(p, "lo"));
}

CASE(noreserve, "")
{
	char *p = mmap(0, 1ull << 36, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	SETUP(p != MAP_FAILED);
	p[1ull << 35] = 5;
	stop();
	CHECK(p[1ull << 35] == 5 && p[1ull << 34] == 0 && smaps(p, "nr"));
}
