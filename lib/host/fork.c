/* Which process a host belongs to.
 *
 * A page that the kernel wipes in a child tells without a system call. Without
 * it (Linux before 4.14) the process id does, with one. */
#include "host/internal.h"

#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES ((size_t)sysconf(_SC_PAGESIZE))

void fork_mark(struct host *host)
{
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	host->pid = (int)getpid();
	host->born = NULL;
	if (page == MAP_FAILED)
		return;
	if (madvise(page, PAGE_BYTES, MADV_WIPEONFORK) < 0) {
		munmap(page, PAGE_BYTES);
		return;
	}
	host->born = page;
	*host->born = 1;
}

void fork_unmark(struct host *host)
{
	if (host->born)
		munmap(host->born, PAGE_BYTES);
}

bool host_forked(const struct host *host)
{
	return host->born ? *host->born == 0 : host->pid != (int)getpid();
}
