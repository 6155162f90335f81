/* Raft messages with numbers near to those of the node; see letter.h. */
#include "codec/entry.h"
#include "codec/raftmsg.h"
#include "fuzz/lib/letter.h"
#include "fuzz/lib/state.h"
#include "fuzz/lib/target.h"
#include "repl/message.h"

#include <stdlib.h>

#define ENTRIES 4

/* The node's term, one above, or a small one. */
static uint64_t choose_term(const struct lone *l, struct reader *c)
{
	uint64_t term = repl_term(node_repl(l->node));
	unsigned how = choose(c, 8);

	if (how == 7)
		return 1 + choose(c, 4);
	return term + (how >= 5) + (term == 0);
}

/* Near the end of the node's log. */
static uint64_t choose_index(const struct lone *l, struct reader *c)
{
	struct raft *raft = raft_of(node_repl(l->node));
	uint64_t last = raft_last_index(raft);
	unsigned back = choose(c, 16);

	if (back >= 14)
		return last + back - 13;
	return last > back / 2 ? last - back / 2 : 0;
}

/* What the node has there, mostly. */
static uint64_t choose_log_term(struct lone *l, struct reader *c,
				uint64_t index, uint64_t term)
{
	const struct fake_disk *d = &l->disk->disk;
	uint64_t found = 0;

	if (index >= d->start && index - d->start < d->len)
		found = d->entries[index - d->start].term;
	if (found == 0 || choose_rarely(c, 16))
		found = 1 + choose(c, 4);
	if (index == 0)
		return 0;
	return found < term ? found : term;
}

static void *entry_of(struct lone *l, struct reader *c, uint64_t term,
		      size_t *len)
{
	struct entry head = crowd_entry(&l->crowd, c, true);
	struct buf ops = { 0 };

	head.term = choose_rarely(c, 16) ? 1 + choose(c, 4) : term;
	for (size_t i = 0; i < head.ops_len; i++)
		op_encode(&ops, &head.ops[i]);
	if (choose_rarely(c, 64))
		head.version = SEMANTICS_VERSION + 1;
	if (choose_rarely(c, 32)) {
		head.hash_index = 1 + choose(c, 8);
		head.hash = choose_byte(c);
	}
	*len = entry_bytes(ops.len);
	uint8_t *to = malloc(*len);
	must(to && !ops.failed);
	entry_encode(to, &head, ops.base, ops.len);
	if (choose_rarely(c, 64))
		to[choose_byte(c) % *len] ^= 1;
	buf_free(&ops);
	return to;
}

static void *change_of(struct reader *c, size_t *len)
{
	struct raft_configuration conf;
	struct raft_buffer bytes;

	raft_configuration_init(&conf);
	for (unsigned n = 1 + choose(c, 4); n > 0; n--)
		if (raft_configuration_add(&conf, 1 + choose(c, 4), "x",
					   (int)choose(c, 3)) != 0)
			break;
	if (conf.n == 0)
		raft_configuration_add(&conf, 1, "one", RAFT_VOTER);
	must(raft_configuration_encode(&conf, &bytes) == 0);
	raft_configuration_close(&conf);
	*len = bytes.len;
	return bytes.base;
}

static void make_entries(struct lone *l, struct reader *c,
			 struct raft_append_entries *a,
			 struct raft_entry *entries)
{
	a->entries = entries;
	a->n_entries = choose(c, ENTRIES + 1);
	for (unsigned i = 0; i < a->n_entries; i++) {
		struct raft_entry *e = &entries[i];
		unsigned kind = choose(c, 32);

		*e = (struct raft_entry){ .type = RAFT_COMMAND };
		e->term = choose_rarely(c, 8) ? a->prev_log_term : a->term;
		if (e->term == 0 || (i > 0 && e->term < e[-1].term))
			e->term = a->term;
		if (kind == 0) {
			e->type = RAFT_CHANGE;
			e->buf.base = change_of(c, &e->buf.len);
		} else if (kind < 4) {
			e->type = RAFT_BARRIER;
			e->buf.len = 8;
			e->buf.base = calloc(1, 8);
		} else {
			e->buf.base = entry_of(l, c, e->term, &e->buf.len);
		}
	}
}

