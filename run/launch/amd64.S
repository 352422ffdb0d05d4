/*
 * What stands between the kernel and a dynamic linker on x86-64. Package launch
 * describes the plan that follows; the Go bytes in amd64.go are this file,
 * assembled.
 *
 * rbx  the plan
 */
	.set	AUXV, 0		/* rows for the auxiliary vector, and how many */
	.set	NAUXV, 8
	.set	START, 16		/* where the dynamic linker begins */
	.set	ENTRY, 24		/* where the program begins */
	.set	VARS, 32		/* variables for the dynamic linker alone */
	.set	NVARS, 40
	.set	COMM, 48		/* name of the thread, or 0 */
	.set	DATA, 56		/* memory that can be written */
	.set	CALLS, 64		/* rows of system calls that take a path */
	.set	NCALLS, 72
	.set	EXE, 80			/* what /proc/self/exe reads as, or length 0 */
	.set	NEXE, 88
	.set	SELF, 96		/* "/proc/self/exe" */
	.set	NSELF, 104
	.set	FILES, 112		/* rows of files that are here */
	.set	NFILES, 120
	.set	ROOT, 128		/* the root of the libraries, or length 0 */
	.set	NROOT, 136
	.set	DIRS, 144		/* rows of directories that are the root's alone */
	.set	NDIRS, 152
	.set	STOP, 160		/* 1: the process stops itself when it has been entered */
	.set	LINKS, 168		/* rows of places in the C library where it reads links */
	.set	NLINKS, 176
	.set	MAIN, 184		/* where the program has the address of __libc_start_main, or 0 */
	.set	MAINPROT, 192		/* the protection of that page */

	.set	VECTOR, 0		/* in DATA: the auxiliary vector */
	.set	REAL, 8			/* __libc_start_main */
	.set	PROGRAM, 16		/* main */
	.set	SAVED, 24		/* variables that had to give way */

	.set	OPEN, 1			/* what a call does with its path */
	.set	READLINK, 2
	.set	ACCESS, 3
	.set	MAP, 4

	.text
	.globl	_start
_start:	jmp	start
	.balign	8, 0xcc
	jmp	gate
	.balign	8, 0xcc
	jmp	entered
	.balign	8, 0xcc

	/*
	 * rsp and all else is as execve left it.
	 * r12  the stack, r14 the environment, r15 the auxiliary vector
	 */
start:	cld
	leaq	plan(%rip), %rbx
	movq	%rsp, %r12
	movq	(%r12), %rax
	leaq	16(%r12,%rax,8), %r14
	movq	%r14, %r15
1:	addq	$8, %r15
	cmpq	$0, -8(%r15)
	jne	1b
	movq	DATA(%rbx), %rbp
	addq	%rbx, %rbp
	movq	%r15, VECTOR(%rbp)
	movq	NVARS(%rbx), %r13
	testq	%r13, %r13
	jz	vector

	/* all below the NULL of the environment moves down by so many words */
	leaq	-8(%r15), %rcx
	subq	%r12, %rcx
	shrq	$3, %rcx
	movq	%r12, %rsi
	movq	%r13, %rdx
	negq	%rdx
	leaq	(%r12,%rdx,8), %rdi
	leaq	(%r14,%rdx,8), %r14
	movq	%rdi, %rsp
	rep movsq
	movq	VARS(%rbx), %r10
	addq	%rbx, %r10
	xorl	%ecx, %ecx
variable:
	movq	(%r10,%rcx,8), %rsi
	addq	%rbx, %rsi
	movq	%rsi, (%rdi,%rcx,8)
	movq	%r14, %rdx		/* one of that name gives way */
1:	cmpq	%rdi, %rdx
	jae	4f
	movq	(%rdx), %r8
	movq	%rsi, %r9
2:	movb	(%r9), %al
	cmpb	(%r8), %al
	jne	3f
	incq	%r8
	incq	%r9
	cmpb	$'=', %al
	jne	2b
	movq	(%rdx), %rax
	movq	%rax, SAVED(%rbp,%rcx,8)
	movq	%rsi, (%rdx)
	jmp	4f
3:	addq	$8, %rdx
	jmp	1b
4:	incq	%rcx
	cmpq	%r13, %rcx
	jb	variable

	/* a row is a type, a value, and 1 where the value is a place from the plan */
