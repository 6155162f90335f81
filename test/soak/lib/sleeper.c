#include "sleeper.h"

#include "place.h"
#include "sleeper_side.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBER_ARGS 5 /* before the addresses */
#define LOOK_NAP_US 200
#define STOP_WAIT_US (UINT64_C(20) * 1000 * 1000)
#define LOSS_WAIT_S 10
#define SECOND_LOSS_US 20000 /* a while in which it might be told again */
#define TTL_US (SLEEPER_TTL_MS * UINT64_C(1000))

/* A member's locks, one for each number. */
struct held {
	struct hf_lock lock;
	struct belief *belief;
};

struct member {
	struct sleeper sleeper;
	struct held held[64];
};

void sleeper_name(char *name, size_t size, unsigned lock)
{
	snprintf(name, size, "pause/%u", lock);
}

int woke_print(char *line, int size, const struct woke *w)
{
	return snprintf(line, (size_t)size,
			"woke %" PRIu64 " %" PRIu64 " %" PRIu64
			" %u %u %d %d %d %u %u %u "
			"%" PRIu64,
			w->token, w->woke_us, w->gap_ms, w->last_ms,
			w->first_ms, w->write_rc, w->validate_rc, w->unlock_rc,
			w->losses, w->inside, w->side_wrong, w->side_token);
}

bool woke_scan(const char *line, struct woke *w)
{
	return sscanf(line,
		      "woke %" SCNu64 " %" SCNu64 " %" SCNu64
		      " %u %u %d %d %d %u %u %u "
		      "%" SCNu64,
		      &w->token, &w->woke_us, &w->gap_ms, &w->last_ms,
		      &w->first_ms, &w->write_rc, &w->validate_rc,
		      &w->unlock_rc, &w->losses, &w->inside, &w->side_wrong,
		      &w->side_token) == 12;
}

static unsigned count_losses(struct sleeper *s, uint64_t token)
{
	unsigned count = 0;

	for (unsigned i = 0; i < s->lost_len; i++)
		count += s->lost[i] == token;
	return count;
}

unsigned sleeper_losses(struct sleeper *s, uint64_t token)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += LOSS_WAIT_S;
	pthread_mutex_lock(&s->mutex);
	while (count_losses(s, token) == 0 &&
	       pthread_cond_timedwait(&s->changed, &s->mutex, &end) == 0)
		;
	pthread_mutex_unlock(&s->mutex);
	nap_us(SECOND_LOSS_US);
	pthread_mutex_lock(&s->mutex);
	unsigned count = count_losses(s, token);
	pthread_mutex_unlock(&s->mutex);
	return count;
}

int sleeper_write(struct sleeper *s, unsigned lock, uint64_t token)
{
	pthread_mutex_lock(&s->mutex);
	int rc = resource_write(s->resource, lock, token);
	pthread_mutex_unlock(&s->mutex);
	return rc;
}

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct sleeper *s = arg;

	(void)node;
	if (event->type == HF_EVENT_FAILED)
		fprintf(stderr, "pause: member %" PRIu64 " failed: %s\n", s->id,
			event->text);
	if (event->type != HF_EVENT_LOST)
		return;
	pthread_mutex_lock(&s->mutex);
	if (s->lost_len < LOSSES_MAX)
		s->lost[s->lost_len++] = event->token;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->mutex);
}

/* Also while the former session's end is still on its way here. */
static int take_lock(struct member *m, unsigned number)
{
	uint64_t end = now_ms() + SLEEPER_WAIT_MS;
	struct held *h = &m->held[number];
	char name[24];
	int rc;

	sleeper_name(name, sizeof(name), number);
	do {
		rc = hf_lock(m->sleeper.node, &h->lock, name, NULL,
			     SLEEPER_WAIT_MS);
		if (rc)
			nap_us(10000);
	} while (rc != 0 && now_ms() < end);
	h->belief = rc == 0 ? belief_add(m->sleeper.beliefs, number,
					 (uint32_t)m->sleeper.id, &h->lock)
			    : NULL;
	return rc;
}

static void take(struct member *m, unsigned number)
{
	struct held *h = &m->held[number];
	uint32_t safe_ms = 0;
	int rc = take_lock(m, number);

	if (rc == 0) {
		safe_ms = belief_look(h->belief, &h->lock);
		rc = sleeper_write(&m->sleeper, number, h->lock.token);
	}
	printf("took %" PRIu64 " %u %d\n", hf_lock_token(&h->lock), safe_ms,
	       rc);
}

static void give(struct member *m, unsigned number)
{
	struct held *h = &m->held[number];

	belief_release(h->belief);
	printf("gave %d\n", hf_unlock(&h->lock, SLEEPER_WAIT_MS));
}

/* Look at the lease, on and on, until a stop has come and gone: the first look
 * begun since then is the one that counts. A stop within a look is seen by its
 * length; that look was right when it was taken. */
