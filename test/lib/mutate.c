/* See mutate.h. A wild number would be refused at once: it is another one of
 * the image mostly, which may be of the wrong thing. */
#include "lib/mutate.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct field {
	enum record_kind kind;
	size_t at, len;
	int64_t least;
	uint64_t values; /* how many from the least on; 0: any of the image */
};

#define FIELD(of, name, least, values)                                    \
	{                                                                 \
		of, offsetof(struct record, name),                        \
			sizeof(((struct record *)0)->name), least, values \
	}

static const struct field fields[] = {
	FIELD(RECORD_REQUEST, request.session, 0, 0),
	FIELD(RECORD_REQUEST, request.seq, 0, 0),
	FIELD(RECORD_REQUEST, request.owner, 0, 4),
	FIELD(RECORD_REQUEST, request.lock, 0, 0),
	FIELD(RECORD_REQUEST, request.state, 1, 3),
	FIELD(RECORD_REQUEST, request.mode, 0, 6),
	FIELD(RECORD_REQUEST, request.permits, 0, 5),
	FIELD(RECORD_REQUEST, request.token, 0, 0),
	FIELD(RECORD_REQUEST, request.place, 0, 0),
	FIELD(RECORD_REQUEST, request.deadline, 0, 0),
	FIELD(RECORD_REQUEST, request.status, -1, 3),
	FIELD(RECORD_REQUEST, request.priority, -2, 5),
	FIELD(RECORD_REQUEST, request.from, 0, 0),
	FIELD(RECORD_REQUEST, request.hold, 0, 2),
	FIELD(RECORD_REQUEST, request.hold_until, 0, 0),
	FIELD(RECORD_REQUEST, request.revoke.at, 0, 0),
	FIELD(RECORD_REQUEST, request.revoke.noted, 0, 2),
	FIELD(RECORD_REQUEST, request.value, 0, 0),
	FIELD(RECORD_REQUEST, request.condition, 0, 7),
	FIELD(RECORD_REQUEST, request.number, 0, 0),
	FIELD(RECORD_REQUEST, request.index, 0, 0),
	FIELD(RECORD_LOCK, lock.id, 0, 0),
	FIELD(RECORD_LOCK, lock.limit, 0, 4),
	FIELD(RECORD_LOCK, lock.flags, 0, 4),
	FIELD(RECORD_LOCK, lock.delay_until, 0, 0),
	FIELD(RECORD_SESSION, session.id, 0, 0),
	FIELD(RECORD_SESSION, session.node, 0, 5),
	FIELD(RECORD_SESSION, session.boot, 0, 5),
	FIELD(RECORD_SESSION, session.nth, 0, 50),
	FIELD(RECORD_SESSION, session.deadline, 0, 0),
	FIELD(RECORD_SESSION, session.low, 0, 0),
	FIELD(RECORD_PEER, peer.node, 0, 5),
	FIELD(RECORD_PEER, peer.boot, 0, 5),
	FIELD(RECORD_PEER, peer.nth, 0, 50),
	FIELD(RECORD_PEER, peer.session, 0, 0),
	FIELD(RECORD_VALUE, value.id, 0, 0),
	FIELD(RECORD_VALUE, value.version, 0, 0),
	FIELD(RECORD_VALUE, value.session, 0, 0),
	FIELD(RECORD_VALUE, value.counter, 0, 2),
	FIELD(RECORD_VALUE, value.number, 0, 9),
	FIELD(RECORD_STATE, state.now, 0, 0),
	FIELD(RECORD_STATE, state.counter, 0, 0),
	FIELD(RECORD_STATE, state.arrivals, 0, 0),
};

static struct record *any(const struct image_copy *image, struct random *r)
{
	return &image->records[random_below(r, image->len)];
}

static uint64_t number_of(const struct record *of, struct random *r)
{
	const uint64_t numbers[] = { of->request.token,   of->request.lock,
				     of->request.session, of->request.seq,
				     of->request.place,   of->request.value };

	switch (of->kind) {
	case RECORD_REQUEST:
		return numbers[random_below(r, 6)];
	case RECORD_LOCK:
		return of->lock.id;
	case RECORD_SESSION:
		return of->session.id;
	case RECORD_VALUE:
		return of->value.id;
	case RECORD_PEER:
		return of->peer.session;
	case RECORD_STATE:
		break;
	}
	return of->state.now;
}

static uint64_t some_number(const struct image_copy *image, struct random *r)
{
	const struct record *state = &image->records[0];

	switch (random_below(r, 8)) {
	case 0:
		return random_below(r, 8);
	case 1:
		return state->state.now + random_below(r, SECOND);
	case 2:
		return random_below(r, state->state.counter + 3);
	case 3:
		return (uint64_t)INT64_MAX - random_below(r, 100);
	default:
		return number_of(any(image, r), r);
	}
}

static void set_field(struct record *of, const struct field *f, uint64_t number)
{
	uint8_t *at = (uint8_t *)of + f->at;
	uint32_t half = (uint32_t)number;
	bool truth = number & 1;

	if (f->len == sizeof(truth))
		memcpy(at, &truth, sizeof(truth));
	else if (f->len == sizeof(half))
		memcpy(at, &half, sizeof(half));
	else
		memcpy(at, &number, sizeof(number));
}

static void change_field(struct record *of, const struct image_copy *image,
			 struct random *r)
{
	const struct field *f;
	uint64_t number;

	do
		f = &fields[random_below(r, sizeof(fields) / sizeof(*fields))];
	while (f->kind != of->kind);
	number = f->values ? (uint64_t)f->least + random_below(r, f->values)
			   : some_number(image, r);
	set_field(of, f, number);
}

static void set_parts(struct record *of, const struct record_part *parts,
		      size_t len)
{
	struct record_part *copy = malloc(PARTS_MAX * sizeof(*copy));

	ck_assert_ptr_nonnull(copy);
	if (len > 0)
		memcpy(copy, parts, len * sizeof(*copy));
	free((void *)(uintptr_t)of->request.more);
	of->request.more = copy;
	of->request.more_len = len;
}

static uint64_t some_lock(const struct image_copy *image, struct random *r)
{
	const struct record *of = any(image, r);

	for (int i = 0; i < 20 && of->kind != RECORD_LOCK; i++)
		of = any(image, r);
	return of->kind == RECORD_LOCK ? of->lock.id : 0;
}

static void change_parts(struct record *of, const struct image_copy *image,
			 struct random *r)
{
	struct record_part parts[2];
	size_t len = random_below(r, 3);

	for (size_t i = 0; i < len; i++) {
		enum mode mode = (enum mode)random_below(r, 5);

		parts[i] = (struct record_part){ some_lock(image, r), mode,
						 mode == MODE_PERMITS };
	}
	set_parts(of, parts, len);
}

/* As if it asked for what another one asks for. */
static void change_whole(struct record *of, const struct record *other)
{
	if (other->kind != RECORD_REQUEST || other == of)
		return;
	of->request.lock = other->request.lock;
	of->request.mode = other->request.mode;
	of->request.permits = other->request.permits;
	set_parts(of, other->request.more, other->request.more_len);
}

void mutate(struct image_copy *image, struct random *r)
{
	struct record *of = any(image, r);

	for (int i = 0; i < 2 && of->kind != RECORD_REQUEST; i++)
		of = any(image, r);
	switch (of->kind == RECORD_REQUEST ? random_below(r, 6) : 2) {
	case 0:
		change_parts(of, image, r);
		break;
	case 1:
		change_whole(of, any(image, r));
		break;
	default:
		change_field(of, image, r);
	}
}