vector:	movq	(%r15), %rax
	testq	%rax, %rax
	jz	3f
	movq	AUXV(%rbx), %rsi
	addq	%rbx, %rsi
	movq	NAUXV(%rbx), %rcx
1:	decq	%rcx
	js	2f
	addq	$24, %rsi
	cmpq	-24(%rsi), %rax
	jne	1b
	movq	-16(%rsi), %rdx
	cmpq	$0, -8(%rsi)
	je	4f
	addq	%rbx, %rdx
4:	movq	%rdx, 8(%r15)
2:	addq	$16, %r15
	jmp	vector

3:	movq	COMM(%rbx), %rsi
	testq	%rsi, %rsi
	jz	1f
	addq	%rbx, %rsi
	movl	$15, %edi		/* PR_SET_NAME */
	movl	$157, %eax		/* prctl */
	syscall
1:	movq	START(%rbx), %rax
	xorl	%edx, %edx		/* psABI: no function to register with atexit */
	/* to rax plus the plan, all other registers as execve leaves them */
leave:	addq	%rbx, %rax
	movq	%rax, -8(%rsp)
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	xorl	%ebx, %ebx
	xorl	%esi, %esi
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	jmp	*-8(%rsp)

	/*
	 * The dynamic linker has done its work: the variables go away again. What
	 * they leave free before the auxiliary vector becomes entries of AT_IGNORE,
	 * so that who looks for it behind the environment finds it.
	 * rsi  the entry at hand, rdi where it goes
	 */
entered:
	leaq	plan(%rip), %rbx
	movq	DATA(%rbx), %rbp
	addq	%rbx, %rbp
	movq	VARS(%rbx), %r9
	addq	%rbx, %r9
	movq	(%rsp), %rax
	leaq	16(%rsp,%rax,8), %rsi
	movq	%rsi, %rdi
1:	movq	(%rsi), %rax
	addq	$8, %rsi
	testq	%rax, %rax
	jz	4f
	xorl	%ecx, %ecx
2:	cmpq	NVARS(%rbx), %rcx
	jae	3f
	movq	(%r9,%rcx,8), %r8
	addq	%rbx, %r8
	incq	%rcx
	cmpq	%r8, %rax
	jne	2b
	xorl	%eax, %eax
	xchgq	%rax, SAVED-8(%rbp,%rcx,8)
	testq	%rax, %rax
	jz	1b
3:	movq	%rax, (%rdi)
	addq	$8, %rdi
	jmp	1b
4:	movq	$0, (%rdi)
	movq	VECTOR(%rbp), %rsi
5:	addq	$8, %rdi
	cmpq	%rsi, %rdi
	jae	6f
	movl	%esi, %eax		/* AT_IGNORE is 1; its value, 0 */
	subl	%edi, %eax
	shrl	$3, %eax
	notl	%eax
	andl	$1, %eax
	movq	%rax, (%rdi)
	jmp	5b
6:	movq	(%rsi), %rax
	testq	%rax, %rax
	jz	7f
	addq	$16, %rsi
	cmpq	$9, %rax		/* AT_ENTRY */
	jne	6b
	movq	ENTRY(%rbx), %rax
	addq	%rbx, %rax
	movq	%rax, -8(%rsi)
7:	cmpq	$0, MAIN(%rbx)
	je	9f
	pushq	%rdx
	movl	$3, %edx		/* PROT_READ | PROT_WRITE */
	call	mainprot
	movq	MAIN(%rbx), %rsi
	leaq	wrapper(%rip), %rax
	xchgq	%rax, (%rbx,%rsi)
	movq	%rax, REAL(%rbp)
	movq	MAINPROT(%rbx), %rdx
	call	mainprot
	popq	%rdx
9:	cmpq	$0, STOP(%rbx)
	je	8f
	movl	$39, %eax		/* getpid */
	syscall
	movl	%eax, %edi
	movl	$19, %esi		/* SIGSTOP */
	movl	$62, %eax		/* kill */
	syscall
8:	movq	ENTRY(%rbx), %rax
	jmp	leave

	/* rdx for the page that MAIN is in */
mainprot:
	movq	MAIN(%rbx), %rdi
	addq	%rbx, %rdi
	andq	$-4096, %rdi
	movl	$4096, %esi
	movl	$10, %eax		/* mprotect */
	syscall
	ret

	/* in place of __libc_start_main, whose first argument is main */
