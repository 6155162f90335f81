#include "live/lib/cluster.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NAP_US 2000

/* A port that is free is given again before it is used. */
static bool is_there(const struct cluster *c, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (strcmp(c->addresses[j], c->addresses[i]) == 0)
			return true;
	}
	return false;
}

void cluster_make(struct cluster *c, size_t len)
{
	ck_assert(len <= LIVE_NODES_MAX);
	*c = (struct cluster){ .len = len };
	live_folder(c->dir, sizeof(c->dir));
	for (size_t i = 0; i < len; i++) {
		snprintf(c->dirs[i], sizeof(c->dirs[i]), "%s/node-%zu", c->dir,
			 i + 1);
		do
			live_address(c->addresses[i], sizeof(c->addresses[i]));
		while (is_there(c, i));
		c->members[i].id = i + 1;
		c->members[i].address = c->addresses[i];
	}
}

struct hf_options cluster_options(const struct cluster *c, size_t i)
{
	struct hf_options options = { .size = sizeof(options) };

	options.dir = c->dirs[i];
	options.ttl_ms = LIVE_TTL_MS;
	if (c->len > 1) {
		options.id = i + 1;
		options.members = c->members;
		options.members_len = c->len;
	}
	return options;
}

void cluster_open_node(struct cluster *c, size_t i)
{
	struct hf_options options = cluster_options(c, i);
	char error[HF_ERROR_TEXT] = "";
	int rc = hf_open(&c->nodes[i], &options, error);

	ck_assert_msg(rc == 0, "node %zu: %d: %s", i + 1, rc, error);
}

void cluster_open(struct cluster *c)
{
	for (size_t i = 0; i < c->len; i++)
		cluster_open_node(c, i);
}

void cluster_close_node(struct cluster *c, size_t i)
{
	ck_assert_int_eq(hf_close(c->nodes[i], LIVE_WAIT_MS), 0);
	c->nodes[i] = NULL;
}

void cluster_remove(struct cluster *c)
{
	/* The last ones have no majority any more to end their sessions. */
	for (size_t i = 0; i < c->len; i++)
		ck_assert_int_eq(hf_close(c->nodes[i], 100), 0);
	live_remove(c->dir);
}

struct hf_status status_of(struct hf_node *node)
{
	struct hf_status status = { .size = sizeof(status) };

	ck_assert_int_eq(hf_status(node, &status), 0);
	return status;
}

static bool leads(const struct cluster *c, size_t i)
{
	return c->nodes[i] && status_of(c->nodes[i]).leader == i + 1;
}

static bool has_leader(void *arg)
{
	struct cluster *c = arg;

	for (size_t i = 0; i < c->len; i++)
		if (leads(c, i))
			return true;
	return false;
}

size_t cluster_leader(struct cluster *c)
{
	for (;;) {
		ck_assert(live_wait(has_leader, c));
		for (size_t i = 0; i < c->len; i++)
			if (leads(c, i))
				return i;
	}
}

size_t cluster_follower(struct cluster *c)
{
	size_t leader = cluster_leader(c);

	for (size_t i = 0; i < c->len; i++)
		if (i != leader && c->nodes[i])
			return i;
	ck_abort_msg("no follower is open");
}

uint64_t live_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool live_wait(bool (*done)(void *arg), void *arg)
{
	const struct timespec nap = { .tv_nsec = NAP_US * 1000 };
	uint64_t end = live_now_ms() + LIVE_WAIT_MS;

	while (!done(arg)) {
		if (live_now_ms() > end)
			return false;
		nanosleep(&nap, NULL);
	}
	return true;
}

void live_folder(char *path, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, size, "%s/holdfast-live-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	ck_assert_msg(mkdtemp(path), "no folder %s", path);
}

static void shell(const char *format, const char *a, const char *b)
{
	char command[3 * LIVE_PATH_MAX];

	snprintf(command, sizeof(command), format, a, b);
	ck_assert_int_eq(system(command), 0);
}

void live_remove(const char *path)
{
	shell("rm -rf '%s'", path, "");
}

void live_copy(const char *from, const char *to)
{
	shell("cp -a --sparse=always '%s' '%s'", from, to);
}

void live_address(char *address, size_t size)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(address, size, "127.0.0.1:%u", ntohs(at.sin_port));
	close(fd);
}

static struct sockaddr_in parse(const char *address)
{
	struct sockaddr_in at = { .sin_family = AF_INET };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
	return at;
}

int live_connect(const char *address)
{
	struct sockaddr_in at = parse(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

int live_listen(const char *address)
{
	struct sockaddr_in at = parse(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}
