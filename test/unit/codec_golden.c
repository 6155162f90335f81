/* Fixed encodings. The bytes are in logs, in snapshots and on links of other
 * versions: where one of these fails, the format has changed and what exists
 * cannot be read any more. Don't change the text; make a new version. */
#include "codec/entry.h"
#include "codec/frame.h"
#include "codec/guard_record.h"
#include "codec/image.h"
#include "codec/raftmsg.h"
#include "codec/record.h"

#include "lib/suite.h"

#include "holdfast.h"

#include <stdio.h>
#include <string.h>

#define HEX_MAX 4096

/* Spaces in `expected` are for the reader. */
static void check_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	char got[HEX_MAX], want[HEX_MAX];
	size_t n = 0;

	ck_assert_uint_lt(2 * len, HEX_MAX);
	for (size_t i = 0; i < len; i++)
		sprintf(got + 2 * i, "%02x", bytes[i]);
	got[2 * len] = '\0';
	for (; *expected; expected++)
		if (*expected != ' ')
			want[n++] = *expected;
	want[n] = '\0';
	ck_assert_str_eq(got, want);
}

static void check_buf(struct buf *b, const char *expected)
{
	ck_assert(!b->failed);
	check_hex(b->base, b->len, expected);
	buf_free(b);
}

static void check_op(const struct op *op, const char *expected)
{
	struct buf b = { 0 };

	op_encode(&b, op);
	check_buf(&b, expected);
}

static void check_record(const struct record *r, const char *expected)
{
	struct buf b = { 0 };

	record_encode(&b, r);
	check_buf(&b, expected);
}

static const uint8_t name[] = "jobs";

static struct op acquire(enum mode mode, uint32_t permits, uint32_t limit)
{
	struct op op;

	memset(&op, 0, sizeof(op));
	op.kind = OP_ACQUIRE;
	op.node = 2;
	op.session = 300;
	op.seq = 7;
	op.low = 5;
	op.acquire.owner = 9;
	op.acquire.name = name;
	op.acquire.name_len = 4;
	op.acquire.mode = mode;
	op.acquire.permits = permits;
	op.acquire.limit = limit;
	op.acquire.wait = 1000000;
	op.acquire.delay = 128;
	return op;
}

START_TEST(an_open)
{
	struct op op = { .kind = OP_OPEN, .node = 2, .seq = 1 };

	for (uint8_t i = 0; i < NONCE_LEN; i++)
		op.open.nonce[i] = (uint8_t)(0xa0 + i);
	op.open.boot = 3;
	op.open.nth = 1;
	op.open.ttl = 10000000;
	op.open.flags = OPEN_MEMBER;
	check_op(&op,
		 "01 02 01 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 03 01 80ade204 "
		 "01");
}
END_TEST

START_TEST(an_acquire_of_each_mode)
{
	struct op op = acquire(MODE_EXCLUSIVE, 0, 0);

	check_op(&op, "04 02 07 ac02 05 09 c0843d 8001 00 00 04 6a6f6273");
	op = acquire(MODE_SHARED, 0, 0);
	check_op(&op, "04 02 07 ac02 05 09 c0843d 8001 00 01 04 6a6f6273");
	op = acquire(MODE_PERMITS, 2, 200);
	op.acquire.wait = WAIT_FOREVER;
	check_op(&op, "04 02 07 ac02 05 09 ffffffffffffffffff01 8001 00 "
		      "02 02 c801 04 6a6f6273");
	op = acquire(MODE_BARRIER, 0, 200);
	check_op(&op, "04 02 07 ac02 05 09 c0843d 8001 00 03 c801 04 6a6f6273");
	op = acquire(MODE_LEAVE, 0, 0);
	op.acquire.from = 301;
	check_op(&op, "04 02 07 ac02 05 09 c0843d 8001 20 04 04 6a6f6273 ad02");
}
END_TEST

START_TEST(an_acquire_with_all_that_it_may_have)
{
	const struct op_part more[] = {
		{ name, 4, MODE_SHARED, 0, 0 },
		{ name, 3, MODE_PERMITS, 1, 0 },
	};
	struct op op = acquire(MODE_EXCLUSIVE, 0, 0);

	op.acquire.more = more;
	op.acquire.more_len = 2;
	op.acquire.priority = -2;
	op.acquire.line = 200;
	op.acquire.hold = 1;
	op.acquire.lease = 2;
	op.acquire.shown = name;
	op.acquire.shown_len = 2;
	check_op(&op, "04 02 07 ac02 05 09 c0843d 8001 5f 00 04 6a6f6273 "
		      "02 01 04 6a6f6273 02 01 00 03 6a6f62 "
		      "03 c801 01 02 02 6a6f");
}
END_TEST

