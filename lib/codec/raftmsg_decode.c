/* Raft messages from bytes; see raftmsg.h. Each get_ function answers whether
 * what it read can come from a sound peer. */
#include "codec/field.h"
#include "codec/raftmsg.h"
#include "codec/raftmsg_format.h"

#include "holdfast.h"

static bool number_valid(uint64_t v)
{
	return v <= RAFTMSG_NUMBER_MAX;
}

/* The last entry of a log, in a message of `term`: both or neither are 0. */
static bool position_valid(uint64_t index, uint64_t at_term, uint64_t term)
{
	return number_valid(index) && (index == 0) == (at_term == 0) &&
	       at_term <= term;
}

static bool term_valid(uint64_t term)
{
	return term > 0 && number_valid(term);
}

static bool get_request_vote(struct reader *r, struct raft_request_vote *p)
{
	p->term = reader_get64(r);
	p->candidate_id = reader_get64(r);
	p->last_log_index = reader_get64(r);
	p->last_log_term = reader_get64(r);
	uint64_t flags = reader_get64(r);
	p->disrupt_leader = flags & VOTE_DISRUPT;
	p->pre_vote = flags & VOTE_PRE;
	return term_valid(p->term) && p->candidate_id > 0 &&
	       flags <= (VOTE_DISRUPT | VOTE_PRE) &&
	       position_valid(p->last_log_index, p->last_log_term, p->term);
}

/* A server that has seen no term yet answers with term 0. */
static bool get_vote_result(struct reader *r,
			    struct raft_request_vote_result *p)
{
	p->term = reader_get64(r);
	uint32_t flags = reader_get32(r);
	p->vote_granted = flags & RESULT_GRANTED;
	p->pre_vote = flags & RESULT_PRE;
	p->features = reader_get16(r);
	p->capacity = reader_get16(r);
	return number_valid(p->term) && flags <= (RESULT_GRANTED | RESULT_PRE);
}

static bool get_append_result(struct reader *r,
			      struct raft_append_entries_result *p)
{
	p->term = reader_get64(r);
	p->rejected = reader_get64(r);
	p->last_log_index = reader_get64(r);
	uint32_t zero = reader_get32(r);
	p->features = reader_get16(r);
	p->capacity = reader_get16(r);
	return number_valid(p->term) && number_valid(p->rejected) &&
	       number_valid(p->last_log_index) && zero == 0 &&
	       (p->rejected == 0 || p->last_log_index < p->rejected);
}

static bool get_timeout_now(struct reader *r, struct raft_timeout_now *p)
{
	p->term = reader_get64(r);
	p->last_log_index = reader_get64(r);
	p->last_log_term = reader_get64(r);
	return term_valid(p->term) &&
	       position_valid(p->last_log_index, p->last_log_term, p->term);
}

/* Terms never fall along a log, and none is above the leader's. */
static bool entries_valid(const uint8_t *heads, uint64_t n, uint64_t term_min,
			  uint64_t term_max, uint64_t payload)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++, heads += RAFTMSG_ENTRY) {
		uint64_t term = load64(heads);
		uint32_t type = load32(heads + 8), len = load32(heads + 12);

		if (term == 0 || term < term_min || term > term_max)
			return false;
		if (type < RAFT_COMMAND || type > RAFT_CHANGE || len == 0 ||
		    len % 8 != 0)
			return false;
		term_min = term;
		sum += len;
	}
	return sum == payload;
}

static bool changes_valid(const uint8_t *heads, uint64_t n,
			  const uint8_t *payload)
{
	for (uint64_t i = 0; i < n; i++, heads += RAFTMSG_ENTRY) {
		size_t len = load32(heads + 12);

		if (load32(heads + 8) == RAFT_CHANGE &&
		    !raftmsg_configuration_valid(payload, len))
			return false;
		payload += len;
	}
	return true;
}

static int take_entries(const uint8_t *heads, size_t n, const uint8_t *payload,
			size_t payload_len, struct raft_append_entries *p)
{
	if (n == 0)
		return 0;
	struct raft_entry *entries = raft_malloc(n * sizeof(*entries));
	uint8_t *batch = raft_malloc(payload_len);
	if (!entries || !batch) {
		raft_free(entries);
		raft_free(batch);
		return HF_ENOMEM;
	}
	memcpy(batch, payload, payload_len);
	uint8_t *at = batch;
	for (size_t i = 0; i < n; i++, heads += RAFTMSG_ENTRY) {
		struct raft_entry *e = &entries[i];

		*e = (struct raft_entry){ .term = load64(heads),
					  .batch = batch };
		e->type = (enum raft_entry_type)load32(heads + 8);
		e->buf.base = at;
		e->buf.len = load32(heads + 12);
		at += e->buf.len;
	}
	p->entries = entries;
	p->n_entries = (unsigned)n;
	return 0;
}

