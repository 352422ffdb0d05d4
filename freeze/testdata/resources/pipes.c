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

CASE(outer_pipe, "refused: whose other end is another process's or gone")
{
	int fd[2];
	SETUP(pipe(fd) == 0);
	close(fd[0]);
	stop();
}
