/* A network of one's own for each member: a namespace whose only way out is a
 * TUN device, the other end of which is a descriptor of this program. So every
 * packet passes through wire.c, and nothing on the machine is touched. The
 * namespaces vanish with the descriptors. */
#ifndef CHAOS_NETNS_H
#define CHAOS_NETNS_H

#include <stddef.h>

#define NETNS_MTU 9000
#define NETNS_PORT 7000
#define NETNS_ADDRESS_LEN 32

struct netns {
	int fd;  /* of the namespace, for setns */
	int tun; /* non-blocking; IPv4 packets without a header before them */
};

/* Makes the one of member `number` (from 0) and stays in it, so the caller's
 * own network is this from then on. 0, or -1 with the reason in `error`. */
int netns_make(struct netns *netns, unsigned number, char *error,
	       size_t error_len);

/* "10.77.0.1:7000" */
void netns_address(char *address, unsigned number);

#endif
