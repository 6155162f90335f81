/* The session's keeper: opens it, renews it, and knows how sure it is.
 *
 * NONE -> SAFE when opened. SAFE -> JEOPARDY when renewals are missing;
 * -> UNSURE when the lease has run out by our own clocks; both become SAFE
 * again with the next confirmed renewal, since cluster time may have stood
 * still.
 * -> LOST when the cluster says that the session has ended, which is final: its
 * holds are gone and a new one is opened. */
#include "node/internal.h"

static void keeper_event(struct node *n, enum hf_session_state state)
{
	struct hf_event e = { .type = HF_EVENT_SESSION };

	if (n->keeper.state == state)
		return;
	n->keeper.state = state;
	node_event(n, &e);
}

void keeper_init(struct node *n)
{
	struct keeper *k = &n->keeper;

	k->retry_us = RETRY_MIN_US;
	k->nth++;
	n->env->random(n->env, k->nonce, sizeof(k->nonce));
}

/* What tells the answer to our opening from one to a former process of this
 * node, which may come over our links when its entry is late. */
static uint64_t opening_number(const struct keeper *k)
{
	uint64_t number = 0;

	for (size_t i = 0; i < 7; i++)
		number = number << 8 | k->nonce[i];
	return number;
}

static void send_open(struct node *n)
{
	struct keeper *k = &n->keeper;
	struct op op = { .kind = OP_OPEN,
			 .node = n->config.repl.id,
			 .seq = opening_number(k),
			 .open = { .boot = n->config.boot,
				   .nth = k->nth,
				   .ttl = n->config.ttl_us,
				   .flags = n->config.former_dead ? OPEN_MEMBER
								  : 0 } };

	for (size_t i = 0; i < NONCE_LEN; i++)
		op.open.nonce[i] = k->nonce[i];
	/* The answer carries the stamp of the first attempt that arrived, which
	 * may be any: count from the first sending. */
	if (!k->opening)
		k->opened = n->now;
	if (route_op(n, &op))
		k->opening = true;
}

static void send_renew(struct node *n)
{
	struct keeper *k = &n->keeper;
	uint64_t attempt = k->attempt + 1;
	struct op op = { .kind = OP_RENEW,
			 .node = n->config.repl.id,
			 .session = k->id,
			 .seq = attempt,
			 .low = calls_low(n) };

	if (!route_op(n, &op))
		return;
	k->attempt = attempt;
	k->attempts[attempt % ATTEMPTS].id = attempt;
	k->attempts[attempt % ATTEMPTS].sent = n->now;
}

static void send_close(struct node *n)
{
	struct op op = { .kind = OP_CLOSE,
			 .node = n->config.repl.id,
			 .session = n->keeper.id,
			 .seq = 1 };

	route_op(n, &op);
}

void keeper_hurry(struct node *n)
{
	struct keeper *k = &n->keeper;

	k->retry_us = RETRY_MIN_US;
	k->refused_us = 0;
	if (!k->id || k->closing ||
	    later(k->confirmed_at, n->config.renew_us / 2) <= n->now.monotonic)
		k->next_at = n->now.monotonic;
}

/* Nobody served: ask again soon, and then less and less soon. */
void keeper_refused(struct node *n)
{
	struct keeper *k = &n->keeper;

	if (k->id && !k->closing)
		return; /* an attach finds out when it is time */
	k->refused_us = k->refused_us ? 2 * k->refused_us : ATTACH_MIN_US;
	if (k->refused_us > RETRY_MAX_US)
		k->refused_us = RETRY_MAX_US;
	sooner(&k->next_at, later(n->now.monotonic, jitter(n, k->refused_us)));
}

/* The host was too slow for its lease, and asked to have that count as loss. */
static void keeper_give_up(struct node *n)
{
	send_close(n);
	keeper_lost(n, n->keeper.id);
}

static void keeper_judge(struct node *n)
{
	struct keeper *k = &n->keeper;
	uint64_t missing = n->config.renew_us + n->config.renew_us / 2;

	if (!k->id || k->closing)
		return;
	if (lease_left(&n->lease, k->id, &n->now) == 0) {
		keeper_event(n, HF_SESSION_UNSURE);
		if (n->config.unsure_is_lost)
			keeper_give_up(n);
	} else if (n->now.monotonic > later(k->confirmed_at, missing)) {
		keeper_event(n, HF_SESSION_JEOPARDY);
	} else {
		keeper_event(n, HF_SESSION_SAFE);
	}
}

void keeper_turn(struct node *n)
{
	struct keeper *k = &n->keeper;

	keeper_judge(n);
	if (n->now.monotonic < k->next_at || k->closed)
		return;
	if (k->id && k->closing)
		send_close(n);
	else if (k->id)
		send_renew(n);
	else if (!n->closing)
		send_open(n);
	k->next_at = later(n->now.monotonic, jitter(n, k->retry_us));
	k->retry_us *= 2;
	if (k->retry_us > RETRY_MAX_US)
		k->retry_us = RETRY_MAX_US;
}

