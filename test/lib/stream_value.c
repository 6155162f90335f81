/* Random operations on values; see stream.h. */
#include "lib/stream.h"

#include <string.h>

enum { VALUES = 5 };

/* The last two are counters, mostly. */
static const char value_names[VALUES][4] = { "v", "w", "x", "n", "o" };

static uint64_t some_version(struct stream *s, const char *name)
{
	uint64_t dice = stream_below(s, 4);

	for (size_t i = 0; dice == 0 && i < s->model.values_len; i++) {
		if (strcmp(s->model.values[i].name, name) == 0)
			return s->model.values[i].version;
	}
	return dice == 1 ? EXPECT_NONE : EXPECT_ANY;
}

void stream_make_write(struct stream *s, struct op *op, size_t at)
{
	static const enum op_kind kinds[] = { OP_PUT, OP_PUT, OP_ADD, OP_ADD,
					      OP_DELETE };
	const struct model_session *session = stream_session(s, op);
	const char *name;

	op->kind = kinds[stream_below(s, 5)];
	name = value_names[op->kind == OP_PUT ? stream_below(s, 3)
					      : 3 + stream_below(s, 2)];
	if (op->kind == OP_DELETE || stream_rarely(s, 20))
		name = value_names[stream_below(s, VALUES)];
	stream_seq(s, op, session);
	op->value.name = (const uint8_t *)name;
	op->value.name_len = stream_rarely(s, 100) ? 0 : 1;
	op->value.expect = some_version(s, name);
	if (stream_rarely(s, 4))
		op->value.guard = stream_token(
			s, stream_hold(s, session, stream_rarely(s, 8)));
	if (op->kind != OP_DELETE && stream_rarely(s, 3))
		op->value.flags = PUT_EPHEMERAL;
	if (op->kind == OP_PUT) {
		op->value.bytes_len = stream_bytes(s, at, MODEL_BYTES - 1);
		op->value.bytes = s->bytes[at];
	}
	if (op->kind == OP_ADD)
		op->value.delta = (int64_t)stream_below(s, 9) - 4;
	if (op->kind == OP_ADD && stream_rarely(s, 8))
		op->value.delta =
			(int64_t)(random_width(&s->random) >> 1) - COUNT_MAX;
}

void stream_make_await(struct stream *s, struct op *op)
{
	op->kind = OP_AWAIT;
	stream_seq(s, op, stream_session(s, op));
	op->await.name =
		(const uint8_t *)(value_names[stream_below(s, VALUES)]);
	op->await.name_len = stream_rarely(s, 100) ? 0 : 1;
	op->await.condition =
		(enum condition)(stream_rarely(s, 60) ? stream_below(s, 7)
						      : 1 + stream_below(s, 5));
	if (op->await.condition >= AWAIT_NEWER || stream_rarely(s, 30))
		op->await.number = (int64_t)stream_below(s, 9);
	if (op->await.condition >= AWAIT_AT_MOST || stream_rarely(s, 30))
		op->await.number -= 4;
	if (op->await.condition == AWAIT_NEWER)
		op->await.number =
			(int64_t)stream_below(s, s->model.counter + 20);
	op->await.wait = stream_wait(s);
}
