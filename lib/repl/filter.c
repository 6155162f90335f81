/* Messages that libraft receives: those that it can't bear are dropped or
 * mended: guard.h.
 *
 * Dropping is always sound: the network may lose any message. */
#include "codec/raftmsg.h"
#include "repl/disk.h"
#include "repl/trail.h"

#include <stdio.h>

/* Members are static: who isn't in the configuration has no say. (When members
 * come and go, one that is behind will have to listen to leaders that it
 * doesn't know yet.) */
static bool stranger(const struct guard *g, const struct raft_message *m)
{
	const struct raft_configuration *c = &g->raft.configuration;

	for (unsigned i = 0; i < c->n; i++)
		if (c->servers[i].id == m->server_id)
			return m->server_id == g->raft.id;
	return true;
}

/* A stale term's InstallSnapshot is answered as a success with an uninitialised
 * index (recv_install_snapshot.c), so that a leader may commit without a
 * majority; the answer to a stale AppendEntries that starts at index 0 reads as
 * a success too. */
static bool stale_term(const struct guard *g, const struct raft_message *m)
{
	raft_term term = raft_current_term(&g->raft);

	if (m->type == RAFT_INSTALL_SNAPSHOT)
		return m->install_snapshot.term < term;
	return m->type == RAFT_APPEND_ENTRIES &&
	       m->append_entries.term < term &&
	       m->append_entries.prev_log_index == 0;
}

/* Two leaders in a term can't be, but libraft would write over its leader's
 * state if a peer claimed it. */
static bool two_leaders(struct guard *g, const struct raft_message *m)
{
	raft_term term = raft_current_term(&g->raft);

	if (raft_state(&g->raft) != RAFT_LEADER)
		return false;
	return (m->type == RAFT_APPEND_ENTRIES &&
		m->append_entries.term == term) ||
	       (m->type == RAFT_INSTALL_SNAPSHOT &&
		m->install_snapshot.term == term);
}

/* A late InstallSnapshot wipes a log that is longer and was acknowledged
 * (replication.c, replicationInstallSnapshot), one that comes while a snapshot
 * is stored crashes or leaks. */
static bool late_snapshot(const struct guard *g, const struct raft_message *m)
{
	return m->type == RAFT_INSTALL_SNAPSHOT &&
	       (m->install_snapshot.last_index <= g->raft.commit_index ||
		disk_storing(g));
}

/* A snapshot of our own that isn't on its way to the disk yet gives way to one
 * that comes, which is newer; else that one would be sent again in vain until
 * ours is done. */
static void make_room(struct guard *g, const struct raft_message *m)
{
	if (m->type == RAFT_INSTALL_SNAPSHOT &&
	    m->install_snapshot.last_index > g->raft.commit_index)
		disk_cancel_held(g);
}

/* Entries from the very first on, for a log that has been compacted: libraft
 * finds no conflict, since it doesn't remember those indexes, and appends them
 * at the end (replication.c, checkConflictingEntries). What is compacted is
 * committed: the message is an old one. */
static bool compacted(const struct guard *g, const struct raft_message *m)
{
	return m->type == RAFT_APPEND_ENTRIES &&
	       m->append_entries.prev_log_index == 0 &&
	       g->raft.trail.offset > 0;
}

/* libraft reads in_pre_vote before it sees that it is no candidate any more
 * (recvRequestVoteResult). It then lies on a pointer of another state: whether
 * the term is raised depends on an address. */
static bool late_vote(const struct guard *g, const struct raft_message *m)
{
	return m->type == RAFT_REQUEST_VOTE_RESULT &&
	       g->raft.state != RAFT_CANDIDATE;
}

static bool differs(const struct guard *g, raft_index index, raft_term term)
{
	raft_term own = trail_term(&g->raft.trail, index);

	return index <= g->raft.commit_index && own != 0 && own != term;
}

/* A leader whose log contradicts what is committed here: a disk has lost or
 * changed acknowledged entries. libraft would free the message twice. */
