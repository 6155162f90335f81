#include "shared.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define VIOLATIONS_SAID_MAX 20

struct shared *shared_map(int fd)
{
	void *map = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

struct shared *shared_make(int *fd)
{
	struct shared *shared = NULL;

	*fd = memfd_create("chaos", MFD_CLOEXEC);
	if (*fd >= 0 && ftruncate(*fd, sizeof(struct shared)) == 0)
		shared = shared_map(*fd);
	if (!shared && *fd >= 0)
		close(*fd);
	return shared;
}

void shared_free(struct shared *shared, int fd)
{
	munmap(shared, sizeof(*shared));
	close(fd);
}

uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void nap_us(uint64_t us)
{
	nanosleep(&(struct timespec){ .tv_sec = (time_t)(us / 1000000),
				      .tv_nsec = (long)(us % 1000000 * 1000) },
		  NULL);
}

void raise_to(_Atomic(uint64_t) *largest, uint64_t value)
{
	uint64_t before = atomic_load(largest);

	while (before < value &&
	       !atomic_compare_exchange_weak(largest, &before, value))
		;
}

uint32_t shared_holds(const struct member_memory *member)
{
	uint32_t len = member->holds_len;

	return len < HOLDS_MAX ? len : HOLDS_MAX;
}

uint64_t hold_certain_until(const struct member_memory *member,
			    const struct hold *hold)
{
	uint64_t until = hold->certain_until;
	uint64_t ended = member->ended[hold->boot];
	uint64_t released = hold->release_called;

	if (ended && ended < until)
		until = ended;
	if (released && released < until)
		until = released;
	return until;
}

void violation(struct shared *shared, const char *format, ...)
{
	char text[TEXT_LEN * 2];
	va_list args;

	if (shared->violations++ >= VIOLATIONS_SAID_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "chaos: VIOLATION: %s\n", text);
}
