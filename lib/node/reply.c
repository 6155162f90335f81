/* The leader's side of questions: each goes through a read index, and is then
 * answered from the state. */
#include "node/internal.h"

#include <string.h>

/* A question on its way. */
struct served {
	struct repl_read read;
	struct node *node;
	uint64_t from;
	struct query query;
	uint8_t name[];
};

static int validate(const struct node *n, uint64_t from, const struct query *q)
{
	const struct core *core = repl_core(n->repl);
	struct record r;

	if (!core_session(core, q->session, &r) || r.session.node != from)
		return HF_ESESSION;
	if (!core_hold(core, q->token, &r) || r.request.session != q->session)
		return HF_ENOTHELD;
	return 0;
}

void node_look(const struct core *core, const void *name, size_t name_len,
	       struct reply *y)
{
	struct record r;

	y->index = core_index(core);
	if (!core_value(core, name, name_len, &r) || r.value.version == 0)
		return;
	y->version = r.value.version;
	y->session = r.value.session;
	y->counter = r.value.counter;
	if (y->counter) {
		y->number = r.value.number;
	} else {
		y->bytes = r.value.bytes;
		y->bytes_len = r.value.bytes_len;
	}
}

static void reply(struct node *n, uint64_t to, const struct reply *y)
{
	if (to == n->config.repl.id) {
		questions_reply(n, y);
		return;
	}
	buf_clear(&n->message);
	reply_encode(&n->message, y);
	serve_message(n, to, FRAME_REPLY, LANE_REQUEST);
}

/* How many questions of this member are on their way; NULL: of nobody. */
static size_t *served_of(struct node *n, uint64_t from)
{
	struct peer *peer = peer_of(n, from);

	if (from == n->config.repl.id)
		return &n->served;
	return peer ? &peer->served : NULL;
}

static void answer(struct node *n, uint64_t from, const struct query *q)
{
	struct reply y = { .id = q->id };

	if (q->kind == QUERY_VALUE)
		node_look(repl_core(n->repl), q->name, q->name_len, &y);
	else
		y.status = validate(n, from, q);
	reply(n, from, &y);
}

static void on_read(struct repl_read *read, int rc)
{
	struct served *s = container_of(read, struct served, read);
	struct node *n = s->node;

	if (rc == 0)
		answer(n, s->from, &s->query);
	else if (s->from != n->config.repl.id)
		serve_notleader(n, s->from);
	--*served_of(n, s->from);
	mem_free(&n->mem, s);
}

static struct served *served_new(struct node *n, uint64_t from,
				 const struct query *q)
{
	struct served *s =
		(struct served *)mem_zalloc(&n->mem, sizeof(*s) + q->name_len);

	if (!s)
		return NULL;
	s->node = n;
	s->from = from;
	s->query = *q;
	if (q->name_len) {
		memcpy(s->name, q->name, q->name_len);
		s->query.name = s->name;
	}
	s->read.cb = on_read;
	return s;
}

/* What can't be kept is refused and asked again. */
void serve_query(struct node *n, uint64_t from, const struct query *q)
{
	size_t *served = served_of(n, from);
	struct served *s = NULL;

	if (!repl_serving(n->repl)) {
		if (from != n->config.repl.id)
			serve_notleader(n, from);
		return;
	}
	if (!served)
		return;
	if (*served < SERVED_MAX)
		s = served_new(n, from, q);
	if (!s) {
		reply(n, from,
		      &(struct reply){ .id = q->id, .status = HF_EBUSY });
		return;
	}
	++*served;
	repl_read(n->repl, &s->read);
}
