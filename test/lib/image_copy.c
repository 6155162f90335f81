/* Copies of records, each with names and bytes of its own; see machine.h. */
#include "lib/machine.h"

#include "codec/record.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void *copy_of(const void *bytes, size_t len)
{
	void *copy = malloc(len + 1);

	ck_assert_ptr_nonnull(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

static void drop(const void *copy)
{
	free((void *)(uintptr_t)copy);
}

static void own(struct record *r)
{
	switch (r->kind) {
	case RECORD_STATE:
	case RECORD_PEER:
		break;
	case RECORD_SESSION:
		r->session.slots =
			copy_of(r->session.slots,
				r->session.slots_len * sizeof(struct slot));
		break;
	case RECORD_LOCK:
		r->lock.name = copy_of(r->lock.name, r->lock.name_len);
		break;
	case RECORD_REQUEST:
		r->request.more = copy_of(r->request.more,
					  r->request.more_len *
						  sizeof(struct record_part));
		r->request.shown =
			copy_of(r->request.shown, r->request.shown_len);
		r->request.revoke.reason = copy_of(
			r->request.revoke.reason, r->request.revoke.reason_len);
		break;
	case RECORD_VALUE:
		r->value.name = copy_of(r->value.name, r->value.name_len);
		r->value.bytes = copy_of(r->value.bytes, r->value.bytes_len);
		break;
	}
}

static void disown(const struct record *r)
{
	switch (r->kind) {
	case RECORD_STATE:
	case RECORD_PEER:
		break;
	case RECORD_SESSION:
		drop(r->session.slots);
		break;
	case RECORD_LOCK:
		drop(r->lock.name);
		break;
	case RECORD_REQUEST:
		drop(r->request.more);
		drop(r->request.shown);
		drop(r->request.revoke.reason);
		break;
	case RECORD_VALUE:
		drop(r->value.name);
		drop(r->value.bytes);
		break;
	}
}

void image_copy_put(void *ctx, const struct record *r)
{
	struct image_copy *copy = ctx;

	if (copy->len == copy->cap) {
		copy->cap = copy->cap ? 2 * copy->cap : 64;
		copy->records = realloc(copy->records,
					copy->cap * sizeof(*copy->records));
		ck_assert_ptr_nonnull(copy->records);
	}
	copy->records[copy->len] = *r;
	own(&copy->records[copy->len++]);
}

bool image_copy_visit(void *ctx, const struct record *r)
{
	image_copy_put(ctx, r);
	return true;
}

void image_copy_free(struct image_copy *copy)
{
	for (size_t i = 0; i < copy->len; i++)
		disown(&copy->records[i]);
	free(copy->records);
	memset(copy, 0, sizeof(*copy));
}

/* A record has one encoding, so equal bytes are equal records. */
bool image_copy_same(const struct image_copy *a, const struct image_copy *b)
{
	struct buf one = { 0 }, other = { 0 };
	bool same = a->len == b->len;

	for (size_t i = 0; i < a->len && same; i++) {
		buf_clear(&one);
		buf_clear(&other);
		record_encode(&one, &a->records[i]);
		record_encode(&other, &b->records[i]);
		ck_assert(!one.failed && !other.failed);
		same = one.len == other.len &&
		       memcmp(one.base, other.base, one.len) == 0;
	}
	buf_free(&one);
	buf_free(&other);
	return same;
}

void image_copy_take(struct image_copy *copy, struct core *core)
{
	const struct image_sink sink = { image_copy_put, copy };

	ck_assert_int_eq(core_image_begin(core, &sink), 0);
	while (!core_image_step(core, 1000))
		;
}

int image_copy_restore(const struct image_copy *copy, struct core *core)
{
	for (size_t i = 0; i < copy->len; i++) {
		int rc = core_restore(core, &copy->records[i]);

		if (rc)
			return rc;
	}
	return core_restore_end(core);
}

void image_copy_rehash(struct image_copy *copy)
{
	struct machine m;

	machine_init(&m, 2);
	image_copy_restore(copy, m.core);
	copy->records[0].state.hash = core_hash(m.core);
	machine_end(&m);
}