static void put_append(struct lone *l, struct reader *c, struct buf *b)
{
	struct raft_entry entries[ENTRIES];
	struct raft_message m = { .type = RAFT_APPEND_ENTRIES };
	struct raft_append_entries *a = &m.append_entries;

	a->term = choose_term(l, c);
	a->prev_log_index = choose_index(l, c);
	a->prev_log_term = choose_log_term(l, c, a->prev_log_index, a->term);
	make_entries(l, c, a, entries);
	a->leader_commit = a->prev_log_index + choose(c, 8);
	raftmsg_encode(b, &m);
	for (unsigned i = 0; i < a->n_entries; i++)
		raft_free(entries[i].buf.base);
}

static void put_install(struct lone *l, struct reader *c, struct buf *b)
{
	struct raft_message m = { .type = RAFT_INSTALL_SNAPSHOT };
	struct raft_install_snapshot *s = &m.install_snapshot;
	struct random random = { choose_byte(c) };
	struct buf image = { 0 };

	state_sample_image(&image, &random);
	s->term = choose_term(l, c);
	s->last_index = choose_index(l, c) + choose(c, 4);
	if (s->last_index == 0)
		s->last_index = 1;
	s->last_term = choose_log_term(l, c, s->last_index, s->term);
	s->conf_index = choose(c, 4);
	s->data.base = image.base;
	s->data.len = choose_rarely(c, 16) ? image.len / 2 : image.len;
	raft_configuration_init(&s->conf);
	for (unsigned i = 1; i <= 3; i++)
		raft_configuration_add(&s->conf, i,
				       i == 1   ? "one"
				       : i == 2 ? "two"
						: "three",
				       choose_rarely(c, 16) ? RAFT_SPARE
							    : RAFT_VOTER);
	raftmsg_encode(b, &m);
	raft_configuration_close(&s->conf);
	buf_free(&image);
}

static void put_vote(struct lone *l, struct reader *c, struct buf *b)
{
	struct raft_message m = { .type = RAFT_REQUEST_VOTE };
	struct raft_request_vote *v = &m.request_vote;

	v->term = choose_term(l, c);
	v->candidate_id = 1 + choose(c, 4);
	v->last_log_index = choose_index(l, c);
	v->last_log_term = choose_log_term(l, c, v->last_log_index, v->term);
	v->disrupt_leader = choose(c, 2);
	v->pre_vote = choose(c, 2);
	raftmsg_encode(b, &m);
}

static void put_result(struct lone *l, struct reader *c, struct buf *b)
{
	struct raft_message m = { .type = RAFT_APPEND_ENTRIES_RESULT };
	struct raft_append_entries_result *v = &m.append_entries_result;

	v->term = choose_term(l, c);
	v->last_log_index = choose_index(l, c);
	if (choose(c, 2))
		v->rejected = v->last_log_index + 1 + choose(c, 4);
	raftmsg_encode(b, &m);
}

static void put_rest(struct lone *l, struct reader *c, struct buf *b)
{
	struct raft_message m = { .type = RAFT_REQUEST_VOTE_RESULT };

	if (choose(c, 2)) {
		m.type = RAFT_TIMEOUT_NOW;
		m.timeout_now.term = choose_term(l, c);
		m.timeout_now.last_log_index = choose_index(l, c);
		m.timeout_now.last_log_term = choose_log_term(
			l, c, m.timeout_now.last_log_index, m.timeout_now.term);
	} else {
		m.request_vote_result.term = choose_term(l, c);
		m.request_vote_result.vote_granted = choose(c, 2);
		m.request_vote_result.pre_vote = choose(c, 2);
	}
	raftmsg_encode(b, &m);
}

static void put_poll(struct lone *l, struct reader *c, struct buf *b)
{
	buf_clear(b);
	buf_put8(b, choose(c, 2) ? MESSAGE_POLL : MESSAGE_TERM);
	buf_put64(b, choose_byte(c));
	buf_put64(b, choose_term(l, c));
}

void letter_raft(struct lone *l, struct conn *conn, struct reader *c)
{
	static void (*const puts[])(struct lone *, struct reader *,
				    struct buf *) = {
		put_append, put_append, put_append,  put_append,
		put_append, put_vote,   put_result,  put_result,
		put_rest,   put_poll,   put_install, put_install
	};
	size_t which = choose(c, sizeof(puts) / sizeof(*puts));
	struct buf b = { 0 };

	buf_put8(&b, MESSAGE_RAFT);
	l->may_fail = true;
	puts[which](l, c, &b);
	must(!b.failed);
	lone_frame(l, conn, FRAME_REPL,
		   puts[which] == put_install ? LANE_BULK : LANE_REQUEST,
		   b.base, b.len, choose_byte(c));
	buf_free(&b);
}
