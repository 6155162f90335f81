#include "resource.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct write {
	uint32_t lock;
	int rc; /* of the answer */
	uint64_t token;
};

static int take(struct resource *r, const struct write *w)
{
	if (w->lock >= RESOURCE_LOCKS_MAX)
		return HF_EINVAL;
	int rc = hf_guard_check(&r->guards[w->lock], HF_EXCLUSIVE, w->token);
	if (rc == 0)
		r->written++;
	else
		r->refused++;
	return rc;
}

static void serve(struct resource *r, int fd)
{
	struct write w;

	if (recv(fd, &w, sizeof(w), MSG_DONTWAIT) != sizeof(w))
		return;
	w.rc = take(r, &w);
	send(fd, &w, sizeof(w), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void *run(void *arg)
{
	struct pollfd at[RESOURCE_WRITERS_MAX + 1];
	struct resource *r = arg;

	for (unsigned i = 0; i < r->writers_len; i++)
		at[i] = (struct pollfd){ .fd = r->fds[i], .events = POLLIN };
	at[r->writers_len] =
		(struct pollfd){ .fd = r->wake[0], .events = POLLIN };
	while (poll(at, r->writers_len + 1, -1) >= 0) {
		if (at[r->writers_len].revents)
			break;
		for (unsigned i = 0; i < r->writers_len; i++)
			if (at[i].revents & POLLIN)
				serve(r, at[i].fd);
	}
	return NULL;
}

bool resource_begin(struct resource *r, unsigned writers)
{
	int pair[2];

	if (writers > RESOURCE_WRITERS_MAX || pipe2(r->wake, O_CLOEXEC) != 0)
		return false;
	for (; r->writers_len < writers; r->writers_len++) {
		/* A member that is started finds its end open. Ours is kept, so
		 * that another may follow it. */
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0 ||
		    fcntl(pair[0], F_SETFD, FD_CLOEXEC) != 0)
			return false;
		r->fds[r->writers_len] = pair[0];
		r->ends[r->writers_len] = pair[1];
	}
	r->running = pthread_create(&r->thread, NULL, run, r) == 0;
	return r->running;
}

void resource_end(struct resource *r)
{
	if (r->running) {
		close(r->wake[1]);
		pthread_join(r->thread, NULL);
	}
	for (unsigned i = 0; i < r->writers_len; i++) {
		close(r->fds[i]);
		close(r->ends[i]);
	}
	*r = (struct resource){ 0 };
}

int resource_write(int end, uint32_t lock, uint64_t token)
{
	struct write w = { .lock = lock, .token = token }, answer;

	if (send(end, &w, sizeof(w), MSG_NOSIGNAL) != sizeof(w))
		return HF_EIO;
	do { /* the answer to one who was killed may still lie there */
		if (recv(end, &answer, sizeof(answer), 0) != sizeof(answer))
			return HF_EIO;
	} while (answer.lock != lock || answer.token != token);
	return answer.rc;
}
