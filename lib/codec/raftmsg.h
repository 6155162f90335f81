/* Raft messages as bytes, every field validated before libraft sees it: it
 * trusts its callers, and its asserts are compiled out. */
#ifndef HF_CODEC_RAFTMSG_H
#define HF_CODEC_RAFTMSG_H

#include "base/buf.h"

#include <raft.h>

#define RAFTMSG_ENTRIES_MAX 65536
#define RAFTMSG_SERVERS_MAX 64  /* in a configuration */
#define RAFTMSG_ADDRESS_MAX 512 /* bytes in a server's address */

/* Appends. The message must be one that libraft sends. */
void raftmsg_encode(struct buf *b, const struct raft_message *m);

/* 0: `m` is filled but for server_id and server_address; entries, data and
 * configuration are raft_malloc'ed, `batch` set as libraft wants it from recv,
 * and pass to whoever handles it. HF_ECORRUPT, HF_ENOMEM: nothing to free. */
int raftmsg_decode(const uint8_t *bytes, size_t len, struct raft_message *m);
/* Free what raftmsg_decode allocated, if recv isn't called. */
void raftmsg_discard(struct raft_message *m);

/* Would raft_configuration_decode read these bytes, and nothing beyond them? */
bool raftmsg_configuration_valid(const uint8_t *bytes, size_t len);

#endif
