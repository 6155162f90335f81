/* Holders that are stopped just before a write, for longer than their lease,
 * and write when they wake.
 *
 * pause [STOPS], default 500. Several clusters of five real processes, side by
 * side. In each, again and again, two members take a lock each and come to
 * stand before a write to what it protects, in different states
 * (lib/sleeper.h). Both are stopped, often the leader with them, until others
 * have got the locks and have written, and for longer than the TTL at least.
 * When they go on, their very first look at hf_lock_safe_ms must say 0, their
 * writes must be refused, and each must be told once that its hold is lost.
 * Beyond that, no two holds of one lock may ever have been certain at one time
 * (lib/belief.h).
 *
 * A round that didn't come about as it should (a holder that a slow machine had
 * made unsure before the stop) proves nothing: it isn't counted, and done
 * again. The program runs itself as the members: "pause member ...". It ends
 * with "pause: S stops, R stale writes refused, W woke to 0 ms, V violations".
 */
#include "lib/belief.h"
#include "lib/lane.h"
#include "lib/place.h"
#include "lib/resource.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STOPS 500
#define LANES 4 /* clusters */
#define PROGRESS_EVERY 50
/* Of what isn't left to chance alone, this share at least must have come. */
#define SHARE_MIN 20

struct counts {
	unsigned begun, stops, refused, woke, violations, voids;
	unsigned leaders, inside, granted, heard;
	unsigned states[SLEEPER_STATES];
};

