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