START_TEST(a_renew_a_close_a_release_and_a_cancel)
{
	struct op op = { .kind = OP_RENEW, .node = 2, .session = 300 };

	op.low = 5;
	check_op(&op, "02 02 00 ac02 05");
	op = (struct op){ .kind = OP_CLOSE, .node = 2, .session = 300 };
	check_op(&op, "03 02 00 ac02");
	op = (struct op){ .kind = OP_RELEASE, .node = 2, .session = 300 };
	op.seq = 8;
	op.low = 7;
	op.release.token = 301;
	op.release.to = 3;
	check_op(&op, "05 02 08 ac02 07 ad02 03");
	op = (struct op){ .kind = OP_CANCEL, .node = 2, .session = 300 };
	op.seq = 7;
	op.cancel.flags = CANCEL_WAIT;
	check_op(&op, "06 02 07 ac02 01");
}
END_TEST

static struct op sequenced(enum op_kind kind)
{
	struct op op;

	memset(&op, 0, sizeof(op));
	op.kind = kind;
	op.node = 2;
	op.session = 300;
	op.seq = 8;
	op.low = 7;
	return op;
}

START_TEST(what_is_asked_of_a_hold)
{
	struct op op = sequenced(OP_EXTEND);

	op.seq = op.low = 0;
	op.extend.token = 301;
	check_op(&op, "08 02 00 ac02 ad02");
	op = sequenced(OP_REVOKE);
	op.revoke.token = 301;
	op.revoke.grace = 128;
	op.revoke.reason = name;
	op.revoke.reason_len = 4;
	check_op(&op, "09 02 08 ac02 07 ad02 8001 04 6a6f6273");
	op = sequenced(OP_NOTED);
	op.seq = op.low = 0;
	op.noted.token = 301;
	op.noted.noted_at = 128;
	check_op(&op, "0a 02 00 ac02 ad02 8001");
	op = sequenced(OP_ANNOUNCE);
	op.announce.token = 301;
	op.announce.shown = name;
	op.announce.shown_len = 2;
	check_op(&op, "10 02 08 ac02 07 ad02 02 6a6f");
	op = sequenced(OP_PERMITS);
	op.permits.name = name;
	op.permits.name_len = 4;
	op.permits.limit = 200;
	check_op(&op, "0b 02 08 ac02 07 04 6a6f6273 c801");
}
END_TEST

static struct op of_value(enum op_kind kind)
{
	struct op op = sequenced(kind);

	op.value.name = name;
	op.value.name_len = 4;
	op.value.guard = 301;
	return op;
}

START_TEST(what_is_asked_of_a_value)
{
	struct op op = of_value(OP_PUT);

	op.value.expect = EXPECT_ANY;
	op.value.flags = PUT_EPHEMERAL;
	op.value.bytes = (const uint8_t *)"\x01\x02";
	op.value.bytes_len = 2;
	check_op(&op, "0c 02 08 ac02 07 04 6a6f6273 ad02 00 01 02 0102");
	op = of_value(OP_DELETE);
	op.value.expect = 300;
	check_op(&op, "0d 02 08 ac02 07 04 6a6f6273 ad02 ad02");
	op.value.expect = EXPECT_NONE;
	check_op(&op, "0d 02 08 ac02 07 04 6a6f6273 ad02 01");
	op = of_value(OP_ADD);
	op.value.guard = 0;
	op.value.delta = -3;
	check_op(&op, "0e 02 08 ac02 07 04 6a6f6273 00 01 00 05");
	op = sequenced(OP_AWAIT);
	op.await.name = name;
	op.await.name_len = 4;
	op.await.condition = AWAIT_ABSENT;
	op.await.wait = 128;
	check_op(&op, "0f 02 08 ac02 07 04 6a6f6273 8001 01");
	op.await.condition = AWAIT_AT_MOST;
	op.await.number = 3;
	check_op(&op, "0f 02 08 ac02 07 04 6a6f6273 8001 04 06");
}
END_TEST

START_TEST(the_limits)
{
	struct op op = { .kind = OP_LIMITS, .node = 1, .seq = 4 };

#define X(field, first, least, greatest) op.limits.field = first;
	LIMITS(X)
#undef X
	check_op(&op,
		 "07 01 04 808004 80808002 80808004 808040 8020 a08d06 "
		 "80c0ddeec102 80c8ceb40d 808ece1c 808040 808004 8080808001 "
		 "a08d06");
}
END_TEST