static int get_append_entries(struct reader *r, struct raft_append_entries *p)
{
	p->term = reader_get64(r);
	p->prev_log_index = reader_get64(r);
	p->prev_log_term = reader_get64(r);
	p->leader_commit = reader_get64(r);
	uint64_t n = reader_get64(r);

	if (r->failed || !term_valid(p->term) ||
	    !number_valid(p->leader_commit) ||
	    !position_valid(p->prev_log_index, p->prev_log_term, p->term) ||
	    n > RAFTMSG_ENTRIES_MAX)
		return HF_ECORRUPT;
	const uint8_t *heads = reader_take(r, n * RAFTMSG_ENTRY);
	size_t payload_len = reader_left(r);
	const uint8_t *payload = reader_take(r, payload_len);
	if (!heads ||
	    !entries_valid(heads, n, p->prev_log_term, p->term, payload_len))
		return HF_ECORRUPT;
	if (!changes_valid(heads, n, payload))
		return HF_ECORRUPT;
	return take_entries(heads, n, payload, payload_len, p);
}

static int configuration_decode(const uint8_t *bytes, size_t len,
				struct raft_configuration *conf)
{
	struct raft_buffer buf = { (void *)(uintptr_t)bytes, len };

	if (!raftmsg_configuration_valid(bytes, len))
		return HF_ECORRUPT;
	int rc = raft_configuration_decode(&buf, conf);
	if (rc == RAFT_NOMEM)
		return HF_ENOMEM;
	return rc == 0 ? 0 : HF_ECORRUPT;
}

static int get_install_snapshot(struct reader *r,
				struct raft_install_snapshot *p)
{
	p->term = reader_get64(r);
	p->last_index = reader_get64(r);
	p->last_term = reader_get64(r);
	p->conf_index = reader_get64(r);
	uint64_t conf_len = reader_get64(r), data_len = reader_get64(r);

	if (r->failed || !term_valid(p->term) || p->last_index == 0 ||
	    !position_valid(p->last_index, p->last_term, p->term) ||
	    !number_valid(p->conf_index) || conf_len > reader_left(r) ||
	    data_len != reader_left(r) - conf_len)
		return HF_ECORRUPT;
	const uint8_t *conf = reader_take(r, conf_len);
	const uint8_t *data = reader_take(r, data_len);
	int rc = configuration_decode(conf, conf_len, &p->conf);
	if (rc != 0 || data_len == 0)
		return rc;
	p->data.base = raft_malloc(data_len);
	if (!p->data.base) {
		raft_configuration_close(&p->conf);
		return HF_ENOMEM;
	}
	memcpy(p->data.base, data, data_len);
	p->data.len = data_len;
	return 0;
}

/* Those of a fixed length, which own no memory. */
static bool get_small(struct reader *r, struct raft_message *m)
{
	switch (m->type) {
	case RAFT_REQUEST_VOTE:
		return get_request_vote(r, &m->request_vote);
	case RAFT_REQUEST_VOTE_RESULT:
		return get_vote_result(r, &m->request_vote_result);
	case RAFT_APPEND_ENTRIES_RESULT:
		return get_append_result(r, &m->append_entries_result);
	case RAFT_TIMEOUT_NOW:
		return get_timeout_now(r, &m->timeout_now);
	case RAFT_APPEND_ENTRIES:
	case RAFT_INSTALL_SNAPSHOT:
		break;
	}
	return false;
}

/* `version` is the first field of each; the struct is filled through the one
 * that is in use. */
static void set_version(struct raft_message *m, uint8_t version)
{
	switch (m->type) {
	case RAFT_REQUEST_VOTE:
		m->request_vote.version = version;
		break;
	case RAFT_REQUEST_VOTE_RESULT:
		m->request_vote_result.version = version;
		break;
	case RAFT_APPEND_ENTRIES:
		m->append_entries.version = version;
		break;
	case RAFT_APPEND_ENTRIES_RESULT:
		m->append_entries_result.version = version;
		break;
	case RAFT_INSTALL_SNAPSHOT:
		m->install_snapshot.version = version;
		break;
	case RAFT_TIMEOUT_NOW:
		m->timeout_now.version = version;
		break;
	}
}

int raftmsg_decode(const uint8_t *bytes, size_t len, struct raft_message *m)
{
	struct reader r = reader_of(bytes, len);
	uint8_t type = reader_get8(&r), version = reader_get8(&r);
	uint64_t zero = reader_get16(&r);

	zero |= reader_get32(&r);
	memset(m, 0, sizeof(*m));
	m->type = (enum raft_message_type)type;
	if (r.failed || zero != 0 || type < RAFT_APPEND_ENTRIES ||
	    type > RAFT_TIMEOUT_NOW || version != raftmsg_version(m->type))
		return HF_ECORRUPT;
	set_version(m, version);
	if (type == RAFT_APPEND_ENTRIES)
		return get_append_entries(&r, &m->append_entries);
	if (type == RAFT_INSTALL_SNAPSHOT)
		return get_install_snapshot(&r, &m->install_snapshot);
	if (!get_small(&r, m) || r.failed || reader_left(&r) > 0)
		return HF_ECORRUPT;
	return 0;
}

void raftmsg_discard(struct raft_message *m)
{
	if (m->type == RAFT_APPEND_ENTRIES && m->append_entries.n_entries > 0) {
		raft_free(m->append_entries.entries[0].batch);
		raft_free(m->append_entries.entries);
		m->append_entries.entries = NULL;
		m->append_entries.n_entries = 0;
	} else if (m->type == RAFT_INSTALL_SNAPSHOT) {
		raft_configuration_close(&m->install_snapshot.conf);
		raft_free(m->install_snapshot.data.base);
		m->install_snapshot.data = (struct raft_buffer){ 0 };
	}
}