wrapper:
	endbr64
	leaq	plan(%rip), %rax
	movq	DATA(%rax), %r10
	addq	%rax, %r10
	movq	%rdi, PROGRAM(%r10)
	leaq	atmain(%rip), %rdi
	jmp	*REAL(%r10)

	/* in place of main: the process stops itself before that */
atmain:	endbr64
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	movl	$39, %eax		/* getpid */
	syscall
	movl	%eax, %edi
	movl	$19, %esi		/* SIGSTOP */
	movl	$62, %eax		/* kill */
	syscall
	popq	%rdx
	popq	%rsi
	popq	%rdi
	leaq	plan(%rip), %rax
	movq	DATA(%rax), %rcx
	addq	%rax, %rcx
	jmp	*PROGRAM(%rcx)

	/*
	 * A system call of the dynamic linker, which jumps here with rcx where to go
	 * on. As for a system call, rcx and r11 are lost and rax is the result. Leaf
	 * functions keep data in the red zone.
	 * rbp  the arguments, rdi first; 48(%rbp) is rax
	 * r12  the argument that is the path, r13 what is done with it
	 * r14  the path, r15 its length
	 */
gate:	leaq	-128(%rsp), %rsp
	pushq	%rcx
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rax
	pushq	%r9
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	movq	%rsp, %rbp
	cld
	leaq	plan(%rip), %rbx

	/* a row is a number, the index of its path, and what is done */
	movq	CALLS(%rbx), %rsi
	addq	%rbx, %rsi
	movq	NCALLS(%rbx), %rcx
1:	decq	%rcx
	js	pass
	addq	$24, %rsi
	cmpq	-24(%rsi), %rax
	jne	1b
	movq	-16(%rsi), %rax
	leaq	(%rbp,%rax,8), %r12
	movq	-8(%rsi), %r13
	cmpl	$MAP, %r13d
	je	map
	movq	(%r12), %r14
	testq	%r14, %r14
	jz	pass
	cmpb	$'/', (%r14)
	jne	pass
	xorl	%r15d, %r15d
2:	incq	%r15
	cmpb	$0, (%r14,%r15)
	jne	2b

	cmpl	$READLINK, %r13d
	jne	files
	cmpq	$0, NEXE(%rbx)
	je	pass
	movq	%r14, %rsi
	movq	SELF(%rbx), %rdi
	addq	%rbx, %rdi
	cmpq	NSELF(%rbx), %r15
	jne	3f
	movq	%r15, %rcx
	repe cmpsb
	je	6f
	movq	%r14, %rsi
	movq	SELF(%rbx), %rdi
	addq	%rbx, %rdi
3:	movl	$6, %ecx		/* or with the number: /proc/PID/exe */
	repe cmpsb
	jne	pass
	cmpb	$'0', (%rsi)
	je	pass
	xorl	%edx, %edx
4:	movzbl	(%rsi), %eax
	incq	%rsi
	subl	$'0', %eax
	cmpl	$9, %eax
	ja	5f
	imulq	$10, %rdx
	addq	%rax, %rdx
	jmp	4b
5:	leaq	3(%rsi), %rax
	leaq	(%r14,%r15), %rcx
	cmpq	%rax, %rcx
	jne	pass
	cmpl	$0x6578652f, -1(%rsi)	/* "/exe" */
	jne	pass
	movl	$39, %eax		/* getpid */
	syscall
	cmpq	%rax, %rdx
	jne	pass
6:	movq	8(%r12), %rdi
	movq	EXE(%rbx), %rsi
	addq	%rbx, %rsi
	movq	NEXE(%rbx), %rcx
	cmpq	%rcx, 16(%r12)
	cmovb	16(%r12), %rcx
	movq	%rcx, %rax
	rep movsb
	jmp	result

	/* a row is a path, its length, contents, their size */
files:	movq	FILES(%rbx), %rdx
	addq	%rbx, %rdx
	movq	NFILES(%rbx), %r8
1:	decq	%r8
	js	root
	addq	$32, %rdx
	movq	%r15, %rcx
	cmpq	-24(%rdx), %rcx
	jne	1b
	movq	-32(%rdx), %rsi
	addq	%rbx, %rsi
	movq	%r14, %rdi
	repe cmpsb
	jne	1b
	xorl	%eax, %eax
	cmpl	$ACCESS, %r13d
	je	result
	cmpl	$OPEN, %r13d
	jne	pass
	movq	-16(%rdx), %r14
	addq	%rbx, %r14
	movq	-8(%rdx), %r15
	movq	(%r12), %rdi
	movl	$1, %esi		/* MFD_CLOEXEC */
	movl	$319, %eax		/* memfd_create */
	syscall
	testq	%rax, %rax
	js	result
	movq	%rax, %r13
