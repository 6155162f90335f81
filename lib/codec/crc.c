/* CRC-32C; see crc.h.
 *
 * The processor's own instruction where it has one, else eight bytes at a time
 * through tables ("slicing by 8"; Kounavis and Berry, 2005). A table's entry is
 * linear in the bits of its number, so that each table is spelled by eight
 * constants and made by the compiler. */
#include "codec/crc.h"

#include "codec/field.h"

/* The entry for byte `n` from those for the bytes 1, 2, 4 ... 128. */
#define ENTRY(n, a, b, c, d, e, f, g, h)                         \
	(((n)&1 ? a : 0) ^ ((n)&2 ? b : 0) ^ ((n)&4 ? c : 0) ^   \
	 ((n)&8 ? d : 0) ^ ((n)&16 ? e : 0) ^ ((n)&32 ? f : 0) ^ \
	 ((n)&64 ? g : 0) ^ ((n)&128 ? h : 0))
#define FOUR(n, ...)                                        \
	ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), \
		ENTRY((n) + 2, __VA_ARGS__), ENTRY((n) + 3, __VA_ARGS__)
#define SIXTEEN(n, ...)                                   \
	FOUR(n, __VA_ARGS__), FOUR((n) + 4, __VA_ARGS__), \
		FOUR((n) + 8, __VA_ARGS__), FOUR((n) + 12, __VA_ARGS__)
#define SIXTY_FOUR(n, ...)                                       \
	SIXTEEN(n, __VA_ARGS__), SIXTEEN((n) + 16, __VA_ARGS__), \
		SIXTEEN((n) + 32, __VA_ARGS__), SIXTEEN((n) + 48, __VA_ARGS__)
#define TABLE(...)                                                       \
	{                                                                \
		SIXTY_FOUR(0, __VA_ARGS__), SIXTY_FOUR(64, __VA_ARGS__), \
			SIXTY_FOUR(128, __VA_ARGS__),                    \
			SIXTY_FOUR(192, __VA_ARGS__)                     \
	}

/* tables[k][n]: the CRC of byte n with k zero bytes behind it. */
static const uint32_t tables[8][256] = {
	TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f,
	      0x20bd8ede, 0x417b1dbc, 0x82f63b78),
	TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181,
	      0x7f8be302, 0xff17c604, 0xfbc3faf9),
	TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a,
	      0xe144fb14, 0xc76580d9, 0x8b277743),
	TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d,
	      0xd725148b, 0xaba65fe7, 0x52a0c93f),
	TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3,
	      0x1ba8b557, 0x37516aae, 0x6ea2d55c),
	TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e,
	      0x85f4168d, 0x0e045beb, 0x1c08b7d6),
	TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6,
	      0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
	TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4,
	      0x0d006599, 0x1a00cb32, 0x34019664),
};

static uint32_t crc_tables(uint32_t crc, const uint8_t *at, size_t len)
{
	for (; len >= 8; at += 8, len -= 8) {
		uint64_t v = load64(at) ^ crc;

		crc = tables[7][v & 255] ^ tables[6][v >> 8 & 255] ^
		      tables[5][v >> 16 & 255] ^ tables[4][v >> 24 & 255] ^
		      tables[3][v >> 32 & 255] ^ tables[2][v >> 40 & 255] ^
		      tables[1][v >> 48 & 255] ^ tables[0][v >> 56];
	}
	for (; len > 0; at++, len--)
		crc = tables[0][(crc ^ *at) & 255] ^ crc >> 8;
	return crc;
}

uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len)
{
	return ~crc_tables(~crc, (const uint8_t *)bytes, len);
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
crc_sse42(uint32_t crc, const uint8_t *at, size_t len)
{
	uint64_t wide = crc;

	for (; len >= 8; at += 8, len -= 8)
		wide = __builtin_ia32_crc32di(wide, load64(at));
	crc = (uint32_t)wide;
	for (; len > 0; at++, len--)
		crc = __builtin_ia32_crc32qi(crc, *at);
	return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc_sse42(~crc, (const uint8_t *)bytes, len);
#endif
	return crc32c_portable(crc, bytes, len);
}
