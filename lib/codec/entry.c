/* Log entries as bytes: a fixed head, the operations, zeros up to a multiple of
 * eight. The checksum covers every byte but its own. */
#include "codec/entry.h"
#include "codec/crc.h"
#include "codec/field.h"

#include "holdfast.h"

#include <assert.h>
#include <stdlib.h>

#define ENTRY_MAGIC 0xe7
#define ENTRY_FORMAT 1
#define ENTRY_HEAD 72
#define ENTRY_CRC_AT 4
#define OP_BYTES_MIN 4 /* kind, node, sequence number, session */
#define ARRAY_CAP_MIN 64

size_t entry_bytes(size_t ops_bytes)
{
	return (ENTRY_HEAD + ops_bytes + 7) & ~(size_t)7;
}

static uint32_t entry_crc(const uint8_t *bytes, size_t len)
{
	uint32_t crc = crc32c(0, bytes, ENTRY_CRC_AT);

	return crc32c(crc, bytes + ENTRY_CRC_AT + 4, len - ENTRY_CRC_AT - 4);
}

static bool head_valid(const struct entry *e)
{
	return e->version > 0 && e->stamp <= NUMBER_MAX &&
	       e->wall <= NUMBER_MAX && e->proposer > 0 && e->term > 0 &&
	       (e->hash_index > 0 || e->hash == 0);
}

void entry_encode(uint8_t *to, const struct entry *head, const uint8_t *ops,
		  size_t ops_bytes)
{
	size_t len = entry_bytes(ops_bytes);
	uint8_t *at = to;

	assert(head_valid(head) && head->ops_len <= ENTRY_OPS_MAX);
	assert(len <= ENTRY_BYTES_MAX);
	*at++ = ENTRY_MAGIC;
	*at++ = ENTRY_FORMAT;
	at = put16(at, head->version);
	at = put32(at, 0);
	at = put32(at, (uint32_t)head->ops_len);
	at = put32(at, (uint32_t)ops_bytes);
	at = put64(at, head->stamp);
	at = put64(at, head->wall);
	at = put64(at, head->proposer);
	at = put64(at, head->term);
	at = put64(at, head->serial);
	at = put64(at, head->hash_index);
	at = put64(at, head->hash);
	if (ops_bytes > 0)
		at = put_bytes(at, ops, ops_bytes);
	memset(at, 0, (size_t)(to + len - at));
	put32(to + ENTRY_CRC_AT, entry_crc(to, len));
}

void op_array_free(struct op_array *a)
{
	if (!a)
		return;
	mem_free(a->mem, a->ops);
	*a = (struct op_array){ .mem = a->mem };
}

static int op_array_reserve(struct op_array *a, size_t len)
{
	size_t cap = a->cap ? a->cap : ARRAY_CAP_MIN;

	if (len <= a->cap)
		return 0;
	while (cap < len)
		cap *= 2;
	struct op *ops = mem_resize(a->mem, a->ops, cap * sizeof(*ops));
	if (!ops)
		return HF_ENOMEM;
	a->ops = ops;
	a->cap = cap;
	return 0;
}

static bool all_zero(const struct reader *r)
{
	for (const uint8_t *at = r->at; at < r->end; at++)
		if (*at != 0)
			return false;
	return true;
}

/* The whole length is said by the head, so that nothing can be appended. */
static bool frame_valid(const uint8_t *bytes, size_t len)
{
	if (len < ENTRY_HEAD || len > ENTRY_BYTES_MAX)
		return false;
	return bytes[0] == ENTRY_MAGIC && bytes[1] == ENTRY_FORMAT &&
	       load32(bytes + ENTRY_CRC_AT) == entry_crc(bytes, len) &&
	       entry_bytes(load32(bytes + 12)) == len;
}

static void get_head(struct reader *r, struct entry *entry)
{
	reader_take(r, 2);
	entry->version = reader_get16(r);
	reader_take(r, 12);
	entry->stamp = reader_get64(r);
	entry->wall = reader_get64(r);
	entry->proposer = reader_get64(r);
	entry->term = reader_get64(r);
	entry->serial = reader_get64(r);
	entry->hash_index = reader_get64(r);
	entry->hash = reader_get64(r);
}

static int get_ops(struct reader *r, size_t count, struct op_array *a)
{
	if (count > ENTRY_OPS_MAX || count > reader_left(r) / OP_BYTES_MIN)
		return HF_ECORRUPT;
	if (op_array_reserve(a, count) != 0)
		return HF_ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (op_decode(r, &a->ops[i]) != 0)
			return HF_ECORRUPT;
	return reader_left(r) == 0 ? 0 : HF_ECORRUPT;
}

int entry_decode(const void *bytes, size_t len, struct op_array *a,
		 struct entry *entry)
{
	const uint8_t *base = (const uint8_t *)bytes;
	struct reader r = reader_of(bytes, len);

	if (!frame_valid(base, len))
		return HF_ECORRUPT;
	size_t ops_len = load32(base + 8), ops_bytes = load32(base + 12);
	*entry = (struct entry){ 0 };
	get_head(&r, entry);
	if (!head_valid(entry))
		return HF_ECORRUPT;
	if (entry->version > SEMANTICS_VERSION)
		return 0;
	struct reader ops = reader_of(reader_take(&r, ops_bytes), ops_bytes);
	if (!all_zero(&r))
		return HF_ECORRUPT;
	int rc = get_ops(&ops, ops_len, a);
	if (rc != 0)
		return rc;
	entry->ops = a->ops;
	entry->ops_len = ops_len;
	return 0;
}