2:	movq	%r13, %rdi
	movq	%r14, %rsi
	movq	%r15, %rdx
	movl	$1, %eax		/* write */
	syscall
	testq	%rax, %rax
	jle	3f
	addq	%rax, %r14
	subq	%rax, %r15
	jnz	2b
3:	movq	%r13, %rdi
	xorl	%esi, %esi
	xorl	%edx, %edx		/* SEEK_SET */
	movl	$8, %eax		/* lseek */
	syscall
	movq	%r13, %rax
	jmp	result

	/* everything else is below the root, unless the path names the root itself */
root:	movq	NROOT(%rbx), %rdx
	testq	%rdx, %rdx
	jz	pass
	cmpl	$OPEN, %r13d
	jne	1f
	testb	$0100, 8(%r12)		/* O_CREAT: no library */
	jnz	pass
1:	movq	ROOT(%rbx), %rsi
	addq	%rbx, %rsi
	movq	%r14, %rdi
	movq	%rdx, %rcx
	cmpq	%rcx, %r15
	jbe	1f
	cmpb	$'/', (%rdi,%rcx)
	jne	1f
	repe cmpsb
	je	pass
1:	leaq	1(%r15,%rdx), %rcx
	movq	$-36, %rax		/* ENAMETOOLONG */
	cmpq	$4096, %rcx		/* PATH_MAX */
	ja	result
	subq	$4096, %rsp
	movq	ROOT(%rbx), %rsi
	addq	%rbx, %rsi
	movq	%rsp, %rdi
	movq	%rdx, %rcx
	rep movsb
	movq	%r14, %rsi
	leaq	1(%r15), %rcx
	rep movsb
	cmpl	$OPEN, %r13d
	jne	plain

	/* links that begin with a slash stay below the root: Linux 5.6 can do that */
	movl	$-100, %edi		/* AT_FDCWD */
	movq	ROOT(%rbx), %rsi
	addq	%rbx, %rsi
	movl	$012200000, %edx		/* O_PATH | O_DIRECTORY | O_CLOEXEC */
	movl	$257, %eax		/* openat */
	syscall
	testl	%eax, %eax
	js	done
	pushq	$0x10			/* RESOLVE_IN_ROOT */
	pushq	$0			/* mode */
	movl	8(%r12), %ecx
	pushq	%rcx
	movl	%eax, %edi
	movq	%r14, %rsi
	movq	%rsp, %rdx
	movl	$24, %r10d
	movl	$437, %eax		/* openat2 */
	syscall
	addq	$24, %rsp
	movq	%rax, %r13
	movl	$3, %eax		/* close */
	syscall
	movq	%r13, %rax
	cmpq	$-38, %rax		/* ENOSYS */
	jne	done
plain:	movq	%rsp, (%r12)
	call	kernel
	movq	%r14, (%r12)
done:	addq	$4096, %rsp
	cmpq	$-2, %rax		/* ENOENT */
	je	1f
	cmpq	$-20, %rax		/* ENOTDIR */
	jne	result
	/* only what lies in none of the directories of libraries may be the host's */
1:	leaq	(%r14,%r15), %rdx
2:	decq	%rdx
	cmpb	$'/', (%rdx)
	jne	2b
	subq	%r14, %rdx
	movq	DIRS(%rbx), %r8
	addq	%rbx, %r8
	movq	NDIRS(%rbx), %r9
3:	decq	%r9
	js	pass
	addq	$16, %r8
	movq	%rdx, %rcx
	cmpq	-8(%r8), %rcx
	jne	3b
	movq	-16(%r8), %rsi
	addq	%rbx, %rsi
	movq	%r14, %rdi
	repe cmpsb
	jne	3b
	jmp	result

	/*
	 * The code of the C library is mapped: where it reads links, it is made to jump
	 * here. A row is the length of the mapping and its offset in the file, where in
	 * it the bytes are, how many, and what they have to be.
	 * r12  the mapping, r13 a page for the ways here, r14 its end, r15 the bytes
	 * rdx  the row, r8 how many are left
	 */
