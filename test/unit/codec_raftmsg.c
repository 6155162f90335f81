#include "codec/raftmsg.h"

#include "lib/damage.h"
#include "lib/suite.h"

#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES 8
#define NUMBER_MAX (UINT64_C(1) << 62)

static uint64_t number(struct random *r)
{
	return random_width(r) % NUMBER_MAX;
}

static uint64_t number_from_1(struct random *r)
{
	return 1 + number(r);
}

static struct raft_configuration sample_configuration(struct random *r)
{
	struct raft_configuration conf;
	unsigned n = 1 + (unsigned)random_below(r, 5);

	raft_configuration_init(&conf);
	for (unsigned i = 1; i <= n; i++) {
		char address[] = "host-0:4000";

		address[5] = (char)('0' + i);
		ck_assert_int_eq(
			raft_configuration_add(&conf, i, address,
					       (int)random_below(r, 3)),
			0);
	}
	return conf;
}

static void sample_entry(struct random *r, struct raft_entry *e, uint64_t term)
{
	*e = (struct raft_entry){ .term = term };
	e->type = (enum raft_entry_type)(1 + random_below(r, 3));
	if (e->type == RAFT_CHANGE) {
		struct raft_configuration conf = sample_configuration(r);

		ck_assert_int_eq(raft_configuration_encode(&conf, &e->buf), 0);
		raft_configuration_close(&conf);
		return;
	}
	e->buf.len = 8 * (1 + random_below(r, 10));
	e->buf.base = raft_malloc(e->buf.len);
	memset(e->buf.base, (int)random_below(r, 256), e->buf.len);
}

static void sample_append(struct random *r, struct raft_append_entries *p)
{
	uint64_t term = 1 + random_below(r, 100);

	p->prev_log_index = random_below(r, 4) ? number_from_1(r) : 0;
	p->prev_log_term = p->prev_log_index ? term : 0;
	p->leader_commit = number(r);
	p->n_entries = (unsigned)random_below(r, ENTRIES);
	if (p->n_entries > 0)
		p->entries = raft_malloc(p->n_entries * sizeof(*p->entries));
	for (unsigned i = 0; i < p->n_entries; i++) {
		term += random_below(r, 2);
		sample_entry(r, &p->entries[i], term);
	}
	p->term = term + random_below(r, 2);
}

static void sample_snapshot(struct random *r, struct raft_install_snapshot *p)
{
	p->last_index = number_from_1(r);
	p->last_term = 1 + random_below(r, 1000);
	p->term = p->last_term + random_below(r, 3);
	p->conf = sample_configuration(r);
	p->conf_index = number(r);
	p->data.len = random_below(r, 3) * random_below(r, 300);
	if (p->data.len == 0)
		return;
	p->data.base = raft_malloc(p->data.len);
	memset(p->data.base, 7, p->data.len);
}

static void sample_vote(struct random *r, struct raft_request_vote *p)
{
	p->version = 2;
	p->term = number_from_1(r);
	p->candidate_id = number_from_1(r);
	p->last_log_index = number(r);
	p->last_log_term = p->last_log_index ? 1 + number(r) % p->term : 0;
	p->disrupt_leader = random_below(r, 2);
	p->pre_vote = random_below(r, 2);
}

static void sample_results(struct random *r, struct raft_message *m)
{
	if (m->type == RAFT_REQUEST_VOTE_RESULT) {
		m->request_vote_result.version = 2;
		m->request_vote_result.term = number(r);
		m->request_vote_result.vote_granted = random_below(r, 2);
		m->request_vote_result.pre_vote = random_below(r, 2);
		m->request_vote_result.features = (uint16_t)random_next(r);
		m->request_vote_result.capacity = (uint16_t)random_next(r);
		return;
	}
	m->append_entries_result.version = 2;
	m->append_entries_result.term = number(r);
	m->append_entries_result.rejected = random_below(r, 2) * number(r);
	m->append_entries_result.last_log_index = number(r);
	if (m->append_entries_result.rejected > 0)
		m->append_entries_result.last_log_index %=
			m->append_entries_result.rejected;
	m->append_entries_result.features = (uint16_t)random_next(r);
	m->append_entries_result.capacity = (uint16_t)random_next(r);
}

