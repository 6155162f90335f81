#include "clients.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHURN_WAIT_MS 3000

static void on_churn_granted(struct hf_lock *lock, int rc);
static void on_kept(struct hf_lock *lock, int rc);

static void client_end(struct client *client)
{
	struct clients *c = client->all;

	pthread_mutex_lock(&c->mutex);
	c->running--;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}

static int ask(struct client *client, uint32_t timeout_ms, hf_lock_cb cb)
{
	struct hf_lock_options options = { .size = sizeof(options) };
	char name[SOAK_NAME_LEN];

	journal_name(name, client->name);
	options.owner = client->number + 1;
	client->lock.data = client;
	return hf_lock_start(client->all->node, &client->lock, name,
			     strlen(name), &options, timeout_ms, cb);
}

static void churn(struct client *client)
{
	client->name = (unsigned)rand_r(&client->seed) % SOAK_CHURN_NAMES;
	if (client->all->stopping ||
	    ask(client, CHURN_WAIT_MS, on_churn_granted) != 0)
		client_end(client);
}

/* A living session's hold can't have gone before its release. */
static void on_churn_released(struct hf_lock *lock, int rc)
{
	struct client *client = lock->data;
	struct journal *j = client->all->journal;

	if (rc == 0)
		journal_released(j, client->name, client->token);
	else if (hf_outcome(rc) == HF_OUTCOME_REFUSED)
		journal_lost(j,
			     "soak/%u, token %" PRIu64
			     ": held, but its release said: %s",
			     client->name, client->token, hf_strerror(rc));
	churn(client);
}

static void on_churn_granted(struct hf_lock *lock, int rc)
{
	struct client *client = lock->data;

	if (rc != 0) {
		churn(client);
		return;
	}
	client->token = hf_lock_token(lock);
	journal_granted(client->all->journal, client->name, client->token,
			hf_lock_safe_ms(lock));
	if (hf_unlock_start(lock, CHURN_WAIT_MS, on_churn_released) != 0)
		client_end(client);
}

static void keep(struct client *client)
{
	if (client->all->stopping || ask(client, HF_FOREVER, on_kept) != 0)
		client_end(client);
}

static void on_kept(struct hf_lock *lock, int rc)
{
	struct client *client = lock->data;
	struct clients *c = client->all;

	if (rc != 0) {
		keep(client);
		return;
	}
	client->token = hf_lock_token(lock);
	journal_granted(c->journal, client->name, client->token,
			hf_lock_safe_ms(lock));
	c->journal->kept[c->member][client->number - SOAK_CHURNERS] =
		client->token;
	client_end(client);
}

static void client_init(struct client *client, struct clients *c,
			unsigned number)
{
	client->all = c;
	client->number = number;
	client->seed = (unsigned)rand();
}

void clients_start(struct clients *c, struct hf_node *node,
		   struct journal *journal, unsigned member)
{
	memset(c, 0, sizeof(*c));
	c->node = node;
	c->journal = journal;
	c->member = member;
	c->running = SOAK_CHURNERS + SOAK_KEEPERS;
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->changed, NULL);
	for (unsigned i = 0; i < SOAK_KEEPERS; i++) {
		client_init(&c->keepers[i], c, SOAK_CHURNERS + i);
		c->keepers[i].name = journal_keeper_name(member, i);
		keep(&c->keepers[i]);
	}
	for (unsigned i = 0; i < SOAK_CHURNERS; i++) {
		client_init(&c->churners[i], c, i);
		churn(&c->churners[i]);
	}
}

void clients_drain(struct clients *c)
{
	c->stopping = true;
	for (unsigned i = 0; i < SOAK_KEEPERS; i++)
		hf_lock_cancel(&c->keepers[i].lock);
	pthread_mutex_lock(&c->mutex);
	while (c->running > 0)
		pthread_cond_wait(&c->changed, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
	for (unsigned i = 0; i < SOAK_KEEPERS; i++) {
		struct client *client = &c->keepers[i];

		if (c->journal->kept[c->member][i] == 0)
			continue;
		int rc = hf_unlock(&client->lock, SOAK_WAIT_MS);
		if (rc != 0)
			journal_lost(c->journal, "soak/%u: the end says: %s",
				     client->name, hf_strerror(rc));
	}
}

/* The outcome of one question may be unknown; that of many may not. */
static int validate(struct hf_lock *lock)
{
	int rc = HF_ETIMEDOUT;

	for (int i = 0; i < 10 && (rc == HF_ETIMEDOUT || rc == HF_ENOLEADER);
	     i++)
		rc = hf_lock_validate(lock, SOAK_WAIT_MS / 10);
	return rc;
}

void clients_validate(struct clients *c)
{
	for (unsigned i = 0; i < SOAK_KEEPERS; i++) {
		uint64_t token = c->journal->kept[c->member][i];
		struct hf_lock *lock = &c->keepers[i].lock;

		if (token == 0)
			continue;
		int rc = validate(lock);
		if (rc == 0 && hf_lock_token(lock) == token)
			c->journal->asked_again++;
		else
			journal_lost(c->journal,
				     "soak/%u, token %" PRIu64
				     ": kept, but the leader says: %s",
				     c->keepers[i].name, token,
				     hf_strerror(rc));
	}
}
