#include "host/identity.h"

#include "host/seal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FORMAT "holdfast identity 1\n"

void identity_name(struct identity *identity, const char *name)
{
	size_t len = 0;

	for (; len < IDENTITY_NAME_LEN && name[len]; len++) {
		char c = name[len];
		identity->name[len] = c > ' ' && c < 0x7f ? c : '?';
	}
	identity->name[len] = 0;
}

size_t identity_encode(const struct identity *identity, char *text)
{
	snprintf(text, FILE_BYTES_MAX - SEAL_BYTES,
		 FORMAT "cluster %016" PRIx64 " %s\n"
			"node %" PRIu64 "\n"
			"incarnation %" PRIu64 "\n"
			"boot %" PRIu64 "\n"
			"machine %s\n"
			"kernel %s\n"
			"volume %016" PRIx64 "\n"
			"inode %" PRIu64 "\n",
		 identity->cluster, identity->name, identity->node,
		 identity->incarnation, identity->boot, identity->place.machine,
		 identity->place.kernel, identity->place.volume,
		 identity->place.inode);
	return seal(text);
}

bool identity_decode(struct identity *identity, const char *text, size_t len)
{
	char copy[FILE_BYTES_MAX + 1], again[FILE_BYTES_MAX + 1];

	if (len > FILE_BYTES_MAX || !seal_valid(text, len))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	memset(identity, 0, sizeof(*identity));
	/* The widths are IDENTITY_NAME_LEN, PLACE_MACHINE_LEN and
	 * PLACE_KERNEL_LEN. */
	int fields = sscanf(copy,
			    FORMAT "cluster %" SCNx64 " %64s\n"
				   "node %" SCNu64 "\n"
				   "incarnation %" SCNu64 "\n"
				   "boot %" SCNu64 "\n"
				   "machine %32s\n"
				   "kernel %36s\n"
				   "volume %" SCNx64 "\n"
				   "inode %" SCNu64 "\n",
			    &identity->cluster, identity->name, &identity->node,
			    &identity->incarnation, &identity->boot,
			    identity->place.machine, identity->place.kernel,
			    &identity->place.volume, &identity->place.inode);
	return fields == 9 && identity_encode(identity, again) == len &&
	       memcmp(again, text, len) == 0;
}