START_TEST(an_entry)
{
	struct op op = acquire(MODE_EXCLUSIVE, 0, 0);
	struct entry e = { .version = 2, .stamp = 0x1111, .wall = 0x2222 };
	struct buf ops = { 0 };
	uint8_t bytes[96];

	e.proposer = 3;
	e.term = 4;
	e.serial = 5;
	e.hash_index = 6;
	e.hash = 0x1122334455667788;
	e.ops_len = 1;
	op_encode(&ops, &op);
	ck_assert_uint_eq(entry_bytes(ops.len), sizeof(bytes));
	entry_encode(bytes, &e, ops.base, ops.len);
	check_hex(bytes, sizeof(bytes),
		  "e7 01 0200 c6513279 01000000 13000000 "
		  "1111000000000000 2222000000000000 0300000000000000 "
		  "0400000000000000 0500000000000000 0600000000000000 "
		  "8877665544332211 "
		  "040207ac020509c0843d80010000046a6f6273 0000000000");
	buf_free(&ops);
}
END_TEST

START_TEST(an_output)
{
	struct output o = { .kind = OUTPUT_ANSWER, .op = OP_ACQUIRE };
	struct buf b = { 0 };

	o.status = HF_EHELD;
	o.node = 2;
	o.session = 300;
	o.seq = 7;
	o.token = 301;
	o.stamp = 1000;
	o.deadline = 2000;
	o.index = 12;
	outputs_begin(&b);
	outputs_add(&b, &o);
	check_buf(&b, "01000000 01 04 01 c701 02 ac02 07 ad02 e807 0c d00f");
	o.deadline = 0;
	outputs_begin(&b);
	outputs_add(&b, &o);
	check_buf(&b, "01000000 01 04 00 c701 02 ac02 07 ad02 e807 0c");
}
END_TEST

START_TEST(a_revocation_and_a_deadlock)
{
	struct output o = { .kind = OUTPUT_REVOKED, .node = 2, .session = 3 };
	struct buf b = { 0 };

	o.seq = 4;
	o.token = 5;
	o.stamp = 6;
	o.index = 7;
	o.deadline = 8;
	o.by = 9;
	o.number = 10;
	o.bytes = name;
	o.bytes_len = 4;
	outputs_begin(&b);
	outputs_add(&b, &o);
	check_buf(&b, "01000000 05 00 17 00 02 03 04 05 06 07 08 09 0a "
		      "04 6a6f6273");
	o.kind = OUTPUT_DEADLOCK;
	o.deadline = 0;
	o.name = name;
	o.name_len = 3;
	o.bytes_len = 0;
	outputs_begin(&b);
	outputs_add(&b, &o);
	check_buf(&b, "01000000 06 00 0e 00 02 03 04 05 06 07 09 0a "
		      "03 6a6f62");
}
END_TEST

START_TEST(a_frame)
{
	struct buf b = { 0 };

	frame_encode(&b, FRAME_REPL, LANE_CONTROL, 1, true,
		     (const uint8_t *)"abc", 3);
	check_buf(&b, "6866 03 00 03000000 01000000 03000000 b73f4b36 ae734722 "
		      "616263");
	frame_encode(&b, FRAME_REPLY, LANE_BULK, 1, false,
		     (const uint8_t *)"abc", 3);
	check_buf(&b, "6866 09 02 01000000 01000000 03000000 00000000 00000000 "
		      "616263");
}
END_TEST

START_TEST(a_handshake)
{
	struct hello h = { .protocol = 1,
			   .cluster = 0x11,
			   .incarnation = 0x22 };
	struct buf b = { 0 };

	h.node = 3;
	h.to = 4;
	h.boot = 5;
	h.member = true;
	hello_encode(&b, &h);
	check_buf(&b, "01000000 01000000 1100000000000000 2200000000000000 "
		      "0300000000000000 0400000000000000 0500000000000000");
	refuse_encode(&b, HF_EOLDBOOT, "old");
	check_buf(&b, "96ffffff 6f6c64");
}
END_TEST

