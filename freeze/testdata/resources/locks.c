CASE(flock, "alone")
{
	int fd = file("locked", "x");
	SETUP(flock(fd, LOCK_EX) == 0);
	stop();
	int d = open("locked", O_RDWR);
	CHECK(flock(d, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
}

CASE(flock_shared, "")
{
	int fd = file("locked", "x");
	SETUP(flock(fd, LOCK_SH) == 0);
	stop();
	int d = open("locked", O_RDWR);
	CHECK(flock(d, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK && flock(d, LOCK_SH | LOCK_NB) == 0);
}

CASE(flock_directory, "alone")
{
	mkdir("lockdir", 0700);
	int fd = open("lockdir", O_RDONLY | O_DIRECTORY);
	SETUP(flock(fd, LOCK_EX) == 0);
	stop();
	int d = open("lockdir", O_RDONLY | O_DIRECTORY);
	CHECK(flock(d, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK && flock(fd, LOCK_UN) == 0 && flock(d, LOCK_SH | LOCK_NB) == 0);
}

static struct flock range(int type, long start, long len)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
}

// What another process sees: a child asks.
static struct flock asked(const char *name, long start, long len)
{
	struct flock l = range(F_WRLCK, start, len);
	int p[2];
	SETUP(pipe(p) == 0);
	if (fork() == 0) {
		int fd = open(name, O_RDWR);
		fcntl(fd, F_GETLK, &l);
		_exit(write(p[1], &l, sizeof l) != sizeof l);
	}
	SETUP(read(p[0], &l, sizeof l) == sizeof l);
	wait(0);
	close(p[0]), close(p[1]);
	return l;
}

CASE(posix_lock, "alone")
{
	int fd = file("record", "0123456789");
	struct flock l = range(F_WRLCK, 3, 4);
	SETUP(fcntl(fd, F_SETLK, &l) == 0);
	stop();
	l = asked("record", 0, 0);
	CHECK(l.l_type == F_WRLCK && l.l_start == 3 && l.l_len == 4 && l.l_pid == getpid());
	CHECK(asked("record", 0, 3).l_type == F_UNLCK && asked("record", 7, 0).l_type == F_UNLCK);
}

CASE(posix_locks, "alone")
{
	int fd = file("records", "0123456789"), r = open("records", O_RDONLY);
	struct flock a = range(F_WRLCK, 0, 1), b = range(F_RDLCK, 5, 2), c = range(F_WRLCK, 100, 0);
	SETUP(fcntl(fd, F_SETLK, &a) == 0 && fcntl(r, F_SETLK, &b) == 0 && fcntl(fd, F_SETLK, &c) == 0);
	stop();
	CHECK(asked("records", 0, 5).l_type == F_WRLCK && asked("records", 1, 4).l_type == F_UNLCK && asked("records", 4, 4).l_type == F_RDLCK);
	c = asked("records", 7, 0);
	CHECK(c.l_type == F_WRLCK && c.l_start == 100 && c.l_len == 0);
	close(r); // gives all of them back
	CHECK(asked("records", 0, 0).l_type == F_UNLCK);
}

CASE(ofd_lock, "alone")
{
	int fd = file("ofd", "0123456789"), d = dup(fd);
	struct flock l = range(F_WRLCK, 2, 3), m = range(F_WRLCK, 0, 0);
	SETUP(fcntl(fd, F_OFD_SETLK, &l) == 0);
	close(fd);
	stop();
	int other = open("ofd", O_RDWR);
	CHECK(fcntl(other, F_OFD_GETLK, &m) == 0 && m.l_type == F_WRLCK && m.l_start == 2 && m.l_len == 3 && m.l_pid == -1);
	close(d);
	m = range(F_WRLCK, 0, 0);
	CHECK(fcntl(other, F_OFD_SETLK, &m) == 0);
}

CASE(ofd_lock_shared, "")
{
	int fd = file("ofds", "0123456789");
	struct flock l = range(F_RDLCK, 0, 0), m = range(F_WRLCK, 0, 0);
	SETUP(fcntl(fd, F_OFD_SETLK, &l) == 0);
	stop();
	int other = open("ofds", O_RDWR);
	CHECK(fcntl(other, F_OFD_GETLK, &m) == 0 && m.l_type == F_RDLCK && m.l_len == 0);
}

CASE(lease_write, "alone")
{
	int fd = file("leased", "x");
	NEED(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	fcntl(fd, F_SETSIG, SIGUSR1);
	action(SIGUSR1, 0);
	stop();
	CHECK(fcntl(fd, F_GETLEASE) == F_WRLCK && fcntl(fd, F_GETSIG) == SIGUSR1);
	CHECK(open("leased", O_RDONLY | O_NONBLOCK) < 0 && errno == EWOULDBLOCK && got == SIGUSR1);
}

CASE(lease_read, "alone")
{
	close(file("leased", "x"));
	int fd = open("leased", O_RDONLY);
	NEED(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	action(SIGIO, 0);
	stop();
	CHECK(fcntl(fd, F_GETLEASE) == F_RDLCK);
	CHECK(open("leased", O_WRONLY | O_NONBLOCK) < 0 && errno == EWOULDBLOCK && got == SIGIO);
}

CASE(lease_breaking, "refused: has a lease that another process is about to break")
{
	int fd = file("leased", "x");
	NEED(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	signal(SIGIO, SIG_IGN);
	if (fork() == 0)
		_exit(open("leased", O_RDONLY | O_NONBLOCK) >= 0);
	wait(0);
	stop();
}
