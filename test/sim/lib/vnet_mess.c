/* Messages that come twice, out of order, or late: vnet.h.
 *
 * A write of a link is whole frames. A message of one frame may be taken out,
 * or copied, and is written again later, on the connection that its two
 * machines have then: so it may be what was on its way in a connection, or a
 * process, that is no more. Messages of several frames keep their places. */
#include "codec/field.h"
#include "codec/frame.h"
#include "codec/raftmsg_format.h"
#include "repl/message.h"
#include "sim/lib/vnet_conn.h"

#include <raft.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_US 100000 /* when there is no connection now */
#define AGAINS_MAX 200
#define STALE_US 3000000
#define STALE_TIMES 4
#define SOON_US 3000 /* after the first word of a later term */
#define VOTE_TIMES 5
#define VOTE_AGAIN_US 2000
#define VOTE_US 300000 /* until a request for a vote is repeated, at most */
#define RAFT_END (FRAME_HEAD + 25) /* of what is looked at of its messages */
#define SHORT_US 5000              /* most late messages are late by less */

struct held {
	struct list link; /* of the network's */
	struct vnet *net;
	uint64_t pair; /* that it was written to */
	const struct vnet_host *from, *to;
	unsigned sender, receiver;
	bool open;     /* of a session: comes when that may be over */
	uint64_t term; /* of a stale message: waits for a later one; else 0 */
	unsigned tries, said;
	unsigned waits; /* of an open: tries until its sender's life will do */
	size_t len;
	uint8_t bytes[];
};

/* The layout of a frame's head is in doc/format.md. */
static enum frame_type frame_type(const uint8_t *frame)
{
	return (enum frame_type)frame[2];
}

static unsigned frame_lane(const uint8_t *frame)
{
	return 1u << frame[3];
}

static bool frame_last(const uint8_t *frame)
{
	return frame[4] & 1;
}

static size_t frame_len(const uint8_t *frame)
{
	return FRAME_HEAD + load32(frame + 12);
}

/* The type of libraft's message in a frame, or 0. */
static unsigned raft_type(const uint8_t *frame)
{
	const uint8_t *payload = frame + FRAME_HEAD;

	if (frame_type(frame) != FRAME_REPL || frame_len(frame) < RAFT_END ||
	    payload[0] != MESSAGE_RAFT)
		return 0;
	return payload[1];
}

static uint64_t raft_number(const uint8_t *frame, unsigned nth)
{
	return load64(frame + FRAME_HEAD + 9 + (size_t)nth * 8);
}

/* Later lives of either process may hear it: Raft's messages may be of any age,
 * and requests too. Nothing else passes from one life to another. */
static bool ageless(const struct held *h)
{
	return frame_type(h->bytes) == FRAME_REPL ||
	       frame_type(h->bytes) == FRAME_REQUESTS;
}

/* The newest connection on which the message can be said. */
static struct conn *way(const struct held *h, unsigned receiver)
{
	struct vnet_host *host = h->net->hosts[h->sender];
	struct conn *found = NULL;

	if (!host)
		return NULL;
	list_for (it, &host->conns) {
		struct conn *c = container_of(it, struct conn, link);
		if (c->peer->machine == receiver && c->talking &&
		    !c->peer->closed && !(c->lanes & frame_lane(h->bytes)) &&
		    (ageless(h) ||
		     (c->host == h->from && c->peer->host == h->to)))
			found = c;
	}
	return found;
}

static bool say(const struct held *h, unsigned receiver)
{
	struct conn *c = way(h, receiver);

	if (!c)
		return false;
	h->net->counts.late += c->pair->serial != h->pair;
	conn_send(c, conn_parcel(PARCEL_DATA, h->bytes, h->len));
	return true;
}