static struct raft_message sample_message(struct random *r, int type)
{
	struct raft_message m;

	memset(&m, 0, sizeof(m));
	m.type = (enum raft_message_type)type;
	if (type == RAFT_APPEND_ENTRIES) {
		sample_append(r, &m.append_entries);
	} else if (type == RAFT_INSTALL_SNAPSHOT) {
		sample_snapshot(r, &m.install_snapshot);
	} else if (type == RAFT_REQUEST_VOTE) {
		sample_vote(r, &m.request_vote);
	} else if (type == RAFT_TIMEOUT_NOW) {
		m.timeout_now.term = number_from_1(r);
		m.timeout_now.last_log_index = number_from_1(r);
		m.timeout_now.last_log_term =
			1 + number(r) % m.timeout_now.term;
	} else {
		sample_results(r, &m);
	}
	return m;
}

static void free_sample(struct raft_message *m)
{
	if (m->type != RAFT_APPEND_ENTRIES) {
		raftmsg_discard(m);
		return;
	}
	for (unsigned i = 0; i < m->append_entries.n_entries; i++)
		raft_free(m->append_entries.entries[i].buf.base);
	raft_free(m->append_entries.entries);
}

/* What libraft relies on in recv. */
static void check_batch(const struct raft_append_entries *p)
{
	const uint8_t *at;

	ck_assert((p->n_entries == 0) == (p->entries == NULL));
	if (p->n_entries == 0)
		return;
	at = p->entries[0].batch;
	for (unsigned i = 0; i < p->n_entries; i++) {
		const struct raft_entry *e = &p->entries[i];

		ck_assert_ptr_eq(e->batch, p->entries[0].batch);
		ck_assert_ptr_eq(e->buf.base, at);
		ck_assert_uint_gt(e->buf.len, 0);
		ck_assert_uint_eq(e->buf.len % 8, 0);
		at += e->buf.len;
		if (e->type != RAFT_CHANGE)
			continue;
		struct raft_configuration conf;
		ck_assert_int_eq(raft_configuration_decode(&e->buf, &conf), 0);
		raft_configuration_close(&conf);
	}
}

static int decode_message(const uint8_t *bytes, size_t len)
{
	struct raft_message m;
	struct buf b = { 0 };
	int rc = raftmsg_decode(bytes, len, &m);

	if (rc != 0)
		return rc;
	if (m.type == RAFT_APPEND_ENTRIES)
		check_batch(&m.append_entries);
	raftmsg_encode(&b, &m);
	ck_assert_uint_eq(b.len, len);
	ck_assert_mem_eq(b.base, bytes, len);
	buf_free(&b);
	raftmsg_discard(&m);
	return 0;
}

static void check_same_entries(const struct raft_append_entries *a,
			       const struct raft_append_entries *b)
{
	ck_assert_uint_eq(a->n_entries, b->n_entries);
	for (unsigned i = 0; i < a->n_entries; i++) {
		const struct raft_entry *x = &a->entries[i];
		const struct raft_entry *y = &b->entries[i];

		ck_assert_uint_eq(x->term, y->term);
		ck_assert_int_eq(x->type, y->type);
		ck_assert_uint_eq(x->buf.len, y->buf.len);
		ck_assert_mem_eq(x->buf.base, y->buf.base, x->buf.len);
	}
}

#define SAME(field) ck_assert_uint_eq(a->field, b->field)