static bool conflict(const struct guard *g, const struct raft_message *m)
{
	const struct raft_append_entries *a = &m->append_entries;
	raft_index index = a->prev_log_index;

	if (m->type != RAFT_APPEND_ENTRIES ||
	    a->term < raft_current_term(&g->raft))
		return false;
	if (index > 0 && differs(g, index, a->prev_log_term))
		return true;
	for (unsigned i = 0; i < a->n_entries; i++)
		if (differs(g, ++index, a->entries[i].term))
			return true;
	return false;
}

/* With an anchor below the commit index libraft would take the commit index
 * back to the message's end (replication.c, replicationAppend). */
static void clamp_commit(struct guard *g, struct raft_append_entries *a)
{
	raft_index commit = raft_commit_index(&g->raft);

	if (a->leader_commit > commit &&
	    a->prev_log_index + a->n_entries < commit &&
	    guard_on(g, GUARD_COMMIT))
		a->leader_commit = commit;
}

/* A success that says nothing new: libraft only notes that it heard from the
 * follower, and so doesn't step down for want of contact. */
static void neutralise(struct raft_append_entries_result *v)
{
	v->rejected = 0;
	v->last_log_index = 0;
}

/* A refusal that was overtaken by a success would push a follower's next index
 * to or below its match index (progress.c, progressMaybeDecrement). */
static void mend_rejection(struct guard *g,
			   struct raft_append_entries_result *v, raft_id from)
{
	raft_index match;

	if (raft_match_index(&g->raft, from, &match) != 0)
		return;
	if (v->rejected <= match && guard_on(g, GUARD_REJECTION))
		neutralise(v);
	else if (v->last_log_index < match && guard_on(g, GUARD_REJECTION))
		v->last_log_index = match;
}

/* While a snapshot is on its way, the follower refuses the heartbeats that are
 * anchored at its end. libraft takes the first refusal for a failed install and
 * sends the whole snapshot again, each tick (progressMaybeDecrement). */
static void mend_result(struct guard *g, struct raft_message *m)
{
	struct raft_append_entries_result *v = &m->append_entries_result;

	if (raft_state(&g->raft) != RAFT_LEADER ||
	    v->term != raft_current_term(&g->raft))
		return;
	if (v->rejected == 0) {
		guard_install_done(g, m->server_id, v->last_log_index);
	} else if (guard_installing(g, m->server_id, v->rejected) &&
		   guard_on(g, GUARD_RESEND)) {
		neutralise(v);
	} else {
		mend_rejection(g, v, m->server_id);
	}
}

static bool unbearable(struct guard *g, const struct raft_message *m)
{
	return (stranger(g, m) && guard_on(g, GUARD_STRANGER)) ||
	       (stale_term(g, m) && guard_on(g, GUARD_STALE_TERM)) ||
	       (two_leaders(g, m) && guard_on(g, GUARD_TWO_LEADERS)) ||
	       (late_vote(g, m) && guard_on(g, GUARD_LATE_VOTE)) ||
	       (compacted(g, m) && guard_on(g, GUARD_COMPACTED));
}

bool guard_filter(struct guard *g, struct raft_message *m)
{
	char text[HF_ERROR_TEXT];

	if (unbearable(g, m))
		return false;
	make_room(g, m);
	if (late_snapshot(g, m) && guard_on(g, GUARD_LATE_SNAPSHOT))
		return false;
	if (conflict(g, m) && guard_on(g, GUARD_CONFLICT)) {
		snprintf(
			text, sizeof(text),
			"member %llu leads with a log that contradicts what is "
			"committed here; a disk has lost data",
			m->server_id);
		guard_fail(g, HF_ECORRUPT, text);
		return false;
	}
	if (m->type == RAFT_APPEND_ENTRIES)
		clamp_commit(g, &m->append_entries);
	else if (m->type == RAFT_APPEND_ENTRIES_RESULT)
		mend_result(g, m);
	return true;
}

void guard_receive(struct guard *g, struct raft_message *m)
{
	if (!g->started || guard_dead(g) || !guard_filter(g, m)) {
		raftmsg_discard(m);
		return;
	}
	g->answering_stale =
		m->type == RAFT_APPEND_ENTRIES &&
		m->append_entries.term < raft_current_term(&g->raft);
	g->recv(&g->io, m);
	g->answering_stale = false;
}