START_TEST(a_resync_an_attach_a_query_a_reply_and_a_notleader)
{
	struct resync s = { .session = 1, .nonce = 2, .index = 3, .term = 4 };
	struct resync_item item = { .seq = 5, .token = 6, .status = 1 };
	struct buf b = { 0 };

	s.alive = true;
	resync_begin(&b, &s);
	resync_add(&b, &item);
	check_buf(&b, "01000000 0100000000000000 0200000000000000 "
		      "0300000000000000 0400000000000000 01000000 05 06 02 "
		      "00");
	attach_encode(&b, &(struct attach){ .session = 1, .nonce = 2 });
	check_buf(&b, "0100000000000000 0200000000000000");
	query_encode(&b, &(struct query){ .kind = QUERY_VALIDATE,
					  .id = 1,
					  .session = 2,
					  .token = 3 });
	check_buf(&b, "01000000 0100000000000000 0200000000000000 "
		      "0300000000000000");
	reply_encode(&b, &(struct reply){ .id = 1, .status = HF_ENOTHELD });
	check_buf(&b, "0100000000000000 9bffffff 00");
	notleader_encode(&b, &(struct notleader){ .leader = 1, .term = 2 });
	check_buf(&b, "0100000000000000 0200000000000000");
}
END_TEST

START_TEST(a_hold_in_a_resync)
{
	struct resync s = { .session = 1, .alive = true };
	struct resync_item item = { .seq = 5, .token = 6 };
	struct buf b = { 0 };

	item.deadline = 7;
	item.stamp = 8;
	item.revoked_at = 9;
	item.noted_at = 10;
	item.by = 11;
	item.reason = name;
	item.reason_len = 4;
	resync_begin(&b, &s);
	b.len = 0;
	resync_add(&b, &item);
	check_buf(&b, "05 06 00 3f 07 08 09 0a 0b 04 6a6f6273");
}
END_TEST

START_TEST(a_value_asked_for)
{
	struct query q = { .kind = QUERY_VALUE, .id = 1 };
	struct reply y = { .id = 1, .index = 2 };
	struct buf b = { 0 };

	q.name = name;
	q.name_len = 4;
	query_encode(&b, &q);
	check_buf(&b, "02000000 0100000000000000 04000000 6a6f6273");
	reply_encode(&b, &y);
	check_buf(&b, "0100000000000000 00000000 01 0200000000000000");
	y.version = 3;
	y.session = 4;
	y.bytes = name;
	y.bytes_len = 4;
	reply_encode(&b, &y);
	check_buf(&b, "0100000000000000 00000000 02 0200000000000000 "
		      "0300000000000000 0400000000000000 04000000 6a6f6273");
	y.bytes_len = 0;
	y.counter = true;
	y.number = -2;
	reply_encode(&b, &y);
	check_buf(&b, "0100000000000000 00000000 03 0200000000000000 "
		      "0300000000000000 0400000000000000 feffffffffffffff");
}
END_TEST

static struct record state(void)
{
	struct record r = { .kind = RECORD_STATE };

	r.state.now = 1;
	r.state.wall = 2;
	r.state.index = 3;
	r.state.counter = 4;
	r.state.arrivals = 5;
	r.state.term = 6;
	r.state.skew = 7;
	r.state.hash = 0x1122334455667788;
	r.state.version = 2;
#define X(field, first, least, greatest) r.state.limits.field = first;
	LIMITS(X)
#undef X
	return r;
}

START_TEST(records)
{
	struct slot slot = {
		.seq = 10, .status = -3, .token = 11, .stamp = 12
	};
	struct record r = state();

	check_record(
		&r,
		"01 01 02 03 04 05 06 07 8877665544332211 02 808004 80808002 "
		"80808004 808040 8020 a08d06 80c0ddeec102 80c8ceb40d "
		"808ece1c 808040 808004 8080808001 a08d06");
	r = (struct record){ .kind = RECORD_PEER };
	r.peer.node = 1;
	r.peer.boot = 2;
	r.peer.nth = 3;
	r.peer.session = 4;
	check_record(&r, "02 01 02 03 04");
	r = (struct record){ .kind = RECORD_SESSION };
	r.session.id = 1;
	r.session.node = 2;
	r.session.boot = 3;
	r.session.nth = 4;
	r.session.ttl = 5;
	r.session.deadline = 6;
	r.session.opened = 7;
	r.session.flags = 1;
	r.session.low = 9;
	r.session.slots = &slot;
	r.session.slots_len = 1;
	check_record(&r, "03 01 02 03 04 05 06 07 "
			 "00000000000000000000000000000000 01 09 01 0a 05 0b "
			 "0c");
	r = (struct record){ .kind = RECORD_LOCK };
	r.lock.id = 1;
	r.lock.name = name;
	r.lock.name_len = 4;
	r.lock.limit = 2;
	r.lock.delay_until = 3;
	r.lock.flags = LOCK_PINNED;
	check_record(&r, "04 01 02 02 03 04 6a6f6273");
	memset(&r, 0, sizeof(r));
	r.kind = RECORD_REQUEST;
	r.request.session = 1;
	r.request.seq = 2;
	r.request.owner = 3;
	r.request.lock = 4;
	r.request.state = REQUEST_HELD;
	r.request.mode = MODE_PERMITS;
	r.request.permits = 5;
	r.request.token = 6;
	r.request.stamp = 7;
	r.request.index = 8;
	r.request.place = 9;
	r.request.deadline = 10;
	r.request.delay = 11;
	check_record(&r, "05 01 02 03 04 02 02 05 06 07 08 09 0a 0b 00 00");
}
END_TEST

