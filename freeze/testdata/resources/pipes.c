CASE(pipe, "")
{
	int fd[2];
	SETUP(pipe2(fd, O_CLOEXEC) == 0 && write(fd[1], "in the pipe", 11) == 11);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	fcntl(fd[1], F_SETPIPE_SZ, 1 << 18);
	stop();
	char b[20] = "";
	CHECK(read(fd[0], b, 20) == 11 && strcmp(b, "in the pipe") == 0);
	CHECK(read(fd[0], b, 1) < 0 && errno == EAGAIN);
	CHECK(fcntl(fd[1], F_GETPIPE_SZ) == 1 << 18 && !(fcntl(fd[1], F_GETFL) & O_NONBLOCK) && fcntl(fd[0], F_GETFD) == FD_CLOEXEC);
	close(fd[1]);
	CHECK(read(fd[0], b, 1) == 0);
}

CASE(fifo, "")
{
	mkfifo("fifo", 0600);
	int fd = open("fifo", O_RDWR);
	stop();
	char c;
	CHECK(write(fd, "f", 1) == 1 && read(fd, &c, 1) == 1 && c == 'f' && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
}

CASE(outer_pipe, "refused: is a pipe for writing, whose other end is another process's")
{
	int fd[2];
	SETUP(pipe(fd) == 0);
	if (fork() == 0) {
		close(1), close(2), close(fd[1]);
		alarm(5);
		pause();
	}
	close(fd[0]);
	stop();
}

CASE(pipe_no_reader, "")
{
	int fd[2];
	SETUP(pipe(fd) == 0);
	close(fd[0]);
	signal(SIGPIPE, SIG_IGN);
	stop();
	CHECK(write(fd[1], "x", 1) < 0 && errno == EPIPE);
}

CASE(pipe_no_writer, "")
{
	int fd[2];
	char b[10];
	SETUP(pipe(fd) == 0 && write(fd[1], "last words", 10) == 10);
	close(fd[1]);
	stop();
	CHECK(read(fd[0], b, 10) == 10 && memcmp(b, "last words", 10) == 0 && read(fd[0], b, 1) == 0);
}

CASE(pipe_full, "")
{
	int fd[2];
	static char b[4096];
	SETUP(pipe2(fd, O_NONBLOCK) == 0);
	int n = 0;
	for (; write(fd[1], b, 4096) == 4096; n++)
		memset(b, n + 1, sizeof b);
	stop();
	CHECK(write(fd[1], "x", 1) < 0 && errno == EAGAIN);
	for (int i = 0; i < n; i++)
		CHECK(read(fd[0], b, 4096) == 4096 && b[0] == i && b[4095] == i);
	CHECK(read(fd[0], b, 1) < 0 && errno == EAGAIN);
}

CASE(pipe_packets, "")
{
	int fd[2];
	char b[10];
	NEED(pipe2(fd, O_DIRECT) == 0);
	SETUP(write(fd[1], "one", 3) == 3 && write(fd[1], "three", 5) == 5);
	stop();
	CHECK(read(fd[0], b, 10) == 3 && b[0] == 'o' && read(fd[0], b, 10) == 5 && b[0] == 't' && (fcntl(fd[1], F_GETFL) & O_DIRECT));
}

CASE(pipe_dups, "")
{
	int fd[2], d, own;
	char path[40], c;
	SETUP(pipe(fd) == 0 && (d = dup(fd[0])) >= 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd[0]);
	SETUP((own = open(path, O_RDONLY | O_NONBLOCK)) >= 0);
	fcntl(d, F_SETFD, FD_CLOEXEC);
	stop();
	CHECK(read(own, &c, 1) < 0 && errno == EAGAIN && !(fcntl(d, F_GETFL) & O_NONBLOCK) && fcntl(d, F_GETFD) == FD_CLOEXEC && fcntl(fd[0], F_GETFD) == 0);
	fcntl(d, F_SETFL, O_NONBLOCK); // of fd[0], too
	CHECK((fcntl(fd[0], F_GETFL) & O_NONBLOCK) && write(fd[1], "abc", 3) == 3 && read(fd[0], &c, 1) == 1 && read(d, &c, 1) == 1 && read(own, &c, 1) == 1 && c == 'c');
}

CASE(pipe_both_ways, "")
{
	int fd[2], both;
	char path[40], c;
	SETUP(pipe(fd) == 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd[0]);
	SETUP((both = open(path, O_RDWR)) >= 0 && write(both, "x", 1) == 1);
	close(fd[0]), close(fd[1]);
	stop();
	CHECK(read(both, &c, 1) == 1 && c == 'x' && write(both, "y", 1) == 1 && read(both, &c, 1) == 1 && c == 'y' && (fcntl(both, F_GETFL) & O_ACCMODE) == O_RDWR);
}

CASE(fifo_contents, "alone")
{
	char b[20] = "";
	mkfifo("filled", 0600);
	int fd = open("filled", O_RDWR);
	SETUP(write(fd, "in the fifo", 11) == 11);
	stop();
	CHECK(read(fd, b, 20) == 11 && strcmp(b, "in the fifo") == 0);
}

CASE(fifo_ends, "alone")
{
	char b[20] = "";
	mkfifo("ends", 0600);
	int r = open("ends", O_RDONLY | O_NONBLOCK), w = open("ends", O_WRONLY);
	fcntl(r, F_SETFL, 0);
	SETUP(r >= 0 && w >= 0 && write(w, "ends", 4) == 4);
	stop();
	CHECK(read(r, b, 20) == 4 && strcmp(b, "ends") == 0 && write(w, "x", 1) == 1 && read(r, b, 1) == 1 && (fcntl(r, F_GETFL) & ~0100000) == 0);
	close(w);
	CHECK(read(r, b, 1) == 0);
}

CASE(fifo_writer, "alone")
{
	mkfifo("writer", 0600);
	int r = open("writer", O_RDONLY | O_NONBLOCK), w = open("writer", O_WRONLY);
	close(r);
	signal(SIGPIPE, SIG_IGN);
	stop();
	CHECK(write(w, "x", 1) < 0 && errno == EPIPE && (fcntl(w, F_GETFL) & O_ACCMODE) == O_WRONLY);
}

CASE(fifo_deleted, "refused: is a FIFO that is deleted; --fd ")
{
	mkfifo("fleeting", 0600);
	SETUP(open("fleeting", O_RDWR) >= 0 && unlink("fleeting") == 0);
	stop();
}

CASE(pipe_near, "elsewhere")
{
	int fd[2];
	SETUP(pipe(fd) == 0);
	int child = fork();
	if (child == 0) {
		close(1), close(2);
		alarm(20);
		pause();
	}
	stop();
	kill(child, SIGKILL);
	CHECK(write(fd[1], "x", 1) == 1);
}