struct pause {
	char dir[PLACE_DIR_LEN];
	struct resource resource;
	struct beliefs *beliefs;
	int beliefs_fd;
	unsigned stops; /* wanted */
	pthread_mutex_t mutex;
	struct counts counts; /* under the mutex */
	atomic_bool broken;   /* a lane can't go on */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static struct pause *pause_of(const struct lane *l)
{
	return l->data;
}

/* Did the stop come about? It was certain before, it was away for longer than
 * the TTL, until it was continued (a thread can starve for as long on a busy
 * machine, while its node renews), and another held and wrote meanwhile. */
static bool happened(const struct victim *v)
{
	return v->token > 0 && v->woke.token == v->token && v->heir_token > 0 &&
	       v->woke.last_ms > 0 && v->woke.gap_ms >= SLEEPER_TTL_MS &&
	       v->continued_us - v->stopped_us > SLEEPER_TTL_MS * 1000;
}

static void wrong(struct lane *l, const struct victim *v, bool is_wrong,
		  const char *what)
{
	if (!is_wrong)
		return;
	fprintf(stderr,
		"pause: cluster %u, token %" PRIu64 ", state %d: %s "
		"(first look %u, write %d, validate %d, unlock %d, "
		"%u losses, %u side)\n",
		l->number + 1, v->token, (int)v->state, what, v->woke.first_ms,
		v->woke.write_rc, v->woke.validate_rc, v->woke.unlock_rc,
		v->woke.losses, v->woke.side_wrong);
	pause_of(l)->counts.violations++;
}

static void judge(struct lane *l, const struct victim *v)
{
	struct counts *n = &pause_of(l)->counts;
	const struct woke *w = &v->woke;

	if (!happened(v)) {
		n->voids++;
		n->begun--;
		return;
	}
	n->stops++;
	n->woke += w->first_ms == 0;
	n->refused += w->write_rc == HF_EFENCED;
	n->leaders += v->leads;
	n->inside += w->inside;
	n->granted += v->granted;
	n->heard += w->side_token > 0;
	n->states[v->state]++;
	wrong(l, v, v->heir_token <= v->token, "the token didn't rise");
	wrong(l, v, v->heir_refused, "the write of a certain heir was refused");
	wrong(l, v, w->first_ms > 0, "certain on waking");
	wrong(l, v, w->write_rc != HF_EFENCED, "a stale write wasn't refused");
	wrong(l, v, w->validate_rc == 0, "the leader says that it is held");
	wrong(l, v, hf_outcome(w->unlock_rc) != HF_OUTCOME_REFUSED,
	      "a lost hold was released");
	wrong(l, v, w->losses != 1, "not told once of the loss");
	wrong(l, v, w->side_wrong > 0, "its other thread was deceived");
	if (n->stops % PROGRESS_EVERY == 0)
		printf("%u stops, %u stale writes refused, %u woke to 0 ms\n",
		       n->stops, n->refused, n->woke);
}

/* Take as many stops as are still to be done, up to all of a round. */
static bool more(struct pause *p)
{
	pthread_mutex_lock(&p->mutex);
	bool wanted = p->counts.begun < p->stops && !p->broken &&
		      !interrupted && p->counts.voids <= p->stops;
	if (wanted)
		p->counts.begun += LANE_VICTIMS;
	pthread_mutex_unlock(&p->mutex);
	return wanted;
}

static void *lane_run(void *arg)
{
	struct lane *l = arg;
	struct pause *p = pause_of(l);
	struct round r;

	while (more(p)) {
		if (!lane_round(l, &r)) {
			p->broken = true;
			break;
		}
		pthread_mutex_lock(&p->mutex);
		for (unsigned i = 0; i < LANE_VICTIMS; i++)
			judge(l, &r.victims[i]);
		pthread_mutex_unlock(&p->mutex);
	}
	return NULL;
}

static bool run(struct pause *p, struct lane *lanes)
{
	struct lane_place place = { p->dir, p->beliefs_fd, p->resource.ends };
	unsigned begun = 0;
	bool well = true;

	for (unsigned i = 0; well && i < LANES; i++) {
		lanes[i].data = p;
		lanes[i].interrupted = &interrupted;
		well = lane_begin(&lanes[i], i, &place);
	}
	for (; well && begun < LANES; begun++)
		well = pthread_create(&lanes[begun].thread, NULL, lane_run,
				      &lanes[begun]) == 0;
	for (unsigned i = 0; i < begun; i++)
		pthread_join(lanes[i].thread, NULL);
	for (unsigned i = 0; i < LANES; i++)
		lane_end(&lanes[i]);
	return well && !p->broken;
}

/* Was each of the things that this is about seen often enough? */
static bool varied(const struct counts *n)
{
	unsigned least = n->stops / SHARE_MIN / SLEEPER_STATES;
	bool enough =
		n->leaders >= n->stops / SHARE_MIN && n->granted >= least / 2;

	for (int i = 0; i < SLEEPER_STATES; i++)
		enough = enough && n->states[i] >= least;
	if (!enough)
		fprintf(stderr, "pause: too few of one kind\n");
	return enough;
}

static bool tell(struct pause *p)
{
	struct counts *n = &p->counts;
	unsigned *s = n->states;

	n->violations += beliefs_audit(p->beliefs);
	printf("%u of them led. About to write and %u no more, %u waiting for "
	       "another lock, %u waiting for one\nthat %u were given in their "
	       "sleep (%u heard of it on waking), %u asking the leader, %u "
	       "taking and\ngiving another. %u stood inside a look. %u holds "
	       "compared; %u stops without effect, done again.\n",
	       n->leaders, s[SLEEPER_WRITING], s[SLEEPER_WAITING],
	       s[SLEEPER_GRANTED], n->granted, n->heard, s[SLEEPER_VALIDATING],
	       s[SLEEPER_CHURNING], n->inside, p->beliefs->len, n->voids);
	bool enough = varied(n);
	printf("pause: %u stops, %u stale writes refused, %u woke to 0 ms, %u "
	       "violations\n",
	       n->stops, n->refused, n->woke, n->violations);
	return enough && n->stops >= p->stops && n->refused == n->stops &&
	       n->woke == n->stops && n->violations == 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct lane lanes[LANES] = { 0 };
	struct pause p = { .mutex = PTHREAD_MUTEX_INITIALIZER };

	if (argc > 1 && strcmp(argv[1], "member") == 0)
		return sleeper_main(argc - 1, argv + 1);
	p.stops = STOPS;
	if (argc > 1 && !place_count(argv[1], &p.stops)) {
		fprintf(stderr, "pause: not a number of stops: %s\n", argv[1]);
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	p.beliefs = place_share(sizeof(*p.beliefs), &p.beliefs_fd);
	if (!p.beliefs || !place_make(p.dir, "pause") ||
	    !resource_begin(&p.resource, LANES * LANE_MEMBERS)) {
		perror("pause");
		return 1;
	}
	bool well = run(&p, lanes);
	resource_end(&p.resource);
	well = tell(&p) && well;
	place_remove(p.dir);
	return well ? 0 : 1;
}
