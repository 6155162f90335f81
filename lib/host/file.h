/* Small files that are replaced as a whole, and are either the old one or the
 * new one after a crash at any moment. */
#ifndef HF_HOST_FILE_H
#define HF_HOST_FILE_H

#include <stddef.h>

#define FILE_BYTES_MAX 1024 /* of such a file */

/* Durable when it returns: a temporary file, fsync, rename, fsync of the
 * directory. 0 or a negative errno. */
int file_replace(int dirfd, const char *name, const void *bytes, size_t len);

/* How many bytes it has, or a negative errno; -EFBIG: more than `cap`. */
int file_read(int dirfd, const char *name, void *bytes, size_t cap);

#endif
