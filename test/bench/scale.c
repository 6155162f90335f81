/* Does an operation cost more where there is much else?
 *
 *	scale DIR SECS FEW MANY WAITERS
 *
 * A cluster of one, so that the log's disk and the state machine are all there
 * is. Printed, each as a row: pairs (lock, unlock) by one thread while FEW
 *other locks are held, and while MANY are; then how long a new waiter takes to
 *be in the line of a lock for which WAITERS wait already, beside one of which
 *nobody else waits. */
#include "lib/bench.h"

#include <errno.h>
#include <holdfast.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECS_MAX 3600
#define LOCKS_MAX 10000000
#define WAITERS_MAX 1000000
#define IN_FLIGHT 1024
#define REQUEST_MS 60000
#define NEWCOMERS 500

struct scale {
	struct hf_node *node;
	double secs;
	unsigned few, many, waiters;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	unsigned in_flight;
	int rc;
};

static void check(int rc, const char *what)
{
	if (rc)
		die("%s: %s", what, hf_strerror(rc));
}

static void on_done(struct hf_lock *lock, int rc)
{
	struct scale *s = lock->data;

	pthread_mutex_lock(&s->mutex);
	if (rc)
		s->rc = rc;
	s->in_flight--;
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->mutex);
}

/* Until no more than so many requests are on their way. */
static void wait_for(struct scale *s, unsigned in_flight)
{
	pthread_mutex_lock(&s->mutex);
	while (s->in_flight > in_flight)
		pthread_cond_wait(&s->cond, &s->mutex);
	check(s->rc, "a lock that is to be held");
	pthread_mutex_unlock(&s->mutex);
}

static void start(struct scale *s, struct hf_lock *lock, const char *name,
		  hf_lock_cb cb)
{
	lock->data = s;
	check(hf_lock_start(s->node, lock, name, strlen(name), NULL, HF_FOREVER,
			    cb),
	      "hf_lock_start");
}

static struct hf_lock *locks_new(size_t len)
{
	struct hf_lock *locks = calloc(len, sizeof(*locks));

	if (!locks)
		die("out of memory for %zu locks", len);
	return locks;
}

/* They are held until the node is closed. */
static void hold(struct scale *s, unsigned from, unsigned to)
{
	struct hf_lock *locks = locks_new(to - from);
	char name[32];

	for (unsigned i = from; i < to; i++) {
		snprintf(name, sizeof(name), "held-%u", i);
		pthread_mutex_lock(&s->mutex);
		s->in_flight++;
		pthread_mutex_unlock(&s->mutex);
		start(s, &locks[i - from], name, on_done);
		wait_for(s, IN_FLIGHT);
	}
	wait_for(s, 0);
}

static void pairs(struct scale *s, const char *row)
{
	struct hist *hist = calloc(1, sizeof(*hist));
	uint64_t begin = now_ns(), end = begin + (uint64_t)(s->secs * 1e9);
	struct hf_lock lock;
	char name[32];
	uint64_t at = begin;

	if (!hist)
		die("out of memory");
	for (unsigned i = 0; at < end; i++) {
		uint64_t before = at;

		snprintf(name, sizeof(name), "pair-%u", i % 1000);
		check(hf_lock(s->node, &lock, name, NULL, REQUEST_MS),
		      "hf_lock");
		check(hf_unlock(&lock, REQUEST_MS), "hf_unlock");
		at = now_ns();
		hist_add(hist, at - before);
	}
	print_row(row, 1, (double)hist->n / s->secs, hist);
	free(hist);
}

/* Its node closes while it waits. */
static void on_end(struct hf_lock *lock, int rc)
{
	(void)lock;
	(void)rc;
}

/* As soon as this member's replica has it. */
static void await_place(struct hf_lock *lock)
{
	struct hf_place place = { 0 };

	while (place.place == 0)
		check(hf_lock_place(lock, &place), "hf_lock_place");
}

static void newcomers(struct scale *s, const char *row, unsigned waiters)
{
	struct hist *hist = calloc(1, sizeof(*hist));
	struct hf_lock *locks = locks_new(waiters + NEWCOMERS);
	struct hf_lock *holder = locks_new(1);
	uint64_t begin, took = 0;

	if (!hist)
		die("out of memory");
	check(hf_lock(s->node, holder, row, NULL, REQUEST_MS), "hf_lock");
	for (unsigned i = 0; i < waiters; i++)
		start(s, &locks[i], row, on_end);
	if (waiters > 0)
		await_place(&locks[waiters - 1]);
	for (unsigned i = 0; i < NEWCOMERS; i++) {
		begin = now_ns();
		start(s, &locks[waiters + i], row, on_end);
		await_place(&locks[waiters + i]);
		hist_add(hist, now_ns() - begin);
		took += now_ns() - begin;
		if (waiters == 0)
			hf_lock_cancel(&locks[i]);
	}
	print_row(row, waiters, NEWCOMERS * 1e9 / (double)took, hist);
	free(hist);
}

static void conduct(const char *dir, void *arg)
{
	struct scale *s = arg;
	struct hf_options options = { .size = sizeof(options) };
	char path[4096], error[HF_ERROR_TEXT];

	snprintf(path, sizeof(path), "%s/node", dir);
	options.dir = path;
	if (hf_open(&s->node, &options, error))
		die("%s", error);
	hold(s, 0, s->few);
	pairs(s, "pair_few");
	newcomers(s, "waiter_alone", 0);
	newcomers(s, "waiter_behind", s->waiters);
	hold(s, s->few, s->many);
	pairs(s, "pair_many");
	hf_close(s->node, 1000);
}

int main(int argc, char **argv)
{
	struct scale s = { .mutex = PTHREAD_MUTEX_INITIALIZER,
			   .cond = PTHREAD_COND_INITIALIZER };

	if (argc != 6) {
		fprintf(stderr, "usage: scale DIR SECS FEW MANY WAITERS\n");
		return 2;
	}
	s.secs = number_argument("SECS", argv[2], SECS_MAX);
	s.few = (unsigned)number_argument("FEW", argv[3], LOCKS_MAX);
	s.many = (unsigned)number_argument("MANY", argv[4], LOCKS_MAX);
	s.waiters = (unsigned)number_argument("WAITERS", argv[5], WAITERS_MAX);
	return supervise(argv[1], SECS_MAX, conduct, &s);
}
