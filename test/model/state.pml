/* What there is: the replicated state, the leader, the nodes, what is on its
 * way. All times are relative to now, all tokens are ranks. */

#ifndef CLIENTS
#define CLIENTS 3
#endif
#ifndef TTL
#define TTL 4 /* of a session, in ticks */
#endif
#ifndef DRIFT
#define DRIFT 1 /* of each of two clocks within a TTL, in ticks */
#endif
#define MARGIN 1   /* clocks are read in whole ticks */
#define GRACE 1    /* of a revocation, in ticks */
#define MESSAGES 2 /* renewals and their answers, on their way at once */
#ifndef WRITES
#define WRITES 2 /* that were checked and are late, at once */
#endif

#ifdef WRONG_ONE_DRIFT
#define LIFE (TTL - DRIFT - MARGIN)
#elif defined(WRONG_MARGIN)
#define LIFE (TTL - 2 * DRIFT)
#else
#define LIFE (TTL - 2 * DRIFT - MARGIN)
#endif
/* In real time, from the sending: a holder's clock may be a drift late and its
 * readings a tick. One that is faster is sure for a shorter time, of which
 * nothing bad can come, so all are as slow as they may be. */
#define LASTS (LIFE + DRIFT + 1)
#define NOBODY CLIENTS

/* The state machine, as of the last entry. */
byte left[CLIENTS];   /* the session's deadline - now; 0: there is no session */
bool known[CLIENTS];  /* the node's newest open was applied */
byte owner = NOBODY;  /* of the lock */
byte cap;             /* the hold's own end - now; 0: it has none */
bool over[CLIENTS];   /* a hold met its own end; its node hasn't confirmed it */

/* The leader. */
bool leads = true; /* somebody does, and has applied the entry of its term */
byte clock;        /* cluster time - the last stamp */
byte steady;       /* ticks until it may gain one more on real time */
#ifdef CHANGES
byte changes; /* of leaders, so far */
#endif

/* The nodes. */
#define OPENING 0
#define OPEN 1
byte state[CLIENTS] = OPENING;
/* Ticks for which the lease is sure; while OPENING, will be, counted from the
 * first sending. */
#ifdef LATE
#define UNSENT (LASTS + 1)
byte sure[CLIENTS] = UNSENT;
#else
#define UNSENT 0 /* or sent too long ago to make anybody sure */
byte sure[CLIENTS] = LASTS;
#endif
#define NONE 0
#define GRANTED 1 /* the word of it is on its way */
#define HELD 2
#define RELEASING 3
byte hold[CLIENTS];

#define FREE 0
#define SENT 1
#define ANSWERED 2
byte message[MESSAGES];
byte from[MESSAGES];
byte worth[MESSAGES]; /* ticks for which its answer makes the lease sure */

#ifdef LIMIT
/* A hold with an end of its own, LIMIT ticks after its grant. The grant came
 * after waiting, so it is anchored at an acknowledged operation. */
byte anchor[CLIENTS];  /* what `sure` would be by the hold's anchor alone */
bool apt[MESSAGES];    /* the answer's stamp isn't later than the grant's */
#define lasting(x) (anchor[x] > TTL - LIMIT)
#else
#define lasting(x) true
#endif

#ifdef FENCE
byte counter = 1;    /* replicated: the last token given */
byte newest = 1;     /* the largest ever given */
byte token[CLIENTS]; /* of the hold */
byte late[2];        /* the token of a write that was checked and is late */
byte seen = 1;       /* what the resource has stored */
byte written = 1;    /* of the last write that it has accepted */
#endif

#ifdef WRONG_REPLICA_CLOCK
byte lag; /* what cluster time is behind real time */
#endif
#ifdef WRONG_TERM_ENTRY
byte behind; /* what the leader's clock is behind the last stamp */
#endif
#ifdef WRONG_OLD_OPEN
bool older[CLIENTS]; /* an open of a former process is on its way */
#endif
#ifdef WRONG_RELEASE_NAME
bool again[CLIENTS]; /* a release that was applied is on its way again */
#endif
#ifdef REACH_LEADERS
byte since; /* leader changes since a lease became longer */
#endif

byte i, j, c, stamp, most; /* 0 between events */

#define certain(x) (state[x] == OPEN && hold[x] == HELD && sure[x] > 0 && \
		    lasting(x))
