/* What members' repls say to each other: the first byte of a message. */
#ifndef HF_REPL_MESSAGE_H
#define HF_REPL_MESSAGE_H

enum repl_message {
	MESSAGE_RAFT = 1, /* codec/raftmsg.h */
	MESSAGE_POLL = 2, /* nonce, term */
	MESSAGE_TERM = 3  /* the answer: nonce, the member's term */
};

#endif
