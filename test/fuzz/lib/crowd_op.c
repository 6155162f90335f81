/* What only some kinds of operations have; see crowd.h. */
#include "fuzz/lib/crowd.h"

#define SECOND UINT64_C(1000000)
#define LEN(array) (sizeof(array) / sizeof(*(array)))

static const uint8_t names[] = "abcdefgh/a-long-name";

bool crowd_sequenced(enum op_kind kind)
{
	return kind == OP_ACQUIRE || kind == OP_RELEASE || kind == OP_REVOKE ||
	       (kind >= OP_PERMITS && kind <= OP_ANNOUNCE);
}

static uint64_t pick_token(struct crowd *w, struct reader *c)
{
	unsigned back = choose(c, 16);

	return w->token > back ? w->token - back : 1 + back;
}

static const uint8_t *pick_name(struct reader *c, size_t *len)
{
	unsigned name = choose(c, 8);

	*len = name == 7 ? CROWD_NAME_MAX : 1;
	return names + name;
}

/* A few bytes, of any text that there is. */
static const uint8_t *pick_text(struct reader *c, size_t *len)
{
	*len = choose(c, 8);
	return names + choose(c, 8);
}

static uint64_t pick_wait(struct reader *c, bool sound)
{
	static const uint64_t waits[] = { 0,
					  SECOND / 2,
					  5 * SECOND,
					  WAIT_FOREVER,
					  DURATION_MAX,
					  DURATION_MAX + 1 };

	return waits[choose(c, LEN(waits) - sound)];
}

static uint64_t pick_time(struct reader *c)
{
	static const uint64_t times[] = { 0, 0, SECOND, DURATION_MAX };

	return times[choose(c, LEN(times))];
}

static void pick_permits(struct reader *c, enum mode mode, uint32_t *permits,
			 uint32_t *limit)
{
	if (mode == MODE_BARRIER)
		*limit = 1 + choose(c, 3);
	if (mode != MODE_PERMITS)
		return;
	*limit = choose(c, 5);
	*permits = 1 + choose(c, *limit ? *limit : 4);
}

static void pick_parts(struct crowd *w, struct reader *c, struct op *op)
{
	size_t len = 1 + choose(c, CROWD_PARTS);
	struct op_part *parts;

	parts = w->parts[w->made++ % CROWD_OPS];
	for (size_t i = 0; i < len; i++) {
		parts[i] = (struct op_part){ .mode = (enum mode)choose(c, 3) };
		parts[i].name = pick_name(c, &parts[i].name_len);
		pick_permits(c, parts[i].mode, &parts[i].permits,
			     &parts[i].limit);
	}
	op->acquire.more = parts;
	op->acquire.more_len = len;
}

/* What most requests don't have. */
static void pick_rest(struct crowd *w, struct reader *c, struct op *op)
{
	unsigned which = choose_byte(c);

	if (which & 1)
		op->acquire.priority = (int32_t)choose(c, 3) - 1;
	if (which & 2)
		op->acquire.line = choose(c, 4);
	if (which & 4)
		op->acquire.hold = pick_time(c);
	if (which & 8)
		op->acquire.lease = pick_time(c);
	if (which & 16)
		op->acquire.shown = pick_text(c, &op->acquire.shown_len);
	if ((which & 32) || op->acquire.mode == MODE_LEAVE)
		op->acquire.from = pick_token(w, c);
	else if ((which & 64) && op->acquire.mode <= MODE_PERMITS)
		pick_parts(w, c, op);
}

static void make_acquire(struct crowd *w, struct reader *c, struct op *op,
			 bool sound)
{
	op->acquire.owner = choose(c, 4);
	op->acquire.name = pick_name(c, &op->acquire.name_len);
	op->acquire.mode = (enum mode)choose(c, MODE_LEAVE + 1);
	pick_permits(c, op->acquire.mode, &op->acquire.permits,
		     &op->acquire.limit);
	op->acquire.wait = pick_wait(c, sound);
	op->acquire.delay = pick_time(c);
	if (!sound && choose_rarely(c, 32))
		op->acquire.permits += 3;
	if (choose(c, 2) || op->acquire.mode == MODE_LEAVE)
		pick_rest(w, c, op);
}