map:	testb	$4, 16(%rbp)		/* PROT_EXEC */
	jz	pass
	call	kernel
	cmpq	$-4095, %rax
	jae	result
	movq	%rax, %r12
	xorl	%r13d, %r13d
	movq	LINKS(%rbx), %rdx
	addq	%rbx, %rdx
	movq	NLINKS(%rbx), %r8
link:	decq	%r8
	js	mapped
	addq	$40, %rdx
	movq	-40(%rdx), %rax
	cmpq	8(%rbp), %rax
	jne	link
	movq	-32(%rdx), %rax
	cmpq	40(%rbp), %rax
	jne	link
	movl	32(%rbp), %eax		/* a descriptor */
	testl	%eax, %eax
	js	link
	movq	-24(%rdx), %r15
	addq	%r12, %r15
	movq	%r15, %rdi
	movq	-8(%rdx), %rsi
	addq	%rbx, %rsi
	movq	-16(%rdx), %rcx
	repe cmpsb
	jne	link
	testq	%r13, %r13
	jnz	1f
	pushq	%rdx
	pushq	%r8
	xorl	%edi, %edi
	movl	$4096, %esi
	movl	$3, %edx		/* PROT_READ | PROT_WRITE */
	movl	$0x22, %r10d		/* MAP_PRIVATE | MAP_ANONYMOUS */
	movq	$-1, %r8
	xorl	%r9d, %r9d
	movl	$9, %eax		/* mmap */
	syscall
	popq	%r8
	popq	%rdx
	cmpq	$-4095, %rax
	jae	mapped
	movq	%rax, %r13
	movq	%rax, %r14
1:	leaq	-5(%r14), %rax
	subq	%r15, %rax
	movslq	%eax, %rcx
	cmpq	%rcx, %rax
	jne	mapped			/* too far for a jump */
	pushq	%rdx
	pushq	%r8
	pushq	%rax
	movl	$3, %edx
	call	protect
	testq	%rax, %rax
	popq	%rax
	jnz	2f
	movq	(%rsp), %r8
	movq	8(%rsp), %rdx
	movq	%r14, %rdi
	movq	%r15, %rsi
	movq	-16(%rdx), %rcx
	subq	$2, %rcx
	rep movsb			/* what stands before the syscall */
	movl	$0x0d8d48, (%rdi)	/* leaq back(%rip), %rcx */
	leaq	2(%rsi), %rcx
	leaq	7(%rdi), %r9
	subq	%r9, %rcx
	movl	%ecx, 3(%rdi)
	movw	$0x25ff, 7(%rdi)	/* jmpq *(%rip) */
	movl	$0, 9(%rdi)
	leaq	gate(%rip), %rcx
	movq	%rcx, 13(%rdi)
	leaq	21(%rdi), %r14
	leaq	2(%rsi), %rcx		/* the rest of the bytes: nop */
	leaq	5(%r15), %rdi
	subq	%rdi, %rcx
	movl	%eax, 1(%r15)
	movb	$0xe9, (%r15)		/* jmp */
	movb	$0x90, %al
	rep stosb
	movl	$5, %edx		/* PROT_READ | PROT_EXEC */
	call	protect
2:	popq	%r8
	popq	%rdx
	jmp	link
mapped:	testq	%r13, %r13
	jz	1f
	movq	%r13, %rdi
	movl	$4096, %esi
	movl	$5, %edx
	movl	$10, %eax		/* mprotect */
	syscall
1:	movq	%r12, %rax
	jmp	result

	/* the pages of the bytes at r15 get the protection edx; 64 bytes are enough */
protect:
	movq	%r15, %rdi
	andq	$-4096, %rdi
	leaq	64(%r15), %rsi
	subq	%rdi, %rsi
	movl	$10, %eax
	syscall
	ret

pass:	call	kernel
result:	movq	%rax, 48(%rbp)
	movq	%rbp, %rsp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%r10
	popq	%r8
	popq	%r9
	popq	%rax
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%rcx
	leaq	128(%rsp), %rsp
	jmp	*%rcx

	/* the system call as the arguments stand */
kernel:	movq	(%rbp), %rdi
	movq	8(%rbp), %rsi
	movq	16(%rbp), %rdx
	movq	24(%rbp), %r10
	movq	32(%rbp), %r8
	movq	40(%rbp), %r9
	movq	48(%rbp), %rax
	syscall
	ret
	.balign	16, 0xcc
plan:
