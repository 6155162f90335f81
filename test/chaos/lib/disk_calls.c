#include "disk_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/aio_abi.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define OURS __attribute__((visibility("default")))

typedef long (*syscall_fn)(long number, ...);

/* The process's, since so are the calls. */
static struct disk_orders *obeyed;

void disk_calls_obey(struct disk_orders *orders)
{
	obeyed = orders;
}

static bool take(_Atomic(uint32_t) *left)
{
	uint32_t n = *left;

	while (n > 0)
		if (atomic_compare_exchange_weak(left, &n, n - 1))
			return true;
	return false;
}

static void dawdle(void)
{
	if (obeyed && take(&obeyed->slow_calls)) {
		obeyed->slowed++;
		nap_us((uint64_t)obeyed->slow_ms * 1000);
	}
}

static bool fails(_Atomic(uint32_t) *left)
{
	if (!take(left))
		return false;
	obeyed->failed++;
	errno = obeyed->number;
	return true;
}

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static bool write_fails(int fd)
{
	return obeyed && obeyed->fail_write > 0 && is_file(fd) &&
	       fails(&obeyed->fail_write);
}

static bool sync_fails(void)
{
	dawdle();
	return obeyed && fails(&obeyed->fail_sync);
}

static void spoil(struct io_event *events, long len)
{
	if (obeyed && len > 0 && fails(&obeyed->fail_written))
		events[0].res = -obeyed->number;
}

/* Both libraft's io_submit and our own calls go through it. */
static long real_syscall(long number, long a, long b, long c, long d, long e,
			 long f)
{
	static _Atomic(syscall_fn) real;

	if (!real)
		real = (syscall_fn)(uintptr_t)dlsym(RTLD_NEXT, "syscall");
	return real(number, a, b, c, d, e, f);
}

OURS long syscall(long number, ...)
{
	va_list args;
	long arg[6];

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_io_submit && obeyed) {
		dawdle();
		if (fails(&obeyed->fail_submit))
			return -1;
	}
	long rc = real_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4],
			       arg[5]);
	/* Its fourth argument is where the events go. */
	if (number == SYS_io_getevents)
		spoil((struct io_event *)arg[3], rc);
	return rc;
}

OURS ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	if (write_fails(fd))
		return -1;
	return real_syscall(SYS_pwrite64, fd, (long)bytes, (long)len, at, 0, 0);
}

OURS ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return pwrite64(fd, bytes, len, at);
}

OURS ssize_t pwritev64(int fd, const struct iovec *parts, int parts_len,
		       off64_t at)
{
	if (write_fails(fd))
		return -1;
	return real_syscall(SYS_pwritev, fd, (long)parts, parts_len, at, 0, 0);
}

OURS ssize_t pwritev(int fd, const struct iovec *parts, int parts_len, off_t at)
{
	return pwritev64(fd, parts, parts_len, at);
}

OURS ssize_t write(int fd, const void *bytes, size_t len)
{
	if (write_fails(fd))
		return -1;
	return real_syscall(SYS_write, fd, (long)bytes, (long)len, 0, 0, 0);
}

OURS int fsync(int fd)
{
	return sync_fails() ? -1
			    : (int)real_syscall(SYS_fsync, fd, 0, 0, 0, 0, 0);
}

OURS int fdatasync(int fd)
{
	return sync_fails()
		       ? -1
		       : (int)real_syscall(SYS_fdatasync, fd, 0, 0, 0, 0, 0);
}
