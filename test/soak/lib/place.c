#include "place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT_FIRST 12000
#define PORTS 20000 /* up to the first that is given to those who dial */
#define PORT_TRIES 1000

bool place_make(char dir[PLACE_DIR_LEN], const char *what)
{
	const char *tmp = getenv("TMPDIR");

	tmp = tmp && *tmp ? tmp : "/tmp";
	int len = snprintf(dir, PLACE_DIR_LEN, "%s/holdfast-%s-XXXXXX", tmp,
			   what);
	if (len >= PLACE_DIR_LEN)
		errno = ENAMETOOLONG;
	else if (mkdtemp(dir))
		return true;
	/* What is there now may be the name of somebody else's directory. */
	dir[0] = '\0';
	fprintf(stderr, "%s: no directory can be made below %s\n", what, tmp);
	return false;
}

bool place_count(const char *text, unsigned *count)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*count = (unsigned)n;
	return *end == '\0' && n > 0 && n <= INT_MAX;
}

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

void place_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool is_free(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bool found =
		fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	if (fd >= 0)
		close(fd);
	return found;
}

bool place_address(char address[PLACE_ADDRESS_LEN])
{
	/* No address is given twice by one process. */
	static unsigned next;

	if (next == 0)
		next = (unsigned)getpid() * 97 + (unsigned)now_ms();
	for (int i = 0; i < PORT_TRIES; i++) {
		unsigned port = PORT_FIRST + next++ % PORTS;

		if (!is_free(port))
			continue;
		snprintf(address, PLACE_ADDRESS_LEN, "127.0.0.1:%u", port);
		return true;
	}
	return false;
}

void *place_map(int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

void *place_share(size_t size, int *fd)
{
	*fd = memfd_create("shared", 0); /* outlives exec */
	if (*fd < 0 || ftruncate(*fd, (off_t)size) != 0)
		return NULL;
	return place_map(*fd, size);
}

uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t now_ms(void)
{
	return now_us() / 1000;
}

void nap_us(unsigned us)
{
	nanosleep(&(struct timespec){ .tv_sec = us / 1000000,
				      .tv_nsec = us % 1000000 * 1000 },
		  NULL);
}

void nap_up_to_ms(unsigned ms)
{
	nap_us((unsigned)rand() % (ms * 1000));
}
