#include "sleeper_side.h"

#include "place.h"

#include <stdio.h>

#define CHURN_WAIT_MS 2000
#define CHURN_NAP_US 2000
#define VALIDATE_WAIT_MS 2000

static int take(struct side *side, uint32_t timeout_ms)
{
	char name[24];

	sleeper_name(name, sizeof(name), side->number);
	return hf_lock(side->sleeper->node, &side->lock, name, NULL,
		       timeout_ms);
}

/* The wait began before the stop, and the lock is another's by now. Should the
 * grant still come, sent before the session ended, it must be worth nothing. */
static void wait_in_line(struct side *side)
{
	int rc = take(side, SLEEPER_WAIT_MS);

	if (rc != 0)
		return;
	uint64_t token = hf_lock_token(&side->lock);
	side->token = token;
	side->wrong += hf_lock_safe_ms(&side->lock) > 0;
	side->wrong +=
		sleeper_write(side->sleeper, side->number, token) != HF_EFENCED;
	side->wrong += sleeper_losses(side->sleeper, token) != 1;
	side->wrong += hf_unlock(&side->lock, CHURN_WAIT_MS) == 0;
}

/* Whether an answer came late isn't known; one to a question asked since it
 * woke may not be that the hold exists. */
static void validate(struct side *side)
{
	while (!side->over) {
		bool awake = side->awake;
		int rc = hf_lock_validate(side->first, VALIDATE_WAIT_MS);

		side->wrong += awake && rc == 0;
		nap_us(200);
	}
}

static void churn(struct side *side)
{
	struct sleeper *s = side->sleeper;

	while (!side->over) {
		if (take(side, CHURN_WAIT_MS) == 0) {
			struct belief *b =
				belief_add(s->beliefs, side->number,
					   (uint32_t)s->id, &side->lock);
			belief_look(b, &side->lock);
			nap_us(200);
			belief_look(b, &side->lock);
			belief_release(b);
			hf_unlock(&side->lock, CHURN_WAIT_MS);
		}
		nap_us(CHURN_NAP_US);
	}
}

static void *run(void *arg)
{
	struct side *side = arg;

	switch (side->state) {
	case SLEEPER_WAITING:
	case SLEEPER_GRANTED:
		wait_in_line(side);
		break;
	case SLEEPER_VALIDATING:
		validate(side);
		break;
	case SLEEPER_CHURNING:
		churn(side);
		break;
	default:
		break;
	}
	return NULL;
}

bool side_begin(struct side *side)
{
	side->running = pthread_create(&side->thread, NULL, run, side) == 0;
	return side->running;
}

void side_end(struct side *side)
{
	side->over = true;
	if (!side->running)
		return;
	/* Where the session outlived the stop, the wait is still there. */
	if (side->state == SLEEPER_WAITING || side->state == SLEEPER_GRANTED)
		hf_lock_cancel(&side->lock);
	pthread_join(side->thread, NULL);
}
