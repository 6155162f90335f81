/* libraft's state machine: committed entries go to the core.
 *
 * An entry is applied once or never: after an error of the core, or an entry
 * that can't be, this member fails and nothing is applied, answered or
 * snapshotted any more. libraft is told that all is well all the same: it
 * would apply the entry again, and free the message that it came in twice. */
#include "repl/internal.h"

#include <stdio.h>

static void fail(struct repl *repl, int rc, const char *what, uint64_t index)
{
	char text[HF_ERROR_TEXT];
	const char *why = core_error(repl->fsm.core);

	snprintf(text, sizeof(text), "entry %llu: %s%s%.120s",
		 (unsigned long long)index, what, why && *why ? ": " : "",
		 why ? why : "");
	guard_fail(repl->guard, rc, text);
}

void hash_remember(struct repl *repl)
{
	uint64_t index = core_index(repl->fsm.core);

	repl->fsm.hashes[index % HASHES_KEPT] =
		(struct state_hash){ index, core_hash(repl->fsm.core) };
}

/* A member that was restored lately doesn't know older states: it agrees. */
bool hash_agrees(const struct repl *repl, uint64_t index, uint64_t hash)
{
	const struct state_hash *own = &repl->fsm.hashes[index % HASHES_KEPT];

	return index == 0 || own->index != index || own->hash == hash;
}

static void emit(void *ctx, const struct output *output)
{
	struct repl *repl = ctx;

	if (output->kind != OUTPUT_CHANGED)
		repl->calls->output(repl->arg, output);
	else if (repl->calls->news)
		repl->calls->news(repl->arg, output);
}

/* What is for other nodes is the leader's to say. */
static void emit_news(void *ctx, const struct output *output)
{
	if (output->kind == OUTPUT_CHANGED)
		emit(ctx, output);
}

static void apply(struct repl *repl, uint64_t index, const struct entry *entry)
{
	const struct output_sink sink = { lead_serving(repl) ? emit : emit_news,
					  repl };
	int rc = core_apply(repl->fsm.core, index, entry, &sink);

	if (rc != 0) {
		fail(repl, rc, "it couldn't be applied", index);
		return;
	}
	hash_remember(repl);
	repl->stats.entries++;
	repl->stats.ops += entry->ops_len;
	if (entry->proposer == repl->config.id) {
		propose_applied(repl, index);
		lead_applied(repl, index, entry);
	}
}

static void apply_bytes(struct repl *repl, const struct raft_buffer *buf)
{
	/* libraft doesn't say which entry it is; it counts them as it goes. */
	uint64_t index = raft_last_applied(raft_of(repl)) + 1;
	struct entry entry;
	int rc = entry_decode(buf->base, buf->len, &repl->fsm.ops, &entry);

	if (rc != 0)
		fail(repl, rc, "its bytes are damaged", index);
	else if (!hash_agrees(repl, entry.hash_index, entry.hash))
		fail(repl, HF_ECORRUPT,
		     "the state here differs from the leader's", index);
	else
		apply(repl, index, &entry);
}

static int fsm_apply(struct raft_fsm *fsm, const struct raft_buffer *buf,
		     void **result)
{
	struct repl *repl = fsm->data;

	*result = NULL;
	if (!guard_dead(repl->guard))
		apply_bytes(repl, buf);
	return 0;
}

void fsm_init(struct repl *repl)
{
	repl->fsm.ops.mem = repl->mem;
	repl->guard->fsm = (struct raft_fsm){
		.version = 1,
		.data = repl,
		.apply = fsm_apply,
		.snapshot = snapshot_begin,
		.restore = snapshot_restore,
	};
}

void fsm_free(struct repl *repl)
{
	snapshot_abort(repl);
	op_array_free(&repl->fsm.ops);
	core_destroy(repl->fsm.core);
	repl->fsm.core = NULL;
}
