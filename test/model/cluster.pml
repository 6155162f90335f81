/* The state machine, and the leader who seals entries for it. */

inline end_hold()
{
	owner = NOBODY;
	cap = 0
}

inline grant(x, at)
{
	assert(left[x] > at); /* never to the dead */
	owner = x;
#ifdef LATE
	/* Nobody hears of it whose process is dead. */
	hold[x] = (known[x] -> GRANTED : NONE);
#else
	hold[x] = (known[x] -> HELD : NONE);
#endif
#ifdef LIMIT
	cap = LIMIT;
	anchor[x] = sure[x];
	for (i : 0 .. MESSAGES - 1) {
		apt[i] = (message[i] == ANSWERED && from[i] == x -> true :
								     apt[i])
	};
#endif
#ifdef FENCE
	counter++;
	assert(counter > newest); /* tokens rise */
	newest = counter;
	token[x] = counter;
#endif
	skip
}

inline end_session(x)
{
	left[x] = 0;
	if
	:: owner == x -> end_hold()
	:: else
	fi
}

/* The hold meets its own end, a revocation's or a limit's. */
inline end_early()
{
#ifndef WRONG_REVOKE_FORGET
	if
	:: known[owner] && hold[owner] != RELEASING -> over[owner] = true
	:: else
	fi;
#endif
	end_hold()
}

#ifdef WRONG_DEAD_GRANT
/* Two sessions are due at once: one holds, the other waits. */
inline grant_between(x, by)
{
	for (c : 0 .. CLIENTS - 1) {
		if
		:: x < c && owner == NOBODY && left[c] > 0 && left[c] <= by &&
		   state[c] == OPEN && hold[c] == NONE ->
			grant(c, by)
		:: else
		fi
	}
}
#else
#define grant_between(x, by)
#endif

/* Cluster time steps on, and all that is due ends. */
inline step(by)
{
	if
	:: cap > by -> cap = cap - by
	:: cap > 0 && cap <= by ->
		if
		:: left[owner] > by ->
#ifdef REACH_EARLY
			assert(hold[owner] != HELD);
#endif
			end_early()
		:: else
		fi
	:: else
	fi;
	for (i : 0 .. CLIENTS - 1) {
		if
		:: left[i] > by -> left[i] = left[i] - by
		:: left[i] > 0 && left[i] <= by ->
			end_session(i);
			grant_between(i, by)
		:: else
		fi
	}
}

/* The answer carries what is to be believed of a revoked hold. */
inline renew(m)
{
	c = from[m];
	if
#ifdef WRONG_REVIVE
	:: true ->
#else
	:: left[c] > 0 ->
#endif
		left[c] = TTL;
		message[m] = ANSWERED;
#ifdef LIMIT
		apt[m] = (owner == c && cap == LIMIT);
#else
		most = (owner == c && cap > 0 -> TTL - cap : 0);
#ifdef WRONG_REVOKE_CAP
		most = 0;
#endif
		worth[m] = (over[c] || worth[m] <= most -> 0 : worth[m] - most);
#endif
#ifdef WRONG_TERM_ENTRY
		worth[m] = worth[m] + behind;
#endif
		skip
	:: else -> forget(m)
	fi
}

/* A renewal that was received holds time back. */
inline hold_back(m)
{
	stamp = (left[from[m]] > 0 && left[from[m]] <= stamp ->
			 left[from[m]] - 1 : stamp)
}

/* An entry with the first message, the second, both or none. */
inline seal(first, second)
{
	stamp = clock;
#ifdef WRONG_BATCH_OPEN
	stamp = (clock > 0 -> clock - 1 : 0);
#endif
	j = (first && left[from[0]] > 0) + (second && left[from[1]] > 0);
#ifndef WRONG_DUE_FIRST
	if
	:: first -> hold_back(0)
	:: else
	fi;
	if
	:: second -> hold_back(1)
	:: else
	fi;
#endif
#if defined(WRONG_BATCH_OPEN) || defined(WRONG_SET_BACK)
	clock = clock - stamp;
#else
	clock = 0;
#endif
	step(stamp);
	/* No session ends before a renewal that the leader had received. */
	assert(j == (first && left[from[0]] > 0) +
			    (second && left[from[1]] > 0));
	if
	:: first -> renew(0)
	:: else
	fi;
	if
	:: second -> renew(1)
	:: else
	fi;
	done()
}
