#include "lib/owners.h"

#include <string.h>

#define LONG (1000 * SECOND)

void owners_begin(struct owners *c)
{
	machine_init(&c->m, 1);
	for (uint64_t node = 1; node <= OWNERS; node++)
		c->s[node] = machine_open(&c->m, node, LONG);
}

struct op owners_ask(struct owners *c, uint64_t node, const char *name,
		     enum mode mode)
{
	struct op op =
		machine_acquire_op(&c->m, node, c->s[node], name, WAIT_FOREVER);

	op.acquire.owner = node;
	op.acquire.mode = mode;
	if (mode == MODE_PERMITS) {
		op.acquire.permits = 1;
		op.acquire.limit = 2;
	}
	return op;
}

int owners_lock(struct owners *c, uint64_t node, const char *name)
{
	struct op op = owners_ask(c, node, name, MODE_EXCLUSIVE);

	return machine_do(&c->m, &op);
}

int owners_share(struct owners *c, uint64_t node, const char *name)
{
	struct op op = owners_ask(c, node, name, MODE_SHARED);

	return machine_do(&c->m, &op);
}

int owners_permit(struct owners *c, uint64_t node, const char *name)
{
	struct op op = owners_ask(c, node, name, MODE_PERMITS);

	return machine_do(&c->m, &op);
}

int owners_with_priority(struct owners *c, uint64_t node, const char *name,
			 enum mode mode, int32_t priority)
{
	struct op op = owners_ask(c, node, name, mode);

	op.acquire.priority = priority;
	return machine_do(&c->m, &op);
}

int owners_both(struct owners *c, uint64_t node, const char *a, const char *b)
{
	struct op_part more = { .name = (const uint8_t *)b,
				.name_len = strlen(b) };
	struct op op = owners_ask(c, node, a, MODE_EXCLUSIVE);

	op.acquire.more = &more;
	op.acquire.more_len = 1;
	return machine_do(&c->m, &op);
}

int owners_convert(struct owners *c, uint64_t node, const char *name,
		   enum mode mode, uint64_t token)
{
	struct op op = owners_ask(c, node, name, mode);

	op.acquire.from = token;
	op.acquire.limit = 0;
	if (mode == MODE_PERMITS)
		op.acquire.permits = 2;
	return machine_do(&c->m, &op);
}

int owners_set_limit(struct owners *c, const char *name, uint32_t limit)
{
	struct op op = { .kind = OP_PERMITS,
			 .node = 4,
			 .session = c->s[4],
			 .seq = ++c->m.seq[4],
			 .permits = { .name = (const uint8_t *)name,
				      .name_len = strlen(name),
				      .limit = limit } };

	return machine_do(&c->m, &op);
}

int owners_hand_over(struct owners *c, uint64_t node, uint64_t token,
		     uint64_t to)
{
	struct op op = machine_release_op(&c->m, node, c->s[node], token);

	op.release.to = to;
	return machine_do(&c->m, &op);
}
