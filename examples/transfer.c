/* Several locks at once: money goes between accounts, in all directions, by
 * four threads.
 *
 * hf_lock_many takes both accounts or none, so the order in which they are
 * named doesn't matter, and who waits keeps nobody from the other account. Each
 * has a token of its own, and refuses an older one. */
#include "alone.h"

#include <pthread.h>

#define ACCOUNTS 3
#define THREADS 4
#define TRANSFERS 40 /* by each thread */
#define BEGINNING 100

/* Stands for a database, in which the check of the token and the change are one
 * transaction. */
struct account {
	pthread_mutex_t mutex;
	struct hf_guard guard;
	int balance;
};

struct bank {
	struct hf_node *node;
	struct account accounts[ACCOUNTS];
};

struct teller {
	struct bank *bank;
	pthread_t thread;
	unsigned number, done;
};

static const char *const names[ACCOUNTS] = { "account/0", "account/1",
					     "account/2" };

static int account_add(struct account *a, uint64_t token, int amount)
{
	pthread_mutex_lock(&a->mutex);
	int rc = hf_guard_check(&a->guard, HF_EXCLUSIVE, token);
	if (rc == 0)
		a->balance += amount;
	pthread_mutex_unlock(&a->mutex);
	return rc;
}

static int lock_both(struct bank *b, struct hf_lock *lock, unsigned from,
		     unsigned to, uint64_t owner, uint32_t timeout_ms)
{
	struct hf_part parts[2] = { { .name = names[from], .name_len = 9 },
				    { .name = names[to], .name_len = 9 } };
	struct hf_lock_options options = { .size = sizeof(options),
					   .owner = owner };

	return hf_lock_many(b->node, lock, parts, 2, &options, timeout_ms);
}

/* The token of the second part is the next number. */
static int transfer(struct bank *b, unsigned from, unsigned to, uint64_t owner)
{
	struct hf_lock lock;
	int rc = lock_both(b, &lock, from, to, owner, WAIT_MS);

	if (rc != 0)
		return rc;
	uint64_t token = hf_lock_token(&lock);
	rc = account_add(&b->accounts[from], token, -1);
	if (rc == 0)
		rc = account_add(&b->accounts[to], token + 1, 1);
	hf_unlock(&lock, WAIT_MS);
	return rc;
}

static void *teller_run(void *arg)
{
	struct teller *t = arg;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < TRANSFERS; i++) {
		unsigned from = (t->number + i) % ACCOUNTS;
		unsigned to = (from + 1 + t->number % 2) % ACCOUNTS;

		rc = transfer(t->bank, from, to, t->number + 1);
		t->done += rc == 0;
	}
	if (rc != 0)
		printf("teller %u: %s\n", t->number, hf_strerror(rc));
	return NULL;
}

static bool transfer_all(struct bank *b)
{
	struct teller tellers[THREADS] = { 0 };
	unsigned done = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		tellers[i].bank = b;
		tellers[i].number = i;
		if (pthread_create(&tellers[i].thread, NULL, teller_run,
				   &tellers[i]) != 0)
			return false;
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(tellers[i].thread, NULL);
		done += tellers[i].done;
	}
	int sum = 0;
	for (unsigned i = 0; i < ACCOUNTS; i++)
		sum += b->accounts[i].balance;
	return say(done == THREADS * TRANSFERS, "%u transfers", done) &&
	       say(sum == ACCOUNTS * BEGINNING, "the sum is %d, as before",
		   sum);
}

/* Who can't have both has none. */
static bool all_or_nothing(struct bank *b)
{
	struct hf_lock one, both, other;

	if (hf_lock(b->node, &one, names[1], NULL, WAIT_MS) != 0)
		return false;
	bool well = expect(lock_both(b, &both, 0, 1, 9, 100), HF_ETIMEDOUT,
			   "both, while another has account 1") &&
		    expect(hf_trylock(b->node, &other, names[0], NULL), 0,
			   "account 0 was left free") &&
		    hf_unlock(&other, WAIT_MS) == 0;
	return hf_unlock(&one, WAIT_MS) == 0 && well;
}

int main(void)
{
	struct bank b = { 0 };
	char dir[DIR_LEN];

	for (int i = 0; i < ACCOUNTS; i++) {
		pthread_mutex_init(&b.accounts[i].mutex, NULL);
		b.accounts[i].balance = BEGINNING;
	}
	b.node = alone_open(dir);
	bool well = b.node && transfer_all(&b) && all_or_nothing(&b);
	alone_close(b.node, dir);
	say(well, "transfer: all or nothing");
	return well ? 0 : 1;
}
