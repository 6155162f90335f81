/* SQLite as a resource that refuses old tokens: a writer that was paused beyond
 * its lease, in the middle of a transaction, can't commit. About 3 seconds.
 *
 * The database has a row for the lock, with the newest token, beside the data.
 * Each writing transaction puts its own token there, unless a newer one is
 * there already: check and write are one atomic step, because they are one
 * transaction.
 *
 * Three members, all on this machine: this process and two writers. Writer A
 * gets the lock, begins a transaction, reads, and is stopped. Its lease runs
 * out; writer B gets the lock, and a newer token, and commits. Then A goes on.
 * SQLite tells it to begin again, since what it had read has changed; what
 * refuses it for good is the token.
 *
 * cc sqlite-fence.c $(pkg-config --cflags --libs holdfast sqlite3) && ./a.out
 * The exit status is 0 if A was refused, and only B has written. */
#include <holdfast.h>

#include <arpa/inet.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMBERS 3
#define TTL_MS 1000
#define PATIENCE_MS 8000 /* for what must come, also on a slow machine */
#define BUSY_MS 2000     /* while another connection writes */
#define BEGINNING 100    /* in the account */

struct scene {
	char dir[256], addresses[MEMBERS][32];
	struct hf_member members[MEMBERS];
};

static const char schema[] =
	"PRAGMA journal_mode = WAL;"
	"CREATE TABLE fence (name TEXT PRIMARY KEY, newest INTEGER NOT NULL);"
	"CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER);"
	"INSERT INTO fence VALUES ('account', 0);"
	"INSERT INTO account VALUES ('account', 100);";

static int db_open(sqlite3 **db, const struct scene *s)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/account.db", s->dir);
	int rc = sqlite3_open(path, db);
	return rc ? rc : sqlite3_busy_timeout(*db, BUSY_MS);
}

/* One statement: `in` is its ?1, `*out` gets its first column. */
static int db_do(sqlite3 *db, const char *sql, int64_t in, int64_t *out)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (rc)
		return rc;
	if (sqlite3_bind_parameter_count(statement) > 0)
		sqlite3_bind_int64(statement, 1, in);
	if (sqlite3_step(statement) == SQLITE_ROW && out)
		*out = sqlite3_column_int64(statement, 0);
	return sqlite3_finalize(statement); /* the step's error, too */
}

static int db_read(sqlite3 *db, int64_t *balance)
{
	return db_do(db, "SELECT balance FROM account", 0, balance);
}

/* HF_EFENCED: a newer token is there. Tokens are below 2^63. */
static int db_fence(sqlite3 *db, uint64_t token)
{
	int rc = db_do(db,
		       "UPDATE fence SET newest = ?1"
		       " WHERE name = 'account' AND newest <= ?1",
		       (int64_t)token, NULL);

	return rc == 0 && sqlite3_changes(db) == 0 ? HF_EFENCED : rc;
}

/* A transaction that adds to the account. 0, HF_EFENCED, or SQLite's error,
 * which is positive. */
static int db_add(sqlite3 *db, uint64_t token, int64_t amount,
		  void (*think)(void))
{
	int64_t balance = 0;
	int rc = db_do(db, "BEGIN", 0, NULL);

	if (rc == 0)
		rc = db_read(db, &balance);
	think();
	if (rc == 0)
		rc = db_fence(db, token);
	if (rc == 0)
		rc = db_do(db, "UPDATE account SET balance = ?1",
			   balance + amount, NULL);
	if (rc == 0)
		rc = db_do(db, "COMMIT", 0, NULL);
	if (rc)
		db_do(db, "ROLLBACK", 0, NULL);
	return rc;
}

static const char *reason(int rc)
{
	return rc < 0 ? hf_strerror(rc) : sqlite3_errstr(rc);
}

static void stop(void)
{
	raise(SIGSTOP); /* as a debugger, a snapshot or the scheduler may */
}

static void go_on(void)
{
}

/* As any program does: once more if SQLite says that it was busy. It asks
 * nobody about its lease, whose end could come after any such question. */
static int write_under(const struct hf_lock *lock, const struct scene *s,
		       char who, int64_t amount)
{
	uint64_t token = hf_lock_token(lock);
	sqlite3 *db;
	int rc = db_open(&db, s);

	if (rc == 0) {
		printf("%c: adds %d under token %" PRIu64 "\n", who,
		       (int)amount, token);
		rc = db_add(db, token, amount, who == 'A' ? stop : go_on);
	}
	if (rc == SQLITE_BUSY) {
		printf("%c: begins again, as SQLite asks: %s\n", who,
		       reason(rc));
		rc = db_add(db, token, amount, go_on);
	}
	printf("%c: %s\n", who, rc ? reason(rc) : "committed");
	sqlite3_close(db);
	return rc;
}

