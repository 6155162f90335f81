/* A node's life, and the order of things in one turn. README here explains. */
#include "node/internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a, 64 bits. A name's digest only tells clusters apart. */
uint64_t node_digest(const char *cluster)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *cluster; cluster++)
		h = (h ^ (uint8_t)*cluster) * UINT64_C(1099511628211);
	return h;
}

void node_tell(struct node *n, struct hf_event *event)
{
	event->session = n->keeper.state;
	event->leader = repl_leader(n->repl);
	event->term = repl_term(n->repl);
	n->calls.event(n->arg, event);
}

/* Does a newer event say anew what this one does: who leads, or how sure a
 * session is that hasn't ended? One of `type` is about to come. */
static bool superseded(const struct node *n, size_t i, enum hf_event_type type)
{
	const struct hf_event *e = &n->events[i];

	if (e->type != HF_EVENT_LEADER &&
	    (e->type != HF_EVENT_SESSION || e->session == HF_SESSION_LOST))
		return false;
	while (++i < n->events_len)
		if (n->events[i].type == e->type)
			return true;
	return type == e->type;
}

/* The oldest that can be spared goes. If there is none, all but two say that a
 * session was lost: one less says the same. */
static void make_room(struct node *n, enum hf_event_type type)
{
	size_t i = 0;

	while (i < n->events_len && !superseded(n, i, type))
		i++;
	if (i == n->events_len)
		for (i = 0; n->events[i].type != HF_EVENT_SESSION; i++)
			assert(i + 1 < n->events_len);
	n->events_len--;
	memmove(&n->events[i], &n->events[i + 1],
		(n->events_len - i) * sizeof(*n->events));
}

void node_event(struct node *n, const struct hf_event *event)
{
	struct hf_event *e;

	if (n->events_len == EVENTS_MAX)
		make_room(n, event->type);
	e = &n->events[n->events_len++];
	*e = *event;
	e->session = n->keeper.state;
	e->leader = repl_leader(n->repl);
	e->term = repl_term(n->repl);
}

void node_fail(struct node *n, int rc, const char *text)
{
	if (n->failed)
		return;
	n->failed = true;
	n->fail_rc = rc;
	snprintf(n->fail_text, sizeof(n->fail_text), "%s", text);
}

/* Not one of n->events: no other can push it out. */
static void tell_failure(struct node *n)
{
	struct hf_event e = { .type = HF_EVENT_FAILED,
			      .rc = n->fail_rc,
			      .text = n->fail_text };

	if (!n->failed || n->fail_told || n->quiet)
		return;
	n->fail_told = true;
	node_tell(n, &e);
}

/* What is lost for want of memory is told again by a resync, which must have
 * been asked for behind it. */
void node_output(struct node *n, const struct output *o)
{
	if (n->outputs.len == 0 && !n->outputs.failed)
		outputs_begin(&n->outputs);
	outputs_add(&n->outputs, o);
	if (n->outputs.failed)
		route_gap(n);
}

static void on_send(void *arg, uint64_t to, enum lane lane,
		    const uint8_t *bytes, size_t len)
{
	link_send((struct node *)arg, to, FRAME_REPL, lane, bytes, len);
}

static bool on_linked(void *arg, uint64_t to)
{
	return link_ready((struct node *)arg, to);
}

static void on_output(void *arg, const struct output *o)
{
	serve_output((struct node *)arg, o);
}

static void on_news(void *arg, const struct output *o)
{
	ring_put(&((struct node *)arg)->ring, o);
}

static void on_restored(void *arg)
{
	struct node *n = (struct node *)arg;

	ring_restart(&n->ring, repl_applied(n->repl));
}

static void on_changed(void *arg)
{
	((struct node *)arg)->leader_changed = true;
}

static void on_failed(void *arg, int rc, const char *text)
{
	node_fail((struct node *)arg, rc, text);
}

static const struct repl_calls repl_calls = { .send = on_send,
					      .linked = on_linked,
					      .output = on_output,
					      .news = on_news,
					      .restored = on_restored,
					      .changed = on_changed,
					      .failed = on_failed };

