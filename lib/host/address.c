#include "host/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool split(struct address *a, const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *host = text;

	if (!colon)
		return false;
	size_t host_len = (size_t)(colon - text), port_len = strlen(colon + 1);
	if (*text == '[') {
		if (host_len < 2 || colon[-1] != ']')
			return false;
		host++;
		host_len -= 2;
	} else if (memchr(text, ':', host_len)) {
		return false;
	}
	if (host_len == 0 || host_len > ADDRESS_HOST_MAX || port_len == 0 ||
	    port_len > ADDRESS_PORT_MAX ||
	    strspn(colon + 1, "0123456789") != port_len)
		return false;
	memcpy(a->host, host, host_len);
	a->host[host_len] = 0;
	memcpy(a->port, colon + 1, port_len + 1);
	return true;
}

bool address_parse(struct address *a, const char *text)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a->at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a->at;

	memset(a, 0, sizeof(*a));
	if (!split(a, text))
		return false;
	long port = strtol(a->port, NULL, 10);
	if (port > UINT16_MAX)
		return false;
	if (inet_pton(AF_INET, a->host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		a->numeric = true;
	} else if (inet_pton(AF_INET6, a->host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		a->numeric = true;
	}
	return a->numeric || *text != '[';
}

bool address_is_loopback(const struct sockaddr *at)
{
	const struct sockaddr_in6 *v6 = (const void *)at;
	const struct sockaddr_in *v4 = (const void *)at;

	if (at->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	if (at->sa_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return v6->sin6_addr.s6_addr[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}
