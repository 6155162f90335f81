/* See once.h. */
#include "sim/lib/once.h"

#include <string.h>

#define STATUSES 512 /* above all numbers of errors */

uint64_t once_identity(uint64_t owner, const uint8_t *shown, size_t shown_len)
{
	uint64_t identity = owner;

	if (shown_len >= sizeof(identity))
		memcpy(&identity, shown, sizeof(identity));
	return identity;
}

/* A conversion is what its hold is. */
static uint64_t identity_of(const struct op *op)
{
	if (op->acquire.from)
		return op->acquire.from;
	return once_identity(op->acquire.owner, op->acquire.shown,
			     op->acquire.shown_len);
}

bool once_again(struct once *o, const struct op *op)
{
	if (op->kind == OP_ACQUIRE)
		pairs_put(&o->identities, op->session, op->seq,
			  identity_of(op));
	return pairs_put(&o->ops, op->session, op->seq, 1) != 0;
}

bool once_answered(struct once *o, uint64_t session, uint64_t seq)
{
	return pairs_put(&o->answered, session, seq, 1) != 0;
}

struct wrong once_granted(struct once *o, uint64_t session, uint64_t seq,
			  uint64_t token)
{
	uint64_t before = pairs_put(&o->by_seq, session, seq, token);

	if (before && before != token)
		return (struct wrong){ "once",
				       "an acquire was granted two tokens" };
	return (struct wrong){ 0 };
}

struct wrong once_held(struct once *o, uint64_t session, uint64_t identity,
		       uint64_t token, bool *first)
{
	uint64_t before = pairs_put(&o->by_identity, session, identity, token);

	*first = before == 0;
	if (before && before != token)
		return (struct wrong){
			"once", "what was asked once was granted twice"
		};
	return (struct wrong){ 0 };
}

static uint64_t refusal(uint64_t identity, int status)
{
	return identity * STATUSES + (uint64_t)-status;
}

void once_refused(struct once *o, uint64_t session, uint64_t seq, int status)
{
	uint64_t identity = pairs_get(&o->identities, session, seq);

	pairs_put(&o->refused, session, refusal(identity, status), 1);
}

bool once_was_refused(const struct once *o, uint64_t session, uint64_t identity,
		      int status)
{
	return pairs_get(&o->refused, session, refusal(identity, status)) != 0;
}

void once_free(struct once *o)
{
	pairs_free(&o->ops);
	pairs_free(&o->answered);
	pairs_free(&o->by_seq);
	pairs_free(&o->by_identity);
	pairs_free(&o->identities);
	pairs_free(&o->refused);
}
