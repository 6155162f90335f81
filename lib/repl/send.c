/* Messages that libraft sends: mended, encoded, given to the links: guard.h.
 *
 * The bytes are copied, so a send is done at once; but libraft must not be
 * called back inside its own call, so it is told in the next turn. */
#include "codec/raftmsg.h"
#include "repl/disk.h"
#include "repl/message.h"

#define SENDS_CAP_MIN 64

/* Without memory for it a member can't go on; but what libraft still sends in
 * the same call mustn't be lost, for it holds entries. */
static void complete_spare(struct guard *g, struct raft_io_send *req,
			   int status)
{
	guard_fail(g, HF_ENOMEM, "out of memory for messages");
	if (g->spare_sends_len < SPARE_SENDS)
		g->spare_sends[g->spare_sends_len++] =
			(struct sent){ req, status };
}

/* Remember to complete a send. */
static void complete_later(struct guard *g, struct raft_io_send *req,
			   int status)
{
	if (g->sends_len == g->sends_cap) {
		size_t cap = g->sends_cap ? g->sends_cap * 2 : SENDS_CAP_MIN;
		struct sent *sends = NULL;

		if (cap <= SENDS_MAX)
			sends = mem_resize(g->mem, g->sends,
					   cap * sizeof(*sends));
		if (!sends) {
			complete_spare(g, req, status);
			return;
		}
		g->sends = sends;
		g->sends_cap = cap;
	}
	g->sends[g->sends_len++] = (struct sent){ req, status };
}

static void complete(const struct sent *s)
{
	s->req->cb(s->req, s->status);
}

void guard_complete_sends(struct guard *g)
{
	for (size_t i = 0; i < g->sends_len; i++)
		complete(&g->sends[i]);
	for (size_t i = 0; i < g->spare_sends_len; i++)
		complete(&g->spare_sends[i]);
	g->sends_len = g->spare_sends_len = 0;
}

/* A refused pre-vote carries the term that was asked for. So a candidate with
 * the best log and a low term never learns the higher term of the others, whose
 * logs are too short to win: nobody is elected. Tell it the real term. */
static void mend_pre_vote(struct guard *g, struct raft_message *m)
{
	struct raft_request_vote_result *v = &m->request_vote_result;
	raft_term term = raft_current_term(&g->raft);

	if (v->pre_vote && !v->vote_granted && term > v->term &&
	    guard_on(g, GUARD_PRE_VOTE))
		v->term = term;
}

static struct install *install_of(struct guard *g, raft_id to)
{
	for (size_t i = 0; i < HF_MEMBERS_MAX; i++)
		if (g->installs[i].to == to)
			return &g->installs[i];
	return NULL;
}

static bool expired(const struct guard *g, const struct install *i)
{
	return i->term != raft_current_term(&g->raft) ||
	       g->uptime - i->since >= (uint64_t)INSTALL_MS * 1000;
}

/* A snapshot that we have sent in this term and that may still arrive. */
static const struct install *current_install(const struct guard *g, raft_id to)
{
	for (size_t i = 0; i < HF_MEMBERS_MAX; i++)
		if (g->installs[i].to == to && !expired(g, &g->installs[i]))
			return &g->installs[i];
	return NULL;
}

/* When the snapshot that was read is newer than the one that libraft meant, it
 * corrects the index but not the term (legacyLoadSnapshotCb): the receiver
 * would take its log for one that disagrees. */
static void mend_snapshot(struct guard *g, struct raft_message *m)
{
	struct raft_install_snapshot *s = &m->install_snapshot;

	if (s->last_index == g->got_index && s->last_term != g->got_term &&
	    guard_on(g, GUARD_SNAPSHOT_TERM))
		s->last_term = g->got_term;
}

/* One is enough: libraft gives up a follower that it hasn't heard for a tick,
 * and then sends it another. */
static bool on_its_way(struct guard *g, const struct raft_message *m)
{
	return m->type == RAFT_INSTALL_SNAPSHOT &&
	       current_install(g, m->server_id) && guard_on(g, GUARD_RESEND);
}

