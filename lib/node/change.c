#include "node/change.h"

#include <assert.h>
#include <string.h>

/* A copy: this, the name, the bytes. A lock's change has a token, a value's a
 * version, in the same place. */
struct copy {
	uint32_t len; /* of all, up to the next one; never 0 */
	uint32_t bytes_len;
	uint16_t name_len;
	uint8_t type, mode;
	int32_t rc;
	uint64_t index, token, node, session;
	uint64_t count; /* of a counter, biased; 0: none */
};

static bool of_value(enum hf_change_type type)
{
	return type == HF_CHANGE_PUT || type == HF_CHANGE_DELETED;
}

void change_of(struct hf_change *c, const struct output *o)
{
	assert(o->kind == OUTPUT_CHANGED);
	*c = (struct hf_change){
		.type = (enum hf_change_type)o->change,
		.index = o->index,
		.name = o->name,
		.name_len = o->name_len,
		.owner = { .node = o->by, .session = o->session },
		.bytes = o->bytes,
		.bytes_len = o->bytes_len,
		.rc = o->status,
	};
	if (of_value(c->type)) {
		c->version = o->token;
		c->counter = o->seq != 0;
		c->number = c->counter ? (int64_t)o->number : 0;
	} else {
		c->token = o->token;
		c->mode = (enum hf_mode)o->seq;
	}
}

size_t change_size(const struct hf_change *c)
{
	return (sizeof(struct copy) + c->name_len + c->bytes_len + 7) &
	       ~(size_t)7;
}

void change_write(uint8_t *to, const struct hf_change *c)
{
	struct copy copy = {
		.len = (uint32_t)change_size(c),
		.bytes_len = (uint32_t)c->bytes_len,
		.name_len = (uint16_t)c->name_len,
		.type = (uint8_t)c->type,
		.mode = (uint8_t)c->mode,
		.rc = c->rc,
		.index = c->index,
		.token = of_value(c->type) ? c->version : c->token,
		.node = c->owner.node,
		.session = c->owner.session,
	};

	assert(c->name_len <= LOCK_NAME_MAX && c->bytes_len <= VALUE_MAX);
	if (c->counter)
		copy.count = (uint64_t)c->number + COUNT_BIAS;
	memcpy(to, &copy, sizeof(copy));
	to += sizeof(copy);
	if (c->name_len)
		memcpy(to, c->name, c->name_len);
	if (c->bytes_len)
		memcpy(to + c->name_len, c->bytes, c->bytes_len);
}

size_t change_peek(const uint8_t *from, uint64_t *index)
{
	uint32_t len;

	memcpy(&len, from + offsetof(struct copy, len), sizeof(len));
	memcpy(index, from + offsetof(struct copy, index), sizeof(*index));
	return len;
}

size_t change_read(const uint8_t *from, struct hf_change *c)
{
	struct copy copy;

	memcpy(&copy, from, sizeof(copy));
	*c = (struct hf_change){
		.type = (enum hf_change_type)copy.type,
		.index = copy.index,
		.name = from + sizeof(copy),
		.name_len = copy.name_len,
		.owner = { .node = copy.node, .session = copy.session },
		.mode = (enum hf_mode)copy.mode,
		.counter = copy.count != 0,
		.bytes = from + sizeof(copy) + copy.name_len,
		.bytes_len = copy.bytes_len,
		.rc = copy.rc,
	};
	if (of_value(c->type))
		c->version = copy.token;
	else
		c->token = copy.token;
	if (c->counter)
		c->number = (int64_t)(copy.count - COUNT_BIAS);
	return copy.len;
}
