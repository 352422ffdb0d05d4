CASE(terminal, "elsewhere")
{
	struct termios a, b;
	action(SIGWINCH, 0);
	SETUP(tcgetattr(0, &a) == 0);
	a.c_lflag &= ~(ECHO | ICANON);
	a.c_cc[VINTR] = 7;
	SETUP(tcsetattr(0, TCSANOW, &a) == 0);
	int fd = open("/dev/tty", O_RDWR), other = open(ttyname(0), O_RDWR | O_NOCTTY | O_CLOEXEC);
	SETUP(fd >= 0 && other >= 0);
	int pid = getpid();
	stop();
	CHECK(tcgetattr(0, &b) == 0 && b.c_lflag == a.c_lflag && b.c_cc[VINTR] == 7);
	CHECK(tcgetattr(fd, &b) == 0 && b.c_lflag == a.c_lflag && tcgetattr(other, &b) == 0 && b.c_cc[VINTR] == 7 && tcgetpgrp(fd) == getpgrp());
	CHECK(got == (getpid() == pid ? 0 : SIGWINCH));
}

CASE(pseudoterminal, "refused: is a device (5, 2)")
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	NEED(fd >= 0);
	stop();
}

CASE(pseudoterminal_slave, "refused: is a pseudoterminal, and not the one that controls the process; --fd ")
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	NEED(fd >= 0 && unlockpt(fd) == 0 && open(ptsname(fd), O_RDWR | O_NOCTTY) >= 0);
	stop();
}

// Message queues.
static mqd_t queue(char *name, int flags)
{
	struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 16};
	sprintf(name, "/elfwright-%d", getpid());
	return mq_open(name, O_CREAT | O_RDWR | flags, 0600, &a);
}

CASE(message_queue, "")
{
	char name[40], b[16];
	unsigned prio;
	mqd_t q = queue(name, O_NONBLOCK);
	NEED(q != (mqd_t)-1);
	int pid = getpid();
	SETUP(mq_send(q, "message", 7, 3) == 0 && mq_send(q, "thawed", 6, 2) == 0);
	stop();
	struct mq_attr a;
	CHECK(mq_getattr(q, &a) == 0 && a.mq_flags == O_NONBLOCK && a.mq_maxmsg == 4 && mq_receive(q, b, 16, &prio) == (getpid() == pid ? 7 : 6));
	if (getpid() != pid)
		mq_unlink(name);
}

CASE(message_queue_deleted, "refused: is a message queue that is deleted; --fd ")
{
	char name[40];
	NEED(queue(name, 0) != (mqd_t)-1);
	SETUP(mq_unlink(name) == 0);
	stop();
}

CASE(message_queue_notifies, "refused: is a message queue of which the process is to be told (mq_notify)")
{
	char name[40];
	mqd_t q = queue(name, 0);
	NEED(q != (mqd_t)-1);
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	SETUP(mq_notify(q, &e) == 0);
	int pid = getpid();
	if (fork() == 0) { // takes its name away when it is over
		for (close(1), close(2); getppid() == pid; usleep(10000))
			;
		_exit(mq_unlink(name));
	}
	stop();
}