/* An open of a life that is over is for whoever leads: everybody hears it. */
static bool say_open(const struct held *h)
{
	bool said = false;

	if (h->net->hosts[h->sender] == h->from && h->tries < h->waits)
		return false;
	for (unsigned i = 0; i < MACHINES_MAX; i++)
		said |= say(h, i);
	h->net->counts.old_opens += said;
	return said;
}

/* A message of a term in which its sender led comes when it leads again, some
 * times. */
static bool say_stale(struct held *h)
{
	if (h->net->led[h->sender] <= h->term || !say(h, h->receiver))
		return false;
	h->net->counts.stale++;
	return ++h->said == STALE_TIMES;
}

static bool say_now(struct held *h)
{
	if (h->open)
		return say_open(h);
	return h->term ? say_stale(h) : say(h, h->receiver);
}

static void hold(struct held *h, uint64_t us);

static void late(void *ctx, uint64_t arg)
{
	struct held *h = ctx;

	(void)arg;
	if (list_empty(&h->link)) {
		free(h);
	} else if (say_now(h) || ++h->tries == AGAINS_MAX) {
		list_remove(&h->link);
		free(h);
	} else {
		hold(h, raft_type(h->bytes) == RAFT_REQUEST_VOTE ? VOTE_AGAIN_US
								 : AGAIN_US);
	}
}

static void hold(struct held *h, uint64_t us)
{
	agenda_add(h->net->agenda, h->net->agenda->now + us, NULL, late, h, 0);
}

static struct held *keep(const struct conn *c, const uint8_t *frame)
{
	struct vnet *net = c->pair->net;
	size_t len = frame_len(frame);
	struct held *h = calloc(1, sizeof(*h) + len);

	if (!h)
		abort();
	*h = (struct held){ .net = net,
			    .pair = c->pair->serial,
			    .from = c->host,
			    .to = c->peer->host,
			    .sender = c->machine,
			    .receiver = c->peer->machine,
			    .len = len };
	memcpy(h->bytes, frame, len);
	list_push(&net->held, &h->link);
	return h;
}

static uint64_t how_late(const struct vnet *net)
{
	uint64_t most = net->mess.late_us;

	if (most > SHORT_US && dice_chance(net->for_messages, 600000))
		most = SHORT_US;
	return dice_between(net->for_messages, 1, most);
}

static bool opens_session(const uint8_t *frame)
{
	struct requests_reader it;
	const uint8_t *bytes;
	struct op op;
	size_t len;

	if (frame_type(frame) != FRAME_REQUESTS ||
	    requests_open(&it, frame + FRAME_HEAD,
			  frame_len(frame) - FRAME_HEAD))
		return false;
	while (requests_next(&it, &op, &bytes, &len) > 0)
		if (op.kind == OP_OPEN)
			return true;
	return false;
}

/* Snapshots, entries from the first one on, requests for votes. */
static bool harms_when_stale(unsigned type, const uint8_t *frame)
{
	return type == RAFT_INSTALL_SNAPSHOT || type == RAFT_REQUEST_VOTE ||
	       (type == RAFT_APPEND_ENTRIES && raft_number(frame, 1) == 0);
}

/* It leads in a later term: what it said in earlier ones comes as soon as this
 * is known, and before who lags behind has caught up. */
static void lead_again(const struct conn *c, uint64_t term)
{
	struct vnet *net = c->pair->net;

	net->led[c->machine] = term;
	list_for (it, &net->held) {
		const struct held *h = container_of(it, struct held, link);
		if (!h->term || h->term >= term || h->sender != c->machine ||
		    h->said == STALE_TIMES - 1) /* also those added here */
			continue;
		struct held *last = keep(c, h->bytes);
		last->receiver = h->receiver;
		last->term = h->term;
		last->said = STALE_TIMES - 1;
		hold(last, dice_between(net->for_messages, 1, SOON_US));
	}
}

/* Such a message comes again some time later, and in a later term. A request
 * for a vote comes again while it may still matter. True: it comes only then.
 */
