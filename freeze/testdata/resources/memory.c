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

CASE(shared_by_child, "")
{
	// What only a child has touched is in no page table of ours.
	char *p = mmap(0, 64 * 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fork() == 0) {
		strcpy(p + 40 * 4096, "from the child");
		_exit(0);
	}
	wait(0);
	stop();
	CHECK(strcmp(p + 40 * 4096, "from the child") == 0 && p[0] == 0 && p[63 * 4096] == 0);
}

CASE(shared_untouched, "")
{
	// Pages that were given back to the kernel by this mapping are still in the other.
	char *p = mmap(0, 16 * 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(p, 'x', 16 * 4096);
	SETUP(madvise(p, 16 * 4096, MADV_DONTNEED) == 0);
	stop();
	CHECK(p[0] == 'x' && p[15 * 4096 + 4095] == 'x');
}

CASE(shared_outside, "refused: is shared with process ")
{
	char *p = mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	SETUP(p != MAP_FAILED);
	if (fork() == 0) {
		close(1), close(2);
		alarm(5);
		pause();
	}
	stop();
}

// Flags of mappings.
CASE(lock_on_fault, "")
{
	char *p = mmap(0, 4 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(syscall(SYS_mlock2, p, 4 * 4096, 1) == 0);
	stop();
	CHECK(smaps(p, "lo") && smaps(p, "lf"));
}

CASE(lock_future, "")
{
	NEED(mlockall(MCL_FUTURE) == 0);
	stop();
	char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(smaps(p, "lo") && !smaps(p, "lf") && munlockall() == 0);
}

CASE(lock_future_on_fault, "")
{
	NEED(mlockall(MCL_FUTURE | MCL_ONFAULT) == 0);
	stop();
	char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(smaps(p, "lo") && smaps(p, "lf"));
}

CASE(lock_all, "")
{
	int fixed = 7;
	NEED(mlockall(MCL_CURRENT | MCL_ONFAULT) == 0);
	stop();
	char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(!smaps(p, "lo") && smaps(&fixed, "lo") && smaps(page, "lo"));
}

CASE(sealed, "")
{
	char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(p, "sealed");
	mprotect(p, 4096, PROT_READ);
	NEED(syscall(462, p, 4096, 0) == 0); // mseal, Linux 6.10
	stop();
	CHECK(strcmp(p, "sealed") == 0 && munmap(p, 4096) < 0 && errno == EPERM && mprotect(p, 4096, 3) < 0 && errno == EPERM);
}

CASE(droppable, "")
{
	char *p = mmap(0, 4096, 3, 0x8 | MAP_ANONYMOUS, -1, 0); // MAP_DROPPABLE, Linux 6.11
	NEED(p != MAP_FAILED);
	p[0] = 1;
	stop();
	CHECK(smaps(p, "dp"));
}

CASE(anonymous_name, "")
{
	char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), line[500];
	NEED(prctl(0x53564d41, 0, p, 4096, "a name") == 0);
	stop();
	int has = 0;
	for (FILE *f = fopen("/proc/self/maps", "r"); fgets(line, sizeof line, f);)
		has |= strstr(line, "[anon:a name]") != 0;
	CHECK(has);
}

CASE(random_and_sequential, "")
{
	char *p = mmap(0, 8 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SETUP(madvise(p, 4096, MADV_RANDOM) == 0 && madvise(p + 4096, 4096, MADV_SEQUENTIAL) == 0);
	stop();
	CHECK(smaps(p, "rr") && smaps(p + 4096, "sr") && !smaps(p + 8192, "rr") && !smaps(p + 8192, "sr"));
}

CASE(mergeable, "")
{
	char *p = mmap(0, 8 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(madvise(p, 8 * 4096, MADV_MERGEABLE) == 0);
	stop();
	CHECK(smaps(p, "mg"));
}

CASE(grows_down, "")
{
	char *p = mmap(0, 64 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(p, 64 * 4096);
	p = mmap(p + 60 * 4096, 4 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	SETUP(p != MAP_FAILED);
	p[0] = 7;
	stop();
	CHECK(smaps(p, "gd") && p[0] == 7);
	p[-4096] = 1;
	CHECK(p[-4096] == 1);
}

CASE(executable, "")
{
	unsigned char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#ifdef __aarch64__
	memcpy(p, "\x40\x05\x80\x52\xc0\x03\x5f\xd6", 8); // mov w0, #42; ret
#else
	memcpy(p, "\xb8\x2a\x00\x00\x00\xc3", 6); // mov $42,%eax; ret
#endif
	__builtin___clear_cache((char *)p, (char *)p + 8);
	SETUP(mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0);
	stop();
	CHECK(((int (*)(void))p)() == 42);
}

CASE(write_only, "")
{
	char *p = mmap(0, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p[9] = 'w';
	stop();
	CHECK(mprotect(p, 4096, 3) == 0 && p[9] == 'w' && p[8] == 0);
}

CASE(many_mappings, "")
{
	enum { N = 2000 };
	char *p = mmap(0, 2 * N * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < N; i++) {
		p[2 * i * 4096] = i;
		SETUP(mprotect(p + (2 * i + 1) * 4096, 4096, PROT_NONE) == 0);
	}
	stop();
	for (int i = 0; i < N; i++)
		CHECK(p[2 * i * 4096] == (char)i);
}

CASE(sparse, "")
{
	char *p = mmap(0, 1 << 30, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (long i = 0; i < 1 << 30; i += 37 << 20)
		p[i + 5] = i >> 20;
	stop();
	for (long i = 0; i < 1 << 30; i += 37 << 20)
		CHECK(p[i + 5] == (char)(i >> 20) && p[i + 4096] == 0);
}

CASE(private_hole, "")
{
	int fd = open("hole", O_RDWR | O_CREAT, 0600);
	SETUP(ftruncate(fd, 64 * 4096) == 0 && pwrite(fd, "end", 3, 63 * 4096) == 3);
	char *p = mmap(0, 64 * 4096, 3, MAP_PRIVATE, fd, 0);
	p[4096] = 'x';
	stop();
	CHECK(p[0] == 0 && p[4096] == 'x' && strcmp(p + 63 * 4096, "end") == 0);
}

CASE(private_beyond_end, "")
{
	int fd = file("short", "short");
	char *p = mmap(0, 2 * 4096, 3, MAP_PRIVATE, fd, 0);
	stop();
	CHECK(strcmp(p, "short") == 0 && p[4095] == 0);
}

CASE(shared_readonly, "")
{
	close(file("ro", "read only"));
	int fd = open("ro", O_RDONLY);
	char *p = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
	SETUP(p != MAP_FAILED);
	stop();
	CHECK(strcmp(p, "read only") == 0 && mprotect(p, 4096, 3) < 0 && errno == EACCES);
}

CASE(shared_offset, "")
{
	int fd = open("offset", O_RDWR | O_CREAT, 0600);
	SETUP(ftruncate(fd, 4 * 4096) == 0);
	char *p = mmap(0, 4096, 3, MAP_SHARED, fd, 2 * 4096);
	stop();
	strcpy(p, "here");
	char b[5] = "";
	CHECK(pread(fd, b, 4, 2 * 4096) == 4 && strcmp(b, "here") == 0);
}

CASE(shared_deleted_open, "warns: its file is deleted; the thawed process has the contents, and no file")
{
	char b[5] = "";
	int fd = file("gone", "before"), other = file("other", "before");
	char *p = mmap(0, 4096, 3, MAP_SHARED, fd, 0), *q = mmap(0, 4096, 3, MAP_SHARED, other, 0);
	SETUP(p != MAP_FAILED && q != MAP_FAILED && unlink("gone") == 0 && unlink("other") == 0 && close(other) == 0);
	stop();
	CHECK(strcmp(p, "before") == 0 && strcmp(q, "before") == 0);
	strcpy(p, "here");
	CHECK(pread(fd, b, 4, 0) == 4 && strcmp(b, "here") == 0);
}

CASE(shared_deleted, "warns: its file is deleted; the thawed process has the contents, and no file")
{
	int fd = open("gone", O_RDWR | O_CREAT, 0600);
	SETUP(ftruncate(fd, 3 * 4096) == 0 && pwrite(fd, "behind", 6, 2 * 4096) == 6);
	char *p = mmap(0, 3 * 4096, 3, MAP_SHARED, fd, 0), *q = mmap(0, 4096, 3, MAP_SHARED, fd, 2 * 4096);
	SETUP(p != MAP_FAILED && q != MAP_FAILED && close(fd) == 0 && unlink("gone") == 0);
	strcpy(p, "contents");
	stop();
	CHECK(strcmp(p, "contents") == 0 && strcmp(q, "behind") == 0);
	q[0] = 'B';
	CHECK(p[2 * 4096] == 'B');
}

CASE(semaphore_deleted, "warns: its file is deleted; the thawed process has the contents, and no file")
{
	char name[40];
	sprintf(name, "/elfwright-%d", getpid());
	sem_t *s = sem_open(name, O_CREAT | O_EXCL, 0600, 2);
	NEED(s != SEM_FAILED && sem_unlink(name) == 0);
	stop();
	CHECK(sem_trywait(s) == 0 && sem_trywait(s) == 0 && sem_trywait(s) < 0 && errno == EAGAIN);
}

CASE(memfd_mapped_closed, "")
{
	int fd = memfd_create("closed", 0);
	SETUP(ftruncate(fd, 8192) == 0);
	char *p = mmap(0, 8192, 3, MAP_SHARED, fd, 0), *q = mmap(0, 4096, 1, MAP_SHARED, fd, 4096);
	strcpy(p + 4096, "still");
	close(fd);
	stop();
	CHECK(strcmp(q, "still") == 0);
	p[4096] = 'S';
	CHECK(q[0] == 'S');
}

CASE(huge_pages, "refused: is of huge pages (hugetlbfs)")
{
	char *p = mmap(0, 2 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	NEED(p != MAP_FAILED);
	stop();
}

CASE(secret, "refused: is secret memory")
{
	int fd = syscall(447, 0); // memfd_secret
	NEED(fd >= 0);
	SETUP(ftruncate(fd, 4096) == 0);
	char *p = mmap(0, 4096, 3, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	p[0] = 1;
	stop();
}

CASE(userfault, "refused: is watched by a userfaultfd")
{
	int fd = syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */);
	NEED(fd >= 0);
	uint64_t api[3] = {0xaa}, reg[4];
	char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg[0] = (uint64_t)p, reg[1] = 4096, reg[2] = 1;
	SETUP(ioctl(fd, 0xc018aa3f, api) == 0 && ioctl(fd, 0xc020aa00, reg) == 0);
	stop();
}

CASE(io_uring, "refused: is memory of the kernel")
{
	char p[120] = "";
	int fd = syscall(425, 4, p); // io_uring_setup
	NEED(fd >= 0);
	SETUP(mmap(0, 4096, 3, MAP_SHARED | MAP_POPULATE, fd, 0) != MAP_FAILED);
	stop();
}

CASE(aio, "refused: is memory of the kernel")
{
	unsigned long ctx = 0;
	NEED(syscall(SYS_io_setup, 4, &ctx) == 0);
	stop();
}

CASE(shared_covered, "refused: is shared memory of a file to which its path does not lead any more")
{
	mkdir("covered", 0700);
	int fd = file("covered/file", "old");
	SETUP(mmap(0, 4096, 3, MAP_SHARED, fd, 0) != MAP_FAILED && close(fd) == 0);
	NEED(unshare(CLONE_NEWNS) == 0 && mount("none", "/", 0, MS_REC | MS_PRIVATE, 0) == 0 && mount("none", "covered", "tmpfs", 0, 0) == 0);
	stop();
}

CASE(remapped, "")
{
	char *p = mmap(0, 4 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	for (int i = 0; i < 4; i++)
		p[i * 4096] = 'a' + i;
	q = mmap(0, 4 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SETUP(mremap(p, 2 * 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, q + 4096) == q + 4096);
	stop();
	CHECK(q[4096] == 'a' && q[2 * 4096] == 'b' && p[2 * 4096] == 'c' && p[3 * 4096] == 'd');
	CHECK(mremap(q + 4096, 2 * 4096, 64 * 4096, MREMAP_MAYMOVE) != MAP_FAILED);
}

CASE(large_heap, "")
{
	char *p[200];
	for (int i = 0; i < 200; i++)
		p[i] = malloc(10000 + i), memset(p[i], i, 10000 + i);
	for (int i = 0; i < 200; i += 3)
		free(p[i]);
	stop();
	for (int i = 0; i < 200; i++)
		if (i % 3)
			CHECK(p[i][0] == (char)i && p[i][9999 + i] == (char)i && (p[i] = realloc(p[i], 50000)) && p[i][9999] == (char)i);
	CHECK(malloc(1 << 24) != 0);
}

CASE(private_of_program, "")
{
	static int data = 5;
	static const char text[] = "read only";
	data = 6;
	stop();
	CHECK(data == 6 && strcmp(text, "read only") == 0 && strcmp(strerror(ENOENT), "No such file or directory") == 0);
}

CASE(bound_memory, "")
{
	unsigned long node = 1, mask[16] = {0};
	int mode = -1;
	char *p = mmap(0, 4 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(syscall(SYS_set_mempolicy, 1 /* MPOL_PREFERRED */, &node, 64) == 0 && syscall(SYS_mbind, p + 4096, 4096, 2 /* MPOL_BIND */, &node, 64, 0) == 0);
	p[0] = p[4096] = 1;
	stop();
	CHECK(syscall(SYS_get_mempolicy, &mode, mask, 1024, p + 4096, 2 /* MPOL_F_ADDR */) == 0 && mode == 2 && mask[0] == 1);
	CHECK(syscall(SYS_get_mempolicy, &mode, mask, 1024, p, 2) == 0 && mode == 0 && p[4096] == 1);
}
