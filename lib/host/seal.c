#include "host/seal.h"

#include "codec/crc.h"

#include <stdio.h>
#include <string.h>

size_t seal(char *text)
{
	size_t len = strlen(text);

	snprintf(text + len, SEAL_BYTES + 1, "crc32c %08x\n",
		 crc32c(0, text, len));
	return len + SEAL_BYTES;
}

bool seal_valid(const char *text, size_t len)
{
	char line[SEAL_BYTES + 1];

	if (len < SEAL_BYTES)
		return false;
	size_t body = len - SEAL_BYTES;
	snprintf(line, sizeof(line), "crc32c %08x\n", crc32c(0, text, body));
	return memcmp(line, text + body, SEAL_BYTES) == 0;
}
