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

static_assert(ENTRY_HEAD + 7 <= ENTRY_FIXED_MAX, "a head and its padding");

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
	mem_free(a->mem, a->parts);
	*a = (struct op_array){ .mem = a->mem };
}

/* Make room in an array for `len` of `size` bytes. */
static int reserve(const struct mem *mem, void **base, size_t *cap, size_t len,
		   size_t size)
{
	size_t more = *cap ? *cap : ARRAY_CAP_MIN;

	if (len <= *cap)
		return 0;
	while (more < len)
		more *= 2;
	void *moved = mem_resize(mem, *base, more * size);
	if (!moved)
		return HF_ENOMEM;
	*base = moved;
	*cap = more;
	return 0;
}

static int reserve_ops(struct op_array *a, size_t len)
{
	void *base = a->ops;
	int rc = reserve(a->mem, &base, &a->cap, len, sizeof(*a->ops));

	a->ops = base;
	return rc;
}

static int reserve_parts(struct op_array *a, size_t len)
{
	void *base = a->parts;
	int rc = reserve(a->mem, &base, &a->parts_cap, len, sizeof(*a->parts));

	a->parts = base;
	return rc;
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

static size_t parts_of(const struct op *op)
{
	return op->kind == OP_ACQUIRE ? op->acquire.more_len : 0;
}

/* The parts may have moved since their operation was decoded. */
static void find_parts(struct op_array *a, size_t count)
{
	const struct op_part *next = a->parts;

	for (size_t i = 0; i < count; i++) {
		size_t n = parts_of(&a->ops[i]);

		if (n > 0)
			a->ops[i].acquire.more = next;
		next += n;
	}
}

/* Parts are bounded by the number of operations, and aren't believed before
 * they are there. */
static int get_ops(struct reader *r, size_t count, struct op_array *a)
{
	size_t parts = 0;

	if (count > ENTRY_OPS_MAX || count > reader_left(r) / OP_BYTES_MIN)
		return HF_ECORRUPT;
	if (reserve_ops(a, count) != 0)
		return HF_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (reserve_parts(a, parts + PARTS_MAX - 1) != 0)
			return HF_ENOMEM;
		if (op_decode(r, a->parts + parts, &a->ops[i]) != 0)
			return HF_ECORRUPT;
		parts += parts_of(&a->ops[i]);
	}
	find_parts(a, count);
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
	if (entry->version != SEMANTICS_VERSION)
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
