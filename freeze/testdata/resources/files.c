CASE(file_position, "")
{
	int fd = file("position", "0123456789");
	lseek(fd, 4, SEEK_SET);
	int d = dup(fd), other = open("position", O_RDONLY), app = open("position", O_WRONLY | O_APPEND);
	fcntl(d, F_SETFD, FD_CLOEXEC);
	stop();
	char c;
	CHECK(read(fd, &c, 1) == 1 && c == '4' && read(d, &c, 1) == 1 && c == '5' && read(other, &c, 1) == 1 && c == '0');
	CHECK(fcntl(fd, F_GETFD) == 0 && fcntl(d, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(app, F_GETFL) & O_APPEND) && (fcntl(other, F_GETFL) & O_ACCMODE) == O_RDONLY);
	CHECK(lseek(fd, 0, SEEK_END) >= 10);
}

CASE(deleted_file, "")
{
	int fd = file("deleted", "still here");
	unlink("deleted");
	lseek(fd, 6, SEEK_SET);
	int d = dup(fd);
	stop();
	char b[5] = "";
	CHECK(read(fd, b, 2) == 2 && read(d, b + 2, 2) == 2 && strcmp(b, "here") == 0);
	CHECK(pwrite(fd, "S", 1, 0) == 1);
}

CASE(directory, "")
{
	mkdir("dir", 0700);
	int fd = open("dir", O_RDONLY | O_DIRECTORY), p = open("dir", O_PATH);
	stop();
	int f = openat(fd, "in", O_CREAT | O_RDWR, 0600);
	CHECK(f >= 0 && faccessat(p, "in", F_OK, 0) == 0);
}

CASE(devices, "")
{
	int n = open("/dev/null", O_WRONLY), z = open("/dev/zero", O_RDONLY), u = open("/dev/urandom", O_RDONLY);
	stop();
	char b[4] = "xyz";
	CHECK(write(n, b, 3) == 3 && read(z, b, 3) == 3 && b[1] == 0 && read(u, b, 3) == 3);
}

CASE(file_append, "")
{
	int fd = open("append", O_WRONLY | O_CREAT | O_APPEND, 0600);
	SETUP(write(fd, "one", 3) == 3 && lseek(fd, 0, SEEK_SET) == 0);
	stop();
	struct stat st;
	CHECK(write(fd, "two", 3) == 3 && lseek(fd, 0, SEEK_CUR) >= 6 && fstat(fd, &st) == 0 && st.st_size >= 6);
}

CASE(file_created, "")
{
	int fd = open("created", O_RDWR | O_CREAT | O_EXCL | O_TRUNC, 0600);
	SETUP(write(fd, "kept", 4) == 4);
	stop();
	char b[5] = "";
	CHECK(pread(fd, b, 4, 0) == 4 && strcmp(b, "kept") == 0 && lseek(fd, 0, SEEK_CUR) == 4);
}

CASE(file_renamed, "")
{
	char b[5] = "";
	int fd = file("before", "name");
	SETUP(rename("before", "after") == 0);
	stop();
	CHECK(pread(fd, b, 4, 0) == 4 && strcmp(b, "name") == 0);
}

CASE(file_large_position, "")
{
	int fd = open("large", O_RDWR | O_CREAT, 0600);
	SETUP(ftruncate(fd, 6ll << 30) == 0 && lseek(fd, 5ll << 30, SEEK_SET) == 5ll << 30);
	stop();
	CHECK(lseek(fd, 0, SEEK_CUR) == 5ll << 30);
}

CASE(file_direct, "")
{
	int fd = open("direct", O_RDWR | O_CREAT | O_DIRECT, 0600);
	NEED(fd >= 0);
	stop();
	CHECK(fcntl(fd, F_GETFL) & O_DIRECT);
}

