/* payload.h: what a program carries, found by itself.
 *
 * 'elfwright embed add' puts files, ELF objects and trees into a finished program.
 * This file finds them there; include it where it is needed, there is nothing to
 * link. C99 or C++, no allocation. Without a C library (-ffreestanding) the first
 * half is there; with one, on Linux, also the second.
 *
 *	struct payload p;
 *	if (payload_find("motd", &p) == 0)
 *		fwrite(p.bytes, 1, p.size, stdout);
 *
 * The format is told of in docs/payload-format.md of elfwright. Numbers have the
 * byte order of the program, so they are read as they are.
 */
#ifndef ELFWRIGHT_PAYLOAD_H
#define ELFWRIGHT_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PAYLOAD_UNUSED __attribute__((unused))
#else
#define PAYLOAD_UNUSED
#endif

enum {
	PAYLOAD_PT = 0x65770010, /* p_type of the program header that leads to a directory */

	PAYLOAD_FILE = 1,   /* bytes */
	PAYLOAD_OBJECT = 2, /* an ELF file with headers for the program's descriptor */
	PAYLOAD_TREE = 3,   /* a directory, as an EROFS image */

	PAYLOAD_ZSTD = 1, /* flag: stored compressed (RFC 8878) */
	PAYLOAD_SELF = 2  /* flag: the program binds the tree when it starts */
};

/* A payload. */
struct payload {
	const char *name;
	const char *media_type;
	const char *bind; /* where a tree is to be shown, or "" */
	const unsigned char *sha256; /* 32 bytes: of the contents, uncompressed and not translated */
	const unsigned char *bytes;  /* in memory, or null: it is in the file only */
	uint64_t stored; /* how many bytes there are */
	uint64_t size;   /* how many once they are uncompressed */
	uint64_t offset; /* where they are in the program's file */
	uint64_t align;
	uint64_t delta; /* of an object: what was added to its file offsets */
	uint32_t kind, flags, mode;
};

/* A directory as it is in the file, and an entry of it. */
struct payload_directory {
	char magic[8]; /* "EWPAYLD" */
	uint32_t version, count, header_size, entry_size;
	uint64_t size, self, directory_size;
	unsigned char check[16];
};

struct payload_entry {
	uint64_t offset, stored, size, align, delta;
	uint32_t kind, flags, mode, name, media_type, bind;
	unsigned char sha256[32];
};

/* A program header (gABI). */
struct payload_phdr {
#if UINTPTR_MAX > 0xffffffffu
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
#else
	uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
#endif
};

/* payload_check returns a pointer to the directory at p, or null if there is none
 * that this file can read. */
PAYLOAD_UNUSED static const struct payload_directory *payload_check(const void *p)
{
	static const char magic[8] = {'E', 'W', 'P', 'A', 'Y', 'L', 'D', 0};
	const struct payload_directory *d = (const struct payload_directory *)p;
	int i;

	for (i = 0; i < 8; i++)
		if (d->magic[i] != magic[i])
			return NULL;
	return d->version == 1 ? d : NULL;
}

/* payload_entry_at describes entry i of a directory in memory. It returns 0, or
 * -1 if there are fewer. */
PAYLOAD_UNUSED static int payload_entry_at(const struct payload_directory *d, uint32_t i, struct payload *p)
{
	const unsigned char *base = (const unsigned char *)d;
	const struct payload_entry *e;

	if (i >= d->count)
		return -1;
	e = (const struct payload_entry *)(const void *)(base + d->header_size + (size_t)i * d->entry_size);
	p->name = (const char *)base + e->name;
	p->media_type = e->media_type ? (const char *)base + e->media_type : "";
	p->bind = e->bind ? (const char *)base + e->bind : "";
	p->sha256 = e->sha256;
	p->bytes = base + (size_t)e->offset;
	p->stored = e->stored;
	p->size = e->size;
	p->offset = d->self + e->offset;
	p->align = e->align;
	p->delta = e->delta;
	p->kind = e->kind;
	p->flags = e->flags;
	p->mode = e->mode;
	return 0;
}

