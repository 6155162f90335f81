/* Whose directory it is: the file `identity`. */
#ifndef HF_HOST_IDENTITY_H
#define HF_HOST_IDENTITY_H

#include "host/file.h"
#include "host/place.h"

#include <stddef.h>

#define IDENTITY_NAME_LEN 64 /* of the cluster's name, for people to read */

struct identity {
	uint64_t cluster; /* digest of its name */
	char name[IDENTITY_NAME_LEN + 1];
	uint64_t node;
	uint64_t incarnation;
	uint64_t boot; /* how many processes have opened it */
	struct place place;
};

/* Keep of a name what fits and can be printed. */
void identity_name(struct identity *identity, const char *name);
/* At most FILE_BYTES_MAX bytes; returns how many. */
size_t identity_encode(const struct identity *identity, char *text);
/* Any damaged byte makes it false. */
bool identity_decode(struct identity *identity, const char *text, size_t len);

#endif
