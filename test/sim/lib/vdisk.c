/* See vdisk.h. */
#include "sim/lib/vdisk.h"

#include "codec/crc.h"
#include "sim/lib/dice.h"

#include <stdlib.h>
#include <string.h>

static uint32_t entry_sum(const struct disk_entry *e)
{
	uint32_t sum = crc32c(e->type, &e->term, sizeof(e->term));

	return crc32c(sum, e->bytes, e->len);
}

static uint32_t snapshot_sum(const struct disk_snapshot *s)
{
	const uint64_t head[] = { s->index, s->configuration_index, s->term };
	uint32_t sum = crc32c(0, head, sizeof(head));

	sum = crc32c(sum, s->configuration.base, s->configuration.len);
	return crc32c(sum, s->bytes, s->len);
}

static uint32_t vote_sum(const struct vdisk *d)
{
	const uint64_t both[] = { d->term, d->vote };

	return d->term || d->vote ? crc32c(0, both, sizeof(both)) : 0;
}

void vdisk_vote(struct vdisk *d, raft_term term, raft_id vote)
{
	d->term = term;
	d->vote = vote;
	d->vote_sum = vote_sum(d);
}

void vdisk_append(struct vdisk *d, const struct disk_entry *entry)
{
	if (d->len == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 64;
		d->entries = realloc(d->entries, d->cap * sizeof(*entry));
		if (!d->entries)
			abort();
	}
	d->entries[d->len] = *entry;
	d->entries[d->len].sum = entry_sum(entry);
	d->len++;
}

static void forget_first(struct vdisk *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(d->entries[i].bytes);
	d->len -= n;
	d->first += n;
	memmove(d->entries, d->entries + n, d->len * sizeof(*d->entries));
}

void vdisk_truncate(struct vdisk *d, raft_index index)
{
	while (d->len && d->first + d->len > index)
		free(d->entries[--d->len].bytes);
	if (index < d->first)
		d->first = index;
}

void vdisk_snapshot(struct vdisk *d, struct disk_snapshot *snapshot)
{
	disk_snapshot_free(d->snapshot);
	d->snapshot = snapshot;
	d->snapshot->sum = snapshot_sum(snapshot);
}

void vdisk_trim(struct vdisk *d, unsigned trailing)
{
	raft_index index = d->snapshot->index;

	if (!trailing) {
		vdisk_truncate(d, d->first);
		d->first = index + 1;
	} else if (index > trailing && index - trailing + 1 > d->first) {
		raft_index n = index - trailing + 1 - d->first;
		forget_first(d, n < d->len ? n : d->len);
	}
}

const struct disk_entry *vdisk_entry(const struct vdisk *d, raft_index index)
{
	if (index < d->first || index - d->first >= d->len)
		return NULL;
	return &d->entries[index - d->first];
}

raft_index vdisk_end(const struct vdisk *d)
{
	return d->first + d->len;
}

static void flip(struct random *random, void *bytes, size_t len)
{
	uint8_t *at = bytes;
	size_t bit = random_below(random, 8 * len);

	at[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

const char *vdisk_damage(struct vdisk *d, struct random *random)
{
	uint64_t part = random_below(random, 4);

	if (part == 0 && d->snapshot && d->snapshot->len) {
		flip(random, d->snapshot->bytes, d->snapshot->len);
		return "the snapshot";
	}
	if (part == 1 && d->vote_sum) {
		flip(random, &d->vote, sizeof(d->vote));
		return "the vote";
	}
	if (part == 2 && d->vote_sum) {
		flip(random, &d->term, sizeof(d->term));
		return "the term";
	}
	if (!d->len)
		return NULL;
	struct disk_entry *e = &d->entries[random_below(random, d->len)];
	e->damaged = true;
	if (e->len)
		flip(random, e->bytes, e->len);
	else
		flip(random, &e->term, sizeof(e->term));
	return "an entry";
}

static bool intact(const struct vdisk *d)
{
	bool good = d->vote_sum == vote_sum(d);

	if (d->snapshot)
		good = good && d->snapshot->sum == snapshot_sum(d->snapshot);
	for (size_t i = 0; i < d->len; i++)
		good = good && d->entries[i].sum == entry_sum(&d->entries[i]);
	return good;
}

/* Entries of one batch lie in one piece of memory, which `batch` names. */
static struct raft_entry *load_entries(const struct vdisk *d)
{
	size_t bytes = 0;

	for (size_t i = 0; i < d->len; i++)
		bytes += d->entries[i].len;
	struct raft_entry *entries = raft_calloc(d->len, sizeof(*entries));
	uint8_t *batch = raft_malloc(bytes + 1);
	if (!entries || !batch)
		abort();
	uint8_t *at = batch;
	for (size_t i = 0; i < d->len; i++) {
		const struct disk_entry *e = &d->entries[i];
		memcpy(at, e->bytes, e->len);
		entries[i].term = e->term;
		entries[i].type = e->type;
		entries[i].buf = (struct raft_buffer){ at, e->len };
		entries[i].batch = batch;
		at += e->len;
	}
	return entries;
}

int vdisk_load(struct vdisk *d, struct raft_snapshot **snapshot,
	       raft_index *first, struct raft_entry **entries, size_t *len)
{
	if (!intact(d))
		return RAFT_CORRUPT;
	/* A crash may have come between a snapshot and the trimming of the log
	 * that it replaces. */
	if (d->snapshot && vdisk_end(d) <= d->snapshot->index)
		vdisk_trim(d, 0);
	*snapshot = vdisk_read_snapshot(d);
	*first = d->first ? d->first : 1;
	*len = d->len;
	*entries = d->len ? load_entries(d) : NULL;
	return 0;
}

struct raft_snapshot *vdisk_read_snapshot(const struct vdisk *d)
{
	const struct disk_snapshot *from = d->snapshot;

	if (!from)
		return NULL;
	struct raft_snapshot *s = raft_calloc(1, sizeof(*s));
	struct raft_buffer *buf = raft_calloc(1, sizeof(*buf));
	void *bytes = raft_malloc(from->len + 1);
	if (!s || !buf || !bytes)
		abort();
	s->index = from->index;
	s->term = from->term;
	s->configuration_index = from->configuration_index;
	raft_configuration_init(&s->configuration);
	if (raft_configuration_decode(&from->configuration, &s->configuration))
		abort();
	memcpy(bytes, from->bytes, from->len);
	*buf = (struct raft_buffer){ bytes, from->len };
	s->bufs = buf;
	s->n_bufs = 1;
	return s;
}

void disk_snapshot_free(struct disk_snapshot *s)
{
	if (!s)
		return;
	raft_free(s->configuration.base);
	free(s->bytes);
	free(s);
}

void vdisk_free(struct vdisk *d)
{
	vdisk_truncate(d, 0);
	free(d->entries);
	disk_snapshot_free(d->snapshot);
	*d = (struct vdisk){ 0 };
}
