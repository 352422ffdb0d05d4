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

// What waits in sockets.
CASE(unread_stream, "")
{
	int s[2];
	char b[20] = "";
	SETUP(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && write(s[0], "hello ", 6) == 6 && write(s[0], "world", 5) == 5 && write(s[1], "back", 4) == 4);
	SETUP(read(s[1], b, 2) == 2);
	stop();
	CHECK(read(s[1], b, 20) == 9 && memcmp(b, "llo world", 9) == 0 && read(s[0], b, 20) == 4 && memcmp(b, "back", 4) == 0);
	CHECK(recv(s[1], b, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

CASE(unread_much, "")
{
	int s[2];
	static char in[100000], out[sizeof in];
	for (unsigned i = 0; i < sizeof in; i++)
		in[i] = i * 7;
	SETUP(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && write(s[0], in, sizeof in) == sizeof in);
	stop();
	CHECK(recv(s[1], out, sizeof out, MSG_WAITALL) == sizeof out && memcmp(in, out, sizeof in) == 0);
}

CASE(unread_datagrams, "")
{
	int s[2];
	char b[20];
	SETUP(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0 && write(s[0], "one", 3) == 3 && send(s[0], "", 0, 0) == 0 && write(s[0], "three", 5) == 5);
	stop();
	CHECK(read(s[1], b, 20) == 3 && b[0] == 'o' && recv(s[1], b, 20, 0) == 0 && read(s[1], b, 20) == 5 && b[0] == 't');
	CHECK(recv(s[1], b, 20, MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

CASE(unread_packets, "")
{
	int s[2];
	char b[20];
	SETUP(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0 && write(s[0], "one", 3) == 3 && write(s[0], "two2", 4) == 4);
	stop();
	CHECK(read(s[1], b, 20) == 3 && read(s[1], b, 20) == 4 && b[3] == '2' && write(s[1], "x", 1) == 1 && read(s[0], b, 20) == 1);
}

CASE(unread_descriptor, "refused: is a socket in which descriptors wait to be received (SCM_RIGHTS)")
{
	int s[2];
	char c[CMSG_SPACE(sizeof(int))] = "";
	struct iovec v = {"x", 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof c};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET, h->cmsg_type = SCM_RIGHTS, h->cmsg_len = CMSG_LEN(sizeof(int));
	SETUP(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	memcpy(CMSG_DATA(h), &s[0], sizeof(int));
	SETUP(sendmsg(s[0], &m, 0) == 1);
	stop();
}

CASE(unread_udp, "refused: is a socket with 5 bytes that were not read yet; --fd ")
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && getsockname(fd, (void *)&a, &n) == 0 && sendto(fd, "hello", 5, 0, (void *)&a, n) == 5);
	stop();
}

CASE(shutdown, "")
{
	int s[2];
	char c;
	SETUP(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && write(s[0], "x", 1) == 1 && shutdown(s[0], SHUT_WR) == 0);
	signal(SIGPIPE, SIG_IGN);
	stop();
	CHECK(read(s[1], &c, 1) == 1 && c == 'x' && read(s[1], &c, 1) == 0 && write(s[0], "y", 1) < 0 && errno == EPIPE);
	CHECK(write(s[1], "z", 1) == 1 && read(s[0], &c, 1) == 1 && c == 'z');
}

CASE(closed_end, "")
{
	int s[2];
	char c;
	SETUP(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && write(s[0], "x", 1) == 1);
	close(s[0]);
	signal(SIGPIPE, SIG_IGN);
	stop();
	CHECK(read(s[1], &c, 1) == 1 && c == 'x' && read(s[1], &c, 1) == 0 && write(s[1], "y", 1) < 0 && errno == EPIPE);
}

// Sockets with names.
static struct sockaddr_un named(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strcpy(a.sun_path, path);
	return a;
}

CASE(unix_path, "alone")
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = named("socket"), b;
	socklen_t n = sizeof b;
	struct stat st;
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && listen(fd, 3) == 0 && chmod("socket", 0640) == 0);
	stop();
	CHECK(getsockname(fd, (void *)&b, &n) == 0 && strcmp(b.sun_path, "socket") == 0);
	CHECK(connect(c, (void *)&a, sizeof a) == 0 && accept(fd, 0, 0) >= 0);
	CHECK(stat("socket", &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0640);
}

CASE(unix_path_lost, "")
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = named("lost"), b;
	socklen_t n = sizeof b;
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && listen(fd, 3) == 0 && unlink("lost") == 0);
	stop();
	CHECK(getsockname(fd, (void *)&b, &n) == 0 && strcmp(b.sun_path, "lost") == 0 && access("lost", F_OK) < 0);
}

CASE(unix_datagrams, "alone")
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un a = named("datagrams"), b = named("client");
	char x[5];
	socklen_t n = sizeof a;
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && bind(c, (void *)&b, sizeof b) == 0 && connect(c, (void *)&a, sizeof a) == 0);
	stop();
	CHECK(write(c, "abc", 3) == 3 && recvfrom(fd, x, 5, 0, (void *)&a, &n) == 3 && strcmp(a.sun_path, "client") == 0);
}