CASE(file_noatime, "")
{
	close(file("noatime", "x"));
	int fd = open("noatime", O_RDONLY | O_NOATIME | O_NONBLOCK | O_SYNC);
	SETUP(fd >= 0);
	stop();
	CHECK((fcntl(fd, F_GETFL) & (O_NOATIME | O_NONBLOCK | O_SYNC)) == (O_NOATIME | O_NONBLOCK | O_SYNC));
}

CASE(file_high_number, "")
{
	int fd = file("high", "0123");
	SETUP(dup2(fd, 900) == 900 && close(fd) == 0 && lseek(900, 2, SEEK_SET) == 2);
	stop();
	char c;
	CHECK(read(900, &c, 1) == 1 && c == '2' && fcntl(fd, F_GETFD) < 0 && fcntl(901, F_GETFD) < 0);
}

CASE(file_odd_name, "")
{
	const char *name = "a \"b\"\n\\c (deleted)";
	int fd = file(name, "odd");
	stop();
	char b[4] = "";
	CHECK(pread(fd, b, 3, 0) == 3 && strcmp(b, "odd") == 0 && access(name, F_OK) == 0);
}

CASE(file_replaced, "")
{
	int fd = file("replaced", "old");
	close(file("new", "new"));
	SETUP(rename("new", "replaced") == 0);
	stop();
	char b[4] = "";
	CHECK(pread(fd, b, 3, 0) == 3 && strcmp(b, "old") == 0);
}

CASE(file_other_name, "refused: its name is deleted, and which other ones it has (st_nlink 1) the kernel does not tell; --fd ")
{
	SETUP(file("first", "x") >= 0 && link("first", "second") == 0 && unlink("first") == 0);
	stop();
}

CASE(file_tmpfile, "")
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);
	NEED(fd >= 0);
	SETUP(write(fd, "unnamed", 7) == 7);
	stop();
	char b[8] = "";
	struct stat st;
	CHECK(pread(fd, b, 7, 0) == 7 && strcmp(b, "unnamed") == 0 && lseek(fd, 0, SEEK_CUR) == 7 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0640);
}

CASE(file_deleted_twice, "")
{
	int fd = file("twice", "0123456789"), other = open("twice", O_RDONLY);
	SETUP(unlink("twice") == 0 && lseek(fd, 3, SEEK_SET) == 3);
	stop();
	char c;
	CHECK(read(other, &c, 1) == 1 && c == '0' && read(fd, &c, 1) == 1 && c == '3');
	CHECK(pwrite(fd, "X", 1, 9) == 1 && pread(other, &c, 1, 9) == 1 && c == 'X' && write(other, "y", 1) < 0);
}

CASE(file_deleted_mapped, "")
{
	int fd = file("mapped", "mapped");
	char *p = mmap(0, 4096, 3, MAP_PRIVATE, fd, 0);
	SETUP(p != MAP_FAILED && close(fd) == 0 && unlink("mapped") == 0);
	p[0] = 'M';
	stop();
	CHECK(strcmp(p, "Mapped") == 0);
}

