/* What can be done to an IPv4 packet on its way. Bytes are those of the
 * members' kernels; anything that isn't understood is left as it is. */
#ifndef CHAOS_PACKET_H
#define CHAOS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The member that it is for, or -1: none of ours. */
int packet_target(const uint8_t *bytes, size_t len);

/* Has it any bytes of a TCP stream? */
bool packet_has_payload(const uint8_t *bytes, size_t len);

/* Flip a bit of what the stream carries, the one that `draw` says. With `mend`
 * the TCP checksum is made right again, so that only the receiver's own check
 * can notice; without it, the receiver's kernel drops the packet. False: it
 * carries nothing. */
bool packet_corrupt(uint8_t *bytes, size_t len, uint64_t draw, bool mend);

/* Make it a RST that its receiver must believe, since it has the sequence
 * number that comes next. Returns the new length; 0: it is no packet of an open
 * connection. */
size_t packet_reset(uint8_t *bytes, size_t len);

#endif
