/* Questions to the leader: question.h. The answer's truth is the leader's read
 * index. */
#include "node/internal.h"

#include <string.h>

struct question {
	struct list node; /* of unsent, by_age or over */
	struct list of_claim;
	struct map_node by_id;
	struct node *owner;
	struct claim *claim; /* VALIDATE; NULL: released meanwhile */
	struct query query;
	struct timer deadline;
	uint64_t sent_at;
	bool over;
	int rc;
	void *arg;
	claim_cb validated;
	value_take take;
	value_cb read;
	uint8_t name[];
};

void questions_init(struct node *n)
{
	struct questions *q = &n->questions;

	list_init(&q->unsent);
	list_init(&q->by_age);
	list_init(&q->over);
	list_init(&q->claims);
	map_init(&q->by_id, &n->mem, env_random64(n->env));
}

static struct question *first_of(struct list *l)
{
	return container_of(l->next, struct question, node);
}

static void question_free(struct question *q)
{
	struct node *n = q->owner;

	timer_stop(n, &q->deadline);
	list_remove(&q->node);
	list_remove(&q->of_claim);
	map_remove(&n->questions.by_id, &q->by_id);
	n->questions.len--;
	mem_free(&n->mem, q);
}

void questions_free(struct node *n)
{
	struct list *lists[] = { &n->questions.unsent, &n->questions.by_age,
				 &n->questions.over };

	for (int i = 0; i < 3; i++)
		while (!list_empty(lists[i]))
			question_free(first_of(lists[i]));
	map_free(&n->questions.by_id);
}

static void question_over(struct question *q, int rc)
{
	if (q->over)
		return;
	q->over = true;
	q->rc = rc;
	timer_stop(q->owner, &q->deadline);
	list_remove(&q->of_claim);
	list_remove(&q->node);
	list_push(&q->owner->questions.over, &q->node);
}

static void question_too_late(struct node *n, struct timer *t)
{
	question_over(container_of(t, struct question, deadline),
		      n->route.leader ? HF_ETIMEDOUT : HF_ENOLEADER);
}

/* NULL: HF_ENOMEM. */
static struct question *question_new(struct node *n, const struct query *query,
				     uint64_t timeout_us)
{
	struct questions *all = &n->questions;
	struct question *q;

	q = (struct question *)mem_zalloc(&n->mem,
					  sizeof(*q) + query->name_len);
	if (!q || map_reserve(&all->by_id, 1)) {
		mem_free(&n->mem, q);
		return NULL;
	}
	q->owner = n;
	q->query = *query;
	q->query.id = ++all->serial;
	if (query->name_len) {
		memcpy(q->name, query->name, query->name_len);
		q->query.name = q->name;
	}
	map_insert(&all->by_id, &q->by_id,
		   map_hash64(&all->by_id, q->query.id));
	list_push(&all->unsent, &q->node);
	list_init(&q->of_claim);
	all->len++;
	env_clocks(n->env, &n->now);
	timer_set(n, &q->deadline, later(n->now.monotonic, timeout_us),
		  question_too_late);
	return q;
}

void node_validate(struct node *n, struct claim *c, uint64_t timeout_us,
		   claim_cb cb, void *arg)
{
	struct query query = { .kind = QUERY_VALIDATE,
			       .session = c->session,
			       .token = c->token };
	struct question *q = NULL;

	if (n->over) { /* no turn will come */
		cb(arg, c, HF_ECLOSED);
		return;
	}
	q = question_new(n, &query, timeout_us);
	if (!q) {
		cb(arg, c, HF_ENOMEM);
		return;
	}
	q->claim = c;
	q->validated = cb;
	q->arg = arg;
	list_push(&n->questions.claims, &q->of_claim);
	if (c->state == CLAIM_LOST)
		question_over(q, c->lost_rc);
	else if (c->state != CLAIM_HELD)
		question_over(q, HF_ENOTHELD);
	else if (n->failed)
		question_over(q, HF_EFAILED);
}

int node_read(struct node *n, const void *name, size_t name_len,
	      uint64_t timeout_us, value_take take, value_cb cb, void *arg)
{
	struct query query = { .kind = QUERY_VALUE,
			       .name = (const uint8_t *)name,
			       .name_len = name_len };
	struct question *q;

	if (name_len < 1 || name_len > LOCK_NAME_MAX)
		return HF_EINVAL;
	if (n->closing)
		return HF_ECLOSED;
	if (n->failed)
		return HF_EFAILED;
	if (n->questions.len >= QUESTIONS_MAX)
		return HF_EBUSY;
	q = question_new(n, &query, timeout_us);
	if (!q)
		return HF_ENOMEM;
	q->take = take;
	q->read = cb;
	q->arg = arg;
	return 0;
}

