/* What must be true after each event, and one form for all states that differ
 * in nothing that can matter. README says why each step of it is sound. */

inline check()
{
#if !defined(BEYOND) || defined(WRONG_TRUST_CLOCKS)
	most = 0;
	for (i : 0 .. CLIENTS - 1) {
		most = most + certain(i)
	}
	assert(most <= 1); /* no two are certain */
#ifdef REACH_LEADERS
	assert(most == 0 || since < 3);
#endif
#endif
#if !defined(BEYOND) && !defined(PAIRS)
	for (i : 0 .. CLIENTS - 1) {
		/* Nobody is certain of what the cluster has ended. */
		assert(!certain(i) || owner == i);
#ifdef REACH_STALE
		assert(owner == NOBODY || hold[i] != HELD || !certain(owner) ||
		       owner == i);
#endif
#ifdef FENCE
		/* Nothing fences who is certain. */
		assert(!certain(i) || token[i] >= seen);
#endif
	}
#endif
	assert(owner == NOBODY || left[owner] > 0)
}

inline forget(m)
{
	message[m] = FREE;
	from[m] = 0;
	worth[m] = 0
#ifdef LIMIT
	;
	apt[m] = false
#endif
}

/* Who has neither a session nor a hold that it knows of, opens a session. The
 * cluster has forgotten what is on its way for a session that is over. */
inline tidy_sessions()
{
#ifndef WRONG_REVIVE
	for (i : 0 .. CLIENTS - 1) {
		if
		:: known[i] && left[i] == 0 && hold[i] == NONE ->
			known[i] = false;
			state[i] = OPENING;
			over[i] = false;
			sure[i] = UNSENT
		:: else
		fi
	}
	for (i : 0 .. MESSAGES - 1) {
		if
		:: left[from[i]] == 0 && (message[i] == SENT ||
					  hold[from[i]] == NONE) ->
			forget(i)
		:: else
		fi
	}
#else
	skip
#endif
}

#define swap(a, b) i = a; a = b; b = i

#ifdef NAMED
#define tidy_nodes()
#else
#define other(z, x, y) z = (z == x -> y : (z == y -> x : z))
#define key(x) (((left[x] * 8 + sure[x]) * 4 + hold[x]) * 8 + \
		state[x] * 4 + known[x] * 2 + over[x])

/* Nodes are alike: exchanging two of them changes nothing but their names. */
inline sort_nodes(x, y)
{
	if
	:: key(x) < key(y) ->
		swap(left[x], left[y]);
		swap(known[x], known[y]);
		swap(over[x], over[y]);
		swap(state[x], state[y]);
		swap(sure[x], sure[y]);
		swap(hold[x], hold[y]);
#ifdef LIMIT
		swap(anchor[x], anchor[y]);
#endif
#ifdef FENCE
		swap(token[x], token[y]);
#endif
		other(owner, x, y);
		other(from[0], x, y);
		other(from[1], x, y)
	:: else
	fi
}

inline tidy_nodes()
{
	sort_nodes(0, 1);
#if CLIENTS > 2
	sort_nodes(1, 2);
	sort_nodes(0, 1);
#endif
	/* Of a free message it is nothing. */
	from[0] = (message[0] == FREE -> 0 : from[0]);
	from[1] = (message[1] == FREE -> 0 : from[1])
}
#endif

#ifdef LIMIT
#define useless(m) (worth[m] <= sure[from[m]] && \
	(!apt[m] || worth[m] <= anchor[from[m]]))
#else
#define useless(m) (worth[m] <= sure[from[m]])
#endif

/* Two messages have no order. One that can't make its node surer is as good as
 * lost. */
inline tidy_messages()
{
#ifdef LIMIT
	for (i : 0 .. CLIENTS - 1) {
		anchor[i] = (hold[i] == NONE -> 0 : anchor[i])
	}
	for (i : 0 .. MESSAGES - 1) {
		apt[i] = (hold[from[i]] == NONE -> false : apt[i])
	}
#endif
	for (i : 0 .. MESSAGES - 1) {
		if
		:: useless(i) -> forget(i)
		:: else
		fi
	}
	if
	:: message[0] < message[1] ||
	   (message[0] == message[1] &&
	    (from[0] < from[1] ||
	     (from[0] == from[1] && worth[0] < worth[1]))) ->
		swap(message[0], message[1]);
		swap(from[0], from[1]);
#ifdef LIMIT
		swap(apt[0], apt[1]);
#endif
		swap(worth[0], worth[1])
	:: else
	fi
}

/* A clock beyond the last deadline is like one at it. */
inline tidy_clock()
{
	most = cap;
	for (i : 0 .. CLIENTS - 1) {
		most = (left[i] > most -> left[i] : most)
	}
	clock = (clock > most -> most : clock);
	/* Drift is of no interest while nobody is sure, or may become so. */
	most = worth[0] + worth[1];
	for (i : 0 .. CLIENTS - 1) {
		most = most + (sure[i] == UNSENT -> 0 : sure[i])
	}
	steady = (most == 0 -> 0 : steady)
}

#ifdef FENCE
#define lower(x) x = (x > c -> x - 1 : x)

/* Tokens that nobody knows any more leave no gap. */
inline tidy_tokens()
{
	for (i : 0 .. CLIENTS - 1) {
#ifdef BEYOND
		token[i] = (hold[i] == NONE -> 0 : token[i])
#else
		/* Who doesn't hold isn't certain, and so writes nothing. */
		token[i] = (owner != i -> 0 : token[i])
#endif
	}
	if
	:: late[0] < late[1] ->
		swap(late[0], late[1])
	:: else
	fi;
#ifndef BEYOND
	/* The next one is larger than all, whatever the last one was. */
	counter = (owner != NOBODY -> counter :
				      (late[0] > seen -> late[0] : seen));
	newest = counter;
#endif
	for (j : 1 .. CLIENTS + 6) {
		c = CLIENTS + 7 - j; /* downwards */
		most = (counter == c || newest == c || seen == c ||
			written == c || late[0] == c || late[1] == c -> 1 : 0);
		for (i : 0 .. CLIENTS - 1) {
			most = (token[i] == c -> 1 : most)
		}
		if
		:: most == 0 ->
			lower(counter);
			lower(newest);
			lower(seen);
			lower(written);
			lower(late[0]);
			lower(late[1]);
			for (i : 0 .. CLIENTS - 1) {
				lower(token[i])
			}
		:: else
		fi
	}
}
#else
#define tidy_tokens()
#endif

inline done()
{
	check();
	tidy_sessions();
	tidy_nodes();
	tidy_messages();
	tidy_clock();
	tidy_tokens();
	i = 0; j = 0; c = 0; stamp = 0; most = 0
}
