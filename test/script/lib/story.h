/* The command language of the scripts over the state machine.
 *
 * Sessions have names, given to them by `open`; a request is called by its
 * session and number, as s1.3. Times are 500us, 20ms, 10s.
 *
 *	open NAME node=N ttl=T [boot=N] [nth=N] [nonce=N] [member]
 *	renew NAME [seq=N] [low=N]
 *	close NAME
 *	acquire NAME SEQ name=TEXT [wait=T|forever] [owner=N] [low=N] [delay=T]
 *		[mode=shared|barrier|leave] [permits=N] [limit=N] [from=TOKEN]
 *		[also=TEXT[,shared|,PERMITS/LIMIT]] ... [priority=N] [line=N]
 *		[hold=T] [lease=T] [shown=TEXT]
 *	release NAME SEQ token=N [to=NODE]
 *	cancel NAME SEQ [wait]	wait: a hold that it has become stays
 *	extend|noted NAME token=N [at=T]
 *	revoke NAME SEQ token=N [grace=T] [reason=TEXT]
 *	announce NAME SEQ token=N shown=TEXT
 *	permits NAME SEQ name=TEXT limit=N
 *	put NAME SEQ name=TEXT bytes=TEXT [version=N|none] [guard=TOKEN]
 *		[ephemeral]
 *	delete NAME SEQ name=TEXT [version=N|none] [guard=TOKEN]
 *	add NAME SEQ name=TEXT by=N [guard=TOKEN] [ephemeral]
 *	await NAME SEQ name=TEXT absent|present|newer=N|atmost=N|atleast=N
 *		[wait=T]
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
 *	watch			from now on print what watches show, too
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
	bool watching;
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

/* Memory that lives as long as the story. */
void *story_keep(struct story *s, void *memory);
const struct story_name *story_find(const struct story *s, const char *text);
/* Apply an operation, or put it into the batch; `opened` is the name of the
 * session that it opens. */
void story_gather(struct story *s, const struct op *op, const char *opened);

/* operation.c: false if the command isn't one. */
struct words;
bool story_operation(struct story *s, const struct words *w);

/* print.c, show.c */
struct shown_time {
	char text[40];
};
struct shown_time print_time(uint64_t us);
const char *print_status(int status);
const char *print_mode(enum mode mode);
void print_output(const struct story *s, const struct output *o,
		  struct text *out);
void print_state(const struct story *s, struct text *out);

#endif
