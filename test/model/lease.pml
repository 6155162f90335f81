/* Leases in cluster time, and what their holders believe.
 *
 * README says what is modelled, in which abstraction of time, and what each
 * WRONG_ switch plants. The rule of these files: nothing counts up. Times are
 * relative to now and tokens are ranks, so that any number of leaders, restarts,
 * renewals and grants is explored; only what is on its way at once is bounded.
 *
 * Each d_step is one event. An entry with several operations is several events
 * with one stamp: the first takes the clock, the others find it at 0. */

#include "state.pml"
#include "tidy.pml"
#include "cluster.pml"

/* A node's new process, or its new session. */
inline begin(x)
{
	state[x] = OPENING;
#ifdef LATE
	sure[x] = UNSENT;
#else
	sure[x] = LASTS;
#endif
	known[x] = false;
#ifndef WRONG_FORMER_GRANT
	hold[x] = NONE;
#endif
	over[x] = false;
	for (i : 0 .. MESSAGES - 1) {
		if
		:: from[i] == x -> forget(i)
		:: else
		fi
	}
}

inline answer(m, x)
{
	most = worth[m];
#ifdef WRONG_RETRY
	for (i : 0 .. MESSAGES - 1) {
		most = (from[i] == x && worth[i] > most -> worth[i] : most)
	}
#endif
#ifdef WRONG_REPLY
	most = LASTS;
#endif
#ifdef REACH_AGAIN
	assert(sure[x] > 0 || most == 0 || hold[x] != HELD || owner != x);
#endif
#ifdef REACH_LEADERS
	since = (most > sure[x] -> 0 : since);
#endif
	sure[x] = (most > sure[x] -> most : sure[x]);
#ifdef LIMIT
#ifdef WRONG_ANCHOR_LATEST
	apt[m] = true;
#endif
	anchor[x] = (apt[m] && worth[m] > anchor[x] -> worth[m] : anchor[x]);
#endif
	done()
}

/* A node without a session's id can't ask; what a dead one asked may be late. */
#define asks(x) (left[x] > 0 && hold[x] == NONE && !over[x] && \
	(state[x] == OPEN || !known[x]))
/* An operation in an entry whose stamp was taken. */
#define operation (leads && clock == 0)
#define answered(m, x) (message[m] == ANSWERED && from[m] == x)
#define fresh(m, x) (message[m] == SENT && from[m] == x && worth[m] == LASTS)

#ifdef FENCE
/* A write reaches the resource. It refuses those below what it has stored, so
 * that they need not come any more. */
inline write(tok)
{
#ifndef WRONG_FENCE
	assert(tok >= seen);
#endif
	assert(tok >= written); /* the order of tokens */
	seen = tok;
	written = tok;
#ifndef WRONG_FENCE
	for (i : 0 .. 1) {
		if
		:: late[i] > 0 && late[i] < seen ->
#ifdef REACH_REFUSED
			assert(false); /* reached */
#endif
			late[i] = 0
		:: late[i] == seen -> late[i] = 0
		:: else
		fi
	}
#endif
}
#endif

