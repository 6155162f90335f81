#include "api/guard_file.h"

#include "host/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS 1000000 /* flock has no time limit of its own */

static struct timespec time_after(uint32_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

static bool is_past(const struct timespec *t)
{
	struct timespec now = time_after(0);

	return now.tv_sec != t->tv_sec ? now.tv_sec > t->tv_sec
				       : now.tv_nsec >= t->tv_nsec;
}

static bool is_mine(const struct hf_guard_file *g)
{
	return g->busy && pthread_equal(g->owner, pthread_self());
}

/* NULL: no deadline. */
static int take(struct hf_guard_file *g, const struct timespec *deadline)
{
	int number = 0;

	pthread_mutex_lock(&g->mutex);
	int rc = is_mine(g) ? HF_EINVAL : 0;
	while (rc == 0 && g->busy && number == 0)
		number = deadline ? pthread_cond_timedwait(&g->free, &g->mutex,
							   deadline)
				  : pthread_cond_wait(&g->free, &g->mutex);
	if (rc == 0 && g->busy)
		rc = HF_ETIMEDOUT;
	if (rc == 0) {
		g->busy = true;
		g->owner = pthread_self();
	}
	pthread_mutex_unlock(&g->mutex);
	return rc;
}

static void give_back(struct hf_guard_file *g)
{
	pthread_mutex_lock(&g->mutex);
	g->busy = false;
	pthread_cond_signal(&g->free);
	pthread_mutex_unlock(&g->mutex);
}

static int lock_file(struct hf_guard_file *g, const struct timespec *deadline)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };

	while (flock(g->fd, deadline ? LOCK_EX | LOCK_NB : LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return HF_EIO;
		if (is_past(deadline))
			return HF_ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int guard_enter(struct hf_guard_file *g, uint32_t timeout_ms)
{
	struct timespec end = time_after(timeout_ms);
	const struct timespec *deadline =
		timeout_ms == HF_FOREVER ? NULL : &end;
	int rc = take(g, deadline);

	if (rc)
		return rc;
	rc = lock_file(g, deadline);
	if (rc)
		give_back(g);
	return rc;
}

void guard_leave(struct hf_guard_file *g)
{
	flock(g->fd, LOCK_UN);
	give_back(g);
}

/* Another file under this name would be another guard, for whoever opens it. */
static int check_name(const struct hf_guard_file *g, char *error)
{
	struct stat mine, named;

	if (fstat(g->fd, &mine) < 0)
		return fail_system(error, errno, "cannot look at %s", g->name);
	if (fstatat(g->dir, g->name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    mine.st_dev != named.st_dev || mine.st_ino != named.st_ino)
		return fail(error, HF_ECORRUPT, "%s was removed or replaced",
			    g->name);
	return 0;
}

/* The outcome of a store, kept: see note 5 of guard_copies.c. */
static int stored(struct hf_guard_file *g, int rc, char *error)
{
	if (rc) {
		g->failed = true;
		fail_system(error, errno, "cannot write to %s", g->name);
	}
	return rc;
}

int guard_look(struct hf_guard_file *g, char *error)
{
	int rc = g->failed ? HF_EIO : check_name(g, error);

	if (rc == 0)
		rc = guard_copies_load(&g->copies, g->fd, g->name, error);
	if (rc == 0)
		rc = stored(g, guard_copies_settle(&g->copies, g->fd), error);
	return rc;
}

static int admit(struct hf_guard_file *g, enum hf_mode mode, uint64_t token)
{
	int rc = guard_look(g, NULL);

	if (rc)
		return rc;
	struct hf_guard seen = g->copies.record.seen, before = seen;
	rc = hf_guard_check(&seen, mode, token);
	if (rc || (seen.newest == before.newest &&
		   seen.newest_exclusive == before.newest_exclusive))
		return rc;
	return stored(g, guard_copies_store(&g->copies, g->fd, &seen), NULL);
}

int hf_guard_begin(struct hf_guard_file *guard, enum hf_mode mode,
		   uint64_t token, uint32_t timeout_ms)
{
	struct hf_guard none = { 0 };

	/* One that has seen nothing refuses only what is no token. */
	if (!guard || hf_guard_check(&none, mode, token) != 0)
		return HF_EINVAL;
	if (guard->pid != getpid())
		return HF_EFORKED;
	int rc = guard_enter(guard, timeout_ms);
	if (rc)
		return rc;
	rc = admit(guard, mode, token);
	if (rc)
		guard_leave(guard);
	return rc;
}

int hf_guard_end(struct hf_guard_file *guard)
{
	if (!guard)
		return HF_EINVAL;
	if (guard->pid != getpid())
		return HF_EFORKED;
	pthread_mutex_lock(&guard->mutex);
	bool mine = is_mine(guard);
	pthread_mutex_unlock(&guard->mutex);
	if (!mine)
		return HF_EINVAL;
	guard_leave(guard);
	return 0;
}

int hf_guard_admit(struct hf_guard_file *guard, enum hf_mode mode,
		   uint64_t token, uint32_t timeout_ms)
{
	int rc = hf_guard_begin(guard, mode, token, timeout_ms);

	return rc ? rc : hf_guard_end(guard);
}