CASE(unix_backlog, "refused: is a socket with 1 connections that were not accepted yet")
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = named("waiting");
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && listen(fd, 3) == 0 && connect(c, (void *)&a, sizeof a) == 0);
	stop();
}

CASE(accepted, "alone")
{
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), d;
	struct sockaddr_un a = named("server"), b;
	socklen_t n = sizeof b;
	SETUP(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 3) == 0 && connect(c, (void *)&a, sizeof a) == 0 && (d = accept(l, 0, 0)) >= 0);
	SETUP(write(c, "to d", 4) == 4 && write(d, "to client", 9) == 9);
	stop();
	char x[20] = "";
	CHECK(read(d, x, 20) == 4 && x[3] == 'd' && read(c, x, 20) == 9 && x[3] == 'c');
	CHECK(getpeername(c, (void *)&b, &n) == 0 && strcmp(b.sun_path, "server") == 0);
	n = sizeof b;
	CHECK(getsockname(d, (void *)&b, &n) == 0 && strcmp(b.sun_path, "server") == 0);
	CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof a) == 0 && accept(l, 0, 0) >= 0);
}

CASE(accepted_abstract, "alone")
{
	int l = socket(AF_UNIX, SOCK_SEQPACKET, 0), c = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0), d;
	struct sockaddr_un a = {.sun_family = AF_UNIX}, b = {0};
	socklen_t n;
	snprintf(a.sun_path + 1, 50, "elfwright-pair-%d", getpid());
	n = 2 + 1 + strlen(a.sun_path + 1);
	SETUP(bind(l, (void *)&a, n) == 0 && listen(l, 3) == 0 && connect(c, (void *)&a, n) == 0 && (d = accept(l, 0, 0)) >= 0);
	close(l);
	stop();
	char x[20];
	CHECK(read(c, x, 1) < 0 && errno == EAGAIN && write(c, "1", 1) == 1 && read(d, x, 20) == 1 && write(d, "22", 2) == 2 && read(c, x, 20) == 2);
	CHECK(getpeername(c, (void *)&b, &n) == 0 && memcmp(b.sun_path, a.sun_path, 20) == 0);
	CHECK(connect(socket(AF_UNIX, SOCK_SEQPACKET, 0), (void *)&a, n) < 0 && errno == ECONNREFUSED);
}

CASE(udp_connected, "alone")
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), c = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, b;
	socklen_t n = sizeof a;
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && getsockname(fd, (void *)&a, &n) == 0 && connect(c, (void *)&a, n) == 0);
	stop();
	char x;
	CHECK(getpeername(c, (void *)&b, &n) == 0 && b.sin_port == a.sin_port && send(c, "x", 1, 0) == 1 && read(fd, &x, 1) == 1);
}

CASE(tcp_fresh, "")
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	stop();
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(1)};
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(connect(fd, (void *)&a, sizeof a) < 0 && (errno == ECONNREFUSED || errno == EINPROGRESS));
}

CASE(tcp_accepted, "refused: is a socket that is connected to another process; --fd ")
{
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	SETUP(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 5) == 0 && getsockname(l, (void *)&a, &n) == 0 && connect(c, (void *)&a, n) == 0 && accept(l, 0, 0) >= 0);
	stop();
}

CASE(tcp_connecting, "refused: is a socket that is being connected; --fd ")
{
	int l = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	SETUP(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 0) == 0 && getsockname(l, (void *)&a, &n) == 0);
	for (int i = 0; i < 4; i++) // more than may wait
		connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (void *)&a, n);
	stop();
}

CASE(netlink, "refused: is a socket of address family 16; --fd ")
{
	SETUP(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
	stop();
}

// Options.
static int option(int fd, int level, int name)
{
	int v = -1;
	socklen_t n = sizeof v;
	return getsockopt(fd, level, name, &v, &n) == 0 ? v : -1;
}
static int set(int fd, int level, int name, int v) { return setsockopt(fd, level, name, &v, sizeof v) == 0; }

CASE(options_socket, "")
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct linger l = {1, 17}, m;
	struct timeval t = {3, 500000}, u;
	socklen_t n = sizeof l;
	SETUP(set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) && set(fd, SOL_SOCKET, SO_PRIORITY, 5) && set(fd, SOL_SOCKET, SO_RCVLOWAT, 7) && set(fd, SOL_SOCKET, SO_TIMESTAMP, 1));
	SETUP(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l) == 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0);
	stop();
	CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1 && option(fd, SOL_SOCKET, SO_PRIORITY) == 5 && option(fd, SOL_SOCKET, SO_RCVLOWAT) == 7 && option(fd, SOL_SOCKET, SO_TIMESTAMP) == 1);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_LINGER, &m, &n) == 0 && m.l_onoff == 1 && m.l_linger == 17);
	n = sizeof u;
	CHECK(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &u, &n) == 0 && u.tv_sec == 3 && u.tv_usec == 500000);
}