/* payload_same compares two strings. */
PAYLOAD_UNUSED static int payload_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* payload_find_in looks a name up in a directory in memory. It returns 0, or -1. */
PAYLOAD_UNUSED static int payload_find_in(const struct payload_directory *d, const char *name, struct payload *p)
{
	uint32_t i;

	for (i = 0; payload_entry_at(d, i, p) == 0; i++)
		if (payload_same(p->name, name))
			return 0;
	return -1;
}

/* payload_loaded finds the directory that is in memory by the program headers of
 * an ELF file that is loaded bias above its p_vaddr: in a freestanding program
 * the table and the count that the auxiliary vector has (AT_PHDR, AT_PHNUM). */
PAYLOAD_UNUSED static const struct payload_directory *payload_loaded(const void *phdrs, size_t count, uintptr_t bias)
{
	const struct payload_phdr *h = (const struct payload_phdr *)phdrs;
	size_t i;

	for (i = 0; i < count; i++)
		if (h[i].type == PAYLOAD_PT && h[i].memsz)
			return payload_check((const void *)(bias + (uintptr_t)h[i].vaddr));
	return NULL;
}

/* payload_bias is by how much the program is loaded above its p_vaddr, for one
 * that has a PT_PHDR; others that are loaded where they say have none. */
PAYLOAD_UNUSED static uintptr_t payload_bias(const void *phdrs, size_t count)
{
	const struct payload_phdr *h = (const struct payload_phdr *)phdrs;
	size_t i;

	for (i = 0; i < count; i++)
		if (h[i].type == 6) /* PT_PHDR */
			return (uintptr_t)phdrs - (uintptr_t)h[i].vaddr;
	return 0;
}

#ifdef __cplusplus
}
#endif

#if defined(__linux__) && (!defined(__STDC_HOSTED__) || __STDC_HOSTED__) && !defined(PAYLOAD_FREESTANDING)
#define PAYLOAD_HOSTED 1

#ifndef _GNU_SOURCE
/* dl_iterate_phdr, syscall and dlopen are no part of C or POSIX. */
#error "payload.h: define _GNU_SOURCE before the first #include, or PAYLOAD_FREESTANDING"
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* payload_search is where to look, and what was found. */
struct payload_search {
	const void *in; /* an address in the object that is meant; null: the program */
	const struct payload_directory *found;
	uint64_t moved; /* by how much the directory has moved in the file since it was written */
};

PAYLOAD_UNUSED static int payload_has(const struct dl_phdr_info *info, const void *addr)
{
	size_t i;

	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    (uintptr_t)addr - (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) < info->dlpi_phdr[i].p_memsz)
			return 1;
	return 0;
}

PAYLOAD_UNUSED static int payload_visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct payload_search *s = (struct payload_search *)arg;
	size_t i;

	(void)size;
	if (s->in && !payload_has(info, s->in))
		return 0;
	s->found = payload_loaded(info->dlpi_phdr, info->dlpi_phnum, info->dlpi_addr);
	for (i = 0; s->found && i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PAYLOAD_PT && info->dlpi_phdr[i].p_memsz)
			s->moved = info->dlpi_phdr[i].p_offset - s->found->self;
	return 1; /* the program comes first */
}

PAYLOAD_UNUSED static struct payload_search payload_look(const void *addr)
{
	struct payload_search s;

	s.in = addr;
	s.found = NULL;
	s.moved = 0;
	dl_iterate_phdr(payload_visit, &s);
	return s;
}

/* payload_own returns the program's directory, or null. */
PAYLOAD_UNUSED static const struct payload_directory *payload_own(void) { return payload_look(NULL).found; }

/* payload_find_at finds a payload of the program or library that addr is in: a
 * library gives the address of something of its own. It returns 0, or -1. */
PAYLOAD_UNUSED static int payload_find_at(const void *addr, const char *name, struct payload *p)
{
	struct payload_search s = payload_look(addr);

	if (!s.found || payload_find_in(s.found, name, p) != 0)
		return -1;
	p->offset += s.moved;
	return 0;
}