static bool keep_stale(const struct conn *c, const uint8_t *frame)
{
	struct vnet *net = c->pair->net;
	unsigned type = raft_type(frame);

	if ((type == RAFT_INSTALL_SNAPSHOT || type == RAFT_APPEND_ENTRIES) &&
	    net->led[c->machine] < raft_number(frame, 0))
		lead_again(c, raft_number(frame, 0));
	if (!net->mess.stale_ppm || !harms_when_stale(type, frame) ||
	    !dice_chance(net->for_messages, net->mess.stale_ppm))
		return false;
	for (int i = 0; type == RAFT_REQUEST_VOTE && i < VOTE_TIMES; i++)
		hold(keep(c, frame),
		     dice_between(net->for_messages, 1, VOTE_US));
	if (type == RAFT_REQUEST_VOTE)
		return false;
	struct held *h = keep(c, frame);
	h->term = raft_number(frame, 0);
	hold(h, AGAIN_US);
	hold(keep(c, frame), dice_between(net->for_messages, 1, STALE_US));
	return type == RAFT_INSTALL_SNAPSHOT &&
	       dice_chance(net->for_messages, 500000);
}

static void keep_open(const struct conn *c, const uint8_t *frame)
{
	struct vnet *net = c->pair->net;

	if (!net->mess.open_ppm || !opens_session(frame) ||
	    !dice_chance(net->for_messages, net->mess.open_ppm))
		return;
	struct held *h = keep(c, frame);
	h->open = true;
	h->waits = random_below(net->for_messages, 2)
			   ? AGAINS_MAX
			   : (unsigned)random_below(net->for_messages,
						    AGAINS_MAX / 4);
	hold(h, AGAIN_US);
}

static bool lost_request(const struct conn *c, const uint8_t *frame)
{
	const struct vnet *net = c->pair->net;
	unsigned mute = net->mute_votes | net->mute_questions;

	if (!(mute >> c->machine & 1) || raft_type(frame) != RAFT_REQUEST_VOTE)
		return false;
	mute = raft_number(frame, 4) & VOTE_PRE ? net->mute_questions
						: net->mute_votes;
	return mute >> c->machine & 1;
}

/* True: the message comes later, or never. */
static bool befall(const struct conn *c, const uint8_t *frame)
{
	struct vnet *net = c->pair->net;

	if (lost_request(c, frame))
		return true;
	uint64_t dice = random_below(net->for_messages, 1000000);

	keep_open(c, frame);
	if (keep_stale(c, frame))
		return true;
	if (dice >= net->mess.twice_ppm + net->mess.overtaken_ppm)
		return false;
	hold(keep(c, frame), how_late(net));
	net->counts.twice += dice < net->mess.twice_ppm;
	net->counts.overtaken += dice >= net->mess.twice_ppm;
	return dice >= net->mess.twice_ppm;
}

void conn_mess_up(struct conn *c, struct parcel *p)
{
	size_t left = 0;

	for (size_t at = 0, len; at < p->len; at += len) {
		const uint8_t *frame = p->bytes + at;
		unsigned lane = frame_lane(frame);
		bool part = c->lanes & lane || !frame_last(frame);
		enum frame_type type = frame_type(frame);

		len = frame_len(frame);
		c->lanes =
			frame_last(frame) ? c->lanes & ~lane : c->lanes | lane;
		if (type != FRAME_HELLO && type != FRAME_REFUSE) {
			c->talking = true;
			if (!part && befall(c, frame))
				continue;
		}
		memmove(p->bytes + left, frame, len);
		left += len;
	}
	p->len = left;
}

void vnet_flush(struct vnet *net)
{
	net->mess = (struct vnet_mess){ 0 };
	list_for_safe (it, &net->held) {
		struct held *h = container_of(it, struct held, link);
		if (!h->open && !h->term)
			say(h, h->receiver);
		list_remove(&h->link);
	}
}