active [CLIENTS] proctype node()
{
	do
#ifdef LATE
	/* An open is sent, and is then on its way until it is applied. */
	:: d_step {
		state[_pid] == OPENING && sure[_pid] == UNSENT ->
		sure[_pid] = LASTS
	}
#endif
	/* It is applied, and ends the session of the former process. */
	:: d_step {
#ifdef LATE
		operation && state[_pid] == OPENING && !known[_pid] &&
		sure[_pid] != UNSENT ->
#else
		operation && state[_pid] == OPENING ->
#endif
#ifdef REACH_RESTART
		assert(owner != _pid);
#endif
		end_session(_pid);
		left[_pid] = TTL;
		known[_pid] = true;
#ifndef LATE
		state[_pid] = OPEN;
#endif
		done()
	}
#ifdef LATE
	:: d_step {
		state[_pid] == OPENING && known[_pid] ->
		state[_pid] = OPEN;
		done()
	}
#endif
	:: d_step {
		state[_pid] == OPEN && message[1] == FREE &&
		sure[_pid] < LASTS && !fresh(0, _pid) ->
		i = (message[0] == FREE -> 0 : 1);
		message[i] = SENT;
		from[i] = _pid;
		worth[i] = LASTS;
		done()
	}
	:: d_step { answered(0, _pid) -> answer(0, _pid) }
	:: d_step { answered(1, _pid) -> answer(1, _pid) }
	/* "The session has ended": the node opens another. */
	:: d_step {
		known[_pid] && left[_pid] == 0 ->
		begin(_pid);
		done()
	}
	/* Its process is killed. */
	:: d_step {
#ifdef LATE
		state[_pid] == OPEN || sure[_pid] != UNSENT ->
#else
		state[_pid] == OPEN || sure[_pid] < LASTS ->
#endif
#ifdef WRONG_OLD_OPEN
		older[_pid] = true;
#endif
		begin(_pid);
#ifdef WRONG_FORMER_GRANT
		hold[_pid] = NONE;
#endif
		done()
	}
	:: d_step {
		operation && owner == NOBODY && asks(_pid) ->
		grant(_pid, 0);
		done()
	}
#ifdef LATE
	:: d_step {
		hold[_pid] == GRANTED ->
		hold[_pid] = HELD;
#ifdef WRONG_ANCHOR_WORD
		anchor[_pid] = LASTS;
#endif
		done()
	}
	/* It lets go, and hears that it has. */
	:: d_step {
		hold[_pid] == GRANTED || hold[_pid] == HELD ->
		hold[_pid] = RELEASING;
		done()
	}
	:: d_step {
		operation && hold[_pid] == RELEASING && owner == _pid ->
		hold[_pid] = NONE;
#ifdef WRONG_RELEASE_NAME
		again[_pid] = true;
#endif
		end_hold();
		done()
	}
	:: d_step {
		hold[_pid] == RELEASING && owner != _pid ->
		hold[_pid] = NONE;
		over[_pid] = false;
		done()
	}
#else
	:: d_step {
		operation && hold[_pid] == HELD && owner == _pid ->
		hold[_pid] = NONE;
		end_hold();
		done()
	}
#endif
#if defined(REVOKE) || defined(LIMIT)
	/* It hears that its hold has met its end, and confirms that. */
	:: d_step {
		over[_pid] ->
		over[_pid] = false;
		hold[_pid] = NONE;
		done()
	}
#endif
#ifdef FENCE
	/* It checks, and writes at once, or after a pause of any length. One
	 * write with a token is like many. */
	:: d_step {
		certain(_pid) && token[_pid] > seen ->
		write(token[_pid]);
		done()
	}
	:: d_step {
		certain(_pid) && token[_pid] > seen &&
		late[WRITES - 1] == 0 && late[0] != token[_pid] ->
		late[1] = token[_pid];
		done()
	}
#endif
#ifdef WRONG_OPEN_RETRY
	:: d_step { state[_pid] == OPENING -> sure[_pid] = LASTS }
#endif
#ifdef WRONG_RESYNC
	:: d_step { state[_pid] == OPEN && left[_pid] > 0 -> sure[_pid] = LASTS }
#endif
#ifdef WRONG_LATE_ANSWER
	/* It closes its session, is no longer sure of it, but hears answers. */
	:: d_step {
		operation && state[_pid] == OPEN && left[_pid] > 0 ->
		sure[_pid] = 0;
		end_session(_pid);
		done()
	}
#endif
#ifdef WRONG_REPLICA_CLOCK
	:: d_step {
		left[_pid] > 0 && left[_pid] <= clock + lag ->
		end_session(_pid);
		done()
	}
#endif
#ifdef WRONG_OLD_OPEN
	:: d_step {
		operation && older[_pid] && left[_pid] > 0 ->
		older[_pid] = false;
		end_session(_pid);
		done()
	}
#endif
#ifdef WRONG_RELEASE_NAME
	:: d_step {
		operation && again[_pid] && owner == _pid ->
		again[_pid] = false;
		end_hold();
		done()
	}
#endif
	od
}