static void check_same(const struct raft_message *a,
		       const struct raft_message *b)
{
	SAME(type);
	if (a->type == RAFT_APPEND_ENTRIES) {
		SAME(append_entries.version);
		SAME(append_entries.term);
		SAME(append_entries.prev_log_index);
		SAME(append_entries.prev_log_term);
		SAME(append_entries.leader_commit);
		check_same_entries(&a->append_entries, &b->append_entries);
	} else if (a->type == RAFT_INSTALL_SNAPSHOT) {
		SAME(install_snapshot.version);
		SAME(install_snapshot.term);
		SAME(install_snapshot.last_index);
		SAME(install_snapshot.last_term);
		SAME(install_snapshot.conf_index);
		SAME(install_snapshot.conf.n);
		SAME(install_snapshot.data.len);
	} else if (a->type == RAFT_REQUEST_VOTE) {
		SAME(request_vote.version);
		SAME(request_vote.term);
		SAME(request_vote.candidate_id);
		SAME(request_vote.last_log_index);
		SAME(request_vote.last_log_term);
		SAME(request_vote.disrupt_leader);
		SAME(request_vote.pre_vote);
	} else if (a->type == RAFT_REQUEST_VOTE_RESULT) {
		SAME(request_vote_result.version);
		SAME(request_vote_result.term);
		SAME(request_vote_result.vote_granted);
		SAME(request_vote_result.pre_vote);
		SAME(request_vote_result.features);
		SAME(request_vote_result.capacity);
	} else if (a->type == RAFT_APPEND_ENTRIES_RESULT) {
		SAME(append_entries_result.version);
		SAME(append_entries_result.term);
		SAME(append_entries_result.rejected);
		SAME(append_entries_result.last_log_index);
		SAME(append_entries_result.features);
		SAME(append_entries_result.capacity);
	} else {
		SAME(timeout_now.version);
		SAME(timeout_now.term);
		SAME(timeout_now.last_log_index);
		SAME(timeout_now.last_log_term);
	}
}

START_TEST(messages_survive_a_round_trip)
{
	struct random r = { 1 };

	for (int i = 0; i < 3000; i++) {
		struct raft_message m = sample_message(&r, 1 + i % 6), got;
		struct buf b = { 0 };

		raftmsg_encode(&b, &m);
		ck_assert(!b.failed);
		ck_assert_int_eq(raftmsg_decode(b.base, b.len, &got), 0);
		check_same(&m, &got);
		ck_assert_int_eq(decode_message(b.base, b.len), 0);
		raftmsg_discard(&got);
		free_sample(&m);
		buf_free(&b);
	}
}
END_TEST

START_TEST(a_truncated_message_is_refused)
{
	struct random r = { 2 };

	for (int i = 0; i < 36; i++) {
		struct raft_message m = sample_message(&r, 1 + i % 6);
		struct buf b = { 0 };

		raftmsg_encode(&b, &m);
		check_truncation(decode_message, b.base, b.len);
		free_sample(&m);
		buf_free(&b);
	}
}
END_TEST

START_TEST(a_changed_byte_gives_a_valid_message_or_none)
{
	struct random r = { 3 };

	for (int i = 0; i < 36; i++) {
		struct raft_message m = sample_message(&r, 1 + i % 6);
		struct buf b = { 0 };

		raftmsg_encode(&b, &m);
		check_mutation(decode_message, b.base, b.len, false);
		free_sample(&m);
		buf_free(&b);
	}
}
END_TEST

START_TEST(garbage_gives_a_valid_message_or_none)
{
	for (uint8_t type = 0; type <= 7; type++) {
		uint8_t head[8] = { type, type >= 2 && type <= 4 ? 2 : 0 };

		check_garbage(decode_message, head, sizeof(head), 10000);
	}
}
END_TEST

/* An AppendEntries of term 5 with one entry of term 4 behind (9, 3). */
static int decode_append(size_t at, uint8_t value)
{
	struct raft_message m = { .type = RAFT_APPEND_ENTRIES };
	uint8_t payload[16] = { 0 };
	struct raft_entry e = { .term = 4, .type = RAFT_COMMAND };
	struct buf b = { 0 };

	e.buf = (struct raft_buffer){ payload, sizeof(payload) };
	m.append_entries.term = 5;
	m.append_entries.prev_log_index = 9;
	m.append_entries.prev_log_term = 3;
	m.append_entries.entries = &e;
	m.append_entries.n_entries = 1;
	raftmsg_encode(&b, &m);
	ck_assert_uint_eq(b.len, 8 + 40 + 16 + 16);
	b.base[at] = value;
	int rc = decode_copy(decode_message, b.base, b.len);
	buf_free(&b);
	return rc;
}

