CASE(socketpair, "")
{
	int s[2], d[2], on = 1;
	SETUP(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0 && socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, d) == 0);
	setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	stop();
	char b[4];
	CHECK(read(s[0], b, 1) < 0 && errno == EAGAIN);
	CHECK(write(s[1], "ab", 2) == 2 && read(s[0], b, 4) == 2 && b[1] == 'b');
	CHECK(write(d[0], "x", 1) == 1 && read(d[1], b, 4) == 1 && fcntl(d[1], F_GETFD) == FD_CLOEXEC);
	socklen_t n = sizeof on;
	on = 0;
	CHECK(getsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &on, &n) == 0 && on);
}

CASE(tcp_listen, "alone")
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, b;
	socklen_t n = sizeof a;
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && listen(fd, 17) == 0 && getsockname(fd, (void *)&a, &n) == 0);
	stop();
	n = sizeof b;
	CHECK(getsockname(fd, (void *)&b, &n) == 0 && b.sin_port == a.sin_port);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(c, (void *)&a, sizeof a) == 0);
	int d = accept(fd, 0, 0);
	CHECK(d >= 0 && write(c, "x", 1) == 1 && read(d, &on, 1) == 1);
	CHECK(accept(fd, 0, 0) < 0 && errno == EAGAIN);
}

CASE(udp, "alone")
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t n = sizeof a;
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && getsockname(fd, (void *)&a, &n) == 0);
	stop();
	char c;
	CHECK(sendto(fd, "u", 1, 0, (void *)&a, sizeof a) == 1 && read(fd, &c, 1) == 1 && c == 'u');
}

CASE(unix_listen, "alone")
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), fresh = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path + 1, 50, "elfwright-freeze-%d", getpid());
	SETUP(bind(fd, (void *)&a, 2 + 1 + strlen(a.sun_path + 1)) == 0 && listen(fd, 5) == 0);
	stop();
	int c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(c, (void *)&a, 2 + 1 + strlen(a.sun_path + 1)) == 0 && accept(fd, 0, 0) >= 0);
	CHECK(connect(fresh, (void *)&a, sizeof a) < 0);
}

CASE(connected, "refused: is a socket that is connected to another process")
{
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	SETUP(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 5) == 0 && getsockname(l, (void *)&a, &n) == 0 && connect(c, (void *)&a, n) == 0);
	stop();
}
