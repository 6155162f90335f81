/* Entries on their way through libraft.
 *
 * raft_apply is called without a callback: what came of an entry is seen when
 * it is applied, and libraft then queues nothing that somebody would have to
 * drain. It keeps the request linked until then, so requests come from a pool.
 */
#include "repl/internal.h"

#include <stdio.h>

void propose_reclaim(struct repl *repl)
{
	struct raft *raft = raft_of(repl);
	bool leader = raft_state(raft) == RAFT_LEADER;

	for (size_t i = 0; i < INFLIGHT_MAX; i++) {
		struct proposal *p = &repl->proposals[i];

		if (!leader || p->term != raft_current_term(raft) ||
		    p->req.index <= raft_last_applied(raft))
			p->term = 0;
	}
}

size_t propose_inflight(const struct repl *repl)
{
	size_t n = 0;

	for (size_t i = 0; i < INFLIGHT_MAX; i++)
		n += repl->proposals[i].term != 0;
	return n;
}

void propose_applied(struct repl *repl, uint64_t index)
{
	for (size_t i = 0; i < INFLIGHT_MAX; i++) {
		struct proposal *p = &repl->proposals[i];

		if (p->term == 0 || p->req.index != index)
			continue;
		uint64_t took = monotonic_now(repl) - p->at;
		repl->took = repl->took ? (7 * repl->took + took) / 8 : took;
	}
}

uint64_t repl_backlog_us(const struct repl *repl)
{
	uint64_t entries =
		repl->batch.others.chunks + (repl->sealed.chunk != NULL);

	return repl->took + entries * repl->took / repl->config.inflight_max;
}

static struct proposal *unused(struct repl *repl)
{
	for (size_t i = 0; i < INFLIGHT_MAX; i++)
		if (repl->proposals[i].term == 0)
			return &repl->proposals[i];
	return NULL;
}

static struct entry head_of(struct repl *repl, uint64_t stamp,
			    const struct sealed *ops)
{
	struct clocks now;
	struct entry head = {
		.version = SEMANTICS_VERSION,
		.stamp = stamp,
		.proposer = repl->config.id,
		.term = raft_current_term(raft_of(repl)),
		.serial = repl->serial + 1,
		.ops_len = ops ? ops->ops : 0,
	};

	env_clocks(repl->env, &now);
	head.wall = now.wall;
	if (repl->hashed + 1 >= repl->config.hash_every &&
	    core_index(repl->fsm.core) > 0) {
		head.hash_index = core_index(repl->fsm.core);
		head.hash = core_hash(repl->fsm.core);
	}
	return head;
}

static bool encode(struct repl *repl, uint64_t stamp, const struct sealed *ops,
		   struct raft_buffer *buf)
{
	const struct entry head = head_of(repl, stamp, ops);
	size_t len = ops && ops->chunk ? ops->chunk->bytes.len : 0;

	buf->len = entry_bytes(len);
	buf->base = raft_malloc(buf->len);
	if (!buf->base)
		return false;
	entry_encode(buf->base, &head, len ? ops->chunk->bytes.base : NULL,
		     len);
	repl->hashed = head.hash_index ? 0 : repl->hashed + 1;
	return true;
}

/* "Not leader" (also during a transfer) is said before anything was done. After
 * any other error libraft's parts disagree on what is in the log, and the
 * buffer may be theirs. */
static void refused(struct repl *repl, int rv, struct raft_buffer *buf)
{
	char text[HF_ERROR_TEXT];

	if (rv == RAFT_NOTLEADER) {
		raft_free(buf->base);
		return;
	}
	snprintf(text, sizeof(text), "an entry couldn't be proposed: %.150s",
		 raft_strerror(rv));
	guard_fail(repl->guard, rv == RAFT_NOMEM ? HF_ENOMEM : HF_EIO, text);
}

raft_index propose(struct repl *repl, uint64_t stamp, const struct sealed *ops)
{
	struct proposal *p = unused(repl);
	struct raft_buffer buf;

	if (!p || !encode(repl, stamp, ops, &buf))
		return 0;
	int rv = raft_apply(raft_of(repl), &p->req, &buf, 1, NULL);
	if (rv != 0) {
		refused(repl, rv, &buf);
		return 0;
	}
	p->term = raft_current_term(raft_of(repl));
	p->at = monotonic_now(repl);
	repl->serial++;
	return p->req.index;
}