START_TEST(append_entries_agree_with_themselves)
{
	enum { TERM = 8, PREV = 16, PREV_TERM = 24, COMMIT = 32, N = 40 };
	enum { ENTRY_TERM = 48, TYPE = 56, LEN = 60 };

	ck_assert_int_eq(decode_append(TERM, 5), 0);
	ck_assert_int_eq(decode_append(TERM, 3), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(PREV, 0), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(PREV_TERM, 0), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(PREV_TERM, 5), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(COMMIT + 7, 0x80), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(PREV + 7, 0x80), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(N, 0), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(N, 2), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(N + 5, 1), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(ENTRY_TERM, 2), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(ENTRY_TERM, 6), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(TYPE, RAFT_BARRIER), 0);
	ck_assert_int_eq(decode_append(TYPE, RAFT_CHANGE), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(TYPE, 0), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(TYPE, 4), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(LEN, 8), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(LEN, 0), HF_ECORRUPT);
	ck_assert_int_eq(decode_append(LEN, 15), HF_ECORRUPT);
}
END_TEST

START_TEST(an_unset_last_index_of_a_refusal_does_not_travel)
{
	struct raft_message m = { .type = RAFT_APPEND_ENTRIES_RESULT }, got;
	struct buf b = { 0 };

	m.append_entries_result.term = 5;
	m.append_entries_result.rejected = 12;
	m.append_entries_result.last_log_index = UINT64_MAX;
	raftmsg_encode(&b, &m);
	ck_assert_int_eq(raftmsg_decode(b.base, b.len, &got), 0);
	ck_assert_uint_eq(got.append_entries_result.last_log_index, 11);
	buf_free(&b);
}
END_TEST

static bool conf_valid(const struct buf *b)
{
	uint8_t *copy = malloc(b->len);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, b->base, b->len);
	bool valid = raftmsg_configuration_valid(copy, b->len);
	free(copy);
	return valid;
}

static void put_server(struct buf *b, uint64_t id, const char *address,
		       uint8_t role)
{
	buf_put64(b, id);
	buf_put(b, address, strlen(address) + 1);
	buf_put8(b, role);
}

/* Two servers; whether it is taken. */
static bool pair_valid(uint64_t id, const char *address, uint8_t role)
{
	struct buf b = { 0 };

	buf_put8(&b, 1);
	buf_put64(&b, 2);
	put_server(&b, 1, "a:1", RAFT_VOTER);
	put_server(&b, id, address, role);
	while (b.len % 8 != 0)
		buf_put8(&b, 0);
	bool valid = conf_valid(&b);
	buf_free(&b);
	return valid;
}

START_TEST(servers_of_a_configuration_are_valid_and_differ)
{
	char longest[RAFTMSG_ADDRESS_MAX + 2];

	memset(longest, 'x', sizeof(longest));
	longest[RAFTMSG_ADDRESS_MAX + 1] = '\0';
	ck_assert(pair_valid(2, "b:1", RAFT_SPARE));
	ck_assert(!pair_valid(0, "b:1", RAFT_SPARE));
	ck_assert(!pair_valid(1, "b:1", RAFT_SPARE));
	ck_assert(!pair_valid(2, "a:1", RAFT_SPARE));
	ck_assert(!pair_valid(2, "b:1", 3));
	ck_assert(!pair_valid(2, longest, RAFT_SPARE));
	longest[RAFTMSG_ADDRESS_MAX] = '\0';
	ck_assert(pair_valid(2, longest, RAFT_SPARE));
}
END_TEST

START_TEST(a_configuration_is_bounded_and_ends_within_its_bytes)
{
	struct buf b = { 0 };

	for (uint64_t n = 0; n <= RAFTMSG_SERVERS_MAX + 1; n++) {
		buf_clear(&b);
		buf_put8(&b, 1);
		buf_put64(&b, n);
		for (uint64_t i = 1; i <= n; i++) {
			char address[3] = { 'a', (char)i, '\0' };

			put_server(&b, i, address, RAFT_VOTER);
		}
		while (b.len % 8 != 0)
			buf_put8(&b, 0);
		ck_assert(conf_valid(&b) ==
			  (n >= 1 && n <= RAFTMSG_SERVERS_MAX));
		buf_put64(&b, 0);
		ck_assert(!conf_valid(&b));
		b.len -= 16;
		ck_assert(!conf_valid(&b));
	}
	buf_clear(&b);
	buf_put8(&b, 1);
	buf_put64(&b, 1);
	buf_put64(&b, 1);
	while (b.len < 64)
		buf_put8(&b, 'x'); /* an address without an end */
	ck_assert(!conf_valid(&b));
	buf_free(&b);
}
END_TEST