CASE(options_buffers, "")
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), s[2];
	SETUP(set(fd, SOL_SOCKET, SO_RCVBUF, 20000) && set(fd, SOL_SOCKET, SO_SNDBUF, 30000) && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && set(s[0], SOL_SOCKET, SO_SNDBUF, 50000));
	stop();
	CHECK(option(fd, SOL_SOCKET, SO_RCVBUF) == 40000 && option(fd, SOL_SOCKET, SO_SNDBUF) == 60000 && option(s[0], SOL_SOCKET, SO_SNDBUF) == 100000);
}

CASE(options_ip, "")
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	SETUP(set(fd, IPPROTO_IP, IP_TTL, 33) && set(fd, IPPROTO_IP, IP_TOS, 0x10) && set(fd, IPPROTO_IP, IP_PKTINFO, 1) && set(fd, IPPROTO_IP, IP_RECVERR, 1) && set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 4) && set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO));
	stop();
	CHECK(option(fd, IPPROTO_IP, IP_TTL) == 33 && option(fd, IPPROTO_IP, IP_TOS) == 0x10 && option(fd, IPPROTO_IP, IP_PKTINFO) == 1 && option(fd, IPPROTO_IP, IP_RECVERR) == 1 && option(fd, IPPROTO_IP, IP_MULTICAST_TTL) == 4 && option(fd, IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_DO);
}

CASE(options_ipv6, "")
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	SETUP(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) && set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9) && set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) && set(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x20));
	stop();
	CHECK(option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1 && option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 9 && option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO) == 1 && option(fd, IPPROTO_IPV6, IPV6_TCLASS) == 0x20);
}

CASE(options_tcp, "")
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char b[16] = "";
	socklen_t n = sizeof b;
	SETUP(set(fd, IPPROTO_TCP, TCP_NODELAY, 1) && set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 77) && set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000) && set(fd, IPPROTO_TCP, TCP_SYNCNT, 3));
	int reno = setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0;
	stop();
	CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1 && option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 77 && option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 5000 && option(fd, IPPROTO_TCP, TCP_SYNCNT) == 3);
	CHECK(!reno || (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, b, &n) == 0 && strcmp(b, "reno") == 0));
}

CASE(socket_filter, "")
{
	int s[2];
	char b[10];
	// Datagrams of at least 4 bytes pass.
	struct sock_filter f[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 4, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0xffff), BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog p = {4, f};
	int u = socket(AF_INET, SOCK_DGRAM, 0);
	SETUP(setsockopt(u, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0 && setsockopt(s[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) == 0);
	stop();
	send(s[0], "abc", 3, MSG_DONTWAIT);
	CHECK(write(s[0], "abcd", 4) == 4 && read(s[1], b, 10) == 4);
	socklen_t n = 0;
	CHECK(getsockopt(u, SOL_SOCKET, SO_ATTACH_FILTER, 0, &n) == 0 && n == 4);
}

CASE(raw_icmp, "")
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	NEED(fd >= 0 && set(fd, SOL_RAW, 1, 0xfe));
	stop();
	CHECK(option(fd, SOL_RAW, 1) == 0xfe);
}

static struct ip_mreqn group(const char *address) { return (struct ip_mreqn){.imr_multiaddr.s_addr = inet_addr(address), .imr_ifindex = if_nametoindex("lo")}; }

CASE(multicast, "")
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0);
	struct ip_mreqn a = group("239.1.2.3"), b = group("239.1.2.4");
	struct ipv6_mreq c = {.ipv6mr_interface = if_nametoindex("lo")};
	inet_pton(AF_INET6, "ff02::1234", &c.ipv6mr_multiaddr);
	NEED(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &a, sizeof a) == 0 && setsockopt(six, IPPROTO_IPV6, IPV6_JOIN_GROUP, &c, sizeof c) == 0);
	stop();
	CHECK(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &a, sizeof a) < 0 && errno == EADDRINUSE);
	CHECK(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &b, sizeof b) == 0);
	CHECK(setsockopt(six, IPPROTO_IPV6, IPV6_JOIN_GROUP, &c, sizeof c) < 0 && errno == EADDRINUSE);
}

CASE(multicast_senders, "refused: is a socket that receives from chosen senders of a multicast group only")
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ip_mreq_source s = {.imr_multiaddr.s_addr = inet_addr("239.1.2.5"), .imr_interface.s_addr = htonl(INADDR_LOOPBACK), .imr_sourceaddr.s_addr = inet_addr("127.0.0.9")};
	NEED(setsockopt(fd, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &s, sizeof s) == 0);
	stop();
}