START_TEST(a_request_with_all_that_it_may_have)
{
	const struct record_part more[] = { { 12, MODE_SHARED, 0 },
					    { 13, MODE_PERMITS, 200 } };
	struct record r;

	memset(&r, 0, sizeof(r));
	r.kind = RECORD_REQUEST;
	r.request.session = 1;
	r.request.seq = 2;
	r.request.lock = 4;
	r.request.state = REQUEST_HELD;
	r.request.token = 6;
	r.request.more = more;
	r.request.more_len = 2;
	r.request.priority = -2;
	r.request.hold = 14;
	r.request.lease = 15;
	r.request.hold_until = 16;
	r.request.lease_until = 17;
	r.request.from = 18;
	r.request.shown = name;
	r.request.shown_len = 2;
	r.request.revoke.at = 19;
	r.request.revoke.noted_at = 20;
	r.request.revoke.by = 21;
	r.request.revoke.noted = true;
	r.request.revoke.reason = name;
	r.request.revoke.reason_len = 4;
	check_record(&r, "05 01 02 00 04 02 00 00 06 00 00 00 00 00 00 ff03 "
			 "02 0c 01 00 0d 02 c801 03 0e 0f 10 11 12 02 6a6f "
			 "13 14 15 01 04 6a6f6273");
}
END_TEST

START_TEST(values_and_a_wait_for_one)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.kind = RECORD_VALUE;
	r.value.id = 1;
	r.value.name = name;
	r.value.name_len = 4;
	check_record(&r, "06 01 00 00 04 6a6f6273 00 00");
	r.value.version = 2;
	r.value.session = 3;
	r.value.bytes = name;
	r.value.bytes_len = 3;
	check_record(&r, "06 01 02 03 04 6a6f6273 00 03 6a6f62");
	r.value.bytes_len = 0;
	r.value.counter = true;
	r.value.number = -200;
	check_record(&r, "06 01 02 03 04 6a6f6273 01 8f03");
	memset(&r, 0, sizeof(r));
	r.kind = RECORD_REQUEST;
	r.request.session = 1;
	r.request.seq = 2;
	r.request.state = REQUEST_WAITING;
	r.request.value = 7;
	r.request.condition = AWAIT_AT_LEAST;
	r.request.number = 3;
	check_record(&r, "05 01 02 00 00 01 00 00 00 00 00 00 00 00 00 8004 "
			 "07 05 06");
}
END_TEST

START_TEST(an_image)
{
	struct image_writer w = { 0 };
	struct record r = state();

	image_put(&w, &r);
	ck_assert_int_eq(image_finish(&w), 0);
	ck_assert_uint_eq(w.pieces_len, 2);
	check_hex(w.pieces[0].base, w.pieces[0].len,
		  "68662d696d616765 0100 0200 01000000 0300000000000000 "
		  "0100000000000000 8100000000000000 00000000 0f4fe86e");
	check_hex(w.pieces[1].base, w.pieces[1].len,
		  "41000000 41000000 00000000 6578a2c3 "
		  "01 01 02 03 04 05 06 07 8877665544332211 02 808004 80808002 "
		  "80808004 808040 8020 a08d06 80c0ddeec102 80c8ceb40d "
		  "808ece1c 808040 808004 8080808001 a08d06");
	image_writer_free(&w);
}
END_TEST

