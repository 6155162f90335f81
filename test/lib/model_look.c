/* The naive state machine: looking for things; see model.h. */
#include "lib/model_parts.h"

#include <assert.h>
#include <string.h>

struct model_peer *model_peer(struct model *m, uint64_t node)
{
	for (size_t i = 0; i < m->peers_len; i++) {
		if (m->peers[i].node == node)
			return &m->peers[i];
	}
	return NULL;
}

struct model_session *model_session(struct model *m, uint64_t id)
{
	for (size_t i = 0; i < m->sessions_len; i++) {
		if (m->sessions[i].id == id)
			return &m->sessions[i];
	}
	return NULL;
}

struct model_lock *model_lock(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->locks_len; i++) {
		if (strcmp(m->locks[i].name, name) == 0)
			return &m->locks[i];
	}
	return NULL;
}

struct model_value *model_value(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->values_len; i++) {
		if (strcmp(m->values[i].name, name) == 0)
			return &m->values[i];
	}
	return NULL;
}

struct model_request *model_request(struct model *m, uint64_t session,
				    uint64_t seq)
{
	for (size_t i = 0; i < m->requests_len; i++) {
		const struct record *r = &m->requests[i].record;

		if (r->request.state != 0 && r->request.session == session &&
		    r->request.seq == seq)
			return &m->requests[i];
	}
	return NULL;
}

struct model_request *model_hold(struct model *m, uint64_t token)
{
	for (size_t i = 0; i < m->requests_len; i++) {
		struct model_request *r = &m->requests[i];

		if (r->record.request.state == REQUEST_HELD &&
		    token >= r->record.request.token &&
		    token - r->record.request.token < r->parts_len)
			return r;
	}
	return NULL;
}

struct model_request *model_own_hold(struct model *m, uint64_t session,
				     uint64_t token)
{
	struct model_request *r = model_hold(m, token);

	return r && r->record.request.session == session ? r : NULL;
}

const struct model_part *model_part(const struct model_request *r,
				    const char *name)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		if (strcmp(r->parts[i].name, name) == 0)
			return &r->parts[i];
	}
	return NULL;
}

struct slot *model_slot(struct model_session *s, uint64_t seq)
{
	for (size_t i = 0; i < s->slots_len; i++) {
		if (s->slots[i].seq == seq)
			return &s->slots[i];
	}
	return NULL;
}

size_t model_waiting(const struct model *m, const char *name)
{
	size_t waiting = 0;

	for (size_t i = 0; i < m->requests_len; i++) {
		const struct model_request *r = &m->requests[i];

		waiting += r->record.request.state == REQUEST_WAITING &&
			   r->record.request.mode != MODE_LEAVE &&
			   model_part(r, name);
	}
	return waiting;
}

void model_bytes_set(struct model_bytes *b, const uint8_t *bytes, size_t len)
{
	assert(len <= MODEL_BYTES);
	memset(b, 0, sizeof(*b));
	if (len > 0)
		memcpy(b->at, bytes, len);
	b->len = len;
}

void model_name_set(char *to, const uint8_t *name, size_t len)
{
	assert(len < MODEL_NAME);
	memset(to, 0, MODEL_NAME);
	memcpy(to, name, len);
}

bool model_wait_valid(uint64_t wait)
{
	return wait <= DURATION_MAX || wait == WAIT_FOREVER;
}

uint64_t model_wait_end(const struct model *m, uint64_t wait)
{
	return wait == WAIT_FOREVER ? 0 : m->now + wait;
}