CASE(path_file, "")
{
	close(file("place", "x"));
	int fd = open("place", O_PATH | O_CLOEXEC);
	stop();
	char b;
	struct stat st;
	CHECK(read(fd, &b, 1) < 0 && errno == EBADF && fstat(fd, &st) == 0 && st.st_size == 1 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

CASE(path_link, "")
{
	SETUP(symlink("nowhere", "link") == 0);
	int fd = open("link", O_PATH | O_NOFOLLOW);
	stop();
	char b[20] = "";
	CHECK(readlinkat(fd, "", b, 20) == 7 && strcmp(b, "nowhere") == 0);
}

CASE(path_fifo, "")
{
	mkfifo("placed", 0600);
	int fd = open("placed", O_PATH);
	stop();
	struct stat st;
	CHECK(fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
}

CASE(directory_position, "")
{
	mkdir("many", 0700);
	for (int i = 0; i < 20; i++) {
		char n[20];
		snprintf(n, sizeof n, "many/%d", i);
		close(file(n, ""));
	}
	int fd = open("many", O_RDONLY | O_DIRECTORY);
	char b[200];
	SETUP(syscall(SYS_getdents64, fd, b, 100) > 0);
	long at = lseek(fd, 0, SEEK_CUR);
	stop();
	CHECK(at != 0 && lseek(fd, 0, SEEK_CUR) == at && syscall(SYS_getdents64, fd, b, 200) > 0);
}

CASE(directory_gone, "refused: is a directory that is deleted; --fd ")
{
	mkdir("fleeting", 0700);
	SETUP(open("fleeting", O_RDONLY) >= 0 && rmdir("fleeting") == 0);
	stop();
}

CASE(device_random, "")
{
	int r = open("/dev/random", O_RDONLY | O_CLOEXEC), f = open("/dev/full", O_WRONLY);
	stop();
	char b[4];
	CHECK(read(r, b, 4) == 4 && fcntl(r, F_GETFD) == FD_CLOEXEC && write(f, b, 1) < 0 && errno == ENOSPC);
}

CASE(device_other, "refused: is a device (10, ")
{
	int fd = open("/dev/net/tun", O_RDWR);
	if (fd < 0)
		fd = open("/dev/fuse", O_RDWR);
	NEED(fd >= 0);
	stop();
}

CASE(block_device, "")
{
	int fd = open("/dev/loop0", O_RDONLY);
	NEED(fd >= 0);
	stop();
	struct stat st;
	CHECK(fstat(fd, &st) == 0 && S_ISBLK(st.st_mode));
}

CASE(proc_self, "refused: is of the process itself, which is another one then")
{
	SETUP(open("/proc/self/status", O_RDONLY) >= 0);
	stop();
}

CASE(memfd_huge, "refused: is of huge pages (hugetlbfs)")
{
	NEED(memfd_create("huge", MFD_HUGETLB) >= 0);
	stop();
}

CASE(memfd_sealed, "")
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	SETUP(write(fd, "fixed", 5) == 5 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL) == 0);
	stop();
	char b[6] = "";
	CHECK(pread(fd, b, 5, 0) == 5 && strcmp(b, "fixed") == 0 && pwrite(fd, "x", 1, 0) < 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) < 0);
	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL));
}

CASE(memfd_unsealable, "")
{
	int fd = memfd_create("plain", MFD_CLOEXEC);
	SETUP(write(fd, "abc", 3) == 3);
	stop();
	char path[40], link[100] = "";
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0 && lseek(fd, 0, SEEK_CUR) == 3 && readlink(path, link, 99) > 0 && strcmp(link, "/memfd:plain (deleted)") == 0);
}

CASE(fd_null, "fd: 5=null")
{
	int s = socket(AF_NETLINK, SOCK_RAW, 0);
	SETUP(dup2(s, 5) == 5 && (s == 5 || close(s) == 0));
	stop();
	struct stat st;
	CHECK(fstat(5, &st) == 0 && (S_ISSOCK(st.st_mode) || st.st_rdev == makedev(1, 3)));
}

CASE(fd_close, "fd: 5=close")
{
	int fd = file("closed", "x");
	SETUP(dup2(fd, 5) == 5 && (fd == 5 || close(fd) == 0));
	int pid = getpid();
	stop();
	CHECK(getpid() == pid ? fcntl(5, F_GETFD) == 0 : fcntl(5, F_GETFD) < 0);
}

CASE(fd_path, "fd: 5=/dev/zero")
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	SETUP(dup2(fd, 5) == 5 && (fd == 5 || close(fd) == 0));
	fcntl(5, F_SETFD, FD_CLOEXEC);
	int pid = getpid();
	stop();
	char c = 1;
	CHECK(read(5, &c, 1) == (getpid() != pid) && fcntl(5, F_GETFD) == FD_CLOEXEC);
}
