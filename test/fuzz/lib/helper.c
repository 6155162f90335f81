/* See helper.h. */
#include "fuzz/lib/helper.h"

#include "codec/raftmsg.h"
#include "fuzz/lib/target.h"
#include "repl/message.h"

#define ANSWERS_MAX 65536 /* bytes that wait: a peer that doesn't keep up */

static void answer(struct conn *conn, bool checksum, const struct buf *message)
{
	must(!message->failed);
	if (conn->answers.len < ANSWERS_MAX)
		frame_encode(&conn->answers, FRAME_REPL, LANE_CONTROL, 1,
			     checksum, message->base, message->len);
}

/* What a sound follower would say who has all that was sent so far. */
static bool consent(const struct raft_message *m, struct raft_message *to)
{
	*to = (struct raft_message){ .type = RAFT_APPEND_ENTRIES_RESULT };
	if (m->type == RAFT_REQUEST_VOTE) {
		to->type = RAFT_REQUEST_VOTE_RESULT;
		to->request_vote_result.term = m->request_vote.term;
		to->request_vote_result.vote_granted = true;
		to->request_vote_result.pre_vote = m->request_vote.pre_vote;
		return true;
	}
	if (m->type == RAFT_APPEND_ENTRIES) {
		to->append_entries_result.term = m->append_entries.term;
		to->append_entries_result.last_log_index =
			m->append_entries.prev_log_index +
			m->append_entries.n_entries;
		return true;
	}
	if (m->type == RAFT_INSTALL_SNAPSHOT) {
		to->append_entries_result.term = m->install_snapshot.term;
		to->append_entries_result.last_log_index =
			m->install_snapshot.last_index;
		return true;
	}
	return false;
}

static void help_raft(struct conn *conn, const uint8_t *bytes, size_t len,
		      bool checksum)
{
	struct raft_message m, to;
	struct buf b = { 0 };

	must(raftmsg_decode(bytes, len, &m) == 0);
	if (consent(&m, &to)) {
		buf_put8(&b, MESSAGE_RAFT);
		raftmsg_encode(&b, &to);
		answer(conn, checksum, &b);
	}
	buf_free(&b);
	raftmsg_discard(&m);
}

static void help_poll(struct conn *conn, const uint8_t *bytes, size_t len,
		      bool checksum)
{
	struct buf b = { 0 };

	buf_put8(&b, MESSAGE_TERM);
	buf_put(&b, bytes, len);
	answer(conn, checksum, &b);
	buf_free(&b);
}

/* Who wants to answer must know it. */
static void note_attach(struct lone *l, const struct frame *f)
{
	struct attach a;

	must(attach_decode(f->payload, f->len, &a) == 0);
	l->attach_nonce = a.nonce;
}

static void help(struct conn *conn, const struct frame *f, bool checksum)
{
	/* Parts of a snapshot are of no interest. */
	if (f->type != FRAME_REPL || !f->last || f->lane == LANE_BULK ||
	    f->len == 0)
		return;
	if (f->payload[0] == MESSAGE_RAFT)
		help_raft(conn, f->payload + 1, f->len - 1, checksum);
	else if (f->payload[0] == MESSAGE_POLL)
		help_poll(conn, f->payload + 1, f->len - 1, checksum);
}

void helper_read(struct conn *conn, const uint8_t *bytes, size_t len,
		 bool checksum, bool helpful)
{
	struct reader r = reader_of(bytes, len);
	struct frame f;

	while (reader_left(&r) > 0) {
		must(frame_decode(&r, checksum, &f) == 1);
		if (f.type == FRAME_ATTACH)
			note_attach(conn->lone, &f);
		if (helpful)
			help(conn, &f, checksum);
	}
}
