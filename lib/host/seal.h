/* Short texts with a checksum as their last line.
 *
 * There is one way only to write each: a reader parses, writes what it
 * understood anew, and compares, so that no damaged byte goes unseen. */
#ifndef HF_HOST_SEAL_H
#define HF_HOST_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#define SEAL_BYTES 16 /* "crc32c 01234567\n" */

/* Add the line; `text` has room for SEAL_BYTES + 1 more. Returns the length. */
size_t seal(char *text);
/* Does the text of `len` bytes end with the right line? */
bool seal_valid(const char *text, size_t len);

#endif
