#include "users.h"

#include "names.h"

#include <inttypes.h>
#include <string.h>

#define MS UINT64_C(1000)
#define RELEASE_TIMEOUT_MS 5000
#define VALIDATE_TIMEOUT_MS 1000
/* At most, between two acquisitions, so that processors are left to others. */
#define REST_MS 40

static void quick_next(struct user *u);

static struct hold *hold_of(const struct user *u)
{
	uint32_t number = u->hold;

	return &u->all->memory->holds[number];
}

static bool is_slow(const struct user *u)
{
	return u->number < USERS_SLOW;
}

static void rest(struct user *u, uint64_t us)
{
	u->due = now_us() + us;
	u->state = USER_IDLE;
}

/* Look how long the hold is certain, and write it down. Nothing is certain any
 * more once its loss was told. */
static uint32_t look(struct user *u)
{
	struct hold *hold = hold_of(u);
	bool lost = hold->lost != 0;
	uint64_t now = now_us();
	uint32_t safe_ms = hf_lock_safe_ms(&u->lock);

	if (safe_ms > 0 && lost)
		violation(u->all->shared,
			  "member %u: token %" PRIu64 " is certain for %u ms, "
			  "but its loss was told",
			  u->all->member + 1, hold->token, safe_ms);
	if (safe_ms > 0)
		raise_to(&hold->certain_until, now + safe_ms * MS);
	return safe_ms;
}

/* Give the token to the resource. If that is too far behind, the write is never
 * made. */
static void write_resource(struct user *u)
{
	struct member_memory *m = u->all->memory;
	struct hold *hold = hold_of(u);

	if (hold->mode == HF_PERMITS)
		return;
	pthread_mutex_lock(&u->all->mutex);
	uint32_t head = m->writes_head;
	if (head - m->writes_tail < WRITES_MAX) {
		m->writes[head % WRITES_MAX] =
			(struct write){ u->hold, hold->token, now_us() };
		m->writes_head = head + 1;
	}
	pthread_mutex_unlock(&u->all->mutex);
}

static void answered_once(struct user *u, _Atomic(uint32_t) *answers,
			  const char *what)
{
	if ((*answers)++ > 0)
		violation(u->all->shared,
			  "member %u: the callback of %s ran twice",
			  u->all->member + 1, what);
}

/* The cluster said that a hold was gone while it was certain. */
static void check_refusal(struct user *u, uint64_t now, int rc,
			  const char *what)
{
	struct hold *hold = hold_of(u);

	if (hf_outcome(rc) == HF_OUTCOME_REFUSED && hold->certain_until > now)
		violation(u->all->shared,
			  "member %u: %s, token %" PRIu64 ", certain for "
			  "%" PRIu64 " us more, was answered: %s",
			  u->all->member + 1, what, hold->token,
			  hold->certain_until - now, hf_strerror(rc));
}

static void on_released(struct hf_lock *lock, int rc)
{
	struct user *u = lock->data;
	struct hold *hold = hold_of(u);
	uint64_t now = now_us();

	answered_once(u, &hold->release_answers, "a release");
	hold->release_rc = rc;
	hold->release_answered = now;
	check_refusal(u, now, rc, "a release");
	if (rc == 0)
		u->all->memory->releases++;
	if (is_slow(u) || rc != 0 || random_below(&u->random, 4))
		rest(u, random_below(&u->random, REST_MS) * MS);
	else
		quick_next(u);
}

static void release(struct user *u)
{
	struct hold *hold = hold_of(u);

	look(u);
	u->state = USER_RELEASING;
	hold->release_rc = PENDING;
	hold->release_called = now_us();
	int rc = hf_unlock_start(&u->lock, RELEASE_TIMEOUT_MS, on_released);
	if (rc != 0) {
		check_refusal(u, now_us(), rc, "a release");
		hold->release_rc = rc;
		rest(u, 50 * MS);
	}
}

/* Mostly a moment, now and then longer than a session may last. */
static uint64_t think_us(struct user *u)
{
	uint64_t kind = random_below(&u->random, 100);

	if (kind < 70)
		return random_below(&u->random, 20) * MS;
	if (kind < 95)
		return random_below(&u->random, TTL_MS / 4) * MS;
	return random_below(&u->random, 3 * TTL_MS) * MS;
}

static void on_granted(struct hf_lock *lock, int rc)
{
	struct user *u = lock->data;
	struct hold *hold = hold_of(u);
	struct member_memory *m = u->all->memory;
	uint64_t now = now_us();

	answered_once(u, &hold->answers, "an acquisition");
	hold->rc = rc;
	if (rc != 0) {
		m->refusals++;
		if (!is_slow(u) && rc == HF_EHELD)
			quick_next(u);
		else
			rest(u, (5 + random_below(&u->random, 50)) * MS);
		return;
	}
	hold->granted = now;
	hold->token = hf_lock_token(lock);
	m->grants++;
	if (hold->name < NAMES_CONTENDED)
		raise_to(&u->all->shared->newest_grant[hold->name], now);
	look(u);
	write_resource(u);
	if (!is_slow(u)) {
		release(u);
		return;
	}
	u->due = now + think_us(u);
	u->state = USER_THINKING;
}

