CASE(child, "refused: children ")
{
	if (fork() == 0) {
		close(1), close(2);
		alarm(5); // which ends it
		pause();
	}
	stop();
}
CASE(seccomp, "refused: seccomp mode 2")
{
	struct sock_filter f = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
	struct sock_fprog p = {.len = 1, .filter = &f};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	SETUP(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0);
	stop();
}
CASE(sysv_memory, "refused: is System V shared memory")
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	SETUP(id >= 0 && shmat(id, 0, 0) != (void *)-1);
	shmctl(id, IPC_RMID, 0);
	stop();
}
CASE(deleted_directory, "refused: is deleted")
{
	mkdir("gone", 0700);
	SETUP(chdir("gone") == 0 && rmdir("../gone") == 0);
	stop();
}