static int member_open(struct hf_node **node, const struct scene *s,
		       uint64_t id)
{
	struct hf_options options = { .size = sizeof(options), .id = id };
	char error[HF_ERROR_TEXT], dir[300];

	snprintf(dir, sizeof(dir), "%s/member-%" PRIu64, s->dir, id);
	options.dir = dir;
	options.members = s->members;
	options.members_len = MEMBERS;
	options.ttl_ms = TTL_MS;
	int rc = hf_open(node, &options, error);
	if (rc)
		fprintf(stderr, "member %" PRIu64 ": %s\n", id, error);
	return rc;
}

/* A writer's process. Its exit status is 0 if the result is the `expected` one.
 * It begins when there is something to read from `start`. */
static int writer(const struct scene *s, char who, int start, int expected)
{
	struct hf_node *node;
	struct hf_lock lock;
	char go;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (member_open(&node, s, who == 'A' ? 1 : 2) != 0)
		return 1;
	int rc = read(start, &go, 1) == 1 ? 0 : HF_EIO;
	if (rc == 0)
		rc = hf_lock(node, &lock, "account", NULL, PATIENCE_MS);
	if (rc)
		printf("%c: no lock: %s\n", who, reason(rc));
	else
		rc = write_under(&lock, s, who, who == 'A' ? 1 : 10);
	hf_close(node, 1000); /* releases, if there is something to release */
	return rc != expected;
}

/* Before this process has threads. `*start`: where to write to start it. */
static pid_t writer_fork(const struct scene *s, char who, int *start,
			 int expected)
{
	int fds[2];

	if (pipe(fds) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[1]);
		exit(writer(s, who, fds[0], expected));
	}
	close(fds[0]);
	*start = fds[1];
	return pid;
}

static int ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static int play(pid_t a, int start_a, pid_t b, int start_b)
{
	int status;

	if (write(start_a, "", 1) != 1 || waitpid(a, &status, WUNTRACED) != a ||
	    !WIFSTOPPED(status))
		return 0;
	puts("A is stopped in its transaction; its lease runs out");
	if (write(start_b, "", 1) != 1 || !ended_well(b))
		return 0;
	puts("A goes on");
	return kill(a, SIGCONT) == 0 && ended_well(a);
}

/* Only B has written, and its token is there: A's was the first, so it is above
 * 1. */
static int check(const struct scene *s)
{
	int64_t balance = 0, newest = 0;
	sqlite3 *db;
	int rc = db_open(&db, s);

	if (rc == 0)
		rc = db_read(db, &balance);
	if (rc == 0)
		rc = db_do(db, "SELECT newest FROM fence", 0, &newest);
	sqlite3_close(db);
	printf("the account has %" PRId64 ", its newest token is %" PRId64 "\n",
	       balance, newest);
	return rc == 0 && balance == BEGINNING + 10 && newest > 1;
}

static int run(const struct scene *s)
{
	struct hf_node *node;
	int start_a, start_b, good = 0;
	pid_t a = writer_fork(s, 'A', &start_a, HF_EFENCED);
	pid_t b = writer_fork(s, 'B', &start_b, 0);

	if (a > 0 && b > 0 && member_open(&node, s, MEMBERS) == 0) {
		good = play(a, start_a, b, start_b) && check(s);
		hf_close(node, 1000);
	}
	if (a > 0 && !good)
		kill(a, SIGKILL);
	if (b > 0 && !good)
		kill(b, SIGKILL);
	while (wait(NULL) > 0)
		;
	return good;
}

/* Ports that are free now. */
static int find_addresses(struct scene *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fds[MEMBERS], good = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < MEMBERS; i++) {
		at.sin_port = 0;
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		good = good && bind(fds[i], (void *)&at, len) == 0 &&
		       getsockname(fds[i], (void *)&at, &len) == 0;
		snprintf(s->addresses[i], sizeof(s->addresses[i]),
			 "127.0.0.1:%d", ntohs(at.sin_port));
		s->members[i] =
			(struct hf_member){ (uint64_t)i + 1, s->addresses[i] };
	}
	for (int i = 0; i < MEMBERS; i++)
		close(fds[i]);
	return good;
}

static int set_up(struct scene *s)
{
	const char *under = getenv("TMPDIR");
	sqlite3 *db;

	snprintf(s->dir, sizeof(s->dir), "%s/sqlite-fence-XXXXXX",
		 under ? under : "/tmp");
	if (!mkdtemp(s->dir) || !find_addresses(s)) {
		perror(s->dir);
		return 0;
	}
	int rc = db_open(&db, s);
	if (rc == 0)
		rc = sqlite3_exec(db, schema, NULL, NULL, NULL);
	if (rc)
		fprintf(stderr, "%s: %s\n", s->dir, sqlite3_errstr(rc));
	sqlite3_close(db);
	return rc == 0;
}

static int unlink_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	struct scene s = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	int good = set_up(&s) && run(&s);
	nftw(s.dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	puts(good ? "as it should be" : "NOT as it should be");
	return !good;
}
