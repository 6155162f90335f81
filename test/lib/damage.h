/* Damaging encoded bytes in every way that is cheap to list.
 *
 * A `decoder` decodes exactly these bytes, which lie in a block of their own,
 * so that a sanitizer sees each step beyond them; where they decode, it checks
 * that the result encodes to the same bytes. It answers the decoder's result.
 */
#ifndef HF_TEST_DAMAGE_H
#define HF_TEST_DAMAGE_H

#include "lib/random.h"

#include <stddef.h>

typedef int (*decoder)(const uint8_t *bytes, size_t len);

int decode_copy(decoder decode, const uint8_t *bytes, size_t len);
/* Every shorter length is refused, and so is one more byte. */
void check_truncation(decoder decode, const uint8_t *bytes, size_t len);
/* Each byte is changed in each bit and to some other value. With `refused`
 * nothing of it may decode. */
void check_mutation(decoder decode, const uint8_t *bytes, size_t len,
		    int refused);
/* Random bytes, the first ones as given. */
void check_garbage(decoder decode, const uint8_t *prefix, size_t prefix_len,
		   unsigned rounds);

#endif
