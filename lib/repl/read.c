/* Read index by a poll of terms.
 *
 * The leader of term T notes what is committed and asks the others for their
 * term. When a majority of voters, itself included, has answered "not above T"
 * to a question asked after the reads arrived, nobody else can have been
 * elected before that: voters make a higher term durable before they vote. If
 * it still leads in T and has applied what it noted, its state is not older
 * than the reads. Reads that arrive while a round is out wait for the next one.
 */
#include "repl/internal.h"
#include "repl/message.h"

static void push(struct read_list *list, struct repl_read *read)
{
	read->next = NULL;
	if (list->tail)
		list->tail->next = read;
	else
		list->head = read;
	list->tail = read;
}

static void move_all(struct read_list *to, struct read_list *from)
{
	if (!from->head)
		return;
	if (to->tail)
		to->tail->next = from->head;
	else
		to->head = from->head;
	to->tail = from->tail;
	*from = (struct read_list){ 0 };
}

void repl_read(struct repl *repl, struct repl_read *read)
{
	push(lead_serving(repl) ? &repl->reads.waiting : &repl->reads.refused,
	     read);
}

static void send_term(struct repl *repl, uint64_t to, enum repl_message kind,
		      uint64_t nonce, uint64_t term)
{
	struct buf *b = &repl->guard->message;

	buf_clear(b);
	buf_put8(b, (uint8_t)kind);
	buf_put64(b, nonce);
	buf_put64(b, term);
	if (!b->failed)
		repl->calls->send(repl->arg, to, LANE_CONTROL, b->base, b->len);
}

static bool answered(const struct reads *reads, uint64_t id)
{
	for (size_t i = 0; i < reads->answers; i++)
		if (reads->answered[i] == id)
			return true;
	return false;
}

static bool majority(const struct repl *repl,
		     const struct raft_configuration *c)
{
	unsigned voters = 0, votes = 0;

	for (unsigned i = 0; i < c->n; i++) {
		const struct raft_server *s = &c->servers[i];

		if (s->role != RAFT_VOTER)
			continue;
		voters++;
		votes += s->id == repl->config.id ||
			 answered(&repl->reads, s->id);
	}
	return votes > voters / 2;
}

/* While the members change, of the old and of the new ones. */
static bool confirmed(const struct repl *repl)
{
	const struct raft *raft = raft_of(repl);

	return majority(repl, &raft->configuration) &&
	       majority(repl, &raft->configuration_committed);
}

static void poll(struct repl *repl, uint64_t now)
{
	const struct raft_configuration *c = &raft_of(repl)->configuration;
	struct reads *reads = &repl->reads;

	for (unsigned i = 0; i < c->n; i++)
		if (c->servers[i].role == RAFT_VOTER &&
		    c->servers[i].id != repl->config.id &&
		    !answered(reads, c->servers[i].id))
			send_term(repl, c->servers[i].id, MESSAGE_POLL,
				  reads->nonce, reads->term);
	reads->resend = now + (uint64_t)repl->config.tick_ms * 1000;
}

static void begin_round(struct repl *repl, uint64_t now)
{
	struct reads *reads = &repl->reads;

	move_all(&reads->polled, &reads->waiting);
	reads->nonce++;
	reads->term = raft_current_term(raft_of(repl));
	reads->index = raft_commit_index(raft_of(repl));
	reads->answers = 0;
	poll(repl, now);
}

static void end_round(struct repl *repl)
{
	struct reads *reads = &repl->reads;

	for (struct repl_read *r = reads->polled.head; r; r = r->next) {
		r->index = reads->index;
		r->round = reads->nonce;
	}
	move_all(&reads->ready, &reads->polled);
	reads->term = 0;
}

static void refuse_all(struct reads *reads)
{
	move_all(&reads->refused, &reads->ready);
	move_all(&reads->refused, &reads->polled);
	move_all(&reads->refused, &reads->waiting);
	reads->term = 0;
}

static void advance(struct repl *repl, uint64_t now)
{
	struct reads *reads = &repl->reads;

	if (!lead_serving(repl) ||
	    (reads->term != 0 &&
	     reads->term != raft_current_term(raft_of(repl)))) {
		refuse_all(reads);
		return;
	}
	if (reads->term == 0 && reads->waiting.head)
		begin_round(repl, now);
	else if (reads->term != 0 && reads->resend <= now)
		poll(repl, now);
	if (reads->term != 0 && confirmed(repl))
		end_round(repl);
}

static void call_all(struct repl_read *read, int rc)
{
	while (read) {
		struct repl_read *next = read->next;

		read->cb(read, rc);
		read = next;
	}
}

/* Rounds end in order, so the first that must wait for its index ends it. */
static struct repl_read *take_applied(struct repl *repl)
{
	struct read_list *ready = &repl->reads.ready;
	raft_index applied = raft_last_applied(raft_of(repl));
	struct read_list taken = { 0 };

	while (ready->head && ready->head->index <= applied) {
		struct repl_read *read = ready->head;

		ready->head = read->next;
		if (!ready->head)
			ready->tail = NULL;
		push(&taken, read);
	}
	return taken.head;
}

void read_turn(struct repl *repl, uint64_t now)
{
	struct reads *reads = &repl->reads;

	advance(repl, now);
	struct repl_read *refused = reads->refused.head;
	struct repl_read *granted = take_applied(repl);
	reads->refused = (struct read_list){ 0 };
	call_all(granted, 0);
	call_all(refused, HF_ENOLEADER);
}

uint64_t read_wake(const struct repl *repl)
{
	const struct reads *reads = &repl->reads;

	if (reads->refused.head || (reads->waiting.head && reads->term == 0) ||
	    (reads->term != 0 && confirmed(repl)))
		return 0;
	return reads->term != 0 ? reads->resend : UINT64_MAX;
}

void read_close(struct repl *repl)
{
	refuse_all(&repl->reads);
	struct repl_read *refused = repl->reads.refused.head;
	repl->reads.refused = (struct read_list){ 0 };
	call_all(refused, HF_ENOLEADER);
}

static bool member(const struct repl *repl, uint64_t id)
{
	const struct raft_configuration *c = &raft_of(repl)->configuration;

	for (unsigned i = 0; i < c->n; i++)
		if (c->servers[i].id == id)
			return true;
	return false;
}

static void note_answer(struct repl *repl, uint64_t from, uint64_t nonce,
			uint64_t term)
{
	struct reads *reads = &repl->reads;

	if (reads->term != 0 && nonce == reads->nonce && term <= reads->term &&
	    reads->answers < HF_MEMBERS_MAX && member(repl, from) &&
	    !answered(reads, from))
		reads->answered[reads->answers++] = from;
}

int read_message(struct repl *repl, uint64_t from, const uint8_t *bytes,
		 size_t len)
{
	struct reader r = reader_of(bytes, len);
	uint8_t kind = reader_get8(&r);
	uint64_t nonce = reader_get64(&r), term = reader_get64(&r);

	if (r.failed || reader_left(&r) > 0)
		return HF_ECORRUPT;
	if (kind == MESSAGE_POLL)
		send_term(repl, from, MESSAGE_TERM, nonce,
			  raft_current_term(raft_of(repl)));
	else
		note_answer(repl, from, nonce, term);
	return 0;
}
