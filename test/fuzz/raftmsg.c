/* Raft messages and configurations: what decodes encodes to the same bytes, and
 * libraft reads each configuration that passes. */
#include "codec/raftmsg.h"
#include "fuzz/lib/target.h"
#include "lib/samples.h"

#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

static void try_configuration(const uint8_t *bytes, size_t len)
{
	struct raft_buffer buf = { (void *)(uintptr_t)bytes, len };
	struct raft_configuration conf;

	if (!raftmsg_configuration_valid(bytes, len))
		return;
	must(raft_configuration_decode(&buf, &conf) == 0);
	must(raft_configuration_encode(&conf, &buf) == 0);
	must(buf.len == len && memcmp(buf.base, bytes, len) == 0);
	raft_free(buf.base);
	raft_configuration_close(&conf);
}

static void try_message(const uint8_t *bytes, size_t len)
{
	struct raft_message m;
	struct buf b = { 0 };
	int rc = raftmsg_decode(bytes, len, &m);

	must(rc == 0 || rc == HF_ECORRUPT);
	if (rc != 0)
		return;
	raftmsg_encode(&b, &m);
	must(!b.failed && b.len == len);
	must(memcmp(b.base, bytes, len) == 0);
	buf_free(&b);
	raftmsg_discard(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	uint8_t *rest = fuzz_copy(bytes + 1, len - 1);

	if (bytes[0] == 0)
		try_configuration(rest, len - 1);
	else
		try_message(rest, len - 1);
	free(rest);
	return 0;
}

static void make_configuration(struct raft_configuration *conf,
			       struct random *r)
{
	static const char *const addresses[] = { "10.0.0.1:7400", "b", "" };
	uint64_t n = 1 + random_below(r, 3);

	raft_configuration_init(conf);
	for (uint64_t i = 0; i < n; i++)
		must(raft_configuration_add(conf, i + 1, addresses[i],
					    (int)random_below(r, 3)) == 0);
}

static void put_configuration(struct buf *b, struct random *r)
{
	struct raft_configuration conf;
	struct raft_buffer bytes;

	make_configuration(&conf, r);
	must(raft_configuration_encode(&conf, &bytes) == 0);
	buf_put(b, bytes.base, bytes.len);
	raft_free(bytes.base);
	raft_configuration_close(&conf);
}

static void put_entries(struct buf *b, struct random *r, uint64_t term)
{
	struct raft_entry entries[4];
	struct buf conf = { 0 };
	struct raft_message m = { .type = RAFT_APPEND_ENTRIES };
	uint8_t command[24] = "a command of some words";

	put_configuration(&conf, r);
	m.append_entries.term = term;
	m.append_entries.prev_log_index = random_below(r, 2) ? 0 : 7;
	m.append_entries.prev_log_term = m.append_entries.prev_log_index / 7;
	m.append_entries.leader_commit = random_below(r, 20);
	m.append_entries.entries = entries;
	m.append_entries.n_entries = (unsigned)random_below(r, 4);
	for (unsigned i = 0; i < m.append_entries.n_entries; i++) {
		bool change = random_below(r, 4) == 0;

		entries[i] = (struct raft_entry){ .term = 1 };
		entries[i].type = change ? RAFT_CHANGE : RAFT_COMMAND;
		entries[i].buf.base = change ? conf.base : command;
		entries[i].buf.len = change ? conf.len : 8 * (1 + i % 3);
	}
	raftmsg_encode(b, &m);
	buf_free(&conf);
}

static void put_snapshot(struct buf *b, struct random *r, uint64_t term)
{
	struct raft_message m = { .type = RAFT_INSTALL_SNAPSHOT };
	char image[] = "hf-image";

	m.install_snapshot.term = term;
	m.install_snapshot.last_index = 1 + random_below(r, 1000);
	m.install_snapshot.last_term = 1;
	m.install_snapshot.conf_index = 1;
	m.install_snapshot.data.base = image;
	m.install_snapshot.data.len = random_below(r, sizeof(image));
	make_configuration(&m.install_snapshot.conf, r);
	raftmsg_encode(b, &m);
	raft_configuration_close(&m.install_snapshot.conf);
}

static void put_small(struct buf *b, struct random *r, uint64_t term)
{
	struct raft_message m = { .type = RAFT_REQUEST_VOTE };
	uint64_t index = random_below(r, 3);

	if (random_below(r, 4) == 0) {
		m.request_vote = (struct raft_request_vote){
			.version = 2, .term = term, .candidate_id = 1 + index
		};
		m.request_vote.pre_vote = random_below(r, 2);
	} else if (random_below(r, 3) == 0) {
		m.type = RAFT_REQUEST_VOTE_RESULT;
		m.request_vote_result.term = term;
		m.request_vote_result.vote_granted = random_below(r, 2);
	} else if (random_below(r, 2) == 0) {
		m.type = RAFT_APPEND_ENTRIES_RESULT;
		m.append_entries_result.term = term;
		m.append_entries_result.rejected = index;
		m.append_entries_result.last_log_index = index ? index - 1 : 9;
	} else {
		m.type = RAFT_TIMEOUT_NOW;
		m.timeout_now.term = term;
		m.timeout_now.last_log_index = index;
		m.timeout_now.last_log_term = index > 0;
	}
	raftmsg_encode(b, &m);
}

void fuzz_sample(struct buf *b, struct random *r)
{
	uint64_t kind = random_below(r, 6);
	uint64_t term = 1 + random_below(r, 100);

	buf_put8(b, kind != 0);
	if (kind == 0)
		put_configuration(b, r);
	else if (kind == 1)
		put_entries(b, r, term);
	else if (kind == 2)
		put_snapshot(b, r, term);
	else
		put_small(b, r, term);
}