/* payload_find finds a payload of the program. It returns 0, or -1. */
PAYLOAD_UNUSED static int payload_find(const char *name, struct payload *p) { return payload_find_at(NULL, name, p); }

/* payload_unloaded_visit notes where the program header says that a directory is
 * which is not in memory. */
PAYLOAD_UNUSED static int payload_unloaded_visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PAYLOAD_PT && !info->dlpi_phdr[i].p_memsz)
			*(uint64_t *)arg = info->dlpi_phdr[i].p_offset;
	return 1;
}

/* payload_read reads n bytes at an offset of a file. It returns 0, or -1. */
PAYLOAD_UNUSED static int payload_read(int fd, void *to, size_t n, uint64_t at)
{
	return pread(fd, to, n, (off_t)at) == (ssize_t)n ? 0 : -1;
}

/* payload_section finds the section of a directory that is not in memory, which
 * tools move without the program header. It returns its offset, or 0. */
PAYLOAD_UNUSED static uint64_t payload_section(int fd)
{
	static const char want[] = ".note.ew.payload";
	char name[sizeof want];
	ElfW(Ehdr) e;
	ElfW(Shdr) names, s;
	uint32_t i;

	if (payload_read(fd, &e, sizeof e, 0) != 0 || e.e_shentsize != sizeof s ||
	    payload_read(fd, &names, sizeof names, e.e_shoff + (uint64_t)e.e_shstrndx * sizeof s) != 0)
		return 0;
	for (i = 1; i < e.e_shnum; i++)
		if (payload_read(fd, &s, sizeof s, e.e_shoff + (uint64_t)i * sizeof s) == 0 &&
		    payload_read(fd, name, sizeof name, (uint64_t)names.sh_offset + s.sh_name) == 0 &&
		    memcmp(name, want, sizeof want) == 0)
			return s.sh_offset;
	return 0;
}

/* payload_find_in_file finds a payload that is not in memory in the program's open
 * file. It returns 0, or -1. Of *p it sets what is a number. */
PAYLOAD_UNUSED static int payload_find_in_file(int fd, const char *name, struct payload *p)
{
	struct payload_directory d;
	struct payload_entry e;
	char c;
	uint64_t at = 0, dir, k;
	uint32_t i;
	int again;

	dl_iterate_phdr(payload_unloaded_visit, &at);
	for (again = 0; again < 2; again++) {
		dir = at + 24; /* behind the head of a note */
		if (at && payload_read(fd, &d, sizeof d, dir) == 0 && payload_check(&d))
			break;
		at = payload_section(fd);
	}
	if (again == 2)
		return -1;
	for (i = 0; i < d.count; i++) {
		if (payload_read(fd, &e, sizeof e, dir + d.header_size + (uint64_t)i * d.entry_size) != 0)
			return -1;
		for (k = 0; payload_read(fd, &c, 1, dir + e.name + k) == 0 && c == name[k] && c; k++)
			;
		if (c || name[k])
			continue;
		memset(p, 0, sizeof *p);
		p->stored = e.stored;
		p->size = e.size;
		p->offset = dir + e.offset;
		p->align = e.align;
		p->delta = e.delta;
		p->kind = e.kind;
		p->flags = e.flags;
		p->mode = e.mode;
		return 0;
	}
	return -1;
}

/* payload_fd opens the program's file, and says where in it a payload lies, also
 * one that is not loaded: what a loader needs that maps from a descriptor and an
 * offset. The headers of an object are right for this descriptor as it is. It
 * returns the descriptor, or -1 with errno set. */
PAYLOAD_UNUSED static int payload_fd(const char *name, uint64_t *offset, uint64_t *size)
{
	struct payload p;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (payload_find(name, &p) != 0 && payload_find_in_file(fd, name, &p) != 0) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	if (offset)
		*offset = p.offset;
	if (size)
		*size = p.stored;
	return fd;
}

/* payload_plain takes the translation of an object of this machine back, in a copy
 * of n bytes. It returns 0, or -1 if its tables are not in it. */
