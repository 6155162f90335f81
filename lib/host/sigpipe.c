#include "host/sigpipe.h"

#include <stddef.h>
#include <time.h>

static bool is_pending(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

/* One that is pending already is blocked by somebody who looks for it. */
void sigpipe_hold(struct sigpipe *s)
{
	struct sigaction now;
	sigset_t set;

	s->held = false;
	if (sigaction(SIGPIPE, NULL, &now) < 0 || now.sa_handler == SIG_IGN ||
	    is_pending())
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	s->held = pthread_sigmask(SIG_BLOCK, &set, &s->before) == 0;
}

void sigpipe_release(struct sigpipe *s)
{
	const struct timespec at_once = { 0 };
	sigset_t set;

	if (!s->held)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	if (is_pending())
		sigtimedwait(&set, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}
