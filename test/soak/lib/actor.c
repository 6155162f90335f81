#include "actor.h"

#include "place.h"
#include "resource.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBER_ARGS 5 /* before the addresses */
#define LOOK_NAP_US 2000
#define WRITE_EVERY_US 50000
#define SAFE_EVERY_US                                          \
	500000 /* between two lines about a lease that shrinks \
		*/
#define STALE_AFTER_US 200000
#define PROBE_NAP_US 10000
#define CLOSE_MS 2000

struct actor;

struct job {
	struct actor *actor;
	unsigned number;
	struct hf_lock lock;
	struct belief *_Atomic belief;
	atomic_bool wanted, asking;
	_Atomic(uint64_t) lost; /* the last token of which it was told so */
	uint32_t safe_ms;       /* at the last look */
	uint64_t looked_us, written_us, told_us;
};

struct actor {
	struct hf_node *node;
	uint64_t id;
	struct board *board;
	int resource;
	pthread_mutex_t writing;
	struct job jobs[ACTOR_JOBS];
};

static void tell(enum told kind, uint64_t a, uint64_t b, uint64_t c)
{
	printf("%" PRIu64 " %d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", now_us(),
	       (int)kind, a, b, c);
}

static void job_name(char *name, size_t size, unsigned number)
{
	snprintf(name, size, "job/%u", number);
}

static int job_write(struct job *j)
{
	struct actor *a = j->actor;

	pthread_mutex_lock(&a->writing);
	int rc = resource_write(a->resource, j->number, j->lock.token);
	pthread_mutex_unlock(&a->writing);
	if (rc == 0)
		a->board->writes++;
	return rc;
}

/* Tell of what has changed since the last look. */
static void compare(struct job *j, uint32_t safe_ms, uint64_t now)
{
	uint64_t token = j->lock.token;

	if (safe_ms == 0 && j->safe_ms > 0)
		tell(TOLD_ZERO, j->number, token, 0);
	if (safe_ms > 0 && j->safe_ms == 0)
		tell(TOLD_AGAIN, j->number, token, safe_ms);
	if (safe_ms > 0 && safe_ms < ACTOR_TTL_MS / 2 &&
	    now - j->told_us > SAFE_EVERY_US) {
		tell(TOLD_SAFE, j->number, token, safe_ms);
		j->told_us = now;
	}
	j->safe_ms = safe_ms;
}

/* One look. A stop is seen by the time since the last one, or by the length of
 * this one, which was right when it was taken; then there is another. */
static uint32_t look(struct job *j)
{
	uint64_t before = now_us(), away = before - j->looked_us;
	uint32_t safe_ms = belief_look(j->belief, &j->lock);

	j->looked_us = now_us();
	if (j->looked_us - before > ACTOR_TTL_MS * UINT64_C(1000)) {
		away = j->looked_us - before;
		safe_ms = belief_look(j->belief, &j->lock);
	}
	if (away > ACTOR_TTL_MS * UINT64_C(1000))
		tell(TOLD_WOKE, j->number, away / 1000, safe_ms);
	return safe_ms;
}

/* One look, and what it allows. */
static void work(struct job *j)
{
	uint32_t safe_ms = look(j);
	uint64_t now = j->looked_us;

	compare(j, safe_ms, now);
	if (safe_ms == 0 || now - j->written_us < WRITE_EVERY_US)
		return;
	if (job_write(j) == HF_EFENCED)
		tell(TOLD_REFUSED, j->number, j->lock.token, safe_ms);
	j->written_us = now;
}

static void job_hold(struct job *j)
{
	struct actor *a = j->actor;

	j->belief = belief_add(&a->board->beliefs, j->number, (uint32_t)a->id,
			       &j->lock);
	j->safe_ms = belief_look(j->belief, &j->lock);
	j->written_us = 0;
	j->looked_us = j->told_us = now_us();
	tell(TOLD_GRANTED, j->number, j->lock.token, j->safe_ms);
	while (j->wanted && j->lost != j->lock.token) {
		work(j);
		nap_us(LOOK_NAP_US);
	}
	if (j->lost == j->lock.token) {
		nap_us(STALE_AFTER_US);
		tell(TOLD_STALE, j->number, j->lock.token,
		     (uint64_t)-job_write(j));
	}
	belief_release(j->belief);
	hf_unlock(&j->lock, CLOSE_MS);
}

static void *job_run(void *arg)
{
	struct job *j = arg;
	char name[24];

	job_name(name, sizeof(name), j->number);
	for (;;) {
		if (!j->wanted) {
			nap_us(LOOK_NAP_US);
			continue;
		}
		j->asking = true;
		int rc = hf_lock(j->actor->node, &j->lock, name, NULL,
				 HF_FOREVER);
		j->asking = false;
		if (rc == 0)
			job_hold(j);
		else
			nap_us(LOOK_NAP_US);
	}
	return NULL;
}