/* One may be answered, and be over, inside. */
static void question_ask(struct node *n, struct question *q)
{
	struct buf b = { .mem = &n->mem };

	q->sent_at = n->now.monotonic;
	list_remove(&q->node);
	list_push(&n->questions.by_age, &q->node);
	if (n->route.leader == n->config.repl.id) {
		serve_query(n, n->route.leader, &q->query);
		return;
	}
	query_encode(&b, &q->query);
	if (!b.failed)
		link_send(n, n->route.leader, FRAME_QUERY, LANE_REQUEST, b.base,
			  b.len);
	buf_free(&b);
}

/* Those that were asked are the last then, with the time of now. */
void questions_turn(struct node *n)
{
	struct questions *all = &n->questions;

	if (!n->route.leader)
		return;
	while (!list_empty(&all->by_age)) {
		struct question *q = first_of(&all->by_age);

		if (later(q->sent_at, n->retry_us) > n->now.monotonic)
			break;
		list_remove(&q->node);
		list_push(&all->unsent, &q->node);
	}
	while (!list_empty(&all->unsent))
		question_ask(n, first_of(&all->unsent));
}

void questions_resend(struct node *n)
{
	struct questions *all = &n->questions;

	while (!list_empty(&all->by_age)) {
		struct question *q = first_of(&all->by_age);

		list_remove(&q->node);
		list_push(&all->unsent, &q->node);
	}
}

bool questions_waiting(const struct node *n)
{
	return !list_empty(&n->questions.over);
}

uint64_t questions_next(const struct node *n)
{
	const struct questions *all = &n->questions;
	uint64_t at = UINT64_MAX;

	if (questions_waiting(n))
		return 0;
	if (!n->route.leader)
		return at;
	if (!list_empty(&all->unsent))
		return 0;
	if (!list_empty(&all->by_age))
		at = later(container_of(all->by_age.next, struct question, node)
				   ->sent_at,
			   n->retry_us);
	return at;
}

static struct question *question_find(struct node *n, uint64_t id)
{
	struct map *ids = &n->questions.by_id;
	uint64_t hash = map_hash64(ids, id);

	for (struct map_node *m = map_first(ids, hash); m;
	     m = map_next(m, hash)) {
		struct question *q = container_of(m, struct question, by_id);

		if (q->query.id == id)
			return q;
	}
	return NULL;
}

/* The hold may have another token of which we haven't heard yet. */
static bool outdated(const struct question *q, int rc)
{
	return rc == HF_ENOTHELD && q->claim && q->claim->converting;
}

void questions_reply(struct node *n, const struct reply *y)
{
	struct question *q = question_find(n, y->id);
	int rc = y->status;

	if (!q || q->over || rc == HF_EBUSY || outdated(q, rc))
		return; /* asked again at the pace of repetitions */
	if (rc == HF_ESESSION)
		keeper_lost(n, q->query.session);
	if (q->query.kind == QUERY_VALUE && rc == 0) {
		q->take(q->arg, y);
		rc = y->version ? 0 : HF_ENOVALUE;
	}
	question_over(q, rc);
}

void questions_claim_gone(struct node *n, struct claim *c)
{
	list_for_safe (it, &n->questions.claims) {
		struct question *q =
			container_of(it, struct question, of_claim);

		if (q->claim == c)
			question_over(q, HF_ENOTHELD);
	}
}

/* What was asked about the former token says nothing: an answer that is on its
 * way must not count. */
static void question_ask_anew(struct question *q, uint64_t token)
{
	struct questions *all = &q->owner->questions;

	map_remove(&all->by_id, &q->by_id);
	q->query.id = ++all->serial;
	q->query.token = token;
	map_insert(&all->by_id, &q->by_id,
		   map_hash64(&all->by_id, q->query.id));
	list_remove(&q->node);
	list_push(&all->unsent, &q->node);
}

void questions_claim_moved(struct node *n, const struct claim *c)
{
	list_for (it, &n->questions.claims) {
		struct question *q =
			container_of(it, struct question, of_claim);

		if (q->claim == c)
			question_ask_anew(q, c->token);
	}
}

void questions_end(struct node *n, int rc)
{
	struct list *lists[] = { &n->questions.unsent, &n->questions.by_age };

	for (int i = 0; i < 2; i++)
		while (!list_empty(lists[i]))
			question_over(first_of(lists[i]), rc);
}

/* They run before the callbacks of claims, so that `claim` is there. */
void questions_callbacks(struct node *n)
{
	while (!list_empty(&n->questions.over)) {
		struct question *q = first_of(&n->questions.over);
		struct question was = *q;

		question_free(q);
		if (was.query.kind == QUERY_VALIDATE)
			was.validated(was.arg, was.claim, was.rc);
		else
			was.read(was.arg, was.rc);
	}
}