static int open_peers(struct node *n)
{
	const struct repl_config *c = &n->config.repl;

	n->peers = (struct peer *)mem_zalloc(
		&n->mem, (c->members_len + 1) * sizeof(*n->peers));
	if (!n->peers)
		return HF_ENOMEM;
	for (size_t i = 0; i < c->members_len; i++) {
		struct peer *p = &n->peers[n->peers_len];

		if (c->members[i].id == c->id)
			continue;
		p->id = c->members[i].id;
		p->address = c->members[i].address;
		p->redial_us = REDIAL_MIN_US;
		p->handshake_us = HANDSHAKE_MIN_US;
		p->requests.mem = p->outputs.mem = &n->mem;
		n->peers_len++;
	}
	return 0;
}

int node_open(struct node **node, const struct node_config *config,
	      struct env *env, struct raft_io *io,
	      const struct node_calls *calls, void *arg, char *error)
{
	static const struct mem libc;
	const struct mem *mem = config->repl.mem ? config->repl.mem : &libc;
	struct node *n = (struct node *)mem_zalloc(mem, sizeof(*n));
	int rc = HF_ENOMEM;

	*node = NULL;
	if (!n)
		goto out_of_memory;
	n->config = *config;
	n->mem = *mem;
	n->outputs.mem = n->handled.mem = n->scratch.mem = n->message.mem =
		&n->mem;
	n->config.repl.mem = mem; /* libraft's part may outlive the node */
	n->env = env;
	n->calls = *calls;
	n->arg = arg;
	list_init(&n->links);
	list_init(&n->claims);
	list_init(&n->due);
	list_init(&n->losses);
	list_init(&n->notices);
	list_init(&n->errands_due);
	list_init(&n->strays);
	map_init(&n->ranked, &n->mem, env_random64(env));
	map_init(&n->renewing, &n->mem, env_random64(env));
	env_clocks(env, &n->now);
	calls_init(n);
	questions_init(n);
	asks_init(n);
	watches_init(n);
	keeper_init(n);
	if (open_peers(n) || ring_open(&n->ring, &n->mem, config->ring_bytes))
		goto free_node;
	rc = repl_open(&n->repl, &n->config.repl, env, io, &repl_calls, n,
		       error);
	if (rc) {
		node_free(n);
		return rc;
	}
	*node = n;
	return 0;
free_node:
	node_free(n);
out_of_memory:
	snprintf(error, HF_ERROR_TEXT, "out of memory");
	return rc;
}

int node_start(struct node *n, char *error)
{
	int rc;

	env_clocks(n->env, &n->now);
	rc = repl_start(n->repl, error);
	n->started = rc == 0;
	return rc;
}

void node_free(struct node *n)
{
	if (!n)
		return;
	links_close(n);
	claims_free(n);
	asks_free(n);
	calls_free(n);
	watches_free(n);
	repl_free(n->repl);
	questions_free(n);
	ring_free(&n->ring);
	buf_free(&n->outputs);
	buf_free(&n->handled);
	buf_free(&n->scratch);
	buf_free(&n->message);
	mem_free(&n->mem, n->peers);
	struct mem mem = n->mem;
	mem_free(&mem, n);
}

static void handle_output(struct node *n, const struct output *o)
{
	if (o->kind == OUTPUT_SESSION_ENDED)
		keeper_lost(n, o->session);
	else if (o->kind == OUTPUT_ANSWER &&
		 (o->op == OP_OPEN || o->op == OP_RENEW || o->op == OP_CLOSE) &&
		 !(o->op == OP_RENEW && o->status == HF_ESESSION))
		keeper_answer(n, o);
	else
		calls_output(n, o);
}

/* What is handled may add to n->outputs, and points into what it is read from.
 */
static void handle_outputs(struct node *n)
{
	struct outputs_reader it;
	struct buf b = n->outputs;
	struct output o;

	n->outputs = n->handled;
	buf_clear(&n->outputs);
	if (b.len > 0 && outputs_open(&it, b.base, b.len) == 0)
		while (outputs_next(&it, &o) > 0)
			handle_output(n, &o);
	n->handled = b;
}

