#include "netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE "chaos"
#define QUEUE_LEN 4096 /* packets */

static int fail(char *error, size_t error_len, const char *what)
{
	snprintf(error, error_len, "%s: %s", what, strerror(errno));
	return -1;
}

void netns_address(char *address, unsigned number)
{
	snprintf(address, NETNS_ADDRESS_LEN, "10.77.0.%u:%d", number + 1,
		 NETNS_PORT);
}

static struct ifreq request(const char *device)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", device);
	return r;
}

static int set_address(int fd, unsigned long what, uint32_t address)
{
	struct ifreq r = request(DEVICE);
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(address) };

	memcpy(&r.ifr_addr, &in, sizeof(in));
	return ioctl(fd, what, &r);
}

static int raise_device(int fd, const char *device)
{
	struct ifreq r = request(device);

	r.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &r);
}

static int configure(int fd, unsigned number)
{
	struct ifreq mtu = request(DEVICE), queue = request(DEVICE);

	mtu.ifr_mtu = NETNS_MTU;
	queue.ifr_qlen = QUEUE_LEN;
	if (set_address(fd, SIOCSIFADDR, 0x0a4d0000 + number + 1) < 0 ||
	    set_address(fd, SIOCSIFNETMASK, 0xffffff00) < 0 ||
	    ioctl(fd, SIOCSIFMTU, &mtu) < 0 || raise_device(fd, "lo") < 0 ||
	    raise_device(fd, DEVICE) < 0)
		return -1;
	/* Not allowed in a user namespace; the default of 500 will do. */
	ioctl(fd, SIOCSIFTXQLEN, &queue);
	return 0;
}

static int open_tun(void)
{
	struct ifreq r = request(DEVICE);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	r.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &r) < 0) {
		int number = errno;
		close(fd);
		errno = number;
		return -1;
	}
	return fd;
}

int netns_make(struct netns *netns, unsigned number, char *error,
	       size_t error_len)
{
	if (unshare(CLONE_NEWNET) < 0)
		return fail(error, error_len,
			    "no network namespace can be made");
	netns->fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (netns->fd < 0)
		return fail(error, error_len, "/proc/thread-self/ns/net");
	netns->tun = open_tun();
	if (netns->tun < 0)
		return fail(error, error_len,
			    "no TUN device can be made with /dev/net/tun");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 ? -1 : configure(fd, number);
	if (rc < 0)
		fail(error, error_len, "the TUN device can't be set up");
	if (fd >= 0)
		close(fd);
	return rc;
}
