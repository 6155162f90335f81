/* What a peer's message means. Every field was checked by the codec; what it
 * refers to is checked by whoever handles it. */
#include "node/internal.h"

static int on_attach(struct node *n, uint64_t from, const uint8_t *m,
		     size_t len)
{
	struct attach a;
	int rc = attach_decode(m, len, &a);

	return rc ? rc : serve_attach(n, from, &a);
}

static int on_query(struct node *n, uint64_t from, const uint8_t *m, size_t len)
{
	struct query q;
	int rc = query_decode(m, len, &q);

	if (!rc)
		serve_query(n, from, &q);
	return rc;
}

static int on_reply(struct node *n, const uint8_t *m, size_t len)
{
	struct reply y;
	int rc = reply_decode(m, len, &y);

	if (!rc)
		questions_reply(n, &y);
	return rc;
}

/* A hold has a token, and what happens to a request names it. */
static bool makes_sense(const struct output *o)
{
	switch (o->kind) {
	case OUTPUT_GRANTED:
	case OUTPUT_REVOKED:
		return o->seq > 0 && o->token > 0;
	case OUTPUT_ENDED:
		return o->seq > 0 && o->status <= 0;
	case OUTPUT_DEADLOCK:
		return o->seq > 0;
	case OUTPUT_ANSWER:
		if (o->status > 0)
			return o->op == OP_ACQUIRE || o->op == OP_AWAIT;
		return (o->op != OP_ACQUIRE && o->op != OP_CANCEL) ||
		       o->status != 0 || o->token > 0;
	case OUTPUT_SESSION_ENDED:
		return true;
	case OUTPUT_CHANGED:
	default:
		return false;
	}
}

static int on_outputs(struct node *n, const uint8_t *m, size_t len)
{
	struct outputs_reader it;
	struct output o;
	int rc = outputs_open(&it, m, len);

	while (!rc && (rc = outputs_next(&it, &o)) > 0) {
		rc = makes_sense(&o) ? 0 : HF_ECORRUPT;
		if (!rc && o.node == n->config.repl.id)
			node_output(n, &o);
	}
	return rc;
}

int dispatch(struct node *n, struct peer *from, enum frame_type type,
	     const uint8_t *m, size_t len)
{
	switch (type) {
	case FRAME_REPL:
		return repl_receive(n->repl, from->id, m, len);
	case FRAME_REQUESTS:
		return serve_requests(n, from, m, len);
	case FRAME_OUTPUTS:
		return on_outputs(n, m, len);
	case FRAME_ATTACH:
		return on_attach(n, from->id, m, len);
	case FRAME_RESYNC:
		return route_resync(n, from->id, m, len);
	case FRAME_QUERY:
		return on_query(n, from->id, m, len);
	case FRAME_REPLY:
		return on_reply(n, m, len);
	case FRAME_NOTLEADER:
		return route_notleader(n, from->id, m, len);
	case FRAME_HELLO:
	case FRAME_REFUSE:
	default:
		return HF_ECORRUPT;
	}
}