static void leader_event(struct node *n)
{
	struct hf_event e = { .type = HF_EVENT_LEADER };

	n->leader_changed = false;
	if (n->leader_told == repl_leader(n->repl) &&
	    n->term_told == repl_term(n->repl))
		return;
	n->leader_told = repl_leader(n->repl);
	n->term_told = repl_term(n->repl);
	node_event(n, &e);
}

/* An event may make the node quiet. */
static void tell_events(struct node *n)
{
	size_t told = 0;

	while (told < n->events_len && !n->quiet)
		n->calls.event(n->arg, &n->events[told++]);
	n->events_len -= told;
	memmove(n->events, n->events + told,
		n->events_len * sizeof(*n->events));
}

static void callbacks(struct node *n)
{
	tell_events(n);
	tell_failure(n);
	questions_callbacks(n);
	claims_callbacks(n);
	asks_callbacks(n);
	watches_callbacks(n);
}

static void on_repl_closed(void *arg, bool clean)
{
	struct node *n = (struct node *)arg;

	n->repl_closed = true;
	n->clean = clean;
}

/* A leader hands over before it goes, if it can do so quickly. */
static bool transferring(struct node *n)
{
	bool alone = true;

	for (size_t i = 0; i < n->peers_len; i++)
		alone = alone && !n->peers[i].link;
	if (n->failed || alone || !repl_serving(n->repl))
		return false;
	if (!n->transfer_at) {
		n->transfer_at = later(n->now.monotonic, TRANSFER_US);
		sooner(&n->transfer_at, n->close_at);
		repl_transfer(n->repl);
	}
	return n->now.monotonic < n->transfer_at;
}

static void close_turn(struct node *n)
{
	struct keeper *k = &n->keeper;
	bool gone = !k->id || k->closed;

	if (n->repl_closing)
		return;
	if (!gone && !n->failed && n->now.monotonic < n->close_at)
		return;
	claims_end(n, HF_ECLOSED, k->closed ? k->closed_rc : HF_EUNKNOWN);
	asks_end(n, HF_ECLOSED, true);
	if (transferring(n))
		return;
	n->keeper.closed = true;
	links_flush(n);
	n->repl_closing = true;
	links_close(n);
	repl_close(n->repl, on_repl_closed, n);
}

/* A replica that wants its next turn at once wants it after what is readable
 * has been handed over: not in this one. */
static void repl_round(struct node *n, uint64_t *wake)
{
	uint64_t at;

	if (n->repl_closing || *wake <= n->now.monotonic)
		return;
	at = repl_turn(n->repl);
	sooner(wake, at);
}

/* The order: what came, what time has brought, what follows from both and must
 * go out, the replica's own turn, and what that in turn has brought for us. */
static void turn_round(struct node *n, uint64_t *wake)
{
	handle_outputs(n);
	if (n->leader_changed)
		leader_event(n);
	route_turn(n);
	timers_run(n);
	if (n->failed) {
		claims_end(n, HF_EFAILED, HF_EUNKNOWN);
		asks_end(n, HF_EFAILED, true);
	}
	keeper_turn(n);
	route_turn(n);
	calls_turn(n);
	questions_turn(n);
	repl_round(n, wake);
	handle_outputs(n);
	if (n->failed)
		questions_end(n, HF_EFAILED);
	if (n->closing)
		close_turn(n);
	callbacks(n);
}

static bool work_left(const struct node *n)
{
	bool to_tell = !list_empty(&n->losses) || n->events_len > 0 ||
		       n->failed != n->fail_told;

	return n->outputs.len > 0 || !list_empty(&n->due) ||
	       !list_empty(&n->errands_due) || asks_waiting(n) ||
	       questions_waiting(n) || watches_waiting(n) ||
	       (to_tell && !n->quiet) || n->leader_changed || calls_waiting(n);
}