START_TEST(votes)
{
	struct raft_message m = { .type = RAFT_REQUEST_VOTE };
	struct buf b = { 0 };

	m.request_vote.term = 1;
	m.request_vote.candidate_id = 2;
	m.request_vote.last_log_index = 3;
	m.request_vote.last_log_term = 1;
	m.request_vote.pre_vote = true;
	raftmsg_encode(&b, &m);
	check_buf(&b, "03 02 000000000000 0100000000000000 0200000000000000 "
		      "0300000000000000 0100000000000000 0200000000000000");
	memset(&m, 0, sizeof(m));
	m.type = RAFT_REQUEST_VOTE_RESULT;
	m.request_vote_result.term = 1;
	m.request_vote_result.vote_granted = true;
	m.request_vote_result.features = 2;
	m.request_vote_result.capacity = 3;
	raftmsg_encode(&b, &m);
	check_buf(&b, "04 02 000000000000 0100000000000000 01000000 0200 0300");
	memset(&m, 0, sizeof(m));
	m.type = RAFT_TIMEOUT_NOW;
	m.timeout_now.term = 1;
	m.timeout_now.last_log_index = 2;
	m.timeout_now.last_log_term = 1;
	raftmsg_encode(&b, &m);
	check_buf(&b, "06 00 000000000000 0100000000000000 0200000000000000 "
		      "0100000000000000");
}
END_TEST

START_TEST(appends)
{
	struct raft_message m = { .type = RAFT_APPEND_ENTRIES };
	struct raft_entry e = { .term = 4, .type = RAFT_BARRIER };
	uint8_t payload[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct buf b = { 0 };

	e.buf = (struct raft_buffer){ payload, sizeof(payload) };
	m.append_entries.term = 5;
	m.append_entries.prev_log_index = 9;
	m.append_entries.prev_log_term = 3;
	m.append_entries.leader_commit = 8;
	m.append_entries.entries = &e;
	m.append_entries.n_entries = 1;
	raftmsg_encode(&b, &m);
	check_buf(&b, "01 00 000000000000 0500000000000000 0900000000000000 "
		      "0300000000000000 0800000000000000 0100000000000000 "
		      "0400000000000000 02000000 08000000 0102030405060708");
	memset(&m, 0, sizeof(m));
	m.type = RAFT_APPEND_ENTRIES_RESULT;
	m.append_entries_result.term = 5;
	m.append_entries_result.rejected = 9;
	m.append_entries_result.last_log_index = 7;
	m.append_entries_result.features = 1;
	m.append_entries_result.capacity = 2;
	raftmsg_encode(&b, &m);
	check_buf(&b, "02 02 000000000000 0500000000000000 0900000000000000 "
		      "0700000000000000 00000000 0100 0200");
}
END_TEST

START_TEST(an_install_snapshot)
{
	struct raft_message m = { .type = RAFT_INSTALL_SNAPSHOT };
	struct raft_server server = { .id = 1, .address = (char[]){ "a:1" } };
	uint8_t data[] = { 0xaa, 0xbb };
	struct buf b = { 0 };

	server.role = RAFT_VOTER;
	m.install_snapshot.term = 2;
	m.install_snapshot.last_index = 3;
	m.install_snapshot.last_term = 1;
	m.install_snapshot.conf = (struct raft_configuration){ &server, 1 };
	m.install_snapshot.conf_index = 1;
	m.install_snapshot.data = (struct raft_buffer){ data, sizeof(data) };
	raftmsg_encode(&b, &m);
	check_buf(&b, "05 00 000000000000 0200000000000000 0300000000000000 "
		      "0100000000000000 0100000000000000 1800000000000000 "
		      "0200000000000000 "
		      "01 0100000000000000 0100000000000000 613a3100 01 0000 "
		      "aabb");
}
END_TEST

START_TEST(a_guards_record)
{
	const struct guard_record r = { 3, { 0x102, 0x101 } };
	uint8_t bytes[GUARD_RECORD_BYTES];

	guard_record_encode(&r, bytes);
	check_hex(bytes, sizeof(bytes),
		  "686667756172640a 01000000 00000000 0300000000000000 "
		  "0201000000000000 0101000000000000 "
		  "0000000000000000000000000000000000000000 e7fdb8ad");
}
END_TEST

SUITE(an_open, an_acquire_of_each_mode, an_acquire_with_all_that_it_may_have,
      a_renew_a_close_a_release_and_a_cancel, what_is_asked_of_a_hold,
      what_is_asked_of_a_value, the_limits, an_entry, an_output,
      a_revocation_and_a_deadlock, a_frame, a_handshake,
      a_resync_an_attach_a_query_a_reply_and_a_notleader, a_hold_in_a_resync,
      a_value_asked_for, records, a_request_with_all_that_it_may_have,
      values_and_a_wait_for_one, an_image, votes, appends, an_install_snapshot,
      a_guards_record)