/* False: there is no room to write it down, and it isn't asked for. */
static bool note_call(struct user *u, const struct wish *wish)
{
	struct member_memory *m = u->all->memory;
	uint32_t number = m->holds_len;

	if (number >= HOLDS_MAX || u->all->stopping)
		return false;
	number = m->holds_len++;
	if (number >= HOLDS_MAX)
		return false;
	struct hold *hold = &m->holds[number];
	u->hold = number;
	hold->name = (uint16_t)wish->name;
	hold->mode = (uint8_t)wish->options.mode;
	hold->permits = (uint8_t)wish->options.permits;
	hold->boot = m->boot;
	hold->rc = PENDING;
	hold->called = now_us();
	return true;
}

static void ask(struct user *u)
{
	struct wish wish;
	char name[NAME_LEN];

	wish_draw(&wish, &u->random, is_slow(u));
	wish.options.owner = u->number + 1;
	if (!note_call(u, &wish)) {
		rest(u, 10 * MS);
		return;
	}
	u->cancel_at = is_slow(u) && random_below(&u->random, 10) == 0
			       ? now_us() + random_below(&u->random, 300) * MS
			       : UNTIL_ENDED;
	u->state = USER_ASKING;
	u->lock.data = u;
	int rc = hf_lock_start(u->all->node, &u->lock, name,
			       name_write(name, wish.name), &wish.options,
			       wish.timeout_ms, on_granted);
	if (rc != 0) {
		hold_of(u)->rc = rc;
		rest(u, 50 * MS);
	}
}

static void quick_next(struct user *u)
{
	if (u->all->stopping)
		rest(u, 10 * MS);
	else
		ask(u);
}

static void on_validated(struct hf_lock *lock, int rc)
{
	struct user *u = lock->data;

	check_refusal(u, now_us(), rc, "a validation");
	if (rc == 0) {
		u->all->memory->validations++;
		raise_to(&hold_of(u)->certain_until, u->validate_called);
	}
	u->state = USER_THINKING;
}

static void validate(struct user *u)
{
	u->state = USER_CHECKING;
	u->validate_called = now_us();
	if (hf_lock_validate_start(&u->lock, VALIDATE_TIMEOUT_MS,
				   on_validated) != 0)
		u->state = USER_THINKING;
}

static void think(struct user *u, uint64_t now)
{
	if (now >= u->due || u->all->stopping || u->all->hasty) {
		write_resource(u);
		release(u);
	} else if (random_below(&u->random, 64) == 0) {
		validate(u);
	} else {
		look(u);
	}
}

static void cancel_due(struct user *u, uint64_t now)
{
	if (now < u->cancel_at && !u->all->stopping)
		return;
	u->cancel_at = UNTIL_ENDED;
	hf_lock_cancel(&u->lock);
}

static void user_tick(struct user *u, uint64_t now)
{
	int state = u->state;

	switch (state) {
	case USER_IDLE:
		if (now >= u->due && !u->all->stopping)
			ask(u);
		break;
	case USER_ASKING:
		if (is_slow(u))
			cancel_due(u, now);
		break;
	case USER_THINKING:
		think(u, now);
		break;
	default:
		break;
	}
}

void users_init(struct users *all, struct hf_node *node, struct shared *shared,
		unsigned member)
{
	memset(all, 0, sizeof(*all));
	all->node = node;
	all->shared = shared;
	all->member = member;
	all->memory = &shared->members[member];
	pthread_mutex_init(&all->mutex, NULL);
	for (unsigned i = 0; i < USERS; i++) {
		struct user *u = &all->users[i];
		u->all = all;
		u->number = i;
		u->random.state =
			now_us() ^ (uint64_t)member << 56 ^ (uint64_t)i << 48;
	}
}

void users_tick(struct users *all)
{
	uint64_t now = now_us();

	for (unsigned i = 0; i < USERS; i++)
		user_tick(&all->users[i], now);
}

unsigned users_busy(const struct users *all)
{
	unsigned busy = 0;

	for (unsigned i = 0; i < USERS; i++)
		busy += all->users[i].state != USER_IDLE;
	return busy;
}

void users_lost(struct users *all, uint64_t token)
{
	uint64_t now = now_us();

	for (unsigned i = 0; i < USERS; i++) {
		struct user *u = &all->users[i];
		struct hold *hold = hold_of(u);
		if (u->state == USER_IDLE || hold->token != token)
			continue;
		if (hold->lost)
			violation(all->shared,
				  "member %u: the loss of token %" PRIu64
				  " was told twice",
				  all->member + 1, token);
		hold->lost = now;
		if (hold->certain_until > now && !hold->release_called)
			violation(all->shared,
				  "member %u: token %" PRIu64 " was lost while "
				  "certain for %" PRIu64 " us more",
				  all->member + 1, token,
				  hold->certain_until - now);
	}
}

void users_check_answered(struct users *all)
{
	struct member_memory *m = all->memory;
	uint32_t len = shared_holds(m);

	for (uint32_t i = 0; i < len; i++) {
		struct hold *hold = &m->holds[i];
		if (hold->boot != m->boot ||
		    (hold->rc != PENDING && hold->release_rc != PENDING))
			continue;
		violation(all->shared, "member %u: %s of %s was never answered",
			  all->member + 1,
			  hold->rc == PENDING ? "an acquisition" : "a release",
			  hold->name < NAMES_CONTENDED ? "a contended name"
						       : "a name");
	}
}
