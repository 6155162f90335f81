/* The command language of the scripts over the state machine.
 *
 * Sessions have names, given to them by `open`; a request is called by its
 * session and number, as s1.3. Times are 500us, 20ms, 10s.
 *
 *	open NAME node=N ttl=T [boot=N] [nth=N] [nonce=N] [member]
 *	renew NAME [seq=N] [low=N]
 *	close NAME
 *	acquire NAME SEQ name=TEXT [wait=T|forever] [mode=shared|permits]
 *		[permits=N] [limit=N] [delay=T] [owner=N] [low=N]
 *	release NAME SEQ token=N [low=N]
 *	cancel NAME SEQ
 *	limits NAME=N ...	those that change
 *	batch ... end		the operations between make one entry
 *	clock T			the leader's clock moves on; nothing is proposed
 *	tick [T]		the same, then an entry without operations
 *	leader			a new term, whose clock starts at cluster time
 *	entry [index=N] [version=N] [stamp=T] [term=N] [hash=wrong]
 *				an empty one
 *	crash			this member restarts from an image
 *	image begin|step N|restore
 *				restore: another member starts from that image
 *				and applies what came after
 *	state			prints everything
 *
 * Any operation takes node=N, session=N: for what no honest node does. */
#ifndef HF_TEST_SCRIPT_STORY_H
#define HF_TEST_SCRIPT_STORY_H

#include "lib/machine.h"
#include "script/lib/text.h"

enum { STORY_NAMES = 64, STORY_OPS = 256, STORY_LOG = 256 };

struct story_name {
	char text[16];
	uint64_t id, node;
};

struct story_entry { /* for replay; the names of locks are the story's */
	uint64_t index;
	struct entry entry;
	struct op ops[STORY_OPS];
};

struct story {
	struct machine machine;
	struct story_name names[STORY_NAMES];
	size_t names_len;
	char *opening;  /* the name that the next opened session gets */
	uint64_t clock; /* the leader's */
	bool batch;     /* gathering operations */
	struct op ops[STORY_OPS];
	char *opened[STORY_OPS]; /* names for the sessions that they open */
	size_t ops_len;
	void **memory; /* all that lives as long as the story */
	size_t memory_len;
	struct image_copy image;
	bool imaging; /* keep the log */
	struct story_entry *log[STORY_LOG];
	size_t log_len;
	struct text *out;
};

void story_init(struct story *s);
void story_end(struct story *s);
/* A script_command; ctx is the story. */
void story_command(void *ctx, char *line, struct text *out);

/* What is known of a session's id: its name, or "?". */
const char *story_name_of(const struct story *s, uint64_t id);

/* print.c */
void print_output(const struct story *s, const struct output *o,
		  struct text *out);
void print_state(const struct story *s, struct text *out);

#endif