/* What libraft allocates through us: how much, and when to fail. */
struct heap {
	size_t asked;
	int fail_at; /* counts down; 0: fails */
};

static void *heap_malloc(void *data, size_t len)
{
	struct heap *h = data;

	h->asked += len;
	return h->fail_at-- == 0 ? NULL : malloc(len);
}

static void heap_free(void *data, void *ptr)
{
	(void)data;
	free(ptr);
}

static void *heap_calloc(void *data, size_t n, size_t len)
{
	void *ptr = heap_malloc(data, n * len);

	return ptr ? memset(ptr, 0, n * len) : NULL;
}

static void *heap_realloc(void *data, void *ptr, size_t len)
{
	struct heap *h = data;

	h->asked += len;
	return h->fail_at-- == 0 ? NULL : realloc(ptr, len);
}

static struct raft_heap heap_of(struct heap *h)
{
	return (struct raft_heap){ .data = h,
				   .malloc = heap_malloc,
				   .free = heap_free,
				   .calloc = heap_calloc,
				   .realloc = heap_realloc };
}

START_TEST(any_allocation_may_fail)
{
	struct random r = { 4 };
	struct heap h = { 0 };
	struct raft_heap heap = heap_of(&h);

	for (int i = 0; i < 60; i++) {
		int type = i % 2 ? RAFT_APPEND_ENTRIES : RAFT_INSTALL_SNAPSHOT;
		struct raft_message m = sample_message(&r, type), got;
		struct buf b = { 0 };
		int rc = HF_ENOMEM;

		raftmsg_encode(&b, &m);
		raft_heap_set(&heap);
		for (int n = 0; rc == HF_ENOMEM; n++) {
			h.fail_at = n;
			rc = raftmsg_decode(b.base, b.len, &got);
			ck_assert(rc == 0 || rc == HF_ENOMEM);
		}
		raftmsg_discard(&got);
		raft_heap_set_default();
		free_sample(&m);
		buf_free(&b);
	}
}
END_TEST

START_TEST(memory_is_bounded_by_the_bytes_received)
{
	struct random r = { 5 };
	struct heap h = { 0 };
	struct raft_heap heap = heap_of(&h);
	uint8_t bytes[256];
	struct raft_message m;

	raft_heap_set(&heap);
	for (int i = 0; i < 50000; i++) {
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)(random_next(&r) %
					     (1 + random_below(&r, 9)));
		bytes[0] = i % 2 ? RAFT_APPEND_ENTRIES : RAFT_INSTALL_SNAPSHOT;
		memset(bytes + 1, 0, 7);
		h = (struct heap){ .fail_at = -1 };
		if (raftmsg_decode(bytes, sizeof(bytes), &m) == 0)
			raftmsg_discard(&m);
		ck_assert_uint_le(h.asked, 4 * sizeof(bytes));
	}
	raft_heap_set_default();
}
END_TEST

START_TEST(an_encoding_without_memory_says_so)
{
	struct random r = { 6 };
	struct raft_message m = sample_message(&r, RAFT_INSTALL_SNAPSHOT);
	struct heap h = { 0 };
	struct raft_heap heap = heap_of(&h);
	struct buf b = { 0 };

	raft_heap_set(&heap);
	raftmsg_encode(&b, &m);
	raft_heap_set_default();
	ck_assert(b.failed);
	buf_free(&b);
	free_sample(&m);
}
END_TEST

SUITE(messages_survive_a_round_trip, a_truncated_message_is_refused,
      a_changed_byte_gives_a_valid_message_or_none,
      garbage_gives_a_valid_message_or_none,
      append_entries_agree_with_themselves,
      an_unset_last_index_of_a_refusal_does_not_travel,
      servers_of_a_configuration_are_valid_and_differ,
      a_configuration_is_bounded_and_ends_within_its_bytes,
      any_allocation_may_fail, memory_is_bounded_by_the_bytes_received,
      an_encoding_without_memory_says_so)