static uint64_t next_turn(const struct node *n)
{
	uint64_t at = timers_next(n);

	sooner(&at, keeper_next(n));
	sooner(&at, route_next(n));
	sooner(&at, calls_next(n));
	sooner(&at, questions_next(n));
	sooner(&at, links_next(n));
	if (n->closing && !n->repl_closing) {
		sooner(&at, n->close_at);
		if (n->transfer_at)
			sooner(&at, later(n->now.monotonic, 1 * MS));
	}
	return at;
}

void node_abandon(struct node *n)
{
	if (n->over)
		return;
	n->over = true;
	claims_end(n, HF_ECLOSED, HF_EUNKNOWN);
	asks_end(n, HF_ECLOSED, true);
	questions_end(n, HF_ECLOSED);
	callbacks(n);
}

static void node_over(struct node *n)
{
	node_abandon(n);
	n->env->wake(n->env, UINT64_MAX);
	n->closed(n->closed_arg, n->clean);
}

void node_quiet(struct node *n, bool quiet)
{
	n->quiet = quiet;
}

void node_tell_rest(struct node *n)
{
	n->quiet = false;
	callbacks(n);
}

void node_turn(struct node *n)
{
	uint64_t wake = UINT64_MAX;

	if (n->over)
		return;
	env_clocks(n->env, &n->now);
	for (int i = 0; i == 0 || (i < ROUNDS_MAX && work_left(n)); i++)
		turn_round(n, &wake);
	links_turn(n);
	links_flush(n);
	if (n->repl_closed) {
		node_over(n);
		return;
	}
	sooner(&wake, work_left(n) ? n->now.monotonic : next_turn(n));
	n->env->wake(n->env, wake);
}

void node_close(struct node *n, uint64_t timeout_us,
		void (*done)(void *arg, bool clean), void *arg)
{
	env_clocks(n->env, &n->now);
	n->closing = true;
	n->closed = done;
	n->closed_arg = arg;
	n->close_at = later(n->now.monotonic, timeout_us);
	/* The cluster may release the holds before its answer is here. */
	lease_end(&n->lease);
	n->keeper.closing = true;
	n->keeper.retry_us = RETRY_MIN_US;
	n->keeper.next_at = n->now.monotonic;
	claims_end(n, HF_ECLOSED, 1);
	asks_end(n, HF_ECLOSED, false);
	questions_end(n, HF_ECLOSED);
	n->env->wake(n->env, n->now.monotonic);
}

const struct lease *node_lease(const struct node *n)
{
	return &n->lease;
}

const struct core *node_core(const struct node *n)
{
	return repl_core(n->repl);
}

struct repl *node_repl(struct node *n)
{
	return n->repl;
}

bool node_serving(const struct node *n)
{
	return repl_serving(n->repl);
}

static void status_member(const struct node *n, struct hf_status *s,
			  const struct repl_member *m)
{
	size_t i = s->members_len++;
	const struct peer *p = peer_of((struct node *)(uintptr_t)n, m->id);

	s->members[i].id = m->id;
	s->members[i].linked = !p || p->link;
	snprintf(s->members[i].address, sizeof(s->members[i].address), "%s",
		 m->address);
}

void node_status(const struct node *n, struct hf_status *s)
{
	const struct repl_config *c = &n->config.repl;
	struct counts counts;

	core_counts(repl_core(n->repl), &counts);
	s->id = c->id;
	s->leader = repl_leader(n->repl);
	s->term = repl_term(n->repl);
	s->applied = repl_applied(n->repl);
	s->session_state = n->keeper.state;
	s->session = n->keeper.id;
	s->sessions = counts.sessions;
	s->locks = counts.locks;
	s->holds = counts.holds;
	s->waits = counts.waits;
	s->round_trip_us =
		n->srtt_us < UINT32_MAX ? (uint32_t)n->srtt_us : UINT32_MAX;
	s->failed = n->failed;
	s->members_len = 0;
	for (size_t i = 0; i < c->members_len && i < HF_MEMBERS_MAX; i++)
		status_member(n, s, &c->members[i]);
}
