CASE(flock, "alone")
{
	int fd = file("locked", "x");
	SETUP(flock(fd, LOCK_EX) == 0);
	stop();
	int d = open("locked", O_RDWR);
	CHECK(flock(d, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
}
CASE(posix_lock, "refused: has a lock of a kind that is not restored")
{
	int fd = file("record", "x");
	struct flock l = {.l_type = F_WRLCK};
	SETUP(fcntl(fd, F_SETLK, &l) == 0);
	stop();
}
