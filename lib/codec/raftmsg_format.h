/* The bytes of Raft messages, for encoder and decoder. */
#ifndef HF_CODEC_RAFTMSG_FORMAT_H
#define HF_CODEC_RAFTMSG_FORMAT_H

#include "codec/raftmsg.h"

#define RAFTMSG_HEAD 8   /* type, version, zeros */
#define RAFTMSG_ENTRY 16 /* term, type, zeros, length */

/* An index or term, with room for sums. */
#define RAFTMSG_NUMBER_MAX (UINT64_C(1) << 62)

enum { VOTE_DISRUPT = 1, VOTE_PRE = 2 };
enum { RESULT_GRANTED = 1, RESULT_PRE = 2 };

/* The version whose fields these bytes carry, whatever libraft's is. */
static inline unsigned char raftmsg_version(enum raft_message_type type)
{
	switch (type) {
	case RAFT_REQUEST_VOTE:
	case RAFT_REQUEST_VOTE_RESULT:
	case RAFT_APPEND_ENTRIES_RESULT:
		return 2;
	case RAFT_APPEND_ENTRIES:
	case RAFT_INSTALL_SNAPSHOT:
	case RAFT_TIMEOUT_NOW:
		break;
	}
	return 0;
}

#endif