static void make_value(struct crowd *w, struct reader *c, struct op *op)
{
	static const uint64_t expects[] = { EXPECT_ANY, EXPECT_ANY,
					    EXPECT_NONE };
	unsigned how = choose(c, LEN(expects) + 1);

	op->value.name = pick_name(c, &op->value.name_len);
	op->value.expect = how < LEN(expects) ? expects[how] : pick_token(w, c);
	if (choose_rarely(c, 4))
		op->value.guard = pick_token(w, c);
	if (op->kind == OP_PUT)
		op->value.bytes = pick_text(c, &op->value.bytes_len);
	if (op->kind == OP_ADD)
		op->value.delta = (int64_t)choose(c, 9) - 4;
	if (op->kind == OP_ADD && choose_rarely(c, 16))
		op->value.delta = COUNT_MAX;
	if (op->kind != OP_DELETE && choose_rarely(c, 3))
		op->value.flags = PUT_EPHEMERAL;
}

static void make_await(struct crowd *w, struct reader *c, struct op *op,
		       bool sound)
{
	op->await.name = pick_name(c, &op->await.name_len);
	op->await.condition = (enum condition)(1 + choose(c, AWAIT_AT_LEAST));
	if (op->await.condition >= AWAIT_AT_MOST)
		op->await.number = (int64_t)choose(c, 9) - 4;
	else if (op->await.condition == AWAIT_NEWER)
		op->await.number = (int64_t)pick_token(w, c);
	op->await.wait = pick_wait(c, sound);
}

static void make_revoke(struct crowd *w, struct reader *c, struct op *op)
{
	op->revoke.token = pick_token(w, c);
	op->revoke.grace = choose(c, 8) * SECOND;
	op->revoke.reason = pick_text(c, &op->revoke.reason_len);
}

static void make_noted(struct crowd *w, struct reader *c, struct op *op)
{
	op->noted.token = pick_token(w, c);
	op->noted.noted_at = w->noted_at - (w->noted_at && choose_rarely(c, 8));
}

static void make_permits(struct reader *c, struct op *op)
{
	op->permits.name = pick_name(c, &op->permits.name_len);
	op->permits.limit = choose(c, 5);
}

static void make_announce(struct crowd *w, struct reader *c, struct op *op)
{
	op->announce.token = pick_token(w, c);
	op->announce.shown = pick_text(c, &op->announce.shown_len);
}

static void make_release(struct crowd *w, struct reader *c, struct op *op)
{
	op->release.token = pick_token(w, c);
	if (choose_rarely(c, 4))
		op->release.to = 1 + choose(c, CROWD_NODES);
}

void crowd_make(struct crowd *w, struct reader *c, struct op *op, bool sound)
{
	if (op->kind == OP_ACQUIRE)
		make_acquire(w, c, op, sound);
	else if (op->kind == OP_RELEASE)
		make_release(w, c, op);
	else if (op->kind == OP_CANCEL)
		op->cancel.flags = choose(c, sound ? 2 : 3);
	else if (op->kind == OP_EXTEND)
		op->extend.token = pick_token(w, c);
	else if (op->kind == OP_REVOKE)
		make_revoke(w, c, op);
	else if (op->kind == OP_NOTED)
		make_noted(w, c, op);
	else if (op->kind == OP_PERMITS)
		make_permits(c, op);
	else if (op->kind == OP_AWAIT)
		make_await(w, c, op, sound);
	else if (op->kind == OP_ANNOUNCE)
		make_announce(w, c, op);
	else if (op->kind >= OP_PUT && op->kind <= OP_ADD)
		make_value(w, c, op);
}