uint64_t keeper_next(const struct node *n)
{
	const struct keeper *k = &n->keeper;
	uint64_t at = k->closed ? UINT64_MAX : k->next_at, left;

	if (!k->id)
		return n->closing ? UINT64_MAX : at;
	left = lease_left(&n->lease, k->id, &n->now);
	if (left > 0)
		sooner(&at, later(n->now.monotonic, left));
	if (left > 0 && k->state == HF_SESSION_SAFE)
		sooner(&at, later(k->confirmed_at,
				  n->config.renew_us / 2 * 3 + 1 * MS));
	return at;
}

static void confirmed(struct node *n, const struct clocks *sent,
		      const struct output *o)
{
	struct keeper *k = &n->keeper;

	anchors_add(&n->anchors, sent, o->stamp);
	/* A session that is being closed is certain of nothing, even if the
	 * answer to its opening comes only now. */
	if (!k->closing)
		lease_extend(&n->lease, sent, o->stamp, o->deadline,
			     node_caution(n));
	if (sent->monotonic > k->confirmed_at)
		k->confirmed_at = sent->monotonic;
	k->retry_us = RETRY_MIN_US;
	k->refused_us = 0;
	if (!k->closing)
		k->next_at = later(k->confirmed_at, n->config.renew_us);
	keeper_judge(n);
}

/* HF_ESESSION: our own nonce has opened a session whose answer was lost, and
 * which has ended since; a fresh one is due. HF_EOLDBOOT: there is a newer
 * process of this node, and nothing that this one does can succeed any more. */
static void on_refused(struct node *n, int status)
{
	struct keeper *k = &n->keeper;

	k->refusal = status == HF_ESESSION ? 0 : status;
	if (status == HF_EOLDBOOT)
		node_fail(n, status, hf_strerror(status));
	if (status != HF_ESESSION)
		return; /* tried again: there may be room later */
	k->opening = false;
	keeper_init(n);
	k->next_at = n->now.monotonic;
}

static void on_opened(struct node *n, const struct output *o)
{
	struct keeper *k = &n->keeper;

	if (k->id || o->seq != opening_number(k) || !k->opening)
		return;
	if (o->status) {
		on_refused(n, o->status);
		return;
	}
	k->refusal = 0;
	k->id = o->session;
	k->early.any = false;
	k->opening = false;
	lease_begin(&n->lease, k->id);
	calls_reset(n);
	n->route.attached = false;
	confirmed(n, &k->opened, o);
}

/* A renewal's answer makes all holds certain for longer. So it doesn't count
 * before it is certain that all is known that happened to them until then: by a
 * resync, and by what came on the same way since. Else a hold that was taken
 * away while nobody listened would be believed in (README). */
static void on_renewed(struct node *n, const struct output *o)
{
	struct keeper *k = &n->keeper;
	uint64_t i = o->seq % ATTEMPTS;

	if (o->session != k->id || o->status || k->attempts[i].id != o->seq)
		return;
	if (n->route.attached) {
		confirmed(n, &k->attempts[i].sent, o);
		return;
	}
	k->early.any = true;
	k->early.sent = k->attempts[i].sent;
	k->early.stamp = o->stamp;
	k->early.deadline = o->deadline;
}

void keeper_attached(struct node *n)
{
	struct keeper *k = &n->keeper;
	struct output o = { .stamp = k->early.stamp,
			    .deadline = k->early.deadline };

	if (k->early.any && k->id)
		confirmed(n, &k->early.sent, &o);
	k->early.any = false;
}

void keeper_answer(struct node *n, const struct output *o)
{
	struct keeper *k = &n->keeper;

	if (o->op == OP_OPEN) {
		on_opened(n, o);
		return;
	}
	if (!k->id || o->session != k->id)
		return;
	if (o->op == OP_RENEW)
		on_renewed(n, o);
	if (o->op == OP_CLOSE && k->closing &&
	    (o->status == 0 || o->status == HF_ESESSION)) {
		k->closed = true;
		k->closed_rc = o->status;
	}
}

void keeper_lost(struct node *n, uint64_t session)
{
	struct keeper *k = &n->keeper;

	if (!session || k->id != session)
		return;
	if (k->closing) {
		k->closed = true;
		k->closed_rc = HF_ESESSION;
		return;
	}
	lease_end(&n->lease);
	k->id = 0;
	k->opening = false;
	k->next_at = n->now.monotonic;
	n->route.attached = false;
	keeper_init(n);
	calls_lost(n);
	keeper_event(n, HF_SESSION_LOST);
}