PAYLOAD_UNUSED static int payload_plain(unsigned char *b, uint64_t n, uint64_t delta)
{
	ElfW(Ehdr) *e = (ElfW(Ehdr) *)(void *)b;
	uint64_t i, at;

	if (n < sizeof *e || memcmp(b, ELFMAG, SELFMAG) != 0 ||
	    (e->e_phnum && e->e_phentsize != sizeof(ElfW(Phdr))) || (e->e_shnum && e->e_shentsize != sizeof(ElfW(Shdr))))
		return -1;
	if (e->e_phoff)
		e->e_phoff -= (ElfW(Off))delta;
	if (e->e_shoff)
		e->e_shoff -= (ElfW(Off))delta;
	at = e->e_phoff;
	if (at > n || (uint64_t)e->e_phnum * sizeof(ElfW(Phdr)) > n - at)
		return -1;
	for (i = 0; i < e->e_phnum; i++) {
		ElfW(Phdr) *h = (ElfW(Phdr) *)(void *)(b + at) + i;
		if (h->p_type == PT_LOAD || (h->p_type != PT_NULL && h->p_filesz))
			h->p_offset -= (ElfW(Off))delta;
	}
	at = e->e_shoff;
	if (at > n || (uint64_t)e->e_shnum * sizeof(ElfW(Shdr)) > n - at)
		return -1;
	for (i = 0; i < e->e_shnum; i++) {
		ElfW(Shdr) *h = (ElfW(Shdr) *)(void *)(b + at) + i;
		if (h->sh_type != SHT_NULL)
			h->sh_offset -= (ElfW(Off))delta;
	}
	return 0;
}

/* payload_memfd copies a payload into a file in memory that nobody can change any
 * more, and returns its descriptor, or -1 with errno set. /proc/self/fd/N is its
 * name for dlopen and execve. */
PAYLOAD_UNUSED static int payload_memfd(const char *name)
{
	struct payload p;
	unsigned char *to;
	uint64_t done;
	ssize_t n;
	int fd, self, bad;

	self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0)
		return -1;
	if (payload_find(name, &p) != 0 && payload_find_in_file(self, name, &p) != 0) {
		close(self);
		errno = ENOENT;
		return -1;
	}
	if (p.flags & PAYLOAD_ZSTD) {
		close(self);
		errno = ENOTSUP;
		return -1;
	}
	/* MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC, and without the last one before
	 * Linux 6.3 */
	fd = (int)syscall(SYS_memfd_create, name, 0x13);
	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_memfd_create, name, 0x3);
	if (fd < 0)
		goto fail;
	if (p.stored && ftruncate(fd, (off_t)p.stored) != 0)
		goto fail;
	if (p.stored) {
		to = (unsigned char *)mmap(NULL, (size_t)p.stored, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (to == MAP_FAILED)
			goto fail;
		for (done = 0; done < p.stored; done += (uint64_t)n) {
			n = pread(self, to + done, (size_t)(p.stored - done), (off_t)(p.offset + done));
			if (n <= 0) {
				munmap(to, (size_t)p.stored);
				errno = n ? errno : EIO;
				goto fail;
			}
		}
		bad = p.kind == PAYLOAD_OBJECT && p.delta && payload_plain(to, p.stored, p.delta) != 0;
		munmap(to, (size_t)p.stored);
		if (bad) {
			errno = ENOEXEC;
			goto fail;
		}
	}
	if (fcntl(fd, 1033 /* F_ADD_SEALS */, 0xf /* seal, shrink, grow, write */) != 0)
		goto fail;
	close(self);
	return fd;
fail:
	bad = errno;
	close(self);
	if (fd >= 0)
		close(fd);
	errno = bad;
	return -1;
}

/* payload_dlopen opens a library that the program carries, as dlopen does; where
 * it returns null and dlerror has nothing to say, errno tells why. */
PAYLOAD_UNUSED static void *payload_dlopen(const char *name, int mode)
{
	char path[32];
	void *lib;
	int fd = payload_memfd(name);

	if (fd < 0)
		return NULL;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	lib = dlopen(path, mode);
	close(fd);
	return lib;
}

#ifdef __cplusplus
}
#endif
#endif /* PAYLOAD_HOSTED */
#endif /* ELFWRIGHT_PAYLOAD_H */