active proctype leader()
{
	do
	:: d_step { leads && clock > 0 -> seal(false, false) }
	:: d_step { leads && message[0] == SENT -> seal(true, false) }
	:: d_step { leads && message[1] == SENT -> seal(false, true) }
	:: d_step {
		leads && message[0] == SENT && message[1] == SENT ->
		seal(true, true)
	}
#ifdef REVOKE
	:: d_step {
		operation && owner != NOBODY && cap == 0 ->
		cap = (left[owner] > GRACE -> left[owner] : GRACE);
#ifdef WRONG_REVOKE_EARLY
		cap = GRACE;
#endif
		done()
	}
#endif
	/* It leads no more: what its clock has counted since the last stamp is
	 * lost. */
	:: d_step {
#ifdef CHANGES
		leads && changes < CHANGES ->
		changes++;
#else
		leads ->
#endif
#ifdef REACH_LEADERS
		since = (since < 3 -> since + 1 : since);
#endif
#ifdef WRONG_REPLICA_CLOCK
		lag = (lag + clock > TTL -> TTL : lag + clock);
#endif
#ifdef WRONG_COUNTER
		counter = (counter > 1 -> counter - 1 : 1);
#endif
		leads = false;
		clock = 0;
		done()
	}
	/* Another has applied the first entry of its term: its clock goes on from
	 * the last stamp. */
	:: d_step {
		!leads ->
		leads = true;
#ifdef WRONG_AHEAD
		clock = 1;
#endif
#ifdef WRONG_TERM_ENTRY
		behind = 0;
#endif
		done()
	}
#ifdef WRONG_TERM_ENTRY
	:: d_step { !leads -> leads = true; behind = 1; done() }
#endif
	od
}

active proctype network()
{
	do
	:: d_step { message[0] != FREE -> forget(0); done() }
	:: d_step { message[1] != FREE -> forget(1); done() }
#ifdef FENCE
	:: d_step { late[0] != 0 -> c = late[0]; late[0] = 0; write(c); done() }
#if WRITES > 1
	:: d_step { late[1] != 0 -> c = late[1]; late[1] = 0; write(c); done() }
#endif
#endif
	od
}

/* A tick of real time, in which the leader's clock moves by so much. */
inline tick(by)
{
	clock = clock + by;
#ifdef WRONG_REPLICA_CLOCK
	lag = (by == 0 && lag < TTL -> lag + 1 : lag);
#endif
#ifdef WRONG_TERM_ENTRY
	if
	:: by > 0 && behind > 0 ->
		behind--;
		clock--
	:: else
	fi;
#endif
	steady = (steady > 0 -> steady - 1 : 0);
	for (i : 0 .. CLIENTS - 1) {
		sure[i] = (sure[i] > 0 && sure[i] != UNSENT -> sure[i] - 1 :
							      sure[i]);
#ifdef LIMIT
		anchor[i] = (anchor[i] > 0 -> anchor[i] - 1 : 0)
#endif
	}
	for (i : 0 .. MESSAGES - 1) {
		worth[i] = (worth[i] > 0 -> worth[i] - 1 : 0)
	}
	done()
}

/* Cluster time stands still while nobody leads, and may do so at any time: the
 * leader is paused, or its clock was set back. It gains a tick on real time at
 * most once in a TTL. */
active proctype time()
{
	do
#ifdef BEYOND
	:: d_step { leads && clock < TTL -> clock++; done() }
#else
	:: d_step { tick(0) }
	:: d_step { leads && clock < TTL -> tick(1) }
#if DRIFT > 0
	:: d_step {
		leads && steady == 0 && clock < TTL - 1 ->
		steady = TTL - DRIFT;
		tick(2)
	}
#endif
#endif
	od
}
