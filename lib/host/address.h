/* "host:port" and "[v6]:port". */
#ifndef HF_HOST_ADDRESS_H
#define HF_HOST_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_HOST_MAX 255
#define ADDRESS_PORT_MAX 5

struct address {
	char host[ADDRESS_HOST_MAX + 1]; /* without brackets */
	char port[ADDRESS_PORT_MAX + 1];
	bool numeric; /* `at` is set: the host needs no look-up */
	struct sockaddr_storage at;
};

/* False: not an address. */
bool address_parse(struct address *address, const char *text);
bool address_is_loopback(const struct sockaddr *at);

#endif