static void stand(struct held *h, struct woke *w)
{
	uint64_t begin = now_us(), after = begin;

	while (after - begin < STOP_WAIT_US) {
		uint64_t before = now_us();
		uint32_t safe_ms = belief_look(h->belief, &h->lock);
		uint64_t gap = before - after, length = now_us() - before;

		if (gap >= TTL_US) {
			w->gap_ms = gap / 1000;
			w->woke_us = before;
			w->first_ms = safe_ms;
			return;
		}
		if (length >= TTL_US) {
			w->gap_ms = length / 1000;
			w->woke_us = before + length;
			w->first_ms = belief_look(h->belief, &h->lock);
			w->inside = 1;
			return;
		}
		w->last_ms = safe_ms;
		after = before + length;
		nap_us(LOOK_NAP_US);
	}
}

static void brink(struct member *m, unsigned number, enum sleeper_state state,
		  unsigned side_number)
{
	struct sleeper *s = &m->sleeper;
	struct held *h = &m->held[number];
	struct side side = { .sleeper = s,
			     .state = state,
			     .number = side_number,
			     .first = &h->lock };
	struct woke w = { 0 };
	char line[256];

	if (take_lock(m, number) != 0 || !side_begin(&side)) {
		printf("brink 0\n");
		return;
	}
	w.token = hf_lock_token(&h->lock);
	printf("brink %" PRIu64 "\n", w.token);
	stand(h, &w);
	/* It has looked, and writes all the same. */
	w.write_rc = sleeper_write(s, number, w.token);
	side.awake = true;
	w.validate_rc = hf_lock_validate(&h->lock, SLEEPER_WAIT_MS);
	w.losses = sleeper_losses(s, w.token);
	w.unlock_rc = hf_unlock(&h->lock, SLEEPER_WAIT_MS);
	side_end(&side);
	w.side_wrong = side.wrong;
	w.side_token = side.token;
	woke_print(line, sizeof(line), &w);
	printf("%s\n", line);
}

static void tell_leader(struct member *m)
{
	struct hf_status status = { .size = sizeof(status) };

	hf_status(m->sleeper.node, &status);
	printf("leader %" PRIu64 "\n", status.leader);
}

/* As its own replica shows it, which may be a little behind. */
static void who(struct member *m, unsigned number)
{
	struct hf_claim claim = { 0 };
	size_t total = 0;
	char name[24];

	sleeper_name(name, sizeof(name), number);
	hf_lock_status(m->sleeper.node, name, strlen(name), &claim, 1, &total);
	printf("who %" PRIu64 " %zu\n", claim.token ? claim.node : 0, total);
}

static void obey(struct member *m)
{
	char line[64];
	unsigned number, state, side;

	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "leader\n") == 0)
			tell_leader(m);
		else if (sscanf(line, "take %u", &number) == 1)
			take(m, number);
		else if (sscanf(line, "give %u", &number) == 1)
			give(m, number);
		else if (sscanf(line, "who %u", &number) == 1)
			who(m, number);
		else if (sscanf(line, "brink %u %u %u", &number, &state,
				&side) == 3)
			brink(m, number, (enum sleeper_state)state, side);
		else
			break;
	}
}

static int open_node(struct member *m, int argc, char **argv)
{
	struct hf_member members[HF_MEMBERS_MAX];
	struct hf_options options = { .size = sizeof(options) };
	char error[HF_ERROR_TEXT];
	size_t len = (size_t)(argc - MEMBER_ARGS);

	for (size_t i = 0; i < len; i++)
		members[i] = (struct hf_member){ i + 1, argv[MEMBER_ARGS + i] };
	options.id = m->sleeper.id;
	options.dir = argv[4];
	options.members = members;
	options.members_len = len;
	options.ttl_ms = SLEEPER_TTL_MS;
	options.on_event = on_event;
	options.arg = &m->sleeper;
	int rc = hf_open(&m->sleeper.node, &options, error);
	if (rc)
		fprintf(stderr, "pause: member %" PRIu64 ": %s\n", options.id,
			error);
	return rc;
}

int sleeper_main(int argc, char **argv)
{
	struct member *m = calloc(1, sizeof(*m));

	if (!m || argc <= MEMBER_ARGS || argc > MEMBER_ARGS + HF_MEMBERS_MAX)
		return 2;
	m->sleeper.id = (uint64_t)atoi(argv[1]);
	m->sleeper.beliefs =
		place_map(atoi(argv[2]), sizeof(*m->sleeper.beliefs));
	m->sleeper.resource = atoi(argv[3]);
	pthread_mutex_init(&m->sleeper.mutex, NULL);
	pthread_cond_init(&m->sleeper.changed, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!m->sleeper.beliefs || open_node(m, argc, argv) != 0)
		return 1;
	obey(m);
	hf_close(m->sleeper.node, 1000);
	free(m);
	return 0;
}