static void note_install(struct guard *g, const struct raft_message *m)
{
	struct install *i = install_of(g, m->server_id);

	if (m->type != RAFT_INSTALL_SNAPSHOT)
		return;
	if (!i)
		i = install_of(g, 0);
	if (i)
		*i = (struct install){ m->server_id, m->install_snapshot.term,
				       m->install_snapshot.last_index,
				       g->uptime };
}

/* libraft limits what it sends by entries only, and many large ones don't fit
 * into a message. A prefix is as good: the rest follows when it is refused. */
static void cap_bytes(struct guard *g, struct raft_message *m)
{
	struct raft_append_entries *a = &m->append_entries;
	size_t bytes = 0;

	for (unsigned i = 0; i < a->n_entries; i++) {
		bytes += a->entries[i].buf.len;
		if (i > 0 && bytes > APPEND_BYTES_MAX) {
			if (guard_on(g, GUARD_BYTES))
				a->n_entries = i;
			return;
		}
	}
}

/* A refusal of an old term's entries leaves last_log_index as it was on the
 * stack (recvAppendEntries): bytes of ours on the wire, and each run another.
 * The receiver looks at the term only. */
static void mend_refusal(struct guard *g, struct raft_message *m)
{
	struct raft_append_entries_result *v = &m->append_entries_result;

	if (g->answering_stale && guard_on(g, GUARD_STALE_TERM))
		v->last_log_index = v->rejected ? v->rejected - 1 : 0;
}

static void mend(struct guard *g, struct raft_message *m)
{
	if (m->type == RAFT_REQUEST_VOTE_RESULT)
		mend_pre_vote(g, m);
	else if (m->type == RAFT_INSTALL_SNAPSHOT)
		mend_snapshot(g, m);
	else if (m->type == RAFT_APPEND_ENTRIES_RESULT)
		mend_refusal(g, m);
	else if (m->type == RAFT_APPEND_ENTRIES)
		cap_bytes(g, m);
}

/* All AppendEntries take one lane, heartbeats too: one that overtakes entries
 * is refused, and a refusal makes libraft fall back to one message per tick. */
static enum lane lane_of(const struct raft_message *m)
{
	if (m->type == RAFT_INSTALL_SNAPSHOT)
		return LANE_BULK;
	return m->type == RAFT_APPEND_ENTRIES ? LANE_REQUEST : LANE_CONTROL;
}

/* A message that can't be encoded for want of memory is a lost message. */
static int transmit(struct guard *g, const struct raft_message *message)
{
	struct raft_message m = *message;

	if (!g->world->linked(g->arg, m.server_id) || on_its_way(g, &m))
		return RAFT_NOCONNECTION;
	mend(g, &m);
	buf_clear(&g->message);
	buf_put8(&g->message, MESSAGE_RAFT);
	raftmsg_encode(&g->message, &m);
	if (g->message.failed)
		return RAFT_NOMEM;
	g->world->send(g->arg, m.server_id, lane_of(&m), g->message.base,
		       g->message.len);
	note_install(g, &m);
	return 0;
}

int guard_send(struct raft_io *io, struct raft_io_send *req,
	       const struct raft_message *message, raft_io_send_cb cb)
{
	struct guard *g = guard_of_io(io);
	int status = RAFT_CANCELED;

	req->cb = cb;
	if (!guard_dead(g))
		status = transmit(g, message);
	complete_later(g, req, status);
	return 0;
}

static bool reading_snapshot(const struct guard *g)
{
	list_for (it, &g->requests) {
		if (container_of(it, struct disk_request, link)->kind ==
		    DISK_GET)
			return true;
	}
	return false;
}

bool guard_installing(const struct guard *g, raft_id to, raft_index index)
{
	const struct install *i = current_install(g, to);

	if (index == g->raft.trail.snapshot.index && reading_snapshot(g))
		return true;
	return i && i->index >= index;
}

void guard_install_done(struct guard *g, raft_id to, raft_index index)
{
	struct install *i = install_of(g, to);

	if (i && i->index <= index)
		i->to = 0;
}

void guard_forget_installs(struct guard *g)
{
	for (size_t i = 0; i < HF_MEMBERS_MAX; i++) {
		raft_id to = g->installs[i].to;

		if (to != 0 && (expired(g, &g->installs[i]) ||
				!g->world->linked(g->arg, to)))
			g->installs[i].to = 0;
	}
}