static void probed(struct board *b)
{
	uint64_t now = now_us(), before = atomic_exchange(&b->probed_us, now);
	uint64_t gap = before && now > before ? now - before : 0;
	uint64_t longest = b->gap_us;

	while (longest < gap &&
	       !atomic_compare_exchange_weak(&b->gap_us, &longest, gap))
		;
}

static void *probe_run(void *arg)
{
	struct actor *a = arg;
	struct hf_lock lock;
	char name[24];

	snprintf(name, sizeof(name), "probe/%" PRIu64, a->id);
	for (;;) {
		if (hf_lock(a->node, &lock, name, NULL, HF_FOREVER) == 0) {
			probed(a->board);
			hf_unlock(&lock, CLOSE_MS);
		}
		nap_us(PROBE_NAP_US);
	}
	return NULL;
}

/* How long what it holds is certain, as the holders have seen it last. */
static void on_session(struct actor *a, enum hf_session_state state)
{
	uint64_t now = now_us(), end = now;

	for (int i = 0; i < ACTOR_JOBS; i++) {
		struct belief *b = a->jobs[i].belief;

		if (b && b->released == 0 && b->until > end)
			end = b->until;
	}
	tell(TOLD_SESSION, (uint64_t)state, (end - now) / 1000, 0);
}

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct actor *a = arg;
	char name[24];

	(void)node;
	if (event->type == HF_EVENT_SESSION)
		on_session(a, event->session);
	if (event->type == HF_EVENT_LEADER)
		tell(TOLD_LEADER, event->leader, event->term, 0);
	if (event->type == HF_EVENT_FAILED)
		tell(TOLD_FAILED, (uint64_t)-event->rc, 0, 0);
	for (unsigned i = 0; event->type == HF_EVENT_LOST && i < ACTOR_JOBS;
	     i++) {
		job_name(name, sizeof(name), i);
		if (event->name_len != strlen(name) ||
		    memcmp(event->name, name, event->name_len) != 0)
			continue;
		tell(TOLD_LOST, i, event->token, 0);
		a->jobs[i].lost = event->token;
	}
}

static void drop(struct job *j)
{
	j->wanted = false;
	if (j->asking)
		hf_lock_cancel(&j->lock);
}

static void obey(struct actor *a)
{
	char line[64];
	unsigned job;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "want %u", &job) == 1 && job < ACTOR_JOBS)
			a->jobs[job].wanted = true;
		else if (sscanf(line, "drop %u", &job) == 1 && job < ACTOR_JOBS)
			drop(&a->jobs[job]);
		else
			break;
	}
}

static bool begin(struct actor *a)
{
	pthread_t thread;

	for (unsigned i = 0; i < ACTOR_JOBS; i++) {
		a->jobs[i].actor = a;
		a->jobs[i].number = i;
		if (pthread_create(&thread, NULL, job_run, &a->jobs[i]) != 0)
			return false;
	}
	return pthread_create(&thread, NULL, probe_run, a) == 0;
}

int actor_main(int argc, char **argv)
{
	struct actor *a = calloc(1, sizeof(*a));
	struct hf_member members[ACTOR_MEMBERS];
	struct hf_options options = { .size = sizeof(options) };
	char error[HF_ERROR_TEXT];

	if (!a || argc != MEMBER_ARGS + ACTOR_MEMBERS)
		return 2;
	a->id = options.id = (uint64_t)atoi(argv[1]);
	a->board = place_map(atoi(argv[2]), sizeof(*a->board));
	a->resource = atoi(argv[3]);
	pthread_mutex_init(&a->writing, NULL);
	for (int i = 0; i < ACTOR_MEMBERS; i++)
		members[i] = (struct hf_member){ (uint64_t)i + 1,
						 argv[MEMBER_ARGS + i] };
	options.dir = argv[4];
	options.members = members;
	options.members_len = ACTOR_MEMBERS;
	options.ttl_ms = ACTOR_TTL_MS;
	options.election_ms = ACTOR_ELECTION_MS;
	options.on_event = on_event;
	options.arg = a;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!a->board || hf_open(&a->node, &options, error) != 0) {
		fprintf(stderr, "drill: member %s: %s\n", argv[1],
			a->board ? error : "no board");
		return 1;
	}
	if (!begin(a))
		return 1;
	obey(a);
	/* As a program does that is told to end at once: its threads go with
	 * it, its session lives on until its TTL is over. */
	fflush(stdout);
	_Exit(0);
}
