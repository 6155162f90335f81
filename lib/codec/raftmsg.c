/* Raft messages to bytes; see raftmsg.h. */
#include "codec/raftmsg.h"

#include "codec/raftmsg_format.h"

#include <assert.h>

static void put_request_vote(struct buf *b, const struct raft_request_vote *p)
{
	buf_put64(b, p->term);
	buf_put64(b, p->candidate_id);
	buf_put64(b, p->last_log_index);
	buf_put64(b, p->last_log_term);
	buf_put64(b, (p->disrupt_leader ? VOTE_DISRUPT : 0u) |
			     (p->pre_vote ? VOTE_PRE : 0u));
}

static void put_vote_result(struct buf *b,
			    const struct raft_request_vote_result *p)
{
	buf_put64(b, p->term);
	buf_put32(b, (p->vote_granted ? RESULT_GRANTED : 0u) |
			     (p->pre_vote ? RESULT_PRE : 0u));
	buf_put16(b, p->features);
	buf_put16(b, p->capacity);
}

/* All heads first: the payloads behind them become the batch as they are. */
static void put_append_entries(struct buf *b,
			       const struct raft_append_entries *p)
{
	assert(p->n_entries <= RAFTMSG_ENTRIES_MAX);
	buf_put64(b, p->term);
	buf_put64(b, p->prev_log_index);
	buf_put64(b, p->prev_log_term);
	buf_put64(b, p->leader_commit);
	buf_put64(b, p->n_entries);
	for (unsigned i = 0; i < p->n_entries; i++) {
		const struct raft_entry *e = &p->entries[i];

		assert(e->buf.len <= UINT32_MAX);
		buf_put64(b, e->term);
		buf_put32(b, (uint32_t)e->type);
		buf_put32(b, (uint32_t)e->buf.len);
	}
	for (unsigned i = 0; i < p->n_entries; i++)
		buf_put(b, p->entries[i].buf.base, p->entries[i].buf.len);
}

/* libraft leaves last_log_index unset where it refuses an older term. A true
 * one lies below what is rejected. */
static uint64_t last_log_index(const struct raft_append_entries_result *p)
{
	if (p->rejected > 0 && p->last_log_index >= p->rejected)
		return p->rejected - 1;
	return p->last_log_index;
}

static void put_append_result(struct buf *b,
			      const struct raft_append_entries_result *p)
{
	buf_put64(b, p->term);
	buf_put64(b, p->rejected);
	buf_put64(b, last_log_index(p));
	buf_put32(b, 0);
	buf_put16(b, p->features);
	buf_put16(b, p->capacity);
}

static void put_install_snapshot(struct buf *b,
				 const struct raft_install_snapshot *p)
{
	struct raft_buffer conf;

	if (raft_configuration_encode(&p->conf, &conf) != 0) {
		b->failed = true;
		return;
	}
	buf_put64(b, p->term);
	buf_put64(b, p->last_index);
	buf_put64(b, p->last_term);
	buf_put64(b, p->conf_index);
	buf_put64(b, conf.len);
	buf_put64(b, p->data.len);
	buf_put(b, conf.base, conf.len);
	buf_put(b, p->data.base, p->data.len);
	raft_free(conf.base);
}

static void put_timeout_now(struct buf *b, const struct raft_timeout_now *p)
{
	buf_put64(b, p->term);
	buf_put64(b, p->last_log_index);
	buf_put64(b, p->last_log_term);
}

void raftmsg_encode(struct buf *b, const struct raft_message *m)
{
	buf_put8(b, (uint8_t)m->type);
	buf_put8(b, raftmsg_version(m->type));
	buf_put16(b, 0);
	buf_put32(b, 0);
	switch (m->type) {
	case RAFT_REQUEST_VOTE:
		put_request_vote(b, &m->request_vote);
		break;
	case RAFT_REQUEST_VOTE_RESULT:
		put_vote_result(b, &m->request_vote_result);
		break;
	case RAFT_APPEND_ENTRIES:
		put_append_entries(b, &m->append_entries);
		break;
	case RAFT_APPEND_ENTRIES_RESULT:
		put_append_result(b, &m->append_entries_result);
		break;
	case RAFT_INSTALL_SNAPSHOT:
		put_install_snapshot(b, &m->install_snapshot);
		break;
	case RAFT_TIMEOUT_NOW:
		put_timeout_now(b, &m->timeout_now);
		break;
	}
}
